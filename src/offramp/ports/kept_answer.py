"""Answers that are kept, so that a request that comes twice is carried out once.

Source: docs/http.md, "Asking twice"; draft-ietf-httpapi-idempotency-key-header-07.
"""

from dataclasses import dataclass
from typing import Protocol

from whenever import Instant


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptAnswer:
    """One request, from when it begins; what it said is not kept.

    Attributes:
        request: a digest of who asks, and of the key by which they know their request.
        fingerprint: a digest of everything that was asked.
        answer: sealed, so that nobody but whoever asked can read it; none while it is worked on.
    """

    request: str
    fingerprint: str
    begun_at: Instant
    expires_at: Instant
    status: int | None = None
    answer: bytes | None = None


class KeptAnswers(Protocol):
    """The share of a transaction that is about them."""

    def keep_answer(self, begun: KeptAnswer) -> KeptAnswer | None:
        """Note a request that begins, unless it is noted; then give what is known of it.

        What is over at the beginning of the new one counts for nothing.
        """

    def save_answer(self, answered: KeptAnswer) -> None:
        """Write what a request was answered."""

    def forget_answer(self, request: str) -> None:
        """Let a request be as if it had never come."""

    def tidy_answers(self, *, at: Instant) -> int:
        """Forget what is over at an instant; says how many there were."""
