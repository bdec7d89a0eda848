"""What a billing system says of subscriptions.

Source: ``ports.Subscriptions``.
"""

from typing import Any

from sqlalchemy import select, update
from sqlalchemy.engine import Row as Found
from whenever import Instant

from offramp.adapters.store.part import Part, Row
from offramp.adapters.store.schema_subscription import subscription as table
from offramp.core.subscription import Payments, Word
from offramp.ports import Subscription

_c = table.c


class SubscriptionPart(Part):
    """Who pays for what, and until when."""

    def hold_subscription(self, subscription: str) -> Subscription:
        """Find a subscription, or begin to know it."""
        self._create(table, _row(Subscription(id=subscription)))
        held = select(table).where(_c.id == subscription).with_for_update()
        return _of(self.connection.execute(held).one())

    def save_subscription(self, subscription: Subscription) -> None:
        """Write what is known of a subscription now."""
        mine = _c.id == subscription.id
        self.connection.execute(update(table).where(mine).values(_row(subscription)))

    def subscriptions_of(self, organization: str, pool: str) -> tuple[Subscription, ...]:
        """List what pays for a pool."""
        theirs = select(table).where(
            _c.organization == organization, _c.pool == pool, _c.event.is_not(None)
        )
        return tuple(map(_of, self.connection.execute(theirs.order_by(_c.id))))

    def kept_subscriptions(self, *, after: str, limit: int) -> tuple[Subscription, ...]:
        """List those with a pool that something keeps from counting."""
        kept = _c.problem.is_not(None) & _c.pool.is_not(None) & (_c.id > after)
        chosen = select(table).where(kept).order_by(_c.id).limit(limit)
        return tuple(map(_of, self.connection.execute(chosen)))

    def subscriptions_from(self, *, after: str, limit: int) -> tuple[Subscription, ...]:
        """List subscriptions past one of them."""
        past = select(table).where(_c.id > after).order_by(_c.id).limit(limit)
        return tuple(map(_of, self.connection.execute(past)))


def _row(subscription: Subscription) -> Row:
    word = subscription.word
    return {
        "id": subscription.id,
        "organization": subscription.organization,
        "pool": subscription.pool,
        "is_assigned": subscription.is_assigned,
        "event": word and word.event,
        "at": word and word.at,
        "is_over": word is not None and word.is_over,
        "ends_at": word and word.ends_at,
        "paid_at": subscription.payments.paid_at,
        "debts": {
            since.format_iso(): at.format_iso()
            for since, at in sorted(subscription.payments.debts.items())
        },
        "problem": subscription.problem,
    }


def _of(row: Found[Any]) -> Subscription:
    word = None
    if row.event is not None:
        word = Word(event=row.event, at=row.at, is_over=row.is_over, ends_at=row.ends_at)
    said = (row.debts or {}).items()
    debts = {Instant.parse_iso(since): Instant.parse_iso(at) for since, at in said}
    return Subscription(
        id=row.id,
        organization=row.organization,
        pool=row.pool,
        is_assigned=row.is_assigned,
        word=word,
        payments=Payments(paid_at=row.paid_at, debts=debts),
        problem=row.problem,
    )
