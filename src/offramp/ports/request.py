"""What people without an account ask for by nothing but their address, until a worker looks at it.

Source: mission A4, B9; docs/decisions/031-asking-again.md; docs/decisions/036-portal.md.
"""

from enum import StrEnum
from typing import Protocol

from whenever import Instant


class RequestKind(StrEnum):
    """What is asked for."""

    MESSAGES = "messages"  # what was sent to them, once more
    SIGN_IN = "sign-in"  # a way into the portal


def fold_address(address: str) -> str:
    """Write an address as it is compared: with its ASCII letters small."""
    return address.encode().lower().decode()


class Requests(Protocol):
    """The share of a transaction that is about them."""

    def put_request(
        self,
        address: str,
        *,
        kind: RequestKind = RequestKind.MESSAGES,
        at: Instant,
        waiting_max: int,
    ) -> bool:
        """Note that an address asks for something; false where it already waits for it.

        False as well where so many wait already for the same.
        """

    def requests(self, *, kind: RequestKind = RequestKind.MESSAGES, limit: int) -> tuple[str, ...]:
        """List the addresses that wait, whoever has waited longest first."""

    def drop_request(self, address: str, *, kind: RequestKind = RequestKind.MESSAGES) -> None:
        """Forget that an address asked."""

    def readers_at(self, address: str) -> tuple[tuple[str, str], ...]:
        """Find everybody who has an address, however its ASCII letters are written.

        Shape:
            organization and member, in the order of both.
        """
