"""What people without an account ask for by nothing but their address, until a worker looks at it.

Source: mission A4; docs/decisions/031-asking-again.md.
"""

from typing import Protocol

from whenever import Instant


def fold_address(address: str) -> str:
    """Write an address as it is compared: with its ASCII letters small."""
    return address.encode().lower().decode()


class Requests(Protocol):
    """The share of a transaction that is about them."""

    def put_request(self, address: str, *, at: Instant, waiting_max: int) -> bool:
        """Note that an address asks for what was sent to it; false where it already waits.

        False as well where so many wait already.
        """

    def requests(self, *, limit: int) -> tuple[str, ...]:
        """List the addresses that wait, whoever has waited longest first."""

    def drop_request(self, address: str) -> None:
        """Forget that an address asked."""

    def readers_at(self, address: str) -> tuple[tuple[str, str], ...]:
        """Find everybody who has an address, however its ASCII letters are written.

        Shape:
            organization and member, in the order of both.
        """
