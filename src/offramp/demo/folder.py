"""The folder that the demo leaves behind. Only a folder that the demo has made is ever cleared."""

import shutil
from pathlib import Path

from offramp.core.errors import Refused

MARKER = ".offramp-demo"


class FolderNotOurs(Refused):
    """The folder {folder} holds files that the demo has not made; it is left alone."""


def cleared_folder(folder: Path) -> Path:
    """Give an empty folder of this name, marked as the demo's own.

    Raises:
        FolderNotOurs: it holds something and does not carry the demo's marker.
    """
    if folder.exists() and not folder.is_dir():
        raise FolderNotOurs(folder=str(folder), hint="choose another one with --out")
    if folder.exists() and any(folder.iterdir()):
        if not (folder / MARKER).is_file():
            raise FolderNotOurs(folder=str(folder), hint="choose another one with --out")
        shutil.rmtree(folder)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / MARKER).write_text("Made by offramp demo, which may clear this folder.\n")
    return folder
