"""One message to one person, fanned out and taken in sets.

Everything that chooses the readers of a notice in the store lives here.

Source: docs/architecture.md; policy language N1; lessons L8, L10, L11.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Insert,
    Update,
    and_,
    bindparam,
    case,
    exists,
    func,
    insert,
    literal,
    null,
    or_,
    select,
    tuple_,
    update,
)
from sqlalchemy.engine import Row as Found
from whenever import Instant

from offramp.adapters.store import schema
from offramp.adapters.store.part import Part, Row, batches
from offramp.core.model import Subject
from offramp.core.policy import Audience
from offramp.core.transitions import OffboardingStatus
from offramp.ports import (
    Delivery,
    DeliveryNote,
    DeliveryStatus,
    DeliveryTally,
    Offboarding,
)

_table = schema.delivery
_FANNED_OUT = ("offboarding", "step", "member", "channel", "status", "attempts")
_OUTCOME = ("status", "attempts", "next_try_at", "accepted_at", "reason", "message", "repeats")
_KEY = tuple(column.name for column in _table.primary_key)
_NOTED = (*_KEY, "status", "reason")
_AT = schema.delivery_note.c.at.type
_TO_SEND = (DeliveryStatus.QUEUED, DeliveryStatus.FAILED, DeliveryStatus.SENDING)


class DeliveryPart(Part):
    """What is written to whom."""

    def has_told(self, offboarding: str) -> bool:
        """Whether any message of an off-boarding was accepted and has not come back."""
        told = (_table.c.offboarding == offboarding, _table.c.accepted_at.is_not(None))
        return self.connection.scalar(select(exists().where(*told))) is True

    def fan_out(
        self, offboarding: Offboarding, *, step: str, audience: Audience, is_for_told: bool = False
    ) -> int:
        """Create the missing deliveries of an audience and count all of the step."""
        constants = (literal("email"), literal(DeliveryStatus.QUEUED.value), literal(0))
        member = schema.member.c.id
        readers = select(literal(offboarding.id), literal(step), member, *constants).where(
            *_readers(offboarding.subject, audience)
        )
        if is_for_told:
            readers = readers.where(_was_told(offboarding.id))
        # In the order of the key, the pages of its index are filled one after the other, and two
        # attempts that do the same never wait for each other crosswise.
        created = self._insert(_table).from_select(_FANNED_OUT, readers.order_by(member))
        self.connection.execute(created.on_conflict_do_nothing())
        mine = (_table.c.offboarding == offboarding.id, _table.c.step == step)
        return self.connection.scalar(select(func.count()).where(*mine)) or 0

    def take_deliveries(
        self, offboarding: str, *, step: str, now: Instant, limit: int, after: str = ""
    ) -> tuple[Delivery, ...]:
        """Mark deliveries as sending and return them as they were before."""
        its = {"its_offboarding": offboarding, "its_step": step}
        chosen = {**its, "now": now, "after": after, "most": limit}
        taken = self.connection.execute(_TO_TAKE, chosen).all()
        for keys in batches([(row.member, row.channel) for row in taken]):
            self.connection.execute(_TAKING, {**its, "keys": keys})
        return tuple(delivery_of(row) for row in taken)

    def awaited(
        self, offboarding: str, *, step: str, now: Instant, limit: int, after: str
    ) -> tuple[str, ...]:
        """Name the members whose deliveries would be taken next."""
        its = {"its_offboarding": offboarding, "its_step": step}
        chosen = {**its, "now": now, "after": after, "most": limit}
        return tuple(self.connection.scalars(_AWAITED, chosen))

    def save_deliveries(
        self, deliveries: Iterable[Delivery], *, at: Instant, taken_by: int | None = None
    ) -> None:
        """Write the outcome of deliveries, and add it to their history; one that was forgotten
        meanwhile stays forgotten."""
        rows = [
            {f"its_{name}": getattr(delivery, name) for name in (*_KEY, *_OUTCOME)}
            | {"its_at": at, "its_taken_by": taken_by}
            for delivery in deliveries
        ]
        if rows:
            for statement in _SAVING if taken_by is None else _SAVING_TAKEN:
                self.connection.execute(statement, rows)

    def deliveries(self, offboarding: str, *, step: str | None = None) -> tuple[Delivery, ...]:
        """List the deliveries of an off-boarding."""
        chosen = select(_table).where(_table.c.offboarding == offboarding)
        if step is not None:
            chosen = chosen.where(_table.c.step == step)
        ordered = chosen.order_by(_table.c.step, _table.c.member, _table.c.channel)
        return tuple(delivery_of(row) for row in self.connection.execute(ordered))

    def tally_deliveries(self, offboarding: str, *, step: str) -> DeliveryTally:
        """Count the deliveries of a step."""
        is_under_way = _table.c.status.in_(_TO_SEND)
        is_declined = and_(
            _table.c.status == DeliveryStatus.DECLINED, _table.c.accepted_at.is_(None)
        )
        counts = select(
            func.count(),
            func.count(_table.c.accepted_at),
            func.coalesce(func.sum(case((is_under_way, 1), else_=0)), 0),
            func.coalesce(func.sum(_table.c.repeats), 0),
            func.coalesce(func.sum(case((is_declined, 1), else_=0)), 0),
            func.max(_table.c.accepted_at),
        ).where(_table.c.offboarding == offboarding, _table.c.step == step)
        row = self.connection.execute(counts).one()
        deliveries, accepted, under_way, repeats, declined, last = row
        return DeliveryTally(
            deliveries=deliveries,
            accepted=accepted,
            under_way=under_way,
            declined=declined,
            repeats=repeats,
            delivered_at=last,
        )

    def delivery_notes(self, offboarding: str) -> tuple[DeliveryNote, ...]:
        """Give the history of an off-boarding's deliveries, oldest first."""
        note = schema.delivery_note
        chosen = select(note).where(note.c.offboarding == offboarding).order_by(note.c.number)
        return tuple(map(note_of, self.connection.execute(chosen)))

    def find_message(self, message: str) -> Delivery | None:
        """Find the delivery whose latest message has an id."""
        row = self.connection.execute(
            select(_table).where(_table.c.message == message)
        ).one_or_none()
        return None if row is None else delivery_of(row)

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
        """Queue deliveries of steps once more, each in its next round; returns how many."""
        mine = [
            _table.c.offboarding == offboarding,
            _table.c.step.in_(steps),
            _table.c.status.in_(statuses),
        ]
        if member is not None:
            mine.append(_table.c.member == member)
        if unasked_since is not None:
            mine.append(~_was_asked_for(after=unasked_since, before=at))
        queued = literal(DeliveryStatus.QUEUED.value)
        self.connection.execute(_noted(*mine, at=literal(at, _AT), status=queued))
        again = {"status": DeliveryStatus.QUEUED, "attempts": 0, "next_try_at": None}
        changed = update(_table).where(*mine).values(round=_table.c.round + 1, **again)
        return self.connection.execute(changed).rowcount

    def steps_to_resend(self, offboarding: str) -> Mapping[str, Instant | None]:
        """Name the steps with something to send again, each with the instant of its next try."""
        is_timed = _table.c.next_try_at.is_not(None)
        untimed = func.sum(case((is_timed, 0), else_=1))
        chosen = select(_table.c.step, func.min(_table.c.next_try_at), untimed).where(
            _table.c.offboarding == offboarding,
            _table.c.round > 1,
            _table.c.status.in_(_TO_SEND),
        )
        rows = self.connection.execute(chosen.group_by(_table.c.step))
        return {step: None if at_once else earliest for step, earliest, at_once in rows}


