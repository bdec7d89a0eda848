"""What people do with whole organizations: register, renew, extend, reactivate, put back.

Each use case is one transaction that changes facts and lets the off-boardings follow. Whoever
gives access back or forbids destruction takes the off-boarding exclusively, so a deletion in
flight finishes its chunk first and is refused the next one.

Source: mission B4, B11; policy language S6, R1, T8, D3; lessons L8, L18, L25, L26.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from whenever import Instant

from offramp.core.dates import Boundary, effect
from offramp.core.errors import Invalid, Missing, Refused
from offramp.core.event_kind import EventKind
from offramp.core.ledger import Event
from offramp.core.lint import override_faults
from offramp.core.model import Member, Organization, Pool
from offramp.core.policy import Policy
from offramp.core.transitions import OFFBOARDING, OffboardingStatus, StepStatus, move
from offramp.engine.announcement import announce
from offramp.engine.context import Context
from offramp.engine.exclusive import exclusively
from offramp.engine.following import Followed, cancel, follow
from offramp.engine.situation import (
    receipts_of,
    require_organization,
    require_policy,
    timeline_of,
)
from offramp.engine.steps import put_back
from offramp.ports import Changes, Offboarding, OutboxEvent, Transaction

_T = TypeVar("_T")


class PoolUnknown(Missing):
    """The organization {organization} has no such pool ({pool})."""


class OverrideUnfit(Invalid):
    """The contract of {organization} does not fit the policy {policy}: {problem}."""


class EndNotLater(Refused):
    """The new end {ends} is not later than the present one."""


class EndPassed(Refused):
    """The new end {ends} has passed already."""


class NothingToReactivate(Refused):
    """Nothing of {organization} is being off-boarded."""


class ReactivationRefused(Refused):
    """The stage {stage} cannot be left again by {by}."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Registered:
    """What a registration created, changed and left as it was."""

    organizations: Changes
    pools: Changes
    members: Changes
    followed: Followed


def _accept(transaction: Transaction) -> None:
    """Take what is told, whatever is there."""


def register(
    context: Context,
    *,
    organizations: Sequence[Organization] = (),
    pools: Sequence[Pool] = (),
    members: Sequence[Member] = (),
    judge: Callable[[Transaction], None] = _accept,
    is_rehearsal: bool = False,
) -> Registered:
    """Take facts over from the vendor; repeating it changes nothing.

    A vendor's list does not say who was removed, so being on it brings nobody back.

    Args:
        judge: sees what is there before, and raises to refuse.
        is_rehearsal: whether all of it is taken back again, once it is known.

    Raises:
        PolicyUnpublished: an organization names a policy that was never published.
        OverrideUnfit: a contract sets a period that its policy does not let it set.
        OrganizationUnknown, OrganizationErased: a pool or member of nobody we can off-board.
    """

    actor = context.actor_or("system")

    def write(transaction: Transaction, now: Instant) -> Registered:
        judge(transaction)
        promised = {organization.policy for organization in organizations}
        policies = {name: require_policy(transaction, name) for name in sorted(promised)}
        for customer in organizations:
            require_within(policies[customer.policy], customer)
        changes = (
            transaction.put_organizations(organizations),
            transaction.put_pools(pools),
            transaction.put_members(_still_away(transaction, members)),
        )
        touched = {organization.id for organization in organizations}
        touched |= {pool.organization for pool in pools}
        touched |= {member.organization for member in members}
        followed = [
            follow(transaction, organization, ids=context.ids, now=now, actor=actor)
            for organization in sorted(touched)
        ]
        for organization in sorted(touched) if any(c.changed for c in changes) else ():
            transaction.wake(organization, at=now)  # a new zone or override moves dates too
        return Registered(
            organizations=changes[0],
            pools=changes[1],
            members=changes[2],
            followed=_sum(followed),
        )

    if is_rehearsal:
        return _rehearse(context, write)
    return exclusively(context, write)


class _TakenBack(Exception):
    """Ends a transaction so that nothing of it stays."""

    def __init__(self, registered: Registered) -> None:
        super().__init__()
        self.registered = registered


def _rehearse(context: Context, write: Callable[[Transaction, Instant], Registered]) -> Registered:
    """Do it all, say what it was, and take it back."""

    def write_and_end(transaction: Transaction, now: Instant) -> Registered:
        raise _TakenBack(write(transaction, now))

    try:
        return exclusively(context, write_and_end)
    except _TakenBack as taken_back:
        return taken_back.registered


