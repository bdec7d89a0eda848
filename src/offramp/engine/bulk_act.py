"""What each act on many does to one of them: by the use case that does it to one alone.

Source: docs/decisions/040-acts-on-many.md.
"""

from collections.abc import Mapping
from typing import assert_never

from offramp.core.bulk import BulkKind, BulkWish
from offramp.core.dates import Boundary, Period, parse_boundary, shift
from offramp.core.errors import Refused
from offramp.engine.brake import list_holds, place_hold, release_hold
from offramp.engine.context import Context
from offramp.engine.offboarding import extend, pools_to_move, renew, retry
from offramp.engine.resending import ask_again
from offramp.engine.situation import require_organization


class NothingHeldSo(Refused):
    """No hold in force on {organization} was placed for this reason."""


class EndTooFar(Refused):
    """The end {ends} cannot be moved by {days} days."""


class NothingGivenUp(Refused):
    """Nothing of {organization} was given up or stopped."""


def carry_out(context: Context, wish: BulkWish, organization: str, *, owner: str) -> str:
    """Do it to one organization, and say what was done.

    Raises:
        OfframpError: it cannot be done, as with one alone.
    """
    match wish.kind:
        case BulkKind.HOLD:
            place_hold(context, organization, owner=owner, reason=wish.reason)
            return "nothing of it is deleted until the hold is released"
        case BulkKind.RELEASE:
            return _release(context, organization, held_for=wish.held_for)
        case BulkKind.EXTEND | BulkKind.RENEW:
            return _move_ends(context, wish, organization)
        case BulkKind.RETRY:
            return _retry(context, organization)
        case BulkKind.RESEND:
            count = ask_again(context, organization, is_lost=True)
            return f"messages sent again: {count}"
        case _:
            assert_never(wish.kind)


def _release(context: Context, organization: str, *, held_for: str) -> str:
    holds = [each for each in list_holds(context, organization) if each.reason == held_for]
    if not holds:
        raise NothingHeldSo(organization=organization)
    for hold in holds:
        release_hold(context, hold.id, organization=organization)
    return f"holds released: {len(holds)}; something of it may be deleted soon"


def _retry(context: Context, organization: str) -> str:
    count = retry(context, organization)
    if not count:
        raise NothingGivenUp(organization=organization)
    return f"put back: {count}; a deletion may go on"


def _move_ends(context: Context, wish: BulkWish, organization: str) -> str:
    move = renew if wish.kind is BulkKind.RENEW else extend
    before = _ends(context, organization)
    if wish.until is not None:
        move(context, organization, until=wish.until)
    else:
        assert wish.days is not None, "an end moves to a day, or by days"
        _extend_by(context, organization, days=wish.days)
    after = _ends(context, organization)
    return "; ".join(
        f"{pool}: {ends} in place of {before[pool]}"
        for pool, ends in after.items()
        if ends != before[pool]
    )


def _extend_by(context: Context, organization: str, *, days: int) -> None:
    """Move the last end of each product by itself."""
    with context.store.reading() as transaction:
        zone = require_organization(transaction, organization).zone
        pools = pools_to_move(transaction, organization, None)
    for pool in pools:
        assert pool.ends is not None, "only what ends is to be moved"
        try:
            until = parse_boundary(shift(pool.ends, Period(days=days), zone=zone).format_iso())
        except ValueError as error:
            raise EndTooFar(ends=str(pool.ends), days=days) from error
        extend(context, organization, until=until, pool=pool.id)


def _ends(context: Context, organization: str) -> Mapping[str, Boundary | None]:
    with context.store.reading() as transaction:
        return {pool.id: pool.ends for pool in transaction.pools(organization)}
