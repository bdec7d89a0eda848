"""Passwords as Argon2id hashes; few are worked out at once, for each takes its memory.

Source: RFC 9106, section 4 (the second recommended option); OWASP, "Password Storage".
"""

from threading import BoundedSemaphore

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from argon2.profiles import RFC_9106_LOW_MEMORY

AT_ONCE_MAX = 2  # 64 MiB each


class Argon2Passwords:
    """Hashes passwords, and says whether one fits."""

    def __init__(self) -> None:
        """Make a hash of nothing in particular, to be compared with where there is none."""
        self._hasher = PasswordHasher.from_parameters(RFC_9106_LOW_MEMORY)
        self._turn = BoundedSemaphore(AT_ONCE_MAX)
        self._of_nobody = self._hasher.hash("")

    def hash(self, password: str) -> str:
        """Give what is kept of a password."""
        with self._turn:
            return self._hasher.hash(password)

    def fits(self, password: str, hashed: str | None) -> bool:
        """Whether a password is the one that was hashed; with none it takes as long, and is not."""
        with self._turn:
            try:
                self._hasher.verify(hashed or self._of_nobody, password)
            except (VerificationError, InvalidHashError):
                return False
        return hashed is not None

    def is_outdated(self, hashed: str) -> bool:
        """Whether a hash was made with less effort than is made today."""
        return self._hasher.check_needs_rehash(hashed)
