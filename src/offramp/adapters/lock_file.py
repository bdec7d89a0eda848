"""A lock that one process of this machine holds, and that goes when the process does.

The files lie in one private folder of the user and are never removed: what is taken away while
somebody waits for it would be held twice.

Source: flock(2).
"""

import fcntl
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path

from offramp.core.errors import Unavailable

_PRIVATE = 0o700


class WorkInProgress(Unavailable):
    """Another process is at work on {subject} right now."""


class LockFolderForeign(Unavailable):
    """The folder {folder} for locks belongs to somebody else, or others may write to it."""


@contextmanager
def hold_lock(name: str, *, subject: str) -> Iterator[None]:
    """Hold the lock of a name for as long as the block runs.

    Args:
        name: anything that tells this lock from others; only its digest is written down.
        subject: what an operator is told somebody else is working on.

    Raises:
        WorkInProgress: another process holds it.
    """
    file = _folder() / f"{sha256(name.encode()).hexdigest()}.lock"
    descriptor = os.open(file, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        os.close(descriptor)
        raise WorkInProgress(subject=subject, hint="wait until it has ended") from error
    try:
        yield
    finally:
        os.close(descriptor)


def _folder() -> Path:
    folder = Path(tempfile.gettempdir()) / f"offramp-locks-{os.getuid()}"
    folder.mkdir(mode=_PRIVATE, exist_ok=True)
    found = folder.lstat()
    is_private = found.st_uid == os.getuid() and found.st_mode & 0o777 == _PRIVATE
    if not is_private or folder.is_symlink():
        raise LockFolderForeign(folder=str(folder), hint="set TMPDIR to a folder of your own")
    return folder
