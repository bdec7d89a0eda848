"""One act on many organizations: what is wished, for exactly whom, and what became of each.

Source: docs/decisions/040-acts-on-many.md; lesson L26.
"""

from dataclasses import dataclass
from enum import StrEnum

from whenever import Instant

from offramp.core.dates import Boundary


class BulkKind(StrEnum):
    """What can be done to many at once; deleting anything sooner is not among it."""

    HOLD = "hold"
    RELEASE = "release"
    EXTEND = "extend"
    RENEW = "renew"
    RETRY = "retry"
    RESEND = "resend"

    @property
    def is_grave(self) -> bool:
        """Whether a deletion may go on because of it."""
        return self in (BulkKind.RELEASE, BulkKind.RETRY)


class TargetStatus(StrEnum):
    """How far an act has come for one organization."""

    WAITING = "waiting"  # for an approval, or for a worker
    DONE = "done"
    REFUSED = "refused"  # nothing of it was changed


@dataclass(frozen=True, slots=True, kw_only=True)
class BulkWish:
    """One act with its values, the same for every organization.

    Attributes:
        reason: why, in the words of whoever asks.
        until: the last day to come, for an extension or a renewal.
        days: by how many days each end moves, for an extension without such a day.
        held_for: the reason of the holds that a release ends.
    """

    kind: BulkKind
    reason: str
    until: Boundary | None = None
    days: int | None = None
    held_for: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class BulkAct:
    """What somebody asks to have done to many organizations.

    Attributes:
        owner: the name of whoever asks; ``owner_id`` is their id.
        organizations: how many were meant, those included that are erased meanwhile.
        digest: of the act, of exactly those organizations, and of all that was seen of them.
        approver: who approved it; none where so few need nobody else.
        approved_at: from when on it is carried out.
    """

    id: str
    wish: BulkWish
    owner: str
    owner_id: str
    asked_at: Instant
    expires_at: Instant
    organizations: int
    digest: str
    approver: str | None = None
    approver_id: str | None = None
    approved_at: Instant | None = None

    def is_open(self, now: Instant) -> bool:
        """Whether it still waits for somebody to approve it."""
        return self.approved_at is None and now < self.expires_at


@dataclass(frozen=True, slots=True, kw_only=True)
class BulkTarget:
    """One organization in an act on many.

    Attributes:
        digest: of what was seen of it, and of what would be done.
        told: what would be done, what was done, or why not.
    """

    act: str
    organization: str
    digest: str
    told: str
    status: TargetStatus = TargetStatus.WAITING
    settled_at: Instant | None = None
