"""What a person who watches asks for, a page at a time, each by an index.

Source: ``ports.Outlook``.
"""

from collections.abc import Collection, Mapping, Sequence

from sqlalchemy import ColumnElement, and_, exists, func, not_, or_, select, tuple_
from whenever import Instant

from offramp.adapters.store import schema
from offramp.adapters.store.delivery import delivery_of, note_of
from offramp.adapters.store.offboarding import HAS_WORK, OffboardingPart, offboarding_of
from offramp.adapters.store.part import written
from offramp.core.model import Member, Organization
from offramp.core.transitions import OffboardingStatus, StepStatus
from offramp.ports import (
    Condition,
    Delivery,
    DeliveryNote,
    DeliveryStatus,
    Offboarding,
    fold_address,
)

LAST_CHARACTER = "\U0010ffff"  # no name goes on with it

_row, _step = schema.offboarding.c, schema.step.c
_member = schema.member.c
_customer, _hold, _delivery = schema.organization.c, schema.hold.c, schema.delivery.c
_name = func.lower(_customer.name)
_OPEN, _STOPPED = written(OffboardingStatus.OPEN), written(OffboardingStatus.STOPPED)
_TROUBLED = [written(each) for each in (StepStatus.FAILED, StepStatus.HELD, StepStatus.ABANDONED)]


