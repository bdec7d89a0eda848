"""Where facts and receipts are kept: one transaction, one schedule, one fence.

Source: docs/architecture.md; docs/decisions/005-the-fence.md.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Protocol

from whenever import Instant

from offramp.core.ledger import Entry, Event
from offramp.core.model import Hold, Member, Organization, Pool, Unlock
from offramp.core.policy import Audience, Policy
from offramp.core.transitions import OffboardingStatus, StepStatus
from offramp.ports.access import AccessFacts, AccessRevisions
from offramp.ports.api_key import ApiKeys
from offramp.ports.bulk import BulkActs
from offramp.ports.case import Cases
from offramp.ports.kept_answer import KeptAnswers
from offramp.ports.operator import Operators
from offramp.ports.optional import OptionalMessages
from offramp.ports.outbox import Outbox
from offramp.ports.outlook import Outlook
from offramp.ports.own_copy import OwnCopies
from offramp.ports.portal import Portal
from offramp.ports.record import (
    Arming,
    Changes,
    Delivery,
    DeliveryNote,
    DeliveryStatus,
    DeliveryTally,
    FenceRecord,
    InFlight,
    KeptGroup,
    KeptPart,
    Link,
    Offboarding,
    PolicyNote,
    StepRow,
    Ticket,
)
from offramp.ports.request import Requests
from offramp.ports.subscription import Subscriptions


class Transaction(
    AccessFacts,
    Operators,
    ApiKeys,
    Subscriptions,
    KeptAnswers,
    OptionalMessages,
    Outlook,
    OwnCopies,
    Portal,
    Requests,
    Cases,
    BulkActs,
    Outbox,
    Protocol,
):
    """One transaction of the store: everything in it happens, or nothing."""

    # facts
    def put_organizations(self, organizations: Sequence[Organization]) -> Changes:
        """Create or change organizations; an erased one is refused (`OrganizationErased`)."""

    def put_pools(self, pools: Sequence[Pool]) -> Changes:
        """Create or change pools (`OrganizationUnknown`, `OrganizationErased`)."""

    def put_members(self, members: Sequence[Member]) -> Changes:
        """Create or change members with their roles and seats; the others are left alone.

        Members of unknown or erased organizations are refused (`OrganizationUnknown`,
        `OrganizationErased`).
        """

    def organization(self, organization: str) -> Organization | None:
        """Find one organization; none when unknown or erased."""

    def organizations(self) -> tuple[Organization, ...]:
        """List the organizations by id, erased ones left out."""

    def pools(self, organization: str) -> tuple[Pool, ...]:
        """List the pools of an organization by id."""

    def member(self, organization: str, member: str) -> Member | None:
        """Find one member."""

    def members(
        self, organization: str, *, among: Collection[str] | None = None
    ) -> tuple[Member, ...]:
        """List the members of an organization by id: all, or those of some ids."""

    def forget(self, organization: str, *, member: str | None, at: Instant) -> Mapping[str, int]:
        """Empty our own tables of an organization (or one member); a tombstone stays (L30).

        Deletes members, roles, seats, pools, deliveries, links, outbox rows, holds, unlocks,
        blocks, wishes, requests, cases, its part of acts on many, API keys, subscriptions, copies
        and what opens the portal of it, and blanks the organization's name, zone, locale and
        overrides, so that no name and no address is left.
        Returns rows per table of ours.
        """

    # policies
    def put_policy(
        self, policy: Policy, *, at: Instant, by: str | None = None, reason: str | None = None
    ) -> bool:
        """Publish a version; false when that very version is there. A changed document under a
        published version is refused (`PolicyVersionTaken`)."""

    def policy_notes(self, policy: str) -> tuple[PolicyNote, ...]:
        """Say of every version of a policy when it was published, the newest version first."""

    def policy(self, policy: str, version: int | None = None) -> Policy | None:
        """Find a published version; the newest without a number."""

    def in_flight(
        self, policy: str, *, version: int, after: str = "", limit: int
    ) -> tuple[InFlight, ...]:
        """List by id, past one of them, who is leaving by any version of a policy but this one:
        the off-boardings that are open, and those that were stopped."""

    def repin(self, due: Mapping[str, Instant | None], *, version: int) -> int:
        """Move open off-boardings in which nothing has happened yet to a version.

        `due` gives each its next date; one that has begun meanwhile is left as it is. A claim on
        one that is moved ends, and it is not armed any more. Returns how many were moved.
        """

    # operator facts
    def place_hold(self, hold: Hold) -> None:
        """Store a hold; waits for the chunks in flight of its organization like `lock`."""

    def release_hold(self, hold: str, *, at: Instant) -> Hold | None:
        """End a hold now and return it as it was; none when there is no such active hold."""

    def holds(self, organization: str) -> tuple[Hold, ...]:
        """List the holds of an organization, ended ones too."""

    def grant_unlock(self, unlock: Unlock) -> None:
        """Store a temporary unlock."""

    def unlocks(self, organization: str) -> tuple[Unlock, ...]:
        """List the unlocks of an organization."""

    def set_block(self, organization: str, *, member: str | None, is_blocked: bool) -> None:
        """Shut a subject out, or let it in again."""

    def is_blocked(self, organization: str, *, member: str | None) -> bool:
        """Whether the organization or the member is shut out."""

    def set_exempt(self, organization: str, *, is_exempt: bool) -> None:
        """Take an organization out of the process, or put it back (`OrganizationUnknown`)."""

    def is_exempt(self, organization: str) -> bool:
        """Whether an organization is taken out of the process."""

    def set_paused(self, *, is_paused: bool, now: Instant) -> None:
        """Stop or resume everything destructive; waits for chunks in flight like `lock`."""

    def is_paused(self) -> bool:
        """Whether everything destructive is stopped."""

    def set_daily_cap(self, erasures_max: int | None) -> None:
        """Allow so many deletions to begin within a day; none for no cap."""

    def daily_cap(self) -> int | None:
        """How many deletions may begin within a day."""

    def lock_cap(self) -> None:
        """Let nobody else begin a deletion until the transaction ends."""

    def erasure_begun(self, *, before: int) -> Instant | None:
        """Say when the destructive step was first started that so many others were started after.

        None where there is no such step.
        """

    def erasures_expected(self, *, until: Instant, without: str, limit: int) -> int:
        """Count the other organizations, up to a limit, whose deletion is to begin until then.

        What is armed, or has begun, does not count.
        """

    def erasures_begun(self, *, since: Instant, without: str, limit: int) -> int:
        """Count the other organizations, up to a limit, whose unarmed deletion began since."""

    def unarmed(self, *, until: Instant) -> tuple[Offboarding, ...]:
        """Give, by id, what `erasures_expected` counts, and keep it from changing meanwhile."""

    def put_arming(self, arming: Arming) -> None:
        """Note what is asked for, or that it was approved."""

    def armings(self) -> tuple[Arming, ...]:
        """List what was asked for and approved, the newest last."""

    def arm(self, offboardings: Sequence[str], *, arming: str) -> None:
        """Let deletions begin however many there are."""

    def seen_at(self) -> Instant | None:
        """Give the latest instant that anybody noted."""

    def see(self, at: Instant, *, is_trusted: bool = False) -> None:
        """Note how late it is; an earlier instant than the noted one counts only when trusted."""

    # off-boardings
    def open_offboardings(self, offboardings: Sequence[Offboarding]) -> None:
        """Store new off-boardings; one open or stopped episode per subject (`OffboardingExists`).

        Unknown and erased organizations are refused (`OrganizationUnknown`,
        `OrganizationErased`).
        """

    def offboarding(self, offboarding: str) -> Offboarding | None:
        """Find one by id."""

    def offboardings(
        self, organization: str | None = None, *, status: OffboardingStatus | None = None
    ) -> tuple[Offboarding, ...]:
        """List off-boardings by organization, member, product and episode."""

    def save_offboarding(self, offboarding: Offboarding, *, expected_episode: int) -> None:
        """Write a changed off-boarding (`StaleOffboarding` when its episode has moved).

        Its attempt and lease belong to the claim and are left as they are; a status other than
        open ends the lease. Another end, cause or source ends the claim: whoever works by the old
        dates may save nothing more, and no further chunk (L18). A status may change only as the
        core allows (`IllegalTransition`).
        """

    def lock(self, offboarding: str, *, now: Instant) -> Offboarding:
        """Take the row exclusively until the transaction ends (`OffboardingUnknown`).

        Raises `DeletionInFlight` (Unavailable) when a destructive chunk holds its fence for
        longer than a short wait.
        """

    def claim_due(
        self, *, now: Instant, lease_until: Instant, limit: int
    ) -> tuple[Offboarding, ...]:
        """Claim due off-boardings whose lease is free, earliest first: attempt + 1, lease.

        An organization that could fill the whole batch leaves room for others that are due.

        Those that are open, and those that are completed and still have a date: what their
        erasure kept, and what came late, is looked after on it.
        """

    def claim_tickets(
        self, *, now: Instant, lease_until: Instant, limit: int
    ) -> tuple[Ticket, ...]:
        """Claim as `claim_due` does, for whoever carries it out elsewhere."""

    def settle(
        self,
        claimed: Offboarding,
        *,
        next_due_at: Instant | None,
        erases_at: Instant | None = None,
    ) -> bool:
        """Give a claim back with its next date; false when it is not the current one any more.

        A date that was set in the meantime (`wake`, `save_offboarding`) is kept if it is earlier,
        so that no wake-up is lost.
        """

    def extend_lease(self, claimed: Offboarding, *, lease_until: Instant) -> None:
        """Keep a claim for longer (`StaleClaim` when another attempt has taken over)."""

    def take_up(self, ticket: Ticket, *, lease_until: Instant) -> Offboarding | None:
        """Begin the work of a ticket as the next attempt, so that a ticket is good only once.

        None where the claim was given back, overtaken or begun already.
        """

    def renew(self, tickets: Sequence[Ticket], *, before: Instant, lease_until: Instant) -> int:
        """Keep the claims of tickets whose lease ends before an instant; says how many were kept.

        Those that were given back or overtaken are left alone, and so is a row that somebody else
        is writing at this very moment.
        """

    def wake(self, organization: str | None, *, at: Instant) -> int:
        """Look at the off-boardings that have work left (of one organization, or all) at an
        instant or earlier: the open ones, and the completed ones that have a date.

        Returns how many there are.
        """

    def next_due_at(self) -> Instant | None:
        """Give the earliest date on which any off-boarding is due."""

    # steps
    def steps(self, offboarding: str) -> tuple[StepRow, ...]:
        """List the step rows of an off-boarding, by due date and key."""

    def save_step(
        self, row: StepRow, *, claimed: Offboarding | None, expected: StepStatus | None
    ) -> None:
        """Create (`expected` none) or change a row, if its status is the expected one and the
        claim's attempt is still the current one (`StaleClaim`; `StaleOffboarding` without a
        claim). What has no row counts as pending, and changes as the core allows."""

    # deliveries
    def has_told(self, offboarding: str) -> bool:
        """Whether any message of an off-boarding was accepted and has not come back."""

    def fan_out(
        self, offboarding: Offboarding, *, step: str, audience: Audience, is_for_told: bool = False
    ) -> int:
        """Create a queued delivery for each member of an audience that has an address, in one
        statement; those that exist are left alone. Returns how many the step now has.

        `admins`, `owner` and `billing` are the organization's members with that role. `members`
        and `subject` are everybody the subject covers: the one member of a member's off-boarding;
        else the members who are not leaving on an own (open or completed) off-boarding, and, where
        the subject names a product, have a seat in a pool of it. Who was removed from the
        organization is in no audience but that of their own off-boarding. With `is_for_told` only
        those are written to who were given a message of this off-boarding before.
        """

    def take_deliveries(
        self, offboarding: str, *, step: str, now: Instant, limit: int, after: str = ""
    ) -> tuple[Delivery, ...]:
        """Mark up to `limit` deliveries as sending (queued, failed and due, or left sending by a
        dead attempt) and return them as they were before, so that `sending` ones are verified.
        Each of these counts as a repeat from now on, for the next attempt may die as well.

        They come in the order of their members, beginning past the one `after` names.
        """

    def awaited(
        self, offboarding: str, *, step: str, now: Instant, limit: int, after: str
    ) -> tuple[str, ...]:
        """Name the members whose deliveries would be taken next, past the one `after` names."""

    def save_deliveries(
        self, deliveries: Iterable[Delivery], *, at: Instant, taken_by: int | None = None
    ) -> None:
        """Write the outcome of deliveries, and add it to their history; one that was forgotten
        meanwhile stays forgotten, and one that another attempt than `taken_by` has taken is left
        to that one."""

    def deliveries(self, offboarding: str, *, step: str | None = None) -> tuple[Delivery, ...]:
        """List the deliveries of an off-boarding."""

    def tally_deliveries(self, offboarding: str, *, step: str) -> DeliveryTally:
        """Count the deliveries of a step, however many there are."""

    def delivery_notes(self, offboarding: str) -> tuple[DeliveryNote, ...]:
        """Give the history of an off-boarding's deliveries, oldest first."""

    def find_message(self, message: str) -> Delivery | None:
        """Find the delivery whose latest message has an id."""

    def queue_again(
        self,
        offboarding: str,
        *,
        steps: Collection[str],
        statuses: Collection[DeliveryStatus],
        member: str | None = None,
        unasked_since: Instant | None = None,
        at: Instant,
    ) -> int:
        """Queue deliveries of steps once more, each in its next round; returns how many.

        One that was queued again after `unasked_since` is left as it is.
        """

    def steps_to_resend(self, offboarding: str) -> Mapping[str, Instant | None]:
        """Name the steps with deliveries that were queued again and are still to be sent, each
        with the earliest instant of the next try; none where one need not wait."""

    # links
    def put_link(self, link: Link) -> None:
        """Note a link, or the later mail of one that is there; none of a forgotten delivery."""

    def find_link(self, digest: str) -> Link | None:
        """Find a link by the digest of its secret."""

    def links(self, offboarding: str) -> tuple[Link, ...]:
        """List the links of an off-boarding, by step, member and round."""

    def count_download(self, digest: str, *, at: Instant) -> int:
        """Note that a download begins; returns how many have begun, 0 where there is no link."""

    def revoke_links(
        self,
        offboarding: str,
        *,
        steps: Collection[str] | None = None,
        member: str | None = None,
        spared: str | None = None,
        at: Instant,
    ) -> int:
        """Let links lead nowhere from now on, all but one; returns how many still did."""

    # erasure cursors
    def erased_rows(self, offboarding: str) -> Mapping[str, int]:
        """Give the cursor: rows erased so far, per table."""

    # what an erasure kept
    def keep(self, parts: Sequence[KeptPart]) -> None:
        """Note rows that stay after their organization; the store gives each part its number."""

    def kept(self, offboarding: str | None = None) -> tuple[KeptGroup, ...]:
        """Count what is kept, by off-boarding, table, end and reason."""

    def kept_parts(
        self,
        offboarding: str,
        *,
        after: int = 0,
        table: str | None = None,
        due_at: Instant | None = None,
        limit: int,
    ) -> tuple[KeptPart, ...]:
        """List parts by number: of one table, or those whose end has come at an instant."""

    def save_kept(self, part: KeptPart) -> None:
        """Write what is left of a part; one without rows is forgotten with its keys."""

    def adopt_kept(self, offboarding: Offboarding) -> int:
        """Take over what earlier episodes of a subject, or parts of it, kept and did not finish.

        Returns how many parts were taken over.
        """

    # proof
    def append(self, events: Sequence[Event]) -> None:
        """Seal events to the end of the ledger."""

    def ledger(
        self, *, after: int = 0, limit: int | None = None, about: Collection[str] | None = None
    ) -> tuple[Entry, ...]:
        """Read the ledger in order: all of it, or what it says of some off-boardings."""

    def ledger_head(self) -> tuple[int, str]:
        """Give number and seal of the last entry; (0, GENESIS) when empty."""


class Store(AccessRevisions, Protocol):
    """Where facts and receipts are kept."""

    def transaction(self) -> AbstractContextManager[Transaction]:
        """Begin a transaction that commits at the end and rolls back on an error."""

    def reading(self) -> AbstractContextManager[Transaction]:
        """Begin a transaction for looking only, which waits for nobody who writes.

        Raises `StoreVersionDiffers` where the tables are not those that this program knows.
        """

    def fence(
        self,
        claimed: Offboarding,
        *,
        now: Instant,
        deadline: Instant,
        judge: Callable[[Transaction], None],
    ) -> AbstractContextManager[FenceRecord]:
        """Hold the off-boarding (and the pause switch) while one destructive chunk runs.

        `judge` sees fresh facts under the lock and raises to refuse. The lock is shared: chunks
        do not wait for each other, but a reactivation, hold or pause waits for them. A claim
        that is no longer the current attempt or episode is refused (`StaleClaim`). What was
        recorded becomes part of the cursor when the block is left without an error.
        """