def _noted(
    *mine: ColumnElement[bool],
    at: ColumnElement[Instant],
    status: ColumnElement[str] | None = None,
) -> Insert:
    """Note how deliveries stand, or what they are about to become."""
    note = schema.delivery_note
    key = [_table.c[name] for name in _KEY]
    told = (_table.c.status, _table.c.reason) if status is None else (status, null())
    rows = select(*key, *told, at).where(*mine)
    return insert(note).from_select([*_NOTED, "at"], rows)


def _was_asked_for(*, after: Instant, before: Instant) -> ColumnElement[bool]:
    """Whether a delivery was queued again lately; only asking again notes that it is queued."""
    note = schema.delivery_note.alias("asked")
    its = [note.c[name] == _table.c[name] for name in _KEY]
    is_asked = note.c.status == DeliveryStatus.QUEUED
    # What is noted at this very instant is the asking that is under way.
    lately = (note.c.at > after, note.c.at < before)
    return exists().where(*its, is_asked, *lately).correlate(_table)


def _readers(subject: Subject, audience: Audience) -> Iterator[ColumnElement[bool]]:
    """List what has to be true of a member to be written to."""
    member = schema.member
    yield member.c.organization == subject.organization
    yield member.c.email != ""
    everybody = audience in (Audience.MEMBERS, Audience.SUBJECT)
    if everybody and subject.member is not None:
        yield member.c.id == subject.member
        return
    yield member.c.removed_at.is_(None)
    if not everybody:
        yield _has_role(audience)
        return
    yield ~_is_leaving_alone(subject)
    if subject.product is not None:
        yield _has_seat(subject.product)


