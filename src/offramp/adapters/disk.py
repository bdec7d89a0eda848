"""What survives a power cut: a file and the name that leads to it, each told to the disk.

What a disk that is full means is said here, too.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from errno import EDQUOT, EFBIG, ENOSPC
from pathlib import Path

from offramp.ports import DiskFull

_FULL = (ENOSPC, EDQUOT, EFBIG)


def write_and_sync(descriptor: int, content: bytes) -> None:
    """Write a whole file, wait until the disk has it, and close it."""
    with open(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def sync_folder(folder: Path) -> None:
    """Wait until the disk has the names in a folder; a new file's own sync leaves its name out."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def room_for(file: str) -> Iterator[None]:
    """Write a file inside; where there is no room for it, say so and what to do.

    Raises:
        DiskFull: the disk, the quota or the limit for one file is used up.
    """
    try:
        yield
    except OSError as error:
        if error.errno not in _FULL:
            raise
        hint = "make room, then run it again: nothing that is half written is kept"
        reason = (error.strerror or "unknown reason").lower()
        raise DiskFull(file=file, reason=reason, hint=hint) from error
