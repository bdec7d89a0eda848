"""A local folder as it is on the disk, beside what obstore tells of it.

obstore follows links and passes over names that look like unfinished uploads. So a link could lead
a deletion into somebody else's files, and a file could stay unseen: both are found here, and what
is left is counted here, by a walk of our own (L21).

Source: the local file system of `object_store` (its rules on links and on ``#`` in names).
"""

import os
import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from offramp.core.errors import Refused
from offramp.data.sources.trouble import SourceUnavailable

_PASSED_OVER = re.compile(r"#\d+$")


class FileUnsafe(Refused):
    """The source {source} has {count} entries that cannot be handled safely: {reason}."""


def require_folder(source: str, root: Path) -> None:
    """Refuse a store that is not there; obstore would list nothing, and call it empty (L16).

    Raises:
        SourceUnavailable: there is no such folder.
    """
    if not root.is_dir():
        reason = "there is no such folder"
        raise SourceUnavailable(source=source, reason=reason, hint="is the path right?")


def require_plain(source: str, root: Path, folder: Path) -> None:
    """Refuse a folder whose listing would leave it, or leave something out.

    Raises:
        FileUnsafe: there is a link on the way to it or in it, or a name that is passed over.
    """
    if folder.resolve() != root.resolve() / folder.relative_to(root):
        raise FileUnsafe(source=source, count=1, reason="a link on the way to the folder")
    links = names = 0
    for entry in _walk(folder):
        links += entry.is_symlink()
        names += bool(_PASSED_OVER.search(entry.name))
    if links:
        hint = "a link may lead to files of others: remove it, or put the file in its place"
        raise FileUnsafe(source=source, count=links, reason="links", hint=hint)
    if names:
        reason = "names that end with # and a number, as unfinished uploads do"
        hint = "remove the uploads that were never finished, and rename what is a file"
        raise FileUnsafe(source=source, count=names, reason=reason, hint=hint)


def count_files(folder: Path) -> int:
    """Count everything in a folder that is no folder."""
    return sum(not entry.is_dir(follow_symlinks=False) for entry in _walk(folder))


def remove_empty_folders(folder: Path) -> None:
    """Remove a folder and those below it as far as nothing is in them."""
    for place, _, _ in os.walk(folder, topdown=False):
        with suppress(OSError):
            os.rmdir(place)


def _walk(folder: Path) -> Iterator[os.DirEntry[str]]:
    """Yield everything below a folder without following a link; a folder may be missing."""
    waiting = [folder] if folder.is_dir() else []
    while waiting:
        with os.scandir(waiting.pop()) as entries:
            for entry in entries:
                yield entry
                if entry.is_dir(follow_symlinks=False):
                    waiting.append(Path(entry.path))
