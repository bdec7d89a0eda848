"""The nouns: facts that are stored, and receipts. Nothing here decides anything.

Everything else (stage, access, next date, banner) is derived from these values and never stored.

Source: docs/glossary.md.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from whenever import Instant

from offramp.core.dates import Boundary


class SubjectKind(StrEnum):
    """Who can leave."""

    ORGANIZATION = "organization"
    MEMBER = "member"


class Cause(StrEnum):
    """Why a subject leaves; it selects the path through the policy."""

    EXPIRED = "expired"
    CANCELLED = "cancelled"
    PAYMENT_FAILED = "payment-failed"
    REMOVED = "removed"
    DELETION_REQUESTED = "deletion-requested"
    INACTIVE = "inactive"


class Anchor(StrEnum):
    """The facts that a policy may count from; stage and step ids are anchors too."""

    EXPIRY = "expiry"
    CANCELLED = "cancelled"
    REMOVED = "removed"
    REQUESTED = "requested"
    INVOICE_DUE = "invoice-due"
    LAST_ACTIVITY = "last-activity"
    DELETION = "deletion"
    RETURN = "return"  # known of whoever was leaving and stays after all, and of nobody else


ANCHOR_OF: Mapping[Cause, Anchor] = {
    Cause.EXPIRED: Anchor.EXPIRY,
    Cause.CANCELLED: Anchor.CANCELLED,
    Cause.PAYMENT_FAILED: Anchor.INVOICE_DUE,
    Cause.REMOVED: Anchor.REMOVED,
    Cause.DELETION_REQUESTED: Anchor.REQUESTED,
    Cause.INACTIVE: Anchor.LAST_ACTIVITY,
}
"""The fact that starts each cause; ``immediately`` means at its effect."""


class Role(StrEnum):
    """What a member may be in an organization; a member can have several."""

    MEMBER = "member"
    ADMIN = "admin"
    OWNER = "owner"
    BILLING = "billing"


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """Who is leaving: an organization or one member, wholly or from one product."""

    organization: str
    member: str | None = None
    product: str | None = None

    @property
    def kind(self) -> SubjectKind:
        """Whether this is an organization or one of its members."""
        return SubjectKind.ORGANIZATION if self.member is None else SubjectKind.MEMBER


@dataclass(frozen=True, slots=True, kw_only=True)
class Organization:
    """A customer, and the policy that it was promised."""

    id: str
    name: str
    zone: str
    locale: str
    policy: str
    overrides: Mapping[str, str] = field(default_factory=dict)  # named period -> its value


@dataclass(frozen=True, slots=True, kw_only=True)
class Pool:
    """What was bought and what expires: seats of one kind in one product until a boundary."""

    id: str
    organization: str
    product: str
    kind: str
    seats: int
    ends: Boundary | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """A person in an organization; the address and name are erased with the organization."""

    id: str
    organization: str
    email: str
    name: str
    roles: frozenset[Role]
    locale: str
    zone: str
    pools: frozenset[str] = frozenset()  # ids of the pools in which the member has a seat
    ends: Boundary | None = None
    removed_at: Instant | None = None
    product_ends: Mapping[str, Boundary] = field(default_factory=dict)  # their own, by product


@dataclass(frozen=True, slots=True, kw_only=True)
class Achievement:
    """One thing a member has earned, as the vendor's database says it (A3)."""

    title: str
    holder: str | None
    at: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """A reason not to destroy anything of a subject; it never gives access back (S6)."""

    id: str
    organization: str
    member: str | None
    owner: str
    reason: str
    placed_at: Instant
    ends_at: Instant | None = None
    category: str | None = None

    def is_active(self, now: Instant) -> bool:
        """Whether it holds at this instant."""
        return self.placed_at <= now and (self.ends_at is None or now < self.ends_at)

    def covers(self, subject: Subject) -> bool:
        """Whether destroying the subject would destroy what is held."""
        if subject.organization != self.organization:
            return False
        return self.member is None or subject.member is None or self.member == subject.member


class Outcome(StrEnum):
    """How a step ended."""

    DONE = "done"
    MISSED = "missed"  # its use had passed when it could first have been carried out
    UNREACHED = "unreached"  # a notice that nobody could be given


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """What was done: when it was due, when it was done, and what proves it.

    Shape:
        proof: names to counts, digests, and ids; never a person's data.
    """

    step: str
    outcome: Outcome
    due_at: Instant
    done_at: Instant
    delivered_at: Instant | None = None
    proof: Mapping[str, str | int | bool | None] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """Everything about one subject that its timeline depends on.

    Shape:
        anchors: anchor name -> boundary, only for what is known.
        overrides: name of a period in the policy -> the value a contract gives it.
    Units:
        turn: the subject's place in a spread window, of `TURNS` places (`plan.turn_of`).
    """

    kind: SubjectKind
    zone: str
    anchors: Mapping[str, Boundary]
    cause: Cause = Cause.EXPIRED
    overrides: Mapping[str, str] = field(default_factory=dict)
    turn: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Unlock:
    """Access given back for a short while by support, without changing the stage (A3)."""

    organization: str
    member: str | None
    owner: str
    reason: str
    starts_at: Instant
    ends_at: Instant

    def is_active(self, now: Instant) -> bool:
        """Whether it opens anything at this instant."""
        return self.starts_at <= now < self.ends_at


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockNote:
    """That an operator shut an organization, or one member of it, out or let them in again."""

    organization: str
    member: str | None
    is_blocked: bool
    owner: str
    reason: str
    at: Instant
