"""`offramp serve --data DIR`: an empty folder becomes an installation, however often it is begun.

A marker says that the folder is being set up. It is there before anything else and goes after
everything else, so whoever was killed in between is followed by somebody who goes on.

Source: docs/http.md; docs/decisions/038-one-process.md.
"""

import os
from pathlib import Path

from offramp.adapters.lock_file import hold_lock
from offramp.cli.output import make_folder, write_file
from offramp.cli.setup import set_up
from offramp.config import CONFIG_FILE, CONFIG_FILE_VARIABLE, load_settings
from offramp.core.errors import Refused
from offramp.ports import Probe
from offramp.web.address import address_of

MARKER = "being-set-up"


class FolderTaken(Refused):
    """The folder {folder} holds other things than an installation of Offramp."""


def settle(folder: Path, *, listen: str | None, probe: Probe) -> None:
    """Take the settings from a folder, and set everything up in it the first time.

    There is a portal then, at the address of this server until somebody sets another one.

    Raises:
        FolderTaken: it is not empty, and nothing was set up in it.
        WorkInProgress: another process is setting it up.
    """
    place = folder.resolve()
    file, marker = place / CONFIG_FILE, place / MARKER
    os.environ[CONFIG_FILE_VARIABLE] = str(file)
    if file.exists() and not marker.exists():
        return
    with hold_lock(f"installation {place}", subject=f"the folder {place}"):
        if not file.exists():
            _begin(place, marker)
            probe("folder marked")
            set_up(_given(place, listen=listen), probe=probe)
        marker.unlink(missing_ok=True)


def _begin(place: Path, marker: Path) -> None:
    make_folder(place)
    if not marker.exists() and any(place.iterdir()):
        raise FolderTaken(folder=str(place), hint="name one that is empty, or does not exist yet")
    write_file(marker, b"")


def _given(place: Path, *, listen: str | None) -> dict[str, object]:
    given: dict[str, object] = {"folder": place, **({"serve_at": listen} if listen else {})}
    address = address_of(listen or load_settings().serve_at)
    if address is not None:
        given |= {"portal": True, "public_address": address}
    return given
