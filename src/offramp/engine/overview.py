"""How things stand, for the people who ask: stages, dates, what stands in the way, and why.

Everything here is read in one transaction and worked out by the core from facts and receipts, by
the same functions that the sweep obeys; no column is trusted to say it.

Source: mission A4, A7, and "nobody can say why"; policy language T5.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from whenever import Date, Instant

from offramp.core.due import Held, Reason, Run, Situation, Wait, agenda, erases_at, judge
from offramp.core.model import Facts, Hold, Organization, SubjectKind
from offramp.core.plan import PlannedStep, Span, Timeline, plan
from offramp.core.policy import Stage
from offramp.core.transitions import FINISHED, OffboardingStatus, StepStatus
from offramp.engine.arming import open_requests
from offramp.engine.context import Context
from offramp.engine.situation import (
    planned_of,
    require_member,
    require_organization,
    require_policy,
    situation_of,
)
from offramp.engine.timekeeping import caught_up_at
from offramp.ports import Arming, DeliveryStatus, Offboarding, StepRow, Transaction, Workload

HOURS_AHEAD = 24  # the next midnight of every time zone is among them
_SHOWN = frozenset({OffboardingStatus.OPEN, OffboardingStatus.STOPPED, OffboardingStatus.COMPLETED})


@dataclass(frozen=True, slots=True, kw_only=True)
class StepState:
    """One step as it stands: planned, due, done, or kept from running by ``reason``.

    ``trouble`` is the code of the error that the last attempt met; ``expected_at`` is when a
    deletion is to be expected as things stand, which a late notice moves (D2).
    """

    planned: PlannedStep
    status: StepStatus
    is_due: bool
    reason: Reason | None = None
    until: Instant | None = None
    done_at: Instant | None = None
    expected_at: Instant | None = None
    attempts: int = 0
    trouble: str | None = None
    deliveries: Mapping[DeliveryStatus, int]

    @property
    def is_finished(self) -> bool:
        """Whether nothing is left to do for it."""
        return self.status in FINISHED

    @property
    def is_blocked(self) -> bool:
        """Whether it is due and does not run."""
        return self.is_due and self.reason is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Leaving:
    """One off-boarding as it stands; ``late`` names steps whose window closes too early (T5)."""

    at: Instant
    offboarding: Offboarding
    situation: Situation
    stage: Span
    steps: tuple[StepState, ...]
    late: tuple[str, ...]

    @property
    def timeline(self) -> Timeline:
        """Everything that is planned."""
        return self.situation.timeline

    @property
    def next(self) -> StepState | None:
        """The first step that is not finished."""
        if self.offboarding.status is not OffboardingStatus.OPEN:
            return None
        return next((step for step in self.steps if not step.is_finished), None)

    @property
    def blocked(self) -> tuple[StepState, ...]:
        """The steps that are due and do not run."""
        return tuple(step for step in self.steps if step.is_blocked)

    @property
    def abandoned(self) -> tuple[StepState, ...]:
        """The steps that were tried as often as allowed."""
        return tuple(step for step in self.steps if step.status is StepStatus.ABANDONED)

    @property
    def erase_by(self) -> Date | None:
        """The last day of the window of the deletion that is still to come."""
        deadlines = [
            step.planned.deadline_on
            for step in self.steps
            if step.planned.is_destructive and not step.is_finished
        ]
        return next(iter(deadlines), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """One organization as it stands; ``stage`` is its own, whatever its members' stages are."""

    organization: Organization
    stage: str
    leaving: tuple[Leaving, ...]
    holds: tuple[Hold, ...]
    is_exempt: bool

    @property
    def is_bulk(self) -> bool:
        """Whether something of it waits for two people, because so many would go together."""
        steps = (step for leaving in self.leaving for step in leaving.blocked)
        return any(step.reason is Reason.BULK for step in steps)


@dataclass(frozen=True, slots=True, kw_only=True)
class Erased:
    """An organization that is gone, and the off-boarding that proves it."""

    organization: str
    offboarding: str
    erased_at: Instant | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Overview:
    """Everything at one moment; ``workload`` looks a day ahead, over everybody who is leaving.

    ``requests`` wait for a second person, and ``clock_until`` is what a clock that went back has
    to reach before anything is deleted.
    """

    at: Instant
    workload: Workload
    is_paused: bool
    clock_until: Instant | None
    requests: tuple[Arming, ...]
    next_due_at: Instant | None
    standings: tuple[Standing, ...]
    erased: tuple[Erased, ...] = ()


def look(context: Context, organization: str | None = None) -> Overview:
    """See how one organization stands, or all of them.

    Raises:
        OrganizationUnknown, OrganizationErased: there is no such organization (any more).
    """
    now = context.clock.now()
    with context.store.transaction() as transaction:
        if organization is None:
            chosen = transaction.organizations()
        else:
            chosen = (require_organization(transaction, organization),)
        return Overview(
            at=now,
            workload=transaction.workload(now=now, until=now.add(hours=HOURS_AHEAD)),
            is_paused=transaction.is_paused(),
            clock_until=caught_up_at(context, transaction, now=now),
            requests=open_requests(transaction, now=now),
            next_due_at=transaction.next_due_at(),
            standings=tuple(_standing(context, transaction, each, now=now) for each in chosen),
            erased=_erased(transaction) if organization is None else (),
        )


