"""Exports and certificates as files under one folder.

A file appears under its name only when it is complete and on the disk, so a crash leaves either
the whole hand-over or nothing. A name is a relative path of ours; every other path is refused.
"""

import io
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import BinaryIO

from offramp.adapters.disk import TrickledFile, room_for, sync_folder
from offramp.core.errors import Invalid
from offramp.ports import VaultFileMissing

PART_BYTES_MAX = 255
_DRAFT = ".draft-"


class VaultNameInvalid(Invalid):
    """{name!r} is not a name in the vault."""


class FolderVault:
    """Files below one private folder."""

    def __init__(self, folder: Path) -> None:
        """Keep the files in a folder, which is made on first use."""
        self._folder = folder

    @contextmanager
    def write(self, name: str) -> Iterator[BinaryIO]:
        """Open a new file; it exists under its name only when the block ends without an error.

        Raises:
            DiskFull: there is no room for it; no part of it is kept.
        """
        file = self._path(name)
        with room_for(name):
            self._make_folder(file.parent)
            with NamedTemporaryFile(dir=file.parent, prefix=_DRAFT, delete=False) as draft:
                try:
                    with io.BufferedWriter(TrickledFile(os.dup(draft.fileno()))) as sink:
                        yield sink
                        sink.flush()
                        os.fsync(sink.fileno())
                    os.replace(draft.name, file)
                finally:
                    Path(draft.name).unlink(missing_ok=True)
            sync_folder(file.parent)

    def room_bytes(self) -> int | None:
        """Give how many bytes more the disk can take; none before anything was written."""
        return shutil.disk_usage(self._folder).free if self._folder.is_dir() else None

    @contextmanager
    def read(self, name: str) -> Iterator[BinaryIO]:
        """Open a file.

        Raises:
            VaultFileMissing: there is none of this name.
        """
        file = self._path(name)
        if not file.is_file():
            raise VaultFileMissing(name=name)
        with file.open("rb") as content:
            yield content

    def size(self, name: str) -> int | None:
        """Give the size in bytes; none when there is no such file."""
        file = self._path(name)
        return file.stat().st_size if file.is_file() else None

    def delete(self, prefix: str) -> int:
        """Delete the file, or every file in the folder, of this name; returns how many.

        Drafts that a crash has left go too, uncounted: they hold what the files hold.
        """
        start = self._path(prefix.removesuffix("/"))
        if start.is_file():
            start.unlink()
            sync_folder(start.parent)
            return 1
        return _empty(start) if start.is_dir() else 0

    def _path(self, name: str) -> Path:
        return self._folder / require_vault_name(name)

    def _make_folder(self, folder: Path) -> None:
        """Make a folder and let its name survive a power cut, up to the root of the vault."""
        if folder.is_dir():
            return
        if folder != self._folder:
            self._make_folder(folder.parent)
        folder.mkdir(mode=0o700, parents=folder == self._folder, exist_ok=True)
        sync_folder(folder.parent)


def require_vault_name(name: str) -> str:
    """Return a name that stays inside the vault: parts joined by slashes, none hidden.

    Raises:
        VaultNameInvalid: it is something else.
    """
    if not all(_is_part(part) for part in name.split("/")):
        raise VaultNameInvalid(
            name=name,
            expected="a relative path such as acme/export.json",
            hint="no part may be empty, begin with a dot, or hold a backslash or control character",
        )
    return name


def _is_part(part: str) -> bool:
    return (
        bool(part.strip())
        and not part.startswith(".")
        and part.isprintable()
        and "\\" not in part
        and len(part.encode()) <= PART_BYTES_MAX
    )


def _empty(folder: Path) -> int:
    """Delete a folder from its leaves up and count the files."""
    deleted = 0
    for place, _, names in os.walk(folder, topdown=False):
        for name in names:
            (Path(place) / name).unlink()
            deleted += not name.startswith(_DRAFT)
        os.rmdir(place)
    sync_folder(folder.parent)
    return deleted
