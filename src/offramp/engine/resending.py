"""Messages that are sent again because somebody asked: what was lost, or never came (A4).

Asking queues deliveries once more, each in its next round, under a new message id. A step that
reached nobody begins anew, so that it counts when somebody is reached now; the receipt of one that
was delivered stays as it is, and so do the dates that are counted from it.

Source: mission A4; policy language N2; lessons L8, L33.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from whenever import Instant

from offramp.core.errors import Broken, OfframpError, Refused
from offramp.core.ledger import Event
from offramp.core.model import Subject
from offramp.core.plan import PlannedStep
from offramp.core.policy import Action
from offramp.core.transitions import OffboardingStatus, StepStatus
from offramp.engine.actions import export, notify
from offramp.engine.context import Context
from offramp.engine.delivery import deliver_again
from offramp.engine.office import office_of_member
from offramp.engine.reporting import report_step
from offramp.engine.situation import (
    planned_of,
    require_known,
    require_member,
    require_organization,
    timeline_of,
)
from offramp.engine.steps import put_back
from offramp.engine.work import Work, issue_key
from offramp.ports import DeliveryStatus, Offboarding, StaleClaim, StepRow, Transaction

LOST = frozenset({DeliveryStatus.REFUSED, DeliveryStatus.BOUNCED})
SENT = LOST | {DeliveryStatus.ACCEPTED}
"""Whoever complained is written to again only by what the policy promises everybody."""

REST_MINUTES = 60  # before a person can be sent the same message once more
_GIVEN = frozenset({StepStatus.DONE, StepStatus.UNREACHED})
_ENCLOSE = {Action.NOTIFY: notify.enclose, Action.EXPORT: export.enclose}


class NothingToResend(Refused):
    """No message of {organization} that was sent fits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Wanted:
    """Which messages are asked for again: all that were sent, unless something is said.

    Attributes:
        is_own: only those that bring their reader what is theirs.
        is_outsider: no data but the reader's own: they do not answer for the organization.
        unasked_since: none that was asked for again after this instant.
        actor: who asks.
    """

    step: str | None = None
    member: str | None = None
    statuses: Collection[DeliveryStatus] = SENT
    action: Action | None = None
    is_own: bool = False
    is_outsider: bool = False
    unasked_since: Instant | None = None
    actor: str = "operator"

    def has(self, planned: PlannedStep, row: StepRow, subject: Subject) -> bool:
        """Whether the messages of a step are among them."""
        is_of_others = planned.action is Action.EXPORT and subject.member != self.member
        return (
            not (self.is_outsider and is_of_others)
            and self.step in (None, row.key)
            and self.action in (None, planned.action)
            and (not self.is_own or _brings_own(planned))
        )


def ask_again(
    context: Context,
    organization: str,
    *,
    step: str | None = None,
    member: str | None = None,
    is_lost: bool = False,
    action: Action | None = None,
    is_own: bool = False,
) -> int:
    """Let messages that are still of use be sent again with the next sweep.

    Args:
        step: only those of one step.
        member: only those to one person.
        is_lost: only those that were refused or came back.
        action: only those of steps that do this.
        is_own: only those that bring their reader what is theirs.

    Returns:
        How many.

    Raises:
        NothingToResend: there is none, or its use has passed.
        OrganizationUnknown, OrganizationErased, MemberUnknown: there is nobody to write to.
    """
    now = context.clock.now()
    statuses = LOST if is_lost else SENT
    wanted = _Wanted(
        step=step,
        member=member,
        statuses=statuses,
        action=action,
        is_own=is_own,
        actor=context.actor_or("operator"),
    )
    with context.store.transaction() as transaction:
        require_known(transaction, organization, member=member)
        count = _queue(transaction, organization, wanted, now=now)
    if not count:
        hint = f"offramp mail history {organization} lists what was sent"
        raise NothingToResend(organization=organization, hint=hint)
    return count


def ask_for_own(
    context: Context, organization: str, member: str, *, step: str | None = None
) -> int:
    """Let a person be sent again what is theirs, or what one step sent them, at most once an hour.

    Data of others, or of everybody, only as long as they answer for the organization.

    Returns:
        How many messages.

    Raises:
        NothingToResend: there is none, its use has passed, or it was asked for just now.
        OrganizationUnknown, OrganizationErased, MemberUnknown: there is nobody to write to.
    """
    now = context.clock.now()
    with context.store.transaction() as transaction:
        found = require_organization(transaction, organization)
        person = require_member(transaction, organization, member)
        office = office_of_member(transaction, found, person, now=now)
        wanted = _Wanted(
            step=step,
            member=member,
            is_own=step is None,
            is_outsider=office is None,
            unasked_since=now.subtract(minutes=REST_MINUTES),
            actor="user",
        )
        count = _queue(transaction, organization, wanted, now=now)
    if not count:
        hint = "what is on its way, or was asked for within the last hour, is not sent once more"
        raise NothingToResend(organization=organization, hint=hint)
    return count


