"""One message to one person, fanned out and taken in sets.

Everything that chooses the readers of a notice in the store lives here.

Source: docs/architecture.md; policy language N1; lessons L8, L10, L11.
"""

from collections.abc import Iterable, Iterator
from typing import Any

from sqlalchemy import ColumnElement, and_, bindparam, func, literal, or_, select, tuple_, update
from sqlalchemy.engine import Row as Found
from whenever import Instant

from offramp.adapters.store import schema
from offramp.adapters.store.part import Part, Row, batches
from offramp.core.model import Subject
from offramp.core.policy import Audience
from offramp.core.transitions import OffboardingStatus
from offramp.ports import Delivery, DeliveryStatus, Offboarding

_table = schema.delivery
_FANNED_OUT = ("offboarding", "step", "member", "channel", "status", "attempts")
_OUTCOME = ("status", "attempts", "next_try_at", "accepted_at", "reason")


class DeliveryPart(Part):
    """What is written to whom."""

    def fan_out(self, offboarding: Offboarding, *, step: str, audience: Audience) -> int:
        """Create the missing deliveries of an audience and count all of the step."""
        constants = (literal("email"), literal(DeliveryStatus.QUEUED.value), literal(0))
        member = schema.member.c.id
        readers = select(literal(offboarding.id), literal(step), member, *constants).where(
            *_readers(offboarding.subject, audience)
        )
        # In the order of the key, the pages of its index are filled one after the other, and two
        # attempts that do the same never wait for each other crosswise.
        created = self._insert(_table).from_select(_FANNED_OUT, readers.order_by(member))
        self.connection.execute(created.on_conflict_do_nothing())
        mine = (_table.c.offboarding == offboarding.id, _table.c.step == step)
        return self.connection.scalar(select(func.count()).where(*mine)) or 0

    def take_deliveries(
        self, offboarding: str, *, step: str, now: Instant, limit: int
    ) -> tuple[Delivery, ...]:
        """Mark deliveries as sending and return them as they were before."""
        episode = schema.offboarding
        attempt = self.connection.scalar(
            select(episode.c.attempt).where(episode.c.id == offboarding)
        )
        mine = and_(_table.c.offboarding == offboarding, _table.c.step == step)
        chosen = select(_table).where(mine, _may_be_taken(now, attempt=attempt))
        ordered = chosen.order_by(_table.c.member, _table.c.channel).limit(limit)
        taken = self.connection.execute(ordered.with_for_update(skip_locked=True)).all()
        key = tuple_(_table.c.member, _table.c.channel)
        for keys in batches([(row.member, row.channel) for row in taken]):
            sending = update(_table).where(mine, key.in_(keys))
            self.connection.execute(sending.values(status=DeliveryStatus.SENDING, taken_by=attempt))
        return tuple(_delivery(row) for row in taken)

    def save_deliveries(self, deliveries: Iterable[Delivery]) -> None:
        """Write the outcome of deliveries; one that was forgotten meanwhile stays forgotten."""
        key = [column.name for column in _table.primary_key]
        rows = [
            {f"its_{name}": getattr(delivery, name) for name in (*key, *_OUTCOME)}
            for delivery in deliveries
        ]
        if rows:
            statement = update(_table).where(
                *(_table.c[name] == bindparam(f"its_{name}") for name in key)
            )
            values: Row = {name: bindparam(f"its_{name}") for name in _OUTCOME}
            self.connection.execute(statement.values(values), rows)

    def deliveries(self, offboarding: str, *, step: str | None = None) -> tuple[Delivery, ...]:
        """List the deliveries of an off-boarding."""
        chosen = select(_table).where(_table.c.offboarding == offboarding)
        if step is not None:
            chosen = chosen.where(_table.c.step == step)
        ordered = chosen.order_by(_table.c.step, _table.c.member, _table.c.channel)
        return tuple(_delivery(row) for row in self.connection.execute(ordered))


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


def _may_be_taken(now: Instant, *, attempt: int | None) -> ColumnElement[bool]:
    is_due = or_(_table.c.next_try_at.is_(None), _table.c.next_try_at <= now)
    waits = _table.c.status.in_((DeliveryStatus.QUEUED, DeliveryStatus.FAILED))
    is_left = and_(_table.c.status == DeliveryStatus.SENDING, _table.c.taken_by != attempt)
    return or_(and_(waits, is_due), is_left)


def _delivery(row: Found[Any]) -> Delivery:
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
    )
