"""Facts and receipts of one off-boarding, read fresh from the store, as the core wants them.

Source: docs/architecture.md.
"""

from collections.abc import Mapping

from whenever import Instant

from offramp.core.due import Reason, Situation
from offramp.core.errors import Missing
from offramp.core.model import Facts, Member, Organization, Receipt
from offramp.core.plan import Timeline, plan
from offramp.core.policy import Policy
from offramp.core.term import Term
from offramp.core.transitions import FINISHED, StepStatus
from offramp.ports import (
    Offboarding,
    OrganizationErased,
    OrganizationUnknown,
    StepRow,
    Transaction,
)

CAP_HOURS = 24


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


def require_policy(transaction: Transaction, policy: str, *, version: int | None = None) -> Policy:
    """Find a published policy or say that there is none."""
    found = transaction.policy(policy, version)
    if found is None:
        raise PolicyUnpublished(policy=policy, hint="publish it first: offramp policy publish FILE")
    return found


def timeline_of(transaction: Transaction, offboarding: Offboarding) -> Timeline:
    """Plan an off-boarding from its pinned policy and the organization's present facts."""
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
    )


def receipts_of(rows: tuple[StepRow, ...]) -> Mapping[str, Receipt]:
    """Give the receipts of the finished steps, by key."""
    return {
        row.key: row.receipt for row in rows if row.receipt is not None and row.status in FINISHED
    }


def situation_of(transaction: Transaction, offboarding: Offboarding, *, now: Instant) -> Situation:
    """Read everything that a verdict on one off-boarding depends on."""
    rows = transaction.steps(offboarding.id)
    timeline = timeline_of(transaction, offboarding)
    organization = offboarding.subject.organization
    is_capped, capped_until = _cap(transaction, timeline, rows, now=now)
    return Situation(
        subject=offboarding.subject,
        timeline=timeline,
        receipts=receipts_of(rows),
        retries={row.key: row.next_try_at for row in rows if row.next_try_at is not None},
        rested={row.key: _rested(row) for row in rows if row.status is StepStatus.HELD},
        abandoned=frozenset(r.key for r in rows if r.status is StepStatus.ABANDONED),
        holds=transaction.holds(organization),
        is_exempt=transaction.is_exempt(organization),
        is_paused=transaction.is_paused(),
        is_capped=is_capped,
        capped_until=capped_until,
    )


def rest_reason(categories: tuple[str, ...]) -> str:
    """Say on a step's row that all the rest is destroyed, and what it waits for."""
    return f"{Reason.REST.value}: {', '.join(categories)}"


def _rested(row: StepRow) -> tuple[str, ...]:
    told = (row.reason or "").removeprefix(f"{Reason.REST.value}: ")
    return () if told == (row.reason or "") else tuple(told.split(", "))


def _cap(
    transaction: Transaction, timeline: Timeline, rows: tuple[StepRow, ...], *, now: Instant
) -> tuple[bool, Instant | None]:
    """Say whether the cap lets no deletion begin, and until when.

    It counts those of the last 24 hours; one that has begun is not stopped by its own count.
    """
    cap = transaction.daily_cap()
    begun = {row.key for row in rows if row.started_at is not None}
    if cap is None or any(p.is_destructive and p.key in begun for p in timeline.steps):
        return False, None
    if cap == 0:
        return True, None
    first_of_them = transaction.erasure_begun(before=cap - 1)
    if first_of_them is None:
        return False, None
    until = first_of_them.add(hours=CAP_HOURS)
    return now < until, until
