"""Facts and receipts of one off-boarding, read fresh from the store, as the core wants them.

Source: docs/architecture.md.
"""

from collections.abc import Iterator, Mapping

from whenever import Instant

from offramp.core.dates import Boundary
from offramp.core.due import Reason, Situation
from offramp.core.errors import Missing
from offramp.core.model import Anchor, Facts, Member, Organization, Receipt
from offramp.core.plan import (
    INSTEAD_SUFFIX,
    PlannedStep,
    Timeline,
    plan,
    substitute,
    turn_of,
)
from offramp.core.policy import Policy
from offramp.core.term import Term
from offramp.core.transitions import FINISHED, OffboardingStatus, StepStatus
from offramp.engine.context import Context
from offramp.engine.timekeeping import caught_up_at
from offramp.ports import (
    Offboarding,
    OrganizationErased,
    OrganizationUnknown,
    StepRow,
    Transaction,
)

DAY_HOURS = 24  # in which the deletions are counted that begin together


class PolicyUnpublished(Missing):
    """No policy {policy} was published."""


class MemberUnknown(Missing):
    """The organization {organization} has no member {member}."""


def require_organization(transaction: Transaction, organization: str) -> Organization:
    """Find an organization, or say that there is none or none any more."""
    found = transaction.organization(organization)
    if found is None and transaction.offboardings(organization):
        raise OrganizationErased(organization=organization)
    if found is None:
        raise OrganizationUnknown(
            organization=organization, hint="offramp status lists the organizations"
        )
    return found


def require_member(transaction: Transaction, organization: str, member: str) -> Member:
    """Find a member or say that there is none."""
    found = transaction.member(organization, member)
    if found is None:
        raise MemberUnknown(organization=organization, member=member)
    return found


def require_known(transaction: Transaction, organization: str, *, member: str | None) -> None:
    """Say where an organization, or the one member of it who is meant, is not there."""
    require_organization(transaction, organization)
    if member is not None:
        require_member(transaction, organization, member)


def require_policy(transaction: Transaction, policy: str, *, version: int | None = None) -> Policy:
    """Find a published policy or say that there is none."""
    found = transaction.policy(policy, version)
    if found is None:
        raise PolicyUnpublished(policy=policy, hint="publish it first: offramp policy publish FILE")
    return found


def timeline_of(transaction: Transaction, offboarding: Offboarding) -> Timeline:
    """Plan an off-boarding from its pinned policy and the organization's present facts.

    Of one that ended because the subject stays, what the policy says to whoever returns is left.
    """
    announced = announced_timeline_of(transaction, offboarding)
    if offboarding.status is not OffboardingStatus.CANCELED:
        return announced
    assert offboarding.closed_at is not None, "what is canceled was closed"
    anchors: dict[str, Boundary] = {Anchor.RETURN: offboarding.closed_at}
    return plan(announced.policy, Facts(kind=announced.kind, zone=announced.zone, anchors=anchors))


def announced_timeline_of(transaction: Transaction, offboarding: Offboarding) -> Timeline:
    """Plan what was announced of an off-boarding, whether it goes on or not."""
    organization = require_organization(transaction, offboarding.subject.organization)
    policy = require_policy(transaction, offboarding.policy, version=offboarding.policy_version)
    facts = facts_of(offboarding, zone=organization.zone, overrides=organization.overrides)
    return plan(policy, facts)


def facts_of(offboarding: Offboarding, *, zone: str, overrides: Mapping[str, str]) -> Facts:
    """Give what the dates of an off-boarding are planned from."""
    term = Term(ends=offboarding.ends, cause=offboarding.cause, source=offboarding.source)
    return Facts(
        kind=offboarding.subject.kind,
        zone=zone,
        anchors=term.anchors,
        cause=offboarding.cause,
        overrides=overrides,
        turn=turn_of(offboarding.subject.organization),
    )