def require_within(policy: Policy, organization: Organization) -> None:
    """Refuse a contract that its policy does not allow."""
    for fault in override_faults(policy, organization.overrides):
        raise OverrideUnfit(
            organization=organization.id,
            policy=organization.policy,
            problem=fault.problem,
            expected=fault.expected,
            hint=fault.hint,
        )


def _still_away(transaction: Transaction, members: Sequence[Member]) -> list[Member]:
    """Keep what no list of a vendor's says: who was removed, and who has left one product."""
    before = {
        (known.organization, known.id): known
        for organization in sorted({member.organization for member in members})
        for known in transaction.members(organization)
    }
    return [
        member
        if (known := before.get((member.organization, member.id))) is None
        else replace(
            member,
            removed_at=member.removed_at or known.removed_at,
            product_ends=member.product_ends or known.product_ends,
        )
        for member in members
    ]


def _sum(followed: Sequence[Followed]) -> Followed:
    return Followed(
        opened=sum(f.opened for f in followed),
        moved=sum(f.moved for f in followed),
        ended=sum(f.ended for f in followed),
    )


def renew(
    context: Context,
    organization: str,
    *,
    until: Boundary,
    pool: str | None = None,
    actor: str = "admin",
) -> Followed:
    """Begin a new term: everything pending is canceled, and the next term warns again (L9).

    Raises:
        EndPassed: nobody could use the new term any more.
        EndNotLater: the new end lies before the present one; `extend` corrects an end.
    """
    return _change_end(
        context, organization, until=until, pool=pool, actor=context.actor_or(actor), new_term=True
    )


def extend(
    context: Context,
    organization: str,
    *,
    until: Boundary,
    pool: str | None = None,
    actor: str = "admin",
) -> Followed:
    """Move the end of the present term: what is not done is re-dated, what is done stays (T8)."""
    return _change_end(
        context, organization, until=until, pool=pool, actor=context.actor_or(actor), new_term=False
    )


def _change_end(
    context: Context,
    organization: str,
    *,
    until: Boundary,
    pool: str | None,
    actor: str,
    new_term: bool,
) -> Followed:
    def write(transaction: Transaction, now: Instant) -> Followed:
        zone = require_organization(transaction, organization).zone
        chosen = pools_to_move(transaction, organization, pool)
        if new_term:
            _require_to_come(until, zone=zone, now=now)
        earlier = [p for p in chosen if not _is_later(p.ends, until, zone=zone)]
        if not earlier:
            raise EndNotLater(ends=str(until), hint="give a later end date")
        transaction.put_pools([replace(p, ends=until) for p in earlier])
        return follow(
            transaction,
            organization,
            ids=context.ids,
            now=now,
            actor=actor,
            new_term=new_term,
        )

    return exclusively(context, write)


def _require_to_come(until: Boundary, *, zone: str, now: Instant) -> None:
    if effect(until, zone=zone) <= now:
        raise EndPassed(ends=str(until), hint="give an end date that is still to come")


def _is_later(present: Boundary | None, until: Boundary, *, zone: str) -> bool:
    return present is None or effect(present, zone=zone) >= effect(until, zone=zone)


def pools_to_move(
    transaction: Transaction, organization: str, pool: str | None
) -> tuple[Pool, ...]:
    """Choose one pool by name, or the pools with the last end of each product still there."""
    pools = transaction.pools(organization)
    newest = {row.subject: row for row in transaction.offboardings(organization)}
    erased = {
        subject.product
        for subject, row in newest.items()
        if subject.member is None and row.status is OffboardingStatus.COMPLETED
    }
    if pool is not None:
        chosen = tuple(p for p in pools if p.id == pool)
    else:
        zone = require_organization(transaction, organization).zone
        last: dict[str, Pool] = {}
        for candidate in pools:
            if candidate.ends is None or candidate.product in erased:
                continue
            known = last.get(candidate.product)
            if known is None or not _is_later(known.ends, candidate.ends, zone=zone):
                last[candidate.product] = candidate
        ends = {product: found.ends for product, found in last.items()}
        chosen = tuple(p for p in pools if p.product in ends and p.ends == ends[p.product])
    if not chosen:
        raise PoolUnknown(organization=organization, pool=pool or "none with an end date")
    return chosen