class OutlookPart(OffboardingPart):
    """What happens next, what is in the way, and who stands where."""

    def due_between(
        self, after: Instant | None, until: Instant, *, limit: int
    ) -> tuple[Offboarding, ...]:
        """List what has work left and is due between two instants."""
        chosen = select(schema.offboarding).where(HAS_WORK, _row.next_due_at <= until)
        if after is not None:
            chosen = chosen.where(_row.next_due_at > after)
        ordered = chosen.order_by(_row.next_due_at, _row.organization, _row.id).limit(limit)
        return tuple(map(offboarding_of, self.connection.execute(ordered)))

    def troubled(self, *, limit: int) -> tuple[Offboarding, ...]:
        """List what was stopped, and what has a step in trouble."""
        with_trouble = select(_step.offboarding).where(_step.status.in_(_TROUBLED))
        is_open = and_(_row.status == _OPEN, _row.id.in_(with_trouble))
        in_trouble = or_(_row.status == _STOPPED, is_open)
        chosen = select(schema.offboarding).where(in_trouble).order_by(_row.id).limit(limit)
        return tuple(map(offboarding_of, self.connection.execute(chosen)))

    def count_deliveries(self, offboarding: str) -> Mapping[str, Mapping[DeliveryStatus, int]]:
        """Count the deliveries of an off-boarding by step and status."""
        both = (_delivery.step, _delivery.status)
        counted = select(*both, func.count()).where(_delivery.offboarding == offboarding)
        counts: dict[str, dict[DeliveryStatus, int]] = {}
        for step, status, count in self.connection.execute(counted.group_by(*both).order_by(*both)):
            counts.setdefault(step, {})[DeliveryStatus(status)] = count
        return counts

    def lost_deliveries(self, organization: str, *, limit: int) -> tuple[Delivery, ...]:
        """List the deliveries of an organization that were refused or came back."""
        theirs = select(_row.id).where(_row.organization == organization)
        lost = _delivery.status.in_((DeliveryStatus.REFUSED, DeliveryStatus.BOUNCED))
        chosen = select(schema.delivery).where(_delivery.offboarding.in_(theirs), lost)
        ordered = chosen.order_by(_delivery.offboarding, _delivery.step, _delivery.member)
        return tuple(map(delivery_of, self.connection.execute(ordered.limit(limit))))

    def find_organizations(
        self,
        begins: str = "",
        *,
        condition: Condition = Condition.ANY,
        after: tuple[str, str] | None = None,
        until: tuple[str, str] | None = None,
        now: Instant,
        limit: int,
    ) -> tuple[Organization, ...]:
        """List by name those whose name begins with a text."""
        wanted = [*_named(begins, after=after), _stands(condition, now=now)]
        if until is not None:
            wanted += [_name <= until[0], tuple_(_name, _customer.id) <= tuple_(*until)]
        return self._organizations(*wanted, order=(_name, _customer.id), limit=limit)

    def organization_further(
        self, begins: str = "", *, after: tuple[str, str] | None = None, steps: int
    ) -> tuple[str, str] | None:
        """Give the name and the id of the one so many steps further on."""
        both = (_name, _customer.id)
        chosen = select(*both).where(*_named(begins, after=after)).order_by(*both)
        found = self.connection.execute(chosen.offset(steps - 1).limit(1)).first()
        return None if found is None else (found[0], found[1])

    def whole_offboardings(self, organizations: Collection[str]) -> tuple[Offboarding, ...]:
        """List the newest episodes of organizations as a whole."""
        mine = and_(_row.organization.in_(list(organizations)), _row.member == "")
        ordered = (_row.organization, _row.product, _row.episode)
        chosen = select(schema.offboarding).where(mine).order_by(*ordered)
        found = map(offboarding_of, self.connection.execute(chosen))
        newest = {each.subject: each for each in found}
        canceled = OffboardingStatus.CANCELED
        return tuple(each for each in newest.values() if each.status is not canceled)

    def members_from(self, organization: str, *, after: str, limit: int) -> tuple[Member, ...]:
        """List the members of an organization past one of them."""
        mine = and_(_member.organization == organization, _member.id > after)
        ids = select(_member.id).where(mine).order_by(_member.id).limit(limit)
        return self.members(organization, among=list(self.connection.scalars(ids)))

    def offboardings_from(
        self, organization: str, *, after: Offboarding | None, limit: int
    ) -> tuple[Offboarding, ...]:
        """List the off-boardings of an organization past one of them."""
        order = (_row.member, _row.product, _row.episode)
        chosen = select(schema.offboarding).where(_row.organization == organization)
        if after is not None:
            subject = after.subject
            last = (subject.member or "", subject.product or "", after.episode)
            chosen = chosen.where(tuple_(*order) > tuple_(*last))
        found = self.connection.execute(chosen.order_by(*order).limit(limit))
        return tuple(map(offboarding_of, found))

    def deliveries_from(
        self, offboarding: str, *, after: tuple[str, str], limit: int
    ) -> tuple[Delivery, ...]:
        """List the deliveries of an off-boarding past one of them."""
        order = (_delivery.step, _delivery.member)
        mine = and_(_delivery.offboarding == offboarding, tuple_(*order) > tuple_(*after))
        chosen = select(schema.delivery).where(mine).order_by(*order).limit(limit)
        return tuple(map(delivery_of, self.connection.execute(chosen)))

    def notes_on(self, deliveries: Sequence[Delivery]) -> tuple[DeliveryNote, ...]:
        """Give the history of some deliveries."""
        keys = {(each.offboarding, each.step, each.member) for each in deliveries}
        if not keys:
            return ()
        note = schema.delivery_note.c
        mine = tuple_(note.offboarding, note.step, note.member).in_(sorted(keys))
        chosen = select(schema.delivery_note).where(mine).order_by(note.number)
        return tuple(map(note_of, self.connection.execute(chosen)))


def _named(begins: str, *, after: tuple[str, str] | None) -> list[ColumnElement[bool]]:
    """Say what a name has to begin with, and after which it has to come."""
    wanted: list[ColumnElement[bool]] = [_customer.erased_at.is_(None)]
    if begins:
        folded = fold_address(begins)
        wanted += [_name >= folded, _name < folded + LAST_CHARACTER]
    if after is not None:
        wanted += [_name >= after[0], tuple_(_name, _customer.id) > tuple_(*after)]
    return wanted


def _stands(condition: Condition, *, now: Instant) -> ColumnElement[bool]:
    """Say where an organization has to stand."""
    is_current = _row.status.in_([_OPEN, _STOPPED])
    leaves = exists().where(_row.organization == _customer.id, _row.member == "", is_current)
    match condition:
        case Condition.ANY:
            return _customer.id.is_not(None)
        case Condition.LEAVING:
            return leaves
        case Condition.STAYING:
            return not_(leaves)
        case Condition.STOPPED:
            return _customer.id.in_(select(_row.organization).where(_row.status == _STOPPED))
        case Condition.HELD:
            lasts = or_(_hold.ends_at.is_(None), _hold.ends_at > now)
            return _customer.id.in_(select(_hold.organization).where(lasts))