def _brings_own(planned: PlannedStep) -> bool:
    """Whether the messages of a step bring their reader something, or lead them to it."""
    step = planned.step
    return step is not None and (planned.action is Action.EXPORT or step.attach is not None)


def ask_all_again(context: Context, *, step: str | None = None) -> Mapping[str, int]:
    """Let everything that was lost be sent again, whosever it was.

    Returns:
        How many messages of each organization that had lost any.
    """
    counts, wanted = {}, _Wanted(step=step, statuses=LOST)
    with context.store.transaction() as transaction:
        organizations = [each.id for each in transaction.organizations()]
    for organization in organizations:
        now = context.clock.now()
        with context.store.transaction() as transaction:
            counts[organization] = _queue(transaction, organization, wanted, now=now)
    return {organization: count for organization, count in counts.items() if count}


def _queue(transaction: Transaction, organization: str, wanted: _Wanted, *, now: Instant) -> int:
    count = 0
    for row in transaction.offboardings(organization, status=OffboardingStatus.OPEN):
        given = {
            issue_key(each.key, each.issue): each
            for planned, each in _given(transaction, row, now=now)
            if wanted.has(planned, each, row.subject)
        }
        queued = transaction.queue_again(
            row.id,
            steps=[*given],
            statuses=wanted.statuses,
            member=wanted.member,
            unasked_since=wanted.unasked_since,
            at=now,
        )
        if queued:
            _begin_anew(transaction, row, given)
            _note(transaction, row, wanted, messages=queued, at=now)
        count += queued
    if count:
        transaction.wake(organization, at=now)
    return count


def _given(
    transaction: Transaction, row: Offboarding, *, now: Instant
) -> Iterator[tuple[PlannedStep, StepRow]]:
    """Give the steps whose messages went out, or reached nobody, and would still be of use."""
    rows = {each.key: each for each in transaction.steps(row.id)}
    for planned in planned_of(timeline_of(transaction, row), rows):
        step = rows.get(planned.key)
        if planned.action not in _ENCLOSE or planned.is_useless(now=now):
            continue
        if step is not None and step.status in _GIVEN:
            yield planned, step


def _begin_anew(transaction: Transaction, row: Offboarding, given: Mapping[str, StepRow]) -> None:
    """Put back the steps that reached nobody and are being sent again."""
    for key in transaction.steps_to_resend(row.id):
        step = given.get(key)
        if step is not None and step.status is StepStatus.UNREACHED:
            put_back(transaction, step)


def _note(
    transaction: Transaction, row: Offboarding, wanted: _Wanted, *, messages: int, at: Instant
) -> None:
    event = Event(
        kind="messages-asked-again",
        at=at,
        offboarding=row.id,
        episode=row.episode,
        step=wanted.step,
        actor=wanted.actor,
        detail={"messages": messages},
    )
    transaction.append([event])


def send_asked(context: Context, claimed: Offboarding) -> Instant | None:
    """Send what was asked for again; gives when to look again at what could not be sent.

    Raises:
        StaleClaim: another attempt has taken over.
    """
    with context.store.transaction() as transaction:
        waiting = transaction.steps_to_resend(claimed.id)
        if not waiting:
            return None
        given = [
            (planned, row)
            for planned, row in _given(transaction, claimed, now=context.clock.now())
            if issue_key(row.key, row.issue) in waiting
        ]
    dates = [_send(context, claimed, planned, row) for planned, row in given]
    return min((date for date in dates if date is not None), default=None)


def _send(
    context: Context, claimed: Offboarding, planned: PlannedStep, row: StepRow
) -> Instant | None:
    """Send what one step has waiting; whatever is wrong with it stays with it (L33)."""
    work = Work(context=context, claimed=claimed, planned=planned, row=row)
    began, status, reason = context.elapsed(), StepStatus.DONE, None
    try:
        deliver_again(work, _ENCLOSE[planned.action](work))
    except (StaleClaim, Broken):
        raise
    except OfframpError as error:
        status, reason = StepStatus.FAILED, error.code
    report_step(
        context,
        claimed,
        step=planned.key,
        action="resend",
        status=status,
        reason=reason,
        began=began,
    )
    with context.store.transaction() as transaction:
        left = transaction.steps_to_resend(claimed.id)
    if work.delivery_key not in left:
        return None
    # What could not even be written has no date of its own.
    soonest = context.clock.now().add(minutes=1)
    return max(left[work.delivery_key] or soonest, soonest)
