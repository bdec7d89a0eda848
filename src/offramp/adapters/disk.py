"""What survives a power cut: a file and the name that leads to it, each told to the disk."""

import os
from pathlib import Path


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