def look_at_timelines(
    context: Context, organization: str, *, member: str | None = None, product: str | None = None
) -> tuple[Leaving, ...]:
    """See the steps of an organization, or of one member as far as they leave on their own.

    A member who leaves together with the organization has its timeline.
    """
    now = context.clock.now()
    with context.store.transaction() as transaction:
        require_organization(transaction, organization)
        if member is not None:
            require_member(transaction, organization, member)
        rows = [
            row
            for row in newest_of(transaction.offboardings(organization))
            if product is None or row.subject.product in (None, product)
        ]
        own = [row for row in rows if row.subject.member == member]
        chosen = own or [row for row in rows if row.subject.member is None]
        return tuple(leaving_of(context, transaction, row, now=now) for row in chosen)


def known_organizations(context: Context) -> frozenset[str]:
    """Give the ids of the organizations that can be off-boarded."""
    with context.store.transaction() as transaction:
        return frozenset(organization.id for organization in transaction.organizations())


def known_pools(context: Context) -> frozenset[tuple[str, str]]:
    """Give the organization and the id of every pool."""
    with context.store.transaction() as transaction:
        return frozenset(
            (pool.organization, pool.id)
            for organization in transaction.organizations()
            for pool in transaction.pools(organization.id)
        )


def _standing(
    context: Context, transaction: Transaction, organization: Organization, *, now: Instant
) -> Standing:
    leaving = tuple(
        leaving_of(context, transaction, row, now=now)
        for row in newest_of(transaction.offboardings(organization.id))
    )
    whole = [each.stage.stage.id for each in leaving if each.offboarding.subject.member is None]
    holds = transaction.holds(organization.id)
    return Standing(
        organization=organization,
        stage=" / ".join(dict.fromkeys(whole)) or first_stage(transaction, organization).id,
        leaving=leaving,
        holds=tuple(hold for hold in holds if hold.is_active(now)),
        is_exempt=transaction.is_exempt(organization.id),
    )


def first_stage(transaction: Transaction, organization: Organization) -> Stage:
    """Give the stage of whoever does not leave."""
    policy = require_policy(transaction, organization.policy)
    facts = Facts(kind=SubjectKind.ORGANIZATION, zone=organization.zone, anchors={})
    return plan(policy, facts).spans[0].stage


def newest_of(rows: Iterable[Offboarding]) -> list[Offboarding]:
    """Give the newest episode of every subject, canceled ones left out."""
    newest = {row.subject: row for row in rows}
    return [row for row in newest.values() if row.status in _SHOWN]


def _erased(transaction: Transaction) -> tuple[Erased, ...]:
    alive = {organization.id for organization in transaction.organizations()}
    gone = {
        row.subject.organization: row
        for row in transaction.offboardings(status=OffboardingStatus.COMPLETED)
        if row.subject.member is None and row.subject.organization not in alive
    }
    return tuple(
        Erased(organization=name, offboarding=row.id, erased_at=row.closed_at)
        for name, row in gone.items()
    )


def leaving_of(
    context: Context, transaction: Transaction, row: Offboarding, *, now: Instant
) -> Leaving:
    """Work out how one off-boarding stands."""
    situation = situation_of(context, transaction, row, now=now)
    rows = {step.key: step for step in transaction.steps(row.id)}
    counts: dict[str, Counter[DeliveryStatus]] = {}
    for key, found in transaction.count_deliveries(row.id).items():
        step = key.partition("/")[0]  # an export issued again counts with the first
        counts.setdefault(step, Counter()).update(found)
    is_open = row.status is OffboardingStatus.OPEN
    states = tuple(
        _state(
            planned,
            situation,
            rows.get(planned.key),
            now=now,
            is_open=is_open,
            deliveries=counts.get(planned.key, {}),
        )
        for planned in planned_of(situation.timeline, rows)
    )
    return Leaving(
        at=now,
        offboarding=row,
        situation=situation,
        stage=situation.timeline.span_at(now, receipts=situation.receipts),
        steps=states,
        late=agenda(situation, now=now).late if is_open else (),
    )


def _state(
    planned: PlannedStep,
    situation: Situation,
    row: StepRow | None,
    *,
    now: Instant,
    is_open: bool,
    deliveries: Mapping[DeliveryStatus, int],
) -> StepState:
    receipt = situation.receipts.get(planned.key)
    status = row.status if row else StepStatus.PENDING
    is_to_come = is_open and receipt is None
    is_due = is_to_come and now >= planned.due_at
    reason, until = _obstacle(planned, situation, now=now) if is_due else (None, None)
    return StepState(
        planned=planned,
        status=status,
        is_due=is_due,
        reason=reason,
        until=until,
        done_at=receipt.done_at if receipt else None,
        expected_at=erases_at(planned, situation.timeline, receipts=situation.receipts, now=now)
        if is_to_come and planned.is_destructive
        else None,
        attempts=row.attempts if row else 0,
        trouble=row.reason if row and row.status in _TROUBLED else None,
        deliveries=deliveries,
    )


_TROUBLED = frozenset({StepStatus.FAILED, StepStatus.ABANDONED})


def _obstacle(
    planned: PlannedStep, situation: Situation, *, now: Instant
) -> tuple[Reason | None, Instant | None]:
    verdict = judge(planned, situation, now=now)
    match verdict:
        case Wait(reason=reason, until=until):
            return reason, until
        case Held(reason=reason):
            return reason, None
        case Run(planned=other) if other.key != planned.key:
            return Reason.NOTICE_PENDING, None  # the warning that stands in for a missed one
        case _:
            return None, None
