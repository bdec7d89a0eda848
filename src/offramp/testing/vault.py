"""A vault that forgets everything when its process ends."""

from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from typing import BinaryIO

from offramp.adapters.vault_folder import require_vault_name
from offramp.ports import VaultFileMissing


class MemoryVault:
    """Files in memory.

    Attributes:
        files: the complete files by name.
    """

    def __init__(self) -> None:
        """Begin empty."""
        self.files: dict[str, bytes] = {}

    @contextmanager
    def write(self, name: str) -> Iterator[BinaryIO]:
        """Open a new file; it exists under its name only when the block ends without an error."""
        require_vault_name(name)
        draft = BytesIO()
        yield draft
        self.files[name] = draft.getvalue()

    def room_bytes(self) -> int | None:
        """Nobody can tell."""
        return None

    @contextmanager
    def read(self, name: str) -> Iterator[BinaryIO]:
        """Open a file.

        Raises:
            VaultFileMissing: there is none of this name.
        """
        if require_vault_name(name) not in self.files:
            raise VaultFileMissing(name=name)
        yield BytesIO(self.files[name])

    def size(self, name: str) -> int | None:
        """Give the size in bytes; none when there is no such file."""
        content = self.files.get(require_vault_name(name))
        return None if content is None else len(content)

    def delete(self, prefix: str) -> int:
        """Delete the file, or every file in the folder, of this name; returns how many."""
        start = require_vault_name(prefix.removesuffix("/"))
        names = [name for name in self.files if name == start or name.startswith(f"{start}/")]
        for name in names:
            del self.files[name]
        return len(names)
