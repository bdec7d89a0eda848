"""The keys that programs show, as they are kept: of a key itself there is only a digest.

Source: docs/http.md, "Keys"; docs/decisions/037-the-interface.md.
"""

from dataclasses import dataclass
from typing import Protocol

from whenever import Date, Instant

from offramp.core.operator import OperatorRole


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKey:
    """One key of one program.

    Attributes:
        digest: SHA-256 of it.
        hint: its first letters, by which a person recognizes it.
        organization: the only one that it opens; none: all of them.
        used_on: the last day, in UTC, on which it was shown.
    """

    name: str
    digest: str
    hint: str
    role: OperatorRole
    organization: str | None
    made_at: Instant
    expires_at: Instant | None
    used_on: Date | None = None
    revoked_at: Instant | None = None

    def is_good(self, now: Instant) -> bool:
        """Whether it opens anything at this instant."""
        is_over = self.expires_at is not None and now >= self.expires_at
        return self.revoked_at is None and not is_over


class ApiKeys(Protocol):
    """The share of a transaction that is about them."""

    def add_api_key(self, key: ApiKey) -> bool:
        """Store a new key; false where another one has its name, revoked or not."""

    def api_key(self, digest: str) -> ApiKey | None:
        """Find a key by its digest."""

    def api_keys(self) -> tuple[ApiKey, ...]:
        """List the keys by name, with those that are over."""

    def save_api_key(self, key: ApiKey) -> None:
        """Write when a key was used and revoked; all else of it stays."""
