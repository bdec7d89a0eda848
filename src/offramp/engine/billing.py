"""What a billing system says of subscriptions becomes the end of the pools that they pay for.

Each word about a subscription is kept if it is newer than what was said before, and then the end of
its pool is worked out anew from the newest words about all that pay for it. So neither the order in
which words arrive nor their number matters. What belongs to no pool is kept as well, and counts
from when somebody says what it pays for.

Source: docs/billing.md; lessons L1, L11.
"""

from dataclasses import replace
from enum import StrEnum
from functools import partial

from whenever import Instant

from offramp.core.errors import OfframpError
from offramp.core.ledger import Event
from offramp.core.model import Pool
from offramp.core.subscription import Payment, Word, end_of
from offramp.engine.context import Context
from offramp.engine.directory import pool_in
from offramp.engine.exclusive import exclusively
from offramp.engine.following import follow
from offramp.engine.offboarding import PoolUnknown
from offramp.engine.pages import PAGE_ROWS_MAX, Page, page_of
from offramp.engine.situation import require_organization
from offramp.ports import Subscription, Transaction

ACTOR = "billing"  # as the ledger names it
UNASSIGNED = "Unassigned"  # the problem of what nobody has said the pool of


class Outcome(StrEnum):
    """What became of a word about a subscription."""

    APPLIED = "applied"  # the end of its pool agrees with it
    KNOWN = "known"  # it was known, or something newer is
    KEPT = "kept"  # it counts once its pool is known


def take_word(
    context: Context,
    subscription: str,
    word: Word,
    *,
    organization: str | None,
    pool: str | None,
    payment: Payment | None = None,
) -> Outcome:
    """Keep what a billing system says, and let the pool follow.

    Args:
        organization: whose pool it pays for, where the billing system knows.
        pool: which one.
        payment: whether it is paid for, where that was said as well.
    """

    def write(transaction: Transaction, now: Instant) -> Outcome:
        known = transaction.hold_subscription(subscription)
        told = _heard(known, word, payment)
        if told == known:
            return Outcome.KNOWN
        if told.word is word and not known.is_assigned and organization and pool:
            told = replace(told, organization=organization, pool=pool)
        outcome = _settle(context, transaction, told, now=now, actor=ACTOR)
        _leave(context, transaction, known, told, now=now, actor=ACTOR)
        return outcome

    return exclusively(context, write)


def _heard(known: Subscription, word: Word, payment: Payment | None) -> Subscription:
    """Keep the newest word, and whatever any word says of payments."""
    payments = known.payments if payment is None else known.payments.heard(payment, at=word.at)
    is_newer = known.word is None or word.place > known.word.place
    return replace(known, word=word if is_newer else known.word, payments=payments)


def assign(context: Context, subscription: str, *, organization: str, pool: str) -> Subscription:
    """Say which pool a subscription pays for; whatever was said of it counts from now on.

    Raises:
        OrganizationUnknown, OrganizationErased, PoolUnknown: there is no such pool.
    """
    actor = context.actor_or("operator")

    def write(transaction: Transaction, now: Instant) -> Subscription:
        _require_pool(transaction, organization, pool)
        known = transaction.hold_subscription(subscription)
        assigned = replace(known, organization=organization, pool=pool, is_assigned=True)
        detail = {"subscription": subscription}
        event = Event(kind="subscription-assigned", at=now, actor=actor, detail=detail)
        transaction.append([event])
        _settle(context, transaction, assigned, now=now, actor=actor)
        _leave(context, transaction, known, assigned, now=now, actor=actor)
        return transaction.hold_subscription(subscription)

    return exclusively(context, write)


def settle_kept(context: Context) -> int:
    """Let count what could not when it was said, because its pool was told of only later.

    Returns:
        How many subscriptions count now.
    """
    after, settled = "", 0
    while True:
        with context.store.reading() as transaction:
            kept = transaction.kept_subscriptions(after=after, limit=PAGE_ROWS_MAX)
        for each in kept:
            settled += exclusively(context, partial(_settle_again, context, each.id))
        if len(kept) < PAGE_ROWS_MAX:
            return settled
        after = kept[-1].id


def _settle_again(
    context: Context, subscription: str, transaction: Transaction, now: Instant
) -> bool:
    held = transaction.hold_subscription(subscription)
    if _problem(transaction, held) == held.problem:
        return False
    return _settle(context, transaction, held, now=now, actor=ACTOR) is Outcome.APPLIED


def list_subscriptions(context: Context, *, after: str, limit: int) -> Page[Subscription]:
    """List subscriptions by id."""
    with context.store.reading() as transaction:
        return page_of(transaction.subscriptions_from(after=after, limit=limit + 1), limit)


def _settle(
    context: Context, transaction: Transaction, told: Subscription, *, now: Instant, actor: str
) -> Outcome:
    """Keep what is known, and let the pool follow, if there is one."""
    problem = _problem(transaction, told)
    transaction.save_subscription(replace(told, problem=problem))
    if problem is not None:
        return Outcome.KEPT
    _follow(context, transaction, told, now=now, actor=actor)
    return Outcome.APPLIED


def _leave(
    context: Context,
    transaction: Transaction,
    before: Subscription,
    after: Subscription,
    *,
    now: Instant,
    actor: str,
) -> None:
    """Let the pool follow that a subscription does not pay for any more."""
    is_moved = (before.organization, before.pool) != (after.organization, after.pool)
    if is_moved and before.word and _problem(transaction, before) is None:
        _follow(context, transaction, before, now=now, actor=actor)


def _follow(
    context: Context, transaction: Transaction, paying: Subscription, *, now: Instant, actor: str
) -> None:
    """Give a pool the end that all that pay for it give it together."""
    assert paying.organization, "it pays for something"
    assert paying.pool, "and for a pool of it"
    found = require_organization(transaction, paying.organization)
    # Taken exclusively, so that nobody works the end out from half of what was said.
    transaction.put_organizations([found])
    pool = _require_pool(transaction, found.id, paying.pool)
    rows = transaction.subscriptions_of(found.id, pool.id)
    told = [(row.word, row.payments) for row in rows if row.word is not None]
    ends = end_of(told, zone=found.zone, unpaid_days=context.limits.unpaid_days)
    if told and ends != pool.ends:
        transaction.put_pools([replace(pool, ends=ends)])
        follow(transaction, found.id, ids=context.ids, now=now, actor=actor)


def _problem(transaction: Transaction, told: Subscription) -> str | None:
    """Name what keeps a subscription from counting."""
    if told.organization is None or told.pool is None:
        return UNASSIGNED
    try:
        _require_pool(transaction, told.organization, told.pool)
    except OfframpError as error:
        return error.code
    return None


def _require_pool(transaction: Transaction, organization: str, pool: str) -> Pool:
    require_organization(transaction, organization)
    found = pool_in(transaction, organization, pool)
    if found is None:
        raise PoolUnknown(organization=organization, pool=pool)
    return found
