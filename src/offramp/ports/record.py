"""The records that pass through the ports.

Source: docs/glossary.md.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from whenever import Instant

from offramp.core.dates import Boundary
from offramp.core.model import Cause, Receipt, Subject
from offramp.core.parcel import ParcelStatus
from offramp.core.term import Source
from offramp.core.transitions import OffboardingStatus, StepStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class Offboarding:
    """One episode of one subject leaving. The row is the schedule, the lease and the fence.

    Attributes:
        erases_at: when its deletion will begin by itself, as far as is known.
        armed: the arming by which two people let its deletion begin however many there are; an
            end or a policy that changes takes it away.
    """

    id: str
    subject: Subject
    policy: str
    policy_version: int
    cause: Cause
    source: Source
    ends: Boundary
    episode: int
    status: OffboardingStatus
    opened_at: Instant
    next_due_at: Instant | None
    attempt: int = 0
    lease_until: Instant | None = None
    closed_at: Instant | None = None
    erases_at: Instant | None = None
    armed: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Arming:
    """What one person asks for and another one approves: a deletion of many organizations.

    Attributes:
        until: whose deletion would begin before then by itself was meant.
        digest: of everybody who was meant, with their ends and policies.
    """

    id: str
    owner: str
    reason: str
    asked_at: Instant
    expires_at: Instant
    until: Instant
    organizations: int
    offboardings: int
    digest: str
    approver: str | None = None
    approved_at: Instant | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyNote:
    """When a version of a policy was published, and by whom and why, where somebody said so.

    ``by`` is how the ledger names them.
    """

    version: int
    published_at: Instant
    by: str | None
    reason: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ticket:
    """One attempt at one off-boarding, as it travels to whoever carries it out."""

    offboarding: str
    attempt: int


@dataclass(frozen=True, slots=True, kw_only=True)
class InFlight:
    """An off-boarding that goes on, with the facts that date it, read together with many others.

    ``has_begun`` says whether any of its steps was ever taken up.
    """

    offboarding: Offboarding
    zone: str
    overrides: Mapping[str, str]
    has_begun: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class StepRow:
    """A step of one episode that is due or done; what is not due has no row."""

    offboarding: str
    key: str
    status: StepStatus
    due_at: Instant
    issue: int = 1  # an export that is handed over again is the next issue
    attempts: int = 0
    next_try_at: Instant | None = None
    started_at: Instant | None = None
    reason: str | None = None
    receipt: Receipt | None = None
    is_destructive: bool = False  # counts against the daily cap


@dataclass(frozen=True, slots=True, kw_only=True)
class Workload:
    """How much there is to do, over everybody who is leaving.

    Attributes:
        due: off-boardings whose date has come and that nobody works on.
        lost: those of them that somebody had taken and did not give back in time.
        running: off-boardings that somebody works on.
        stopped: off-boardings that wait for a person because an invariant failed.
        oldest_due_at: since when the first of the due ones has been waiting.
        coming: off-boardings whose date comes by the end of the time that was asked about.
        busiest: the instant of that time to which most of them belong, and how many do.
        failed, held, abandoned: steps that will be tried again, may not run, are given up.
    """

    due: int = 0
    lost: int = 0
    running: int = 0
    stopped: int = 0
    oldest_due_at: Instant | None = None
    coming: int = 0
    busiest: tuple[Instant, int] | None = None
    failed: int = 0
    held: int = 0
    abandoned: int = 0


MAILS_COUNTED_MAX = 10_000  # of those under way; how many more there are is not worth the time


@dataclass(frozen=True, slots=True, kw_only=True)
class MailLoad:
    """How much mail is still to be sent, over everybody who is leaving.

    Attributes:
        due: messages that nobody has tried to send yet.
        sending: messages that are with the mail server.
        deferred: messages that could not be sent and are tried again.
        deferred_since: when the one of them that was tried most often failed first.
        lost: how often since some instant a message was refused, given up or sent back.
    """

    due: int = 0
    sending: int = 0
    deferred: int = 0
    deferred_since: Instant | None = None
    lost: int = 0

    @property
    def has_more(self) -> bool:
        """Whether more are under way than were counted."""
        return self.due + self.sending + self.deferred >= MAILS_COUNTED_MAX


class DeliveryStatus(StrEnum):
    """Where one message to one person stands."""

    QUEUED = "queued"
    SENDING = "sending"  # handed to the mailer; it may have been accepted
    ACCEPTED = "accepted"  # the receiving server took it
    REFUSED = "refused"  # the receiving server will never take it
    FAILED = "failed"  # to be tried again
    BOUNCED = "bounced"  # taken first and sent back later
    COMPLAINED = "complained"  # taken, and reported as unwanted
    DECLINED = "declined"  # optional, and not sent: its reader wants none


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One message to one person for one step of one episode: the four together are its key."""

    offboarding: str
    step: str
    member: str
    channel: str = "email"
    status: DeliveryStatus = DeliveryStatus.QUEUED
    attempts: int = 0
    next_try_at: Instant | None = None
    accepted_at: Instant | None = None
    reason: str | None = None  # a code such as "550"; never the text of the server
    round: int = 1  # one more each time that somebody asks for it to be sent again
    message: str | None = None  # the id of the latest message that was handed over
    repeats: int = 0  # so many times it was handed over while it may have been taken before


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryTally:
    """How the deliveries of one step stand, in numbers."""

    deliveries: int = 0
    accepted: int = 0
    under_way: int = 0  # queued, being sent, or to be tried again
    declined: int = 0  # never sent, because their readers want none
    repeats: int = 0
    delivered_at: Instant | None = None  # when the last of those that were accepted was


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryNote:
    """What became of a delivery at one time; all of them are its history."""

    offboarding: str
    step: str
    member: str
    channel: str
    at: Instant
    status: DeliveryStatus
    reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """What one message leads its reader to, known by the digest of a secret that only it holds.

    Attributes:
        digest: SHA-256 of the secret part of its address.
        step: the key of the delivery, and ``round`` which of its messages it is.
        file: what it leads to, by its name in the vault.
        downloads: how often somebody began to download the file.
        revoked_at: since when it leads nowhere, by a person's will or because of a newer one.
    """

    digest: str
    offboarding: str
    step: str
    member: str
    round: int = 1
    file: str
    mailed_at: Instant
    expires_at: Instant
    downloads: int = 0
    downloaded_at: Instant | None = None
    revoked_at: Instant | None = None