def reactivate(
    context: Context,
    organization: str,
    *,
    until: Boundary,
    by: str = "admin",
    pool: str | None = None,
) -> Followed:
    """Bring an organization back, if its stage and the person's role allow it (R1, B4).

    Raises:
        EndPassed: nobody could use the new term any more.
        NothingToReactivate: it is not leaving.
        ReactivationRefused: its stage does not allow it, or not to this role.
        DeletionInFlight: a worker is frozen in the middle of a chunk; try again.
    """
    actor = context.actor_or(by)

    def write(transaction: Transaction, now: Instant) -> Followed:
        zone = require_organization(transaction, organization).zone
        _require_to_come(until, zone=zone, now=now)
        leaving = [row for row in _open(transaction, organization) if _has_left(row, zone, now=now)]
        chosen = [
            p
            for p in pools_to_move(transaction, organization, pool)
            if any(row.subject.product in (None, p.product) for row in leaving)
        ]
        if not chosen:
            raise NothingToReactivate(organization=organization, hint="offramp renew moves an end")
        products = {p.product for p in chosen} | {None}
        leaving = [row for row in leaving if row.subject.product in products]
        for row in leaving:
            require_way_back(transaction, row, by=by, now=now)
            cancel(transaction, row, now=now, actor=actor)
        transaction.put_pools([replace(p, ends=until) for p in chosen])
        transaction.put_events([reactivated(row, at=now) for row in leaving])
        followed = follow(
            transaction, organization, ids=context.ids, now=now, actor=actor, new_term=True
        )
        return replace(followed, ended=followed.ended + len(leaving))

    return exclusively(context, write)


def _has_left(row: Offboarding, zone: str, *, now: Instant) -> bool:
    """Whether the term of an organization, wholly or in a product, is over."""
    return row.subject.member is None and effect(row.ends, zone=zone) <= now


def require_way_back(transaction: Transaction, row: Offboarding, *, by: str, now: Instant) -> None:
    """Refuse to bring somebody back from a stage that does not allow it to this role (R1).

    Raises:
        ReactivationRefused: it does not.
    """
    timeline = timeline_of(transaction, row)
    span = timeline.span_at(now, receipts=receipts_of(transaction.steps(row.id)))
    allowed = span.stage.reactivate
    if span.starts_at is None or (allowed is not None and by in allowed.by):
        return
    who = ", ".join(allowed.by) if allowed else "nobody"
    raise ReactivationRefused(stage=span.stage.id, by=by, hint=f"the policy allows: {who}")


def reactivated(row: Offboarding, *, at: Instant) -> OutboxEvent:
    """Make the event that tells of somebody who comes back after their end."""
    kind, detail = EventKind.REACTIVATED, {"episode": row.episode}
    return announce(row, kind, key=row.episode, at=at, detail=detail)


def retry(context: Context, organization: str) -> int:
    """Put back what was abandoned or stopped, once its cause has been mended (L33).

    Returns:
        How many steps and off-boardings were put back.
    """
    now = context.clock.now()
    with context.store.transaction() as transaction:
        require_organization(transaction, organization)
        count = 0
        for row in transaction.offboardings(organization):
            count += _put_back(transaction, row, now=now, actor=context.actor_or("operator"))
        transaction.wake(organization, at=now)
    return count


def _put_back(transaction: Transaction, row: Offboarding, *, now: Instant, actor: str) -> int:
    if row.status not in (OffboardingStatus.OPEN, OffboardingStatus.STOPPED):
        return 0
    abandoned = [s for s in transaction.steps(row.id) if s.status is StepStatus.ABANDONED]
    for step in abandoned:
        put_back(transaction, step)
    if row.status is OffboardingStatus.STOPPED:
        reopened = move(OFFBOARDING, row.status, OffboardingStatus.OPEN)
        opened = replace(row, status=reopened, closed_at=None, next_due_at=now)
        transaction.save_offboarding(opened, expected_episode=row.episode)
    elif not abandoned:
        return 0
    transaction.append(
        [
            Event(
                kind="offboarding-put-back",
                at=now,
                offboarding=row.id,
                episode=row.episode,
                actor=actor,
                detail={"steps": len(abandoned)},
            )
        ]
    )
    return len(abandoned) + (row.status is OffboardingStatus.STOPPED)


def _open(transaction: Transaction, organization: str) -> tuple[Offboarding, ...]:
    return transaction.offboardings(organization, status=OffboardingStatus.OPEN)
