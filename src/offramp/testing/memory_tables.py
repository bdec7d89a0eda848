"""The tables of the store in memory, and what its parts have in common.

Everything that the parts of a memory transaction share lives here.

Source: ``ports.Store``.
"""

from collections import Counter
from collections.abc import Iterable
from copy import copy
from dataclasses import dataclass, field, fields
from typing import TypeAlias

from whenever import Instant

from offramp.core.bulk import BulkAct, BulkTarget
from offramp.core.case import Case
from offramp.core.ledger import Entry
from offramp.core.model import BlockNote, Hold, Member, Organization, Pool, SubjectKind, Unlock
from offramp.core.policy import Policy
from offramp.ports import (
    ApiKey,
    Arming,
    CaseLetter,
    DeletionInFlight,
    Delivery,
    DeliveryNote,
    KeptAnswer,
    KeptPart,
    Link,
    Offboarding,
    Operator,
    OperatorSession,
    OptionalMessage,
    OrganizationErased,
    OrganizationUnknown,
    OutboxEvent,
    OwnCopy,
    Parcel,
    PolicyNote,
    PortalLink,
    PortalSession,
    RequestKind,
    SavedView,
    SignInLink,
    StaleClaim,
    StepRow,
    Subscription,
)

Owned: TypeAlias = tuple[str, str]  # organization, and what is its
Addressed: TypeAlias = tuple[str, str, str, str]  # off-boarding, step, member, channel
Posted: TypeAlias = tuple[str, str]  # event, endpoint


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptNote:
    """What was said about a case, how it came, and when it is to be mailed."""

    said: CaseLetter
    letter: str | None
    mail_at: Instant | None


@dataclass(slots=True, kw_only=True)
class MemoryTables:
    """Everything that is stored, as mappings of values that never change themselves."""

    organizations: dict[str, Organization] = field(default_factory=dict)
    erased: set[str] = field(default_factory=set)
    exempt: set[str] = field(default_factory=set)
    pools: dict[Owned, Pool] = field(default_factory=dict)
    members: dict[Owned, Member] = field(default_factory=dict)
    policies: dict[tuple[str, int], Policy] = field(default_factory=dict)
    policy_notes: dict[tuple[str, int], PolicyNote] = field(default_factory=dict)
    touched: Counter[str] = field(default_factory=Counter)  # the changes of each organization
    holds: dict[str, Hold] = field(default_factory=dict)
    unlocks: dict[int, Unlock] = field(default_factory=dict)
    blocks: dict[tuple[str, str | None], None] = field(default_factory=dict)
    block_notes: dict[int, BlockNote] = field(default_factory=dict)
    block_notes_made: int = 0
    is_paused: bool = False
    erasures_max: int | None = None
    armings: dict[str, Arming] = field(default_factory=dict)
    seen_at: Instant | None = None
    offboardings: dict[str, Offboarding] = field(default_factory=dict)
    woken: dict[str, Instant] = field(default_factory=dict)  # while somebody held the claim
    steps: dict[tuple[str, str], StepRow] = field(default_factory=dict)
    deliveries: dict[Addressed, Delivery] = field(default_factory=dict)
    delivery_notes: list[DeliveryNote] = field(default_factory=list)
    links: dict[str, Link] = field(default_factory=dict)
    optional_messages: dict[str, OptionalMessage] = field(default_factory=dict)
    declined: dict[Owned, Instant] = field(default_factory=dict)
    requests: dict[tuple[str, RequestKind], Instant] = field(default_factory=dict)
    portal_links: dict[str, PortalLink] = field(default_factory=dict)
    portal_sessions: dict[str, PortalSession] = field(default_factory=dict)
    own_copies: dict[tuple[str, str, SubjectKind], OwnCopy] = field(default_factory=dict)
    cases: dict[str, Case] = field(default_factory=dict)
    case_notes: list[KeptNote] = field(default_factory=list)
    case_notes_made: int = 0
    bulk_acts: dict[str, BulkAct] = field(default_factory=dict)
    bulk_targets: dict[Owned, BulkTarget] = field(default_factory=dict)
    operators: dict[str, Operator] = field(default_factory=dict)
    views: dict[tuple[str, str], SavedView] = field(default_factory=dict)
    sessions: dict[str, OperatorSession] = field(default_factory=dict)
    sign_in_links: dict[str, SignInLink] = field(default_factory=dict)
    sign_in_failures: list[tuple[str, Instant]] = field(default_factory=list)
    sign_in_journeys: dict[str, Instant] = field(default_factory=dict)
    api_keys: dict[str, ApiKey] = field(default_factory=dict)
    kept_answers: dict[str, KeptAnswer] = field(default_factory=dict)
    subscriptions: dict[str, Subscription] = field(default_factory=dict)
    takers: dict[Addressed, int] = field(default_factory=dict)  # the attempt that has it
    cursors: Counter[tuple[str, str]] = field(default_factory=Counter)
    kept: dict[int, KeptPart] = field(default_factory=dict)
    kept_made: int = 0
    markers: dict[int, tuple[str, Instant]] = field(default_factory=dict)  # chunks in flight
    markers_made: int = 0
    entries: list[Entry] = field(default_factory=list)
    outbox: dict[str, OutboxEvent] = field(default_factory=dict)
    sent: set[str] = field(default_factory=set)  # handed over
    parcels: dict[Posted, Parcel] = field(default_factory=dict)
    parcel_leases: dict[Posted, Instant] = field(default_factory=dict)
    disabled: dict[str, Instant] = field(default_factory=dict)  # endpoints

    def copy(self) -> "MemoryTables":
        """Give tables that can be changed apart from these."""
        return MemoryTables(**{each.name: copy(getattr(self, each.name)) for each in fields(self)})

    def revision(self, organization: str) -> str | None:
        """Name the state of what decides who may do what in an organization."""
        found = self.organizations.get(organization)
        if found is None:
            return None
        versions = (version for policy, version in self.policies if policy == found.policy)
        return f"{self.touched[organization]}.{max(versions, default=0)}"