def planned_of(timeline: Timeline, rows: Mapping[str, StepRow]) -> Iterator[PlannedStep]:
    """Give every step, and each warning that stood in for a missed one after what it stands for."""
    for planned in timeline.steps:
        yield planned
        instead = rows.get(planned.key + INSTEAD_SUFFIX)
        if instead is not None:
            yield substitute(timeline, planned.key, now=instead.due_at)


def receipts_of(rows: tuple[StepRow, ...]) -> Mapping[str, Receipt]:
    """Give the receipts of the finished steps, by key."""
    return {
        row.key: row.receipt for row in rows if row.receipt is not None and row.status in FINISHED
    }


def situation_of(
    context: Context, transaction: Transaction, offboarding: Offboarding, *, now: Instant
) -> Situation:
    """Read everything that a verdict on one off-boarding depends on."""
    rows = transaction.steps(offboarding.id)
    begun = frozenset(row.key for row in rows if row.started_at is not None)
    timeline = timeline_of(transaction, offboarding)
    organization = offboarding.subject.organization
    to_begin = _to_begin(timeline, begun)
    is_capped, capped_until = _cap(transaction, now=now) if to_begin else (False, None)
    return Situation(
        subject=offboarding.subject,
        timeline=timeline,
        receipts=receipts_of(rows),
        retries={row.key: row.next_try_at for row in rows if row.next_try_at is not None},
        rested={row.key: _rested(row) for row in rows if row.status is StepStatus.HELD},
        abandoned=frozenset(r.key for r in rows if r.status is StepStatus.ABANDONED),
        begun=begun,
        holds=transaction.holds(organization),
        is_exempt=transaction.is_exempt(organization),
        is_paused=transaction.is_paused(),
        clock_until=caught_up_at(context, transaction, now=now),
        is_bulk=any(planned.due_at <= now for planned in to_begin)
        and _is_bulk(context, transaction, offboarding, now=now),
        is_capped=is_capped,
        capped_until=capped_until,
    )


def rest_reason(categories: tuple[str, ...]) -> str:
    """Say on a step's row that all the rest is destroyed, and what it waits for."""
    return f"{Reason.REST.value}: {', '.join(categories)}"


def _rested(row: StepRow) -> tuple[str, ...]:
    told = (row.reason or "").removeprefix(f"{Reason.REST.value}: ")
    return () if told == (row.reason or "") else tuple(told.split(", "))


def _to_begin(timeline: Timeline, begun: frozenset[str]) -> tuple[PlannedStep, ...]:
    """Give what would be destroyed; a deletion that has begun is not stopped by any count."""
    destructive = tuple(planned for planned in timeline.steps if planned.is_destructive)
    return () if any(planned.key in begun for planned in destructive) else destructive


def _cap(transaction: Transaction, *, now: Instant) -> tuple[bool, Instant | None]:
    """Say whether the cap lets no deletion begin, and until when; it counts the last 24 hours."""
    cap = transaction.daily_cap()
    if cap is None or cap == 0:
        return cap == 0, None
    first_of_them = transaction.erasure_begun(before=cap - 1)
    if first_of_them is None:
        return False, None
    until = first_of_them.add(hours=DAY_HOURS)
    return now < until, until


def _is_bulk(
    context: Context, transaction: Transaction, offboarding: Offboarding, *, now: Instant
) -> bool:
    """Say whether so many organizations go with this one that two people have to arm it (L26).

    Those to come count before the first one goes; those of the last day see to it that no more
    slip through one after the other.
    """
    if offboarding.armed is not None:
        return False
    most = context.limits.bulk_organizations_max
    own = offboarding.subject.organization
    since, until = now.subtract(hours=DAY_HOURS), now.add(hours=DAY_HOURS)
    return (
        transaction.erasures_expected(until=until, without=own, limit=most) >= most
        or transaction.erasures_begun(since=since, without=own, limit=most) >= most
    )