class Return(StrEnum):
    """Why word of a message comes back."""

    BOUNCED = "bounced"  # it could not be delivered
    COMPLAINED = "complained"  # its reader does not want it
    DECLINED = "declined"  # its reader asks for no more that is optional


@dataclass(frozen=True, slots=True, kw_only=True)
class Returned:
    """Word of one message that came back; the reason is a code, never the text of a server."""

    message: str
    why: Return
    reason: str | None = None


class Fate(StrEnum):
    """What becomes of a report that was looked at."""

    PUT_AWAY = "put away"  # it is noted
    STAYS = "stays"  # it is of nobody here
    COMES_AGAIN = "comes again"  # it cannot be noted now


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboxEvent:
    """An event for the outside: written in the transaction that decided it, sent afterwards.

    What concerns the whole installation has no organization.
    """

    id: str
    kind: str  # one of core/event_kind.py
    at: Instant
    organization: str | None
    member: str | None = None
    detail: Mapping[str, str | int | bool | None] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Parcel:
    """One event for one endpoint, in the hands of whoever claimed it.

    Attributes:
        claim: the number of the claim: whoever has an older one may write nothing.
        attempts: how often it was sent and not taken.
        reason: what the endpoint answered last: a status, or the code of an error.
    """

    endpoint: str
    event: OutboxEvent
    claim: int
    status: ParcelStatus
    attempts: int
    next_try_at: Instant
    reason: str | None = None
    delivered_at: Instant | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointLoad:
    """How much there is to bring to one endpoint.

    Attributes:
        waiting: events that were not taken yet; those of a disabled endpoint stay here.
        failed: events that were given up.
        retried: of the waiting ones, those that it did not take at least once.
        next_try_at: when the first of the waiting ones is tried.
        disabled_at: since when it is sent nothing.
    """

    waiting: int = 0
    failed: int = 0
    retried: int = 0
    next_try_at: Instant | None = None
    disabled_at: Instant | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """How many rows a set-based write created, changed and found to be the same already."""

    created: int = 0
    changed: int = 0
    same: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptPart:
    """Some rows of one table that an erasure kept, all with one end; which ones is sealed."""

    offboarding: str
    table: str
    basis: str
    until: str  # as the data map had it
    counted_from: str | None  # the civil date from which the end is counted
    ends_at: Instant | None  # none: kept until a person decides
    rows: int
    keys: bytes  # sealed, because they would tell again whose the rows were
    reason: str | None = None  # why rows are still there although their end has come
    number: int = 0  # given by the store


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptGroup:
    """How many rows of one table an erasure keeps, why, and until when."""

    offboarding: str
    table: str
    basis: str
    until: str
    ends_at: Instant | None
    reason: str | None
    rows: int


class FenceRecord(Protocol):
    """Notes of one destructive chunk, kept when its fence is left."""

    def prolong(self, *, deadline: Instant) -> None:
        """Hold the fence until a later deadline, or say that it was lost (`StaleClaim`)."""

    def record(self, table: str, rows: int) -> None:
        """Add to the cursor: so many more rows of this table are gone."""