def _was_told(offboarding: str) -> ColumnElement[bool]:
    earlier = _table.alias("earlier")
    theirs = (earlier.c.offboarding == offboarding, earlier.c.member == schema.member.c.id)
    return exists().where(*theirs, earlier.c.accepted_at.is_not(None))


def _has_role(audience: Audience) -> ColumnElement[bool]:
    member, held = schema.member, schema.member_role
    role = "admin" if audience is Audience.ADMINS else audience.value
    same = (held.c.organization == member.c.organization, held.c.member == member.c.id)
    return select(held).where(*same, held.c.role == role).exists()


def _has_seat(product: str) -> ColumnElement[bool]:
    member, seat, pool = schema.member, schema.seat, schema.pool
    same = (seat.c.organization == member.c.organization, seat.c.member == member.c.id)
    in_pool = and_(pool.c.organization == seat.c.organization, pool.c.id == seat.c.pool)
    return select(seat).join(pool, in_pool).where(*same, pool.c.product == product).exists()


def _is_leaving_alone(subject: Subject) -> ColumnElement[bool]:
    member, own = schema.member, schema.offboarding
    same = (own.c.organization == member.c.organization, own.c.member == member.c.id)
    counted = (OffboardingStatus.OPEN, OffboardingStatus.COMPLETED)
    products = {None, subject.product}
    wholly_or_here = or_(*(own.c.product == product for product in products))
    return select(own).where(*same, own.c.status.in_(counted), wholly_or_here).exists()


def _saving(*, is_taken: bool) -> tuple[Update, Insert]:
    """Write outcomes and note them, of rows that an attempt has taken or of any."""
    names = (*_KEY, "taken_by") if is_taken else _KEY
    mine = [_table.c[name] == bindparam(f"its_{name}") for name in names]
    values: Row = {name: bindparam(f"its_{name}") for name in _OUTCOME}
    noted = _noted(*mine, at=bindparam("its_at", type_=_AT))
    return update(_table).where(*mine).values(values), noted


# What is asked for every few messages is written once: building it took longer than asking it.
_IS_MINE = and_(
    _table.c.offboarding == bindparam("its_offboarding"), _table.c.step == bindparam("its_step")
)
_ATTEMPT = (
    select(schema.offboarding.c.attempt)
    .where(schema.offboarding.c.id == bindparam("its_offboarding"))
    .scalar_subquery()
)
_IS_LEFT = _table.c.status == DeliveryStatus.SENDING
_MAY_BE_TAKEN = or_(
    and_(
        _table.c.status.in_((DeliveryStatus.QUEUED, DeliveryStatus.FAILED)),
        or_(_table.c.next_try_at.is_(None), _table.c.next_try_at <= bindparam("now")),
    ),
    and_(_IS_LEFT, _table.c.taken_by != _ATTEMPT),
)
_IN_TURN = (
    select(_table)
    .where(_IS_MINE, _table.c.member > bindparam("after"), _MAY_BE_TAKEN)
    .order_by(_table.c.member, _table.c.channel)
    .limit(bindparam("most"))
)
_TO_TAKE = _IN_TURN.with_for_update(skip_locked=True)
_AWAITED = _IN_TURN.with_only_columns(_table.c.member)
_TAKING = (
    update(_table)
    .where(
        _IS_MINE, tuple_(_table.c.member, _table.c.channel).in_(bindparam("keys", expanding=True))
    )
    .values(
        status=DeliveryStatus.SENDING,
        taken_by=_ATTEMPT,
        repeats=_table.c.repeats + case((_IS_LEFT, 1), else_=0),
    )
)
_SAVING, _SAVING_TAKEN = _saving(is_taken=False), _saving(is_taken=True)


def note_of(row: Found[Any]) -> DeliveryNote:
    """Read one entry of a history."""
    return DeliveryNote(
        offboarding=row.offboarding,
        step=row.step,
        member=row.member,
        channel=row.channel,
        at=row.at,
        status=DeliveryStatus(row.status),
        reason=row.reason,
    )


def delivery_of(row: Found[Any]) -> Delivery:
    """Read one delivery."""
    return Delivery(
        offboarding=row.offboarding,
        step=row.step,
        member=row.member,
        channel=row.channel,
        status=DeliveryStatus(row.status),
        attempts=row.attempts,
        next_try_at=row.next_try_at,
        accepted_at=row.accepted_at,
        reason=row.reason,
        round=row.round,
        message=row.message,
        repeats=row.repeats,
    )
