"""Off-boardings, steps and proof in the store in memory.

Source: ``ports.Transaction``.
"""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from whenever import Instant

from offramp.core.dates import Boundary
from offramp.core.ledger import GENESIS, Entry, Event, seal
from offramp.core.model import Cause
from offramp.core.term import Source
from offramp.core.transitions import OFFBOARDING, STEP, OffboardingStatus, StepStatus, move
from offramp.ports import (
    InFlight,
    Offboarding,
    OffboardingExists,
    OffboardingUnknown,
    StaleOffboarding,
    StepRow,
    Ticket,
    Workload,
)
from offramp.testing.memory_tables import MemoryPart, stale

_CURRENT = frozenset({OffboardingStatus.OPEN, OffboardingStatus.STOPPED})
SHARES = 8  # of a batch


class MemoryOffboardingPart(MemoryPart):
    """Who is leaving, when to look at them next, and how far their steps are."""

    def in_flight(
        self, policy: str, *, version: int, after: str = "", limit: int
    ) -> tuple[InFlight, ...]:
        """List by id who is leaving by any version of a policy but one."""
        found = [
            row
            for _, row in sorted(self.tables.offboardings.items())
            if row.policy == policy and row.policy_version != version
            if row.status in _CURRENT and row.id > after
        ]
        begun = self._begun()
        customers = self.tables.organizations
        return tuple(
            InFlight(
                offboarding=row,
                zone=customers[row.subject.organization].zone,
                overrides=customers[row.subject.organization].overrides,
                has_begun=row.status is OffboardingStatus.STOPPED or row.id in begun,
            )
            for row in found[:limit]
        )

    def repin(self, due: Mapping[str, Instant | None], *, version: int) -> int:
        """Move open off-boardings in which nothing has happened yet to a version."""
        begun = self._begun()
        moved = [row for row in self._open() if row.id in due and row.id not in begun]
        for row in moved:
            self.tables.woken.pop(row.id, None)
            self.touch(row.subject.organization)
            self._write(
                replace(
                    row,
                    policy_version=version,
                    next_due_at=due[row.id],
                    attempt=row.attempt + 1,
                    lease_until=None,
                    armed=None,
                )
            )
        return len(moved)

    def _begun(self) -> frozenset[str]:
        return frozenset(offboarding for offboarding, _ in self.tables.steps)

    def open_offboardings(self, offboardings: Sequence[Offboarding]) -> None:
        """Store new off-boardings."""
        self.require_organizations(row.subject.organization for row in offboardings)
        for row in offboardings:
            others = [each for each in self.offboardings() if each.subject == row.subject]
            if row.id in self.tables.offboardings or any(
                each.status in _CURRENT or each.episode == row.episode for each in others
            ):
                raise OffboardingExists(organization=row.subject.organization)
            self.touch(row.subject.organization)
            self._write(row)

    def offboarding(self, offboarding: str) -> Offboarding | None:
        """Find one by id."""
        return self.tables.offboardings.get(offboarding)

    def offboardings(
        self, organization: str | None = None, *, status: OffboardingStatus | None = None
    ) -> tuple[Offboarding, ...]:
        """List off-boardings by organization, member, product and episode."""
        found = [
            row
            for row in self.tables.offboardings.values()
            if organization in (None, row.subject.organization) and status in (None, row.status)
        ]
        return tuple(sorted(found, key=_by_subject))

    def offboardings_about(
        self, organization: str, *, member: str | None
    ) -> tuple[Offboarding, ...]:
        """List the off-boardings of an organization, and of one member of it alone."""
        rows = self.offboardings(organization)
        return tuple(row for row in rows if row.subject.member in (None, member))

    def save_offboarding(self, offboarding: Offboarding, *, expected_episode: int) -> None:
        """Write a changed off-boarding."""
        row = self.tables.offboardings.get(offboarding.id)
        if row is None or row.episode != expected_episode:
            raise StaleOffboarding(offboarding=offboarding.id)
        if row.status is not offboarding.status:
            move(OFFBOARDING, row.status, offboarding.status)
        self.touch(row.subject.organization)
        is_moved = _term(row) != _term(offboarding)
        is_claimed = row.lease_until is not None and not is_moved
        is_claimed = is_claimed and offboarding.status is OffboardingStatus.OPEN
        if is_moved:
            self.tables.woken.pop(row.id, None)
        elif is_claimed and offboarding.next_due_at is not None:
            self.tables.woken[row.id] = offboarding.next_due_at
        self._write(
            replace(
                offboarding,
                subject=row.subject,
                opened_at=row.opened_at,
                attempt=row.attempt + is_moved,
                lease_until=row.lease_until if is_claimed else None,
            )
        )

    def lock(self, offboarding: str, *, now: Instant) -> Offboarding:
        """Find one of which no chunk is in flight."""
        row = self.tables.offboardings.get(offboarding)
        if row is None:
            raise OffboardingUnknown(offboarding=offboarding)
        self.refuse_markers([offboarding], now=now)
        return row

    def claim_due(
        self, *, now: Instant, lease_until: Instant, limit: int
    ) -> tuple[Offboarding, ...]:
        """Claim due off-boardings whose lease is free, and leave room for everybody."""
        due = [
            (row.next_due_at, row.subject.organization, row.id, row)
            for row in self._at_work()
            if row.next_due_at is not None and row.next_due_at <= now and _is_free(row, now=now)
        ]
        oldest = [row for *_, row in sorted(due, key=lambda each: each[:3])]
        chosen = {row.id: row for row in _shared_out(oldest, limit=limit)}
        claimed = tuple(
            replace(row, attempt=row.attempt + 1, lease_until=lease_until)
            for row in oldest
            if row.id in chosen
        )
        self._write(*claimed)
        for row in claimed:
            self.tables.woken.pop(row.id, None)
        return claimed

    def claim_tickets(
        self, *, now: Instant, lease_until: Instant, limit: int
    ) -> tuple[Ticket, ...]:
        """Claim them for whoever carries it out elsewhere."""
        claimed = self.claim_due(now=now, lease_until=lease_until, limit=limit)
        return tuple(Ticket(offboarding=row.id, attempt=row.attempt) for row in claimed)

    def settle(
        self,
        claimed: Offboarding,
        *,
        next_due_at: Instant | None,
        erases_at: Instant | None = None,
    ) -> bool:
        """Give a claim back with its next date, or the earlier one that was set meanwhile."""
        row = self.tables.offboardings.get(claimed.id)
        if row is None or not self.is_current(claimed):
            return False
        woken_at = self.tables.woken.pop(row.id, None)
        date = _earliest(woken_at, next_due_at)
        self._write(replace(row, next_due_at=date, erases_at=erases_at, lease_until=None))
        return True

    def extend_lease(self, claimed: Offboarding, *, lease_until: Instant) -> None:
        """Keep a claim for longer."""
        self.require_current(claimed)
        self._write(replace(self.tables.offboardings[claimed.id], lease_until=lease_until))

    def take_up(self, ticket: Ticket, *, lease_until: Instant) -> Offboarding | None:
        """Begin the work of a ticket as the next attempt."""
        row = self._of_ticket(ticket)
        if row is None:
            return None
        begun = replace(row, attempt=row.attempt + 1, lease_until=lease_until)
        self._write(begun)
        return begun

    def renew(self, tickets: Sequence[Ticket], *, before: Instant, lease_until: Instant) -> int:
        """Keep the claims of tickets whose lease ends before an instant."""
        found = [row for row in map(self._of_ticket, tickets) if row is not None]
        ending = [row for row in found if row.lease_until is not None and row.lease_until < before]
        self._write(*(replace(row, lease_until=lease_until) for row in ending))
        return len(ending)

    def _of_ticket(self, ticket: Ticket) -> Offboarding | None:
        return next(
            (
                row
                for row in self._at_work()
                if (row.id, row.attempt) == (ticket.offboarding, ticket.attempt)
                and row.lease_until is not None
            ),
            None,
        )

    def wake(self, organization: str | None, *, at: Instant) -> int:
        """Bring the next look at off-boardings forward to an instant."""
        rows = [row for row in self._at_work() if organization in (None, row.subject.organization)]
        for row in rows:
            self._write(replace(row, next_due_at=_earliest(row.next_due_at, at)))
            if row.lease_until is not None:
                self.tables.woken[row.id] = min(at, self.tables.woken.get(row.id, at))
        return len(rows)

    def next_due_at(self) -> Instant | None:
        """Give the earliest date on which any off-boarding is due."""
        return _earliest(*(row.next_due_at for row in self._at_work()))

    def workload(self, *, now: Instant, until: Instant) -> Workload:
        """Count what is due, taken, and coming up to an instant, and troubled steps."""
        dated = [(row.next_due_at, row) for row in self._at_work() if row.next_due_at is not None]
        due = [(at, row) for at, row in dated if at <= now and _is_free(row, now=now)]
        coming = Counter(at for at, _ in dated if now < at <= until)
        open_ids = {row.id for row in self._open()}
        steps = Counter(
            row.status for row in self.tables.steps.values() if row.offboarding in open_ids
        )
        crowded = sorted(coming.items(), key=lambda each: (-each[1], each[0]))
        return Workload(
            due=len(due),
            lost=sum(row.lease_until is not None for _, row in due),
            running=sum(at <= until and not _is_free(row, now=now) for at, row in dated),
            stopped=len(self.offboardings(status=OffboardingStatus.STOPPED)),
            oldest_due_at=_earliest(*(at for at, _ in due)),
            coming=coming.total(),
            busiest=crowded[0] if crowded else None,
            failed=steps[StepStatus.FAILED],
            held=steps[StepStatus.HELD],
            abandoned=steps[StepStatus.ABANDONED],
        )

    def steps(self, offboarding: str) -> tuple[StepRow, ...]:
        """List the step rows of an off-boarding."""
        rows = [row for row in self.tables.steps.values() if row.offboarding == offboarding]
        return tuple(sorted(rows, key=lambda row: (row.due_at, row.key)))

    def erase_steps(self, organization: str) -> tuple[StepRow, ...]:
        """List the rows of the destructive steps of an organization's off-boardings."""
        rows = self.tables.steps.values()
        whose = self.tables.offboardings
        mine = [
            row
            for row in rows
            if row.is_destructive and whose[row.offboarding].subject.organization == organization
        ]
        return tuple(sorted(mine, key=lambda row: (row.offboarding, row.key)))

    def save_step(
        self, row: StepRow, *, claimed: Offboarding | None, expected: StepStatus | None
    ) -> None:
        """Create or change a row, if its status is the expected one and the claim is current."""
        if claimed is not None:
            assert claimed.id == row.offboarding, "a claim covers the steps of one off-boarding"
            self.require_current(claimed)
        elif row.offboarding not in self.tables.offboardings:
            raise OffboardingUnknown(offboarding=row.offboarding)
        if expected is not None or row.status is not StepStatus.PENDING:
            move(STEP, expected or StepStatus.PENDING, row.status)
        before = self.tables.steps.get((row.offboarding, row.key))
        if (before and before.status) != expected:
            raise stale(claimed) if claimed else StaleOffboarding(offboarding=row.offboarding)
        self.tables.steps[row.offboarding, row.key] = row
        if row.is_destructive:
            self.touch(self.tables.offboardings[row.offboarding].subject.organization)

    def erased_rows(self, offboarding: str) -> Mapping[str, int]:
        """Give the cursor of an off-boarding."""
        cursors = sorted(self.tables.cursors.items())
        return {table: rows for (owner, table), rows in cursors if owner == offboarding}

    def advance(self, offboarding: str, rows: Mapping[str, int]) -> None:
        """Move the cursor: so many more rows of these tables are gone."""
        self.tables.cursors.update({(offboarding, table): count for table, count in rows.items()})

    def _open(self) -> list[Offboarding]:
        return list(self.offboardings(status=OffboardingStatus.OPEN))

    def _at_work(self) -> list[Offboarding]:
        """List the open ones, and those that are over and still have a date."""
        over = (OffboardingStatus.COMPLETED, OffboardingStatus.CANCELED)
        dated = (row for row in self.offboardings() if row.next_due_at is not None)
        return [*self._open(), *(row for row in dated if row.status in over)]

    def _write(self, *rows: Offboarding) -> None:
        self.tables.offboardings.update({row.id: row for row in rows})


