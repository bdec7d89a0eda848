"""The keys that the settings name: of programs that ask, and of those that hand something in.

Source: docs/http.md; RFC 6750, sections 2.1 and 3.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from hashlib import sha256
from hmac import compare_digest
from http import HTTPStatus
from typing import Annotated

from fastapi import HTTPException, Security
from fastapi.security import (
    HTTPAuthorizationCredentials,
    HTTPBasic,
    HTTPBasicCredentials,
    HTTPBearer,
)

from offramp.core.errors import Invalid

KEY_CHARACTERS_MIN = 32

_BASIC = HTTPBasic(auto_error=False, description="Any name, and an access key as password.")
_BEARER = HTTPBearer(auto_error=False, description="An access key from the settings.")


class AccessKeyWeak(Invalid):
    """An access key has fewer than {characters} characters and could be guessed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessKeys:
    """The keys that open the door, as digests; with none of them it stays shut."""

    digests: frozenset[bytes] = field(default_factory=frozenset)

    @classmethod
    def parse(cls, text: str) -> "AccessKeys":
        """Read keys that stand apart by blanks: two of them while one takes over from another.

        Raises:
            AccessKeyWeak: one of them could be guessed.
        """
        keys = text.split()
        if any(len(key) < KEY_CHARACTERS_MIN for key in keys):
            hint = 'python3 -c "import secrets; print(secrets.token_urlsafe(32))" makes one'
            raise AccessKeyWeak(characters=KEY_CHARACTERS_MIN, hint=hint)
        return cls(digests=frozenset(_digest(key) for key in keys))

    def fits(self, key: str) -> bool:
        """Whether a key is one of them; the time it takes says nothing of how nearly."""
        shown = _digest(key)
        return any([compare_digest(shown, digest) for digest in self.digests])


def require_key_or_password(
    access_keys: AccessKeys,
) -> Callable[[HTTPAuthorizationCredentials | None, HTTPBasicCredentials | None], Awaitable[None]]:
    """Make the check that a route depends on: it answers 401 where no fitting key is shown.

    A key may be a password, too: some programs can only put a name and one into an address.
    """

    async def check(
        shown: Annotated[HTTPAuthorizationCredentials | None, Security(_BEARER)],
        signed_in: Annotated[HTTPBasicCredentials | None, Security(_BASIC)],
    ) -> None:
        keys = (shown and shown.credentials, signed_in and signed_in.password)
        if not any(key and access_keys.fits(key) for key in keys):
            raise refusal('Bearer, Basic realm="Offramp", charset="UTF-8"')

    return check


def refusal(challenge: str) -> HTTPException:
    """Ask for a key, in the ways in which one can be shown."""
    return HTTPException(
        HTTPStatus.UNAUTHORIZED,
        detail="An access key is asked for, and none of ours was shown.",
        headers={"WWW-Authenticate": challenge},
    )


def _digest(key: str) -> bytes:
    return sha256(key.encode()).digest()
