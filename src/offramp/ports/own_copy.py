"""A copy of data that a person asked for, from the request to its end.

Source: mission B9; policy language E1; docs/decisions/036-portal.md.
"""

from dataclasses import dataclass
from typing import Protocol

from whenever import Instant

from offramp.core.model import SubjectKind


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnCopy:
    """What one member asked for last; a newer request for the same takes its place.

    Attributes:
        scope: whether it is their own data, or all that their organization has.
        digest: SHA-256 of the secret part of the address that leads to it.
        file: what it is, by its name in the vault.
        due_at: when a worker has to look at it; none where nothing is left to do.
        claim: one more with each worker that took it, and with each wish of its reader: whoever has
            an older number may write nothing.
        attempts: how often it was tried since its reader asked last.
        size_bytes: of the file; none before it was written, and once it is deleted.
        round: which mail it is that tells of it.
        reason: the code of the error that ended it, or the last mail.
    """

    id: str
    organization: str
    member: str
    digest: str
    file: str
    asked_at: Instant
    due_at: Instant | None
    scope: SubjectKind = SubjectKind.MEMBER
    claim: int = 0
    attempts: int = 0
    written_at: Instant | None = None
    size_bytes: int | None = None
    round: int = 1
    mailed_at: Instant | None = None
    expires_at: Instant | None = None
    downloads: int = 0
    downloaded_at: Instant | None = None
    reason: str | None = None

    @property
    def is_open(self) -> bool:
        """Whether it is still to be written."""
        return self.written_at is None and self.due_at is not None


class OwnCopies(Protocol):
    """The share of a transaction that is about them."""

    def put_own_copy(self, copy: OwnCopy) -> bool:
        """Store a request in place of what its reader asked for before; false where they are gone.

        Nobody forgets the reader until the transaction ends.
        """

    def own_copy(
        self, organization: str, *, member: str, scope: SubjectKind = SubjectKind.MEMBER
    ) -> OwnCopy | None:
        """Find what a member asked for; nobody else changes it until the transaction ends."""

    def own_copies(self, organization: str, *, member: str | None) -> tuple[OwnCopy, ...]:
        """List what the members of an organization asked for, or one of them, by member."""

    def own_copy_behind(self, digest: str) -> OwnCopy | None:
        """Find a copy by the digest of the secret that leads to it."""

    def own_copy_due_at(self) -> Instant | None:
        """Give the earliest instant at which a worker has to look at one."""

    def claim_own_copy(self, *, now: Instant, lease_until: Instant) -> OwnCopy | None:
        """Take the one that has been due longest, and let nobody else have it until an instant."""

    def save_own_copy(self, copy: OwnCopy, *, claim: int) -> bool:
        """Write what became of it, if the claim is still this one; false where it is not.

        Downloads are left as they are.
        """

    def count_own_download(self, digest: str, *, at: Instant) -> int:
        """Note that a download begins; returns how many have begun, 0 where there is no copy."""

    def drop_own_copies(
        self, organization: str, *, member: str | None, scope: SubjectKind | None = None
    ) -> int:
        """Forget what the members of an organization, or one of them, asked for; or one scope."""
