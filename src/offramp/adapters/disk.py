"""What survives a power cut: a file and the name that leads to it, each told to the disk.

What a disk that is full means is said here, too.
"""

import io
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from errno import EDQUOT, EFBIG, ENOSPC
from pathlib import Path
from typing import TYPE_CHECKING

from offramp.ports import DiskFull

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

TRICKLED_BYTES = 4 * 1024 * 1024
_FULL = (ENOSPC, EDQUOT, EFBIG)
_sync_content = getattr(os, "fdatasync", os.fsync)  # not every system can leave the times out


class TrickledFile(io.FileIO):
    """A file that goes to the disk bit by bit.

    All of a large file at once keeps everybody else's commits waiting on the same disk.
    """

    def __init__(self, descriptor: int, *, sync: Callable[[int], object] = _sync_content) -> None:
        """Write to an open file, which is closed with this one."""
        super().__init__(descriptor, "wb")
        self._sync = sync
        self._unsynced_bytes = 0

    def write(self, content: "ReadableBuffer") -> int:
        """Write, and wait for the disk whenever it has got some megabytes to do."""
        written = super().write(content)
        self._unsynced_bytes += written
        if self._unsynced_bytes >= TRICKLED_BYTES:
            self._sync(self.fileno())
            self._unsynced_bytes = 0
        return written


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