class MemoryProofPart(MemoryPart):
    """Proof of what was done."""

    def append(self, events: Sequence[Event]) -> None:
        """Seal events to the end of the ledger."""
        for event in events:
            number, previous = self.ledger_head()
            entry = seal(event, number=number + 1, previous=previous, key=self.ledger_key)
            self.tables.entries.append(entry)

    def ledger(
        self, *, after: int = 0, limit: int | None = None, about: Collection[str] | None = None
    ) -> tuple[Entry, ...]:
        """Read the ledger in order."""
        entries = self.tables.entries[after:]
        if about is not None:
            entries = [entry for entry in entries if entry.event.offboarding in about]
        return tuple(entries[:limit])

    def ledger_head(self) -> tuple[int, str]:
        """Give number and seal of the last entry."""
        last = self.tables.entries[-1:]
        return (last[0].number, last[0].seal) if last else (0, GENESIS)


def _by_subject(row: Offboarding) -> tuple[str, str, str, int]:
    subject = row.subject
    return subject.organization, subject.member or "", subject.product or "", row.episode


def _shared_out(oldest: Sequence[Offboarding], *, limit: int) -> Sequence[Offboarding]:
    """Put others in the place of a crowd, as the store on a database does."""
    share = max(1, limit // SHARES)
    counts = Counter(row.subject.organization for row in oldest[:limit])
    if len(oldest) < limit or max(counts.values(), default=0) <= share:
        return oldest[:limit]
    on_first_date: dict[str, list[Offboarding]] = {}
    for row in oldest:
        theirs = on_first_date.setdefault(row.subject.organization, [])
        if not theirs or theirs[0].next_due_at == row.next_due_at:
            theirs.append(row)
    shares = [row for theirs in list(on_first_date.values())[:SHARES] for row in theirs[:share]]
    return [*shares, *(row for row in oldest if row not in shares)][:limit]


def _term(row: Offboarding) -> tuple[Boundary, Cause, Source]:
    return row.ends, row.cause, row.source


def _is_free(row: Offboarding, *, now: Instant) -> bool:
    return row.lease_until is None or row.lease_until <= now


def _earliest(*dates: Instant | None) -> Instant | None:
    return min((date for date in dates if date is not None), default=None)
