"""What stops destruction, and nothing else: holds, the pause, the daily cap, exemptions, the clock.

None of it gives access back or keeps a notice from being sent. Lifting it wakes what it stopped.

Source: policy language S6, D3; lessons L25, L26.
"""

from whenever import Instant

from offramp.core.errors import Invalid, Missing
from offramp.core.ledger import Event
from offramp.core.model import Hold
from offramp.core.transitions import OffboardingStatus
from offramp.data.erasure.held import require_category
from offramp.engine.context import Context
from offramp.engine.exclusive import exclusively
from offramp.engine.situation import require_member, require_organization
from offramp.ports import Transaction


class HoldUnknown(Missing):
    """There is no active hold {hold}."""


class CapInvalid(Invalid):
    """A daily cap of {cap} deletions is not a number of deletions."""


def place_hold(
    context: Context,
    organization: str,
    *,
    owner: str,
    reason: str,
    member: str | None = None,
    category: str | None = None,
    ends_at: Instant | None = None,
) -> Hold:
    """Stop destruction, and nothing else, until the hold ends or is released (S6).

    A hold on a data category keeps what is of it, and what that needs; everything else goes. Of
    who is gone already a hold keeps what was kept: those rows do not go when their time is over.

    Raises:
        CategoryUnknown, HoldCoversNothing: it would be believed in, and hold nothing.
    """

    if category is not None:
        require_category(context.data.datamap if context.data else None, category)

    def write(transaction: Transaction, now: Instant) -> Hold:
        _require_holdable(transaction, organization, member)
        _lock_all(transaction, organization, now=now)
        hold = Hold(
            id=context.ids.new(),
            organization=organization,
            member=member,
            owner=owner,
            reason=reason,
            placed_at=now,
            ends_at=ends_at,
            category=category,
        )
        transaction.place_hold(hold)
        transaction.append(
            [
                Event(
                    kind="hold-placed",
                    at=now,
                    actor=context.actor_or("operator"),
                    detail={"hold": hold.id},
                )
            ]
        )
        return hold

    return exclusively(context, write)


def list_holds(context: Context, organization: str) -> tuple[Hold, ...]:
    """List the holds that are in force, on an organization or on what was kept of it.

    Raises:
        OrganizationUnknown: nobody was ever known by this id.
    """
    now = context.clock.now()
    with context.store.reading() as transaction:
        _require_holdable(transaction, organization, None)
        return tuple(hold for hold in transaction.holds(organization) if hold.is_active(now))


def release_hold(context: Context, hold: str, *, organization: str | None = None) -> Hold:
    """End a hold; the work it stopped is taken up again by itself (L25).

    Raises:
        HoldUnknown: there is none, or it is not on the organization that was meant.
    """
    now = context.clock.now()
    with context.store.transaction() as transaction:
        released = transaction.release_hold(hold, at=now)
        if released is None or organization not in (None, released.organization):
            raise HoldUnknown(hold=hold)
        transaction.wake(released.organization, at=now)
        transaction.append(
            [
                Event(
                    kind="hold-released",
                    at=now,
                    actor=context.actor_or("operator"),
                    detail={"hold": hold},
                )
            ]
        )
    return released


def is_paused(context: Context) -> bool:
    """Say whether everything destructive stands still."""
    with context.store.reading() as transaction:
        return transaction.is_paused()


def set_paused(context: Context, *, is_paused: bool) -> None:
    """Stop or resume everything destructive, everywhere (D3)."""

    def write(transaction: Transaction, now: Instant) -> None:
        transaction.set_paused(is_paused=is_paused, now=now)
        if not is_paused:
            transaction.wake(None, at=now)
        kind = "paused" if is_paused else "resumed"
        transaction.append([Event(kind=kind, at=now, actor=context.actor_or("operator"))])

    exclusively(context, write)


def trust_clock(context: Context) -> None:
    """Take the present time for the true one, although it was later before (L6).

    A worker that runs since then has to be started again: its own time stands still.
    """
    now = context.clock.now()
    with context.store.transaction() as transaction:
        transaction.see(now, is_trusted=True)
        transaction.wake(None, at=now)
        transaction.append(
            [Event(kind="clock-trusted", at=now, actor=context.actor_or("operator"))]
        )


def set_exempt(context: Context, organization: str, *, is_exempt: bool) -> None:
    """Take an organization out of all destruction until it is put back (S6)."""

    def write(transaction: Transaction, now: Instant) -> None:
        require_organization(transaction, organization)
        _lock_all(transaction, organization, now=now)
        transaction.set_exempt(organization, is_exempt=is_exempt)
        if not is_exempt:
            transaction.wake(organization, at=now)
        kind = "exempted" if is_exempt else "exemption-ended"
        transaction.append([Event(kind=kind, at=now, actor=context.actor_or("operator"))])

    exclusively(context, write)


def set_daily_cap(context: Context, cap: int | None) -> None:
    """Allow so many deletions to begin within 24 hours; the others wait (D3).

    Raises:
        CapInvalid: a negative number; zero is a way to begin none.
    """
    if cap is not None and cap < 0:
        raise CapInvalid(cap=cap, expected="0 or more, or none for no cap")
    now = context.clock.now()
    with context.store.transaction() as transaction:
        transaction.set_daily_cap(cap)
        transaction.wake(None, at=now)
        transaction.append(
            [Event(kind="cap-set", at=now, actor=context.actor_or("operator"), detail={"cap": cap})]
        )


def _require_holdable(transaction: Transaction, organization: str, member: str | None) -> None:
    """Refuse a hold on somebody who was never known."""
    gone = transaction.offboardings(organization, status=OffboardingStatus.COMPLETED)
    if any(row.subject.member in (None, member) for row in gone):
        return
    require_organization(transaction, organization)
    if member is not None:
        require_member(transaction, organization, member)


def _lock_all(transaction: Transaction, organization: str, *, now: Instant) -> None:
    for row in transaction.offboardings(organization, status=OffboardingStatus.OPEN):
        transaction.lock(row.id, now=now)