class MemoryPart:
    """One subject's share of a transaction over a copy of the tables."""

    def __init__(self, tables: MemoryTables, *, ledger_key: bytes) -> None:
        """Work on tables that nobody else sees."""
        self.tables = tables
        self.ledger_key = ledger_key

    def touch(self, *organizations: str) -> None:
        """Note a change to what decides who may do what in organizations."""
        self.tables.touched.update(organizations)

    def require_organizations(self, organizations: Iterable[str]) -> None:
        """Refuse what belongs to nobody."""
        for organization in organizations:
            if organization in self.tables.erased:
                raise OrganizationErased(organization=organization)
            if organization not in self.tables.organizations:
                raise OrganizationUnknown(organization=organization)

    def is_current(self, claimed: Offboarding) -> bool:
        """Whether a claim was not taken over and its episode is as it was."""
        row = self.tables.offboardings.get(claimed.id)
        current = (claimed.attempt, claimed.episode, claimed.status)
        return row is not None and (row.attempt, row.episode, row.status) == current

    def require_current(self, claimed: Offboarding) -> None:
        """Refuse a claim that is not the current one."""
        if not self.is_current(claimed):
            raise stale(claimed)

    def refuse_markers(self, offboardings: Iterable[str], *, now: Instant) -> None:
        """Refuse to go on while a chunk is in flight; what is past its deadline is swept away."""
        wanted = set(offboardings)
        for number, (offboarding, deadline) in list(self.tables.markers.items()):
            if offboarding in wanted and deadline > now:
                subject = self.tables.offboardings[offboarding].subject
                raise DeletionInFlight(organization=subject.organization)
            if offboarding in wanted:
                del self.tables.markers[number]


def stale(claimed: Offboarding) -> StaleClaim:
    """Say that a claim is not the current one."""
    return StaleClaim(attempt=claimed.attempt, offboarding=claimed.id)
