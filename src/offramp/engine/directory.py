"""Organizations by name, by stage and by what stands in the way, a page at a time.

A stage is worked out and never stored, so looking for one means looking at one organization after
the other: only so many at a time, and whoever asks may go on from there. The same is true of those
who do not leave: nothing is stored of what does not happen.

Source: docs/console.md; mission A7.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from whenever import Instant

from offramp.core.dates import Boundary
from offramp.core.model import Organization, Pool
from offramp.core.plan import Span, plan
from offramp.core.policy import Policy, Stage
from offramp.core.transitions import OffboardingStatus
from offramp.engine.context import Context
from offramp.engine.offboarding import PoolUnknown
from offramp.engine.overview import first_stage
from offramp.engine.situation import (
    facts_of,
    receipts_of,
    require_organization,
    require_policy,
)
from offramp.ports import Condition, Offboarding, Transaction, fold_address

PAGE_ROWS = 25
LOOKED_AT_MAX = 150  # for one page of a stage
STAYING_MAX = 100_000  # looked at for those who do not leave, of whom no index knows
BY_ADDRESS_MAX = 25  # organizations of one person


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """Which organizations are asked for.

    Attributes:
        text: what the name begins with; or an id, or the whole address of one of its people.
        stage: the id of a stage.
        after: folded name and id of the organization before the first one.
    """

    text: str = ""
    condition: Condition = Condition.ANY
    stage: str = ""
    after: tuple[str, str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """An organization, or one product of it, in its stage."""

    product: str | None
    stage: Stage
    ends: Boundary | None
    next_due_at: Instant | None
    is_stopped: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """One organization in a list."""

    organization: Organization
    parts: tuple[Part, ...]
    is_held: bool
    is_exempt: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """One page; ``after`` is where the next one begins, and ``looked_at`` counts for a stage."""

    rows: tuple[Listed, ...]
    after: tuple[str, str] | None
    looked_at: int


def find_organizations(context: Context, question: Question) -> Listing:
    """List the organizations that are asked for, as many as one page holds."""
    now = context.clock.now()
    limit = LOOKED_AT_MAX if question.stage else PAGE_ROWS
    with context.store.reading() as transaction:
        end = _end(transaction, question)
        found = _found(transaction, question, end=end, now=now, limit=limit + 1)
        wholes: dict[str, list[Offboarding]] = {}
        for row in transaction.whole_offboardings([each.id for each in found]):
            wholes.setdefault(row.subject.organization, []).append(row)
        chosen: list[Listed] = []
        looked_at = 0
        for each in found[:limit]:
            if len(chosen) == PAGE_ROWS:
                break
            looked_at += 1
            parts = _parts(transaction, each, wholes.get(each.id, ()), now=now)
            if not question.stage or any(part.stage.id == question.stage for part in parts):
                chosen.append(_listed(transaction, each, parts, now=now))
    if looked_at < len(found):
        last = found[looked_at - 1]
        end = (fold_address(last.name), last.id)
    elif end is not None:
        looked_at = STAYING_MAX
    return Listing(rows=tuple(chosen), after=end, looked_at=looked_at)


def place_of(context: Context, organization: str) -> tuple[str, str]:
    """Say where an organization stands in the list, so that it can go on from there.

    Raises:
        OrganizationUnknown, OrganizationErased: it stands nowhere (any more).
    """
    found = look_up(context, organization)
    return fold_address(found.name), found.id


def look_up(context: Context, organization: str) -> Organization:
    """Give one organization.

    Raises:
        OrganizationUnknown, OrganizationErased: there is no such organization (any more).
    """
    with context.store.reading() as transaction:
        return require_organization(transaction, organization)


def look_up_pool(context: Context, organization: str, pool: str) -> Pool:
    """Give one pool.

    Raises:
        PoolUnknown, OrganizationUnknown, OrganizationErased: there is no such pool.
    """
    with context.store.reading() as transaction:
        require_organization(transaction, organization)
        found = pool_in(transaction, organization, pool)
    if found is None:
        raise PoolUnknown(organization=organization, pool=pool)
    return found


def pool_in(transaction: Transaction, organization: str, pool: str) -> Pool | None:
    """Find one pool."""
    return next((each for each in transaction.pools(organization) if each.id == pool), None)


def known_stages(context: Context) -> Mapping[str, str]:
    """Give the stages of every published policy, by id: what they are called."""
    with context.store.reading() as transaction:
        policies = transaction.policies()
    return {s.id: s.title or s.id for policy in policies for s in policy.stages}


def _end(transaction: Transaction, question: Question) -> tuple[str, str] | None:
    """Give the place up to which to look; none where the answer is found by an index."""
    text = question.text.strip()
    if question.condition is not Condition.STAYING or "@" in text:
        return None
    return transaction.organization_further(text, after=question.after, steps=STAYING_MAX)


def _found(
    transaction: Transaction,
    question: Question,
    *,
    end: tuple[str, str] | None,
    now: Instant,
    limit: int,
) -> Sequence[Organization]:
    text = question.text.strip()
    if "@" in text:
        ids = dict.fromkeys(organization for organization, _ in transaction.readers_at(text))
        found = (transaction.organization(each) for each in list(ids)[:BY_ADDRESS_MAX])
        return [each for each in found if each is not None]
    by_name = transaction.find_organizations(
        text,
        condition=question.condition,
        after=question.after,
        until=end,
        now=now,
        limit=limit,
    )
    by_id = transaction.organization(text) if text and question.after is None else None
    if by_id is None or by_id in by_name:
        return by_name
    return (by_id, *by_name)


def _parts(
    transaction: Transaction,
    organization: Organization,
    rows: Sequence[Offboarding],
    *,
    now: Instant,
) -> tuple[Part, ...]:
    if not rows:
        first = first_stage(transaction, organization)
        return (Part(product=None, stage=first, ends=None, next_due_at=None),)
    return tuple(_part(transaction, organization, row, now=now) for row in rows)


def _part(
    transaction: Transaction, organization: Organization, row: Offboarding, *, now: Instant
) -> Part:
    policy = require_policy(transaction, row.policy, version=row.policy_version)
    span = _span(transaction, policy, organization, row, now=now)
    return Part(
        product=row.subject.product,
        stage=span.stage,
        ends=row.ends,
        next_due_at=row.next_due_at,
        is_stopped=row.status is OffboardingStatus.STOPPED,
    )


def _span(
    transaction: Transaction,
    policy: Policy,
    organization: Organization,
    row: Offboarding,
    *,
    now: Instant,
) -> Span:
    facts = facts_of(row, zone=organization.zone, overrides=organization.overrides)
    return plan(policy, facts).span_at(now, receipts=receipts_of(transaction.steps(row.id)))


def _listed(
    transaction: Transaction, organization: Organization, parts: tuple[Part, ...], *, now: Instant
) -> Listed:
    return Listed(
        organization=organization,
        parts=parts,
        is_held=any(hold.is_active(now) for hold in transaction.holds(organization.id)),
        is_exempt=transaction.is_exempt(organization.id),
    )
