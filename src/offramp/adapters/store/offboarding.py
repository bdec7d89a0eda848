"""Off-boardings: the row that is schedule, lease and fence in one.

Everything that reads or writes that row lives here, but for its locks (``lock.py``) and claims
(``claim.py``).

Source: docs/architecture.md; lessons L2, L5, L18, L31.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import (
    ColumnElement,
    and_,
    bindparam,
    case,
    exists,
    func,
    literal,
    or_,
    select,
    update,
)
from sqlalchemy.engine import Row as Found
from whenever import Instant

from offramp.adapters.store import schema
from offramp.adapters.store.column_type import MomentInTime
from offramp.adapters.store.fact import FactPart
from offramp.adapters.store.lock import LockPart
from offramp.adapters.store.part import Row, batches
from offramp.core.model import Cause, Subject
from offramp.core.term import Source
from offramp.core.transitions import OFFBOARDING, OffboardingStatus, move
from offramp.ports import (
    InFlight,
    Offboarding,
    OffboardingExists,
    OffboardingUnknown,
    StaleOffboarding,
)

_table = schema.offboarding
_is_open = _table.c.status == OffboardingStatus.OPEN
# A completed one is still due where it kept rows, or while late ones are watched for; a canceled
# one where those who stay are told so.
_is_over = _table.c.status.in_((OffboardingStatus.COMPLETED, OffboardingStatus.CANCELED))
HAS_WORK = or_(_is_open, and_(_is_over, _table.c.next_due_at.is_not(None)))
_goes_on = _table.c.status.in_((OffboardingStatus.OPEN, OffboardingStatus.STOPPED))
_has_begun = exists().where(schema.step.c.offboarding == _table.c.id)
_OF_THE_CLAIM = frozenset({"attempt", "lease_until"})
_OF_THE_TERM = ("ends", "cause", "source")
_OF_THE_SUBJECT = frozenset({"id", "organization", "member", "product", "opened_at"})


class OffboardingPart(FactPart, LockPart):
    """Who is leaving, and when to look at them next."""

    def open_offboardings(self, offboardings: Sequence[Offboarding]) -> None:
        """Store new off-boardings."""
        self.require_organizations(each.subject.organization for each in offboardings)
        if not offboardings:
            return
        statement = self._insert(_table).on_conflict_do_nothing().returning(_table.c.id)
        rows = [_row(each) for each in offboardings]
        stored = set(self.connection.scalars(statement, rows))
        for each in offboardings:
            if each.id not in stored:
                raise OffboardingExists(organization=each.subject.organization)
            self.touched.add(each.subject.organization)

    def offboarding(self, offboarding: str) -> Offboarding | None:
        """Find one by id."""
        row = self.connection.execute(select(_table).where(_table.c.id == offboarding)).first()
        return None if row is None else offboarding_of(row)

    def offboardings(
        self, organization: str | None = None, *, status: OffboardingStatus | None = None
    ) -> tuple[Offboarding, ...]:
        """List off-boardings by organization, member, product and episode."""
        columns = _table.c
        order = (columns.organization, columns.member, columns.product, columns.episode)
        chosen = select(_table).order_by(*order)
        if organization is not None:
            chosen = chosen.where(columns.organization == organization)
        if status is not None:
            chosen = chosen.where(columns.status == status)
        return tuple(offboarding_of(row) for row in self.connection.execute(chosen))

    def offboardings_about(
        self, organization: str, *, member: str | None
    ) -> tuple[Offboarding, ...]:
        """List the off-boardings of an organization, and of one member of it alone."""
        columns = _table.c
        theirs = self._among(columns.member, ["", member or ""])
        chosen = select(_table).where(columns.organization == organization, theirs)
        order = (columns.member, columns.product, columns.episode)
        return tuple(
            offboarding_of(row) for row in self.connection.execute(chosen.order_by(*order))
        )

    def save_offboarding(self, offboarding: Offboarding, *, expected_episode: int) -> None:
        """Write a changed off-boarding."""
        chosen = select(_table).where(_table.c.id == offboarding.id).with_for_update()
        row = self.connection.execute(chosen).first()
        if row is None or row.episode != expected_episode:
            raise StaleOffboarding(offboarding=offboarding.id)
        if row.status != offboarding.status:
            move(OFFBOARDING, OffboardingStatus(row.status), offboarding.status)
        fixed = _OF_THE_CLAIM | _OF_THE_SUBJECT
        values = {name: value for name, value in _row(offboarding).items() if name not in fixed}
        if any(getattr(row, name) != values[name] for name in _OF_THE_TERM):
            # Whoever works on it counts from the old end: nothing of theirs is valid any more.
            values |= {"attempt": row.attempt + 1, "lease_until": None, "woken_at": None}
        elif offboarding.status is not OffboardingStatus.OPEN:
            values["lease_until"] = None
        elif row.lease_until is not None:
            values["woken_at"] = offboarding.next_due_at
        self.connection.execute(update(_table).where(_table.c.id == offboarding.id).values(values))
        self.touched.add(row.organization)

    def lock(self, offboarding: str, *, now: Instant) -> Offboarding:
        """Take the row exclusively until the transaction ends."""
        rows = self.lock_rows(_table.c.id == offboarding, now=now)
        if not rows:
            raise OffboardingUnknown(offboarding=offboarding)
        return offboarding_of(rows[0])

    def wake(self, organization: str | None, *, at: Instant) -> int:
        """Bring the next look at off-boardings forward to an instant."""
        is_claimed = _table.c.lease_until.is_not(None)
        statement = update(_table).where(HAS_WORK)
        if organization is not None:
            statement = statement.where(_table.c.organization == organization)
        woken = statement.values(
            next_due_at=earlier(_table.c.next_due_at, at),
            woken_at=case((is_claimed, earlier(_table.c.woken_at, at))),
        )
        return self.connection.execute(woken).rowcount

    def in_flight(
        self, policy: str, *, version: int, after: str = "", limit: int
    ) -> tuple[InFlight, ...]:
        """List by id who is leaving by any version of a policy but one."""
        facts, row = schema.organization, _table.c
        both = _table.join(facts, row.organization == facts.c.id)
        is_stopped = row.status == OffboardingStatus.STOPPED
        begun = or_(is_stopped, _has_begun).label("has_begun")
        chosen = (
            select(_table, facts.c.zone, facts.c.overrides, begun)
            .select_from(both)
            .where(row.policy == policy, row.policy_version != version, _goes_on, row.id > after)
            .order_by(row.id)
        )
        return tuple(
            InFlight(
                offboarding=offboarding_of(found),
                zone=found.zone,
                overrides=found.overrides,
                has_begun=found.has_begun,
            )
            for found in self.connection.execute(chosen.limit(limit))
        )

    def repin(self, due: Mapping[str, Instant | None], *, version: int) -> int:
        """Move open off-boardings in which nothing has happened yet to a version."""
        moved = [row for ids in batches(sorted(due)) for row in self._untouched(ids)]
        if not moved:
            return 0
        # A worker that is about to begin under the old version loses its claim.
        again = update(_table).where(_table.c.id == bindparam("mine"))
        again = again.values(
            policy_version=version,
            next_due_at=bindparam("due_at"),
            attempt=_table.c.attempt + 1,
            lease_until=None,
            woken_at=None,
            armed=None,
        )
        rows = [{"mine": offboarding, "due_at": due[offboarding]} for offboarding in moved]
        self.connection.execute(again, rows)
        for ids in batches(moved):
            theirs = select(_table.c.organization).where(_table.c.id.in_(ids)).distinct()
            self.touched.update(self.connection.scalars(theirs))
        return len(moved)

    def _untouched(self, ids: Sequence[str]) -> Sequence[str]:
        """Lock rows, and only then see which of them have not begun.

        In one statement PostgreSQL would look for steps as they were before it had to wait.
        """
        mine = _table.c.id.in_(ids)
        self.connection.execute(
            select(_table.c.id).where(mine).order_by(_table.c.id).with_for_update()
        )
        untouched = select(_table.c.id).where(mine, _is_open, ~_has_begun)
        return self.connection.scalars(untouched).all()

    def next_due_at(self) -> Instant | None:
        """Give the earliest date on which any off-boarding is due."""
        earliest: Instant | None = self.connection.scalar(
            select(func.min(_table.c.next_due_at)).where(HAS_WORK)
        )
        return earliest


def is_due(now: Instant) -> ColumnElement[bool]:
    """Say that the date of an off-boarding has come and nobody has it."""
    is_free = or_(_table.c.lease_until.is_(None), _table.c.lease_until <= now)
    return and_(_table.c.next_due_at <= now, is_free)


def earlier(column: ColumnElement[Any], other: Instant | None) -> ColumnElement[Any]:
    """Choose the earlier of a column and an instant; an absent one does not count."""
    if other is None:
        return column
    value = literal(other, MomentInTime)
    return case((column < value, column), else_=value)


def _row(offboarding: Offboarding) -> Row:
    subject = offboarding.subject
    return {
        "id": offboarding.id,
        "organization": subject.organization,
        "member": subject.member,
        "product": subject.product,
        "policy": offboarding.policy,
        "policy_version": offboarding.policy_version,
        "cause": offboarding.cause,
        "source": offboarding.source,
        "ends": offboarding.ends,
        "episode": offboarding.episode,
        "status": offboarding.status,
        "opened_at": offboarding.opened_at,
        "next_due_at": offboarding.next_due_at,
        "attempt": offboarding.attempt,
        "lease_until": offboarding.lease_until,
        "closed_at": offboarding.closed_at,
        "erases_at": offboarding.erases_at,
        "armed": offboarding.armed,
    }


def offboarding_of(row: Found[Any]) -> Offboarding:
    """Read the row of an off-boarding."""
    return Offboarding(
        id=row.id,
        subject=Subject(organization=row.organization, member=row.member, product=row.product),
        policy=row.policy,
        policy_version=row.policy_version,
        cause=Cause(row.cause),
        source=Source(row.source),
        ends=row.ends,
        episode=row.episode,
        status=OffboardingStatus(row.status),
        opened_at=row.opened_at,
        next_due_at=row.next_due_at,
        attempt=row.attempt,
        lease_until=row.lease_until,
        closed_at=row.closed_at,
        erases_at=row.erases_at,
        armed=row.armed,
    )
