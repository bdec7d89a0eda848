"""Messages that a reader may decline, and the wish of those who have.

Source: lesson L12; RFC 8058.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Protocol

from whenever import Instant


@dataclass(frozen=True, slots=True, kw_only=True)
class OptionalMessage:
    """One message by which its reader can decline all optional ones, known by its id."""

    message: str
    offboarding: str
    step: str
    member: str


class OptionalMessages(Protocol):
    """The share of a transaction that is about them."""

    def put_optional(self, messages: Sequence[OptionalMessage]) -> None:
        """Note optional messages, each once; none of a forgotten delivery."""

    def find_optional(self, message: str) -> OptionalMessage | None:
        """Find an optional message by its id; nobody forgets it until the transaction ends."""

    def decline(self, organization: str, *, member: str, at: Instant) -> bool:
        """Send a member no optional message any more, until they are forgotten.

        Whoever leaves the roster and comes back has still declined. False when they had before.
        """

    def want_again(self, organization: str, *, member: str) -> bool:
        """Send a member optional messages again; false when they had not declined."""

    def declined(self, organization: str, *, among: Collection[str]) -> frozenset[str]:
        """Name those of some members who have declined."""
