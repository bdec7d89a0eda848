"""Passwords that are kept almost as they are, so that no test waits for a hash.

Source: ``ports.Passwords``.
"""

from itertools import count


class PlainPasswords:
    """Writes a number before each password, as a salt would make each hash another."""

    def __init__(self) -> None:
        """Begin at one, and remember what was compared."""
        self._numbers = count(1)
        self.compared: list[str | None] = []

    def hash(self, password: str) -> str:
        """Give what is kept of a password."""
        return f"plain {next(self._numbers)} {password}"

    def fits(self, password: str, hashed: str | None) -> bool:
        """Whether a password is the one that was hashed."""
        self.compared.append(hashed)
        return hashed is not None and hashed.split(" ", 2)[2] == password

    def is_outdated(self, hashed: str) -> bool:
        """Whether a hash was made by somebody else."""
        return not hashed.startswith("plain ")
