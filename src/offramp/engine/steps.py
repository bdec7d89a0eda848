"""The step protocol: claimed, started (committed), perform, verify, receipt. In that order only.

A step that is found started without a receipt is verified before it is performed again. Every
write of a step carries its claim, so an attempt that was overtaken can write nothing. What an
action could not do ends in exactly one of: tried again later, held for a person, abandoned
loudly, or the off-boarding stopped.

Source: docs/decisions/004-step-protocol.md; lessons L31-L33, L37.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import ModuleType

from whenever import Instant

from offramp.core.due import Missed, Run
from offramp.core.errors import Broken, OfframpError, Refused, Uncertain
from offramp.core.event_kind import EventKind
from offramp.core.ledger import Event
from offramp.core.model import Outcome, Receipt
from offramp.core.plan import PlannedStep
from offramp.core.policy import Action
from offramp.core.transitions import STEP, StepStatus, move
from offramp.engine.actions import access, erase, export, notify
from offramp.engine.announcement import announce
from offramp.engine.context import Context
from offramp.engine.reporting import report_step
from offramp.engine.work import GuardNotMet, Result, Work
from offramp.ports import Offboarding, OutboxEvent, StaleClaim, StepRow, Transaction

ACTIONS: Mapping[Action, ModuleType] = {
    Action.ACCESS: access,
    Action.NOTIFY: notify,
    Action.EXPORT: export,
    Action.ERASE: erase,
}

_STATUS_OF: Mapping[Outcome, StepStatus] = {
    Outcome.DONE: StepStatus.DONE,
    Outcome.MISSED: StepStatus.MISSED,
    Outcome.UNREACHED: StepStatus.UNREACHED,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Carried:
    """What became of one step in one attempt."""

    key: str
    status: StepStatus
    reason: str | None = None


def carry_out(context: Context, claimed: Offboarding, verdict: Run | Missed) -> Carried:
    """Carry out one verdict of the core to its receipt, or to the reason why not.

    Raises:
        StaleClaim: another attempt or episode has taken over; nothing was written.
        Broken: an invariant failed; the caller stops this off-boarding.
    """
    if isinstance(verdict, Missed):
        return _miss(context, claimed, verdict.planned)
    try:
        work, is_repeat = _start(context, claimed, verdict.planned)
    except GuardNotMet as error:  # nothing was written; the next look at it finds the same
        reason = error.attributes["reason"]
        return Carried(key=verdict.planned.key, status=StepStatus.HELD, reason=reason)
    context.probe("started")
    try:
        result = _effect(work, is_repeat=is_repeat)
        context.probe("verified")
        return _finish(work, result)
    except StaleClaim:
        raise
    except OfframpError as error:
        return _record_trouble(work, error)


def _effect(work: Work, *, is_repeat: bool) -> Result:
    """Perform and verify; on a repeat verify first, for the effect may have happened.

    An action gives back only what verification could not see: that nobody could be reached.
    """
    action = ACTIONS[work.planned.action]
    done: Result | None = action.verify(work) if is_repeat else None
    if done is None:
        unseen: Result | None = action.perform(work)
        work.context.probe("performed")
        done = unseen or action.verify(work)
    if done is None:
        raise EffectMissing(step=work.planned.key)
    return done


class EffectMissing(Uncertain):
    """The step {step} was performed and its effect cannot be seen yet."""


def _start(context: Context, claimed: Offboarding, planned: PlannedStep) -> tuple[Work, bool]:
    """Write down that a step has begun, and say whether it had begun before.

    Deletions begin one after the other, so that no two of them take the last place under the cap.

    Raises:
        GuardNotMet: a deletion may not begin any more; nothing was written.
    """
    began, now = context.elapsed(), context.clock.now()
    with context.store.transaction() as transaction:
        before = _row(transaction, claimed, planned)
        source = before.status if before else None
        if source is not None:
            move(STEP, source, StepStatus.STARTED)
        row = StepRow(
            offboarding=claimed.id,
            key=planned.key,
            status=StepStatus.STARTED,
            due_at=planned.due_at,
            issue=before.issue if before else 1,
            attempts=(before.attempts if before else 0) + 1,
            started_at=before.started_at if before and before.started_at else now,
            is_destructive=planned.is_destructive,
        )
        work = Work(context=context, claimed=claimed, planned=planned, row=row, began=began)
        if planned.is_destructive:
            transaction.lock_cap()
            work.require_guard(transaction)
        transaction.save_step(row, claimed=claimed, expected=source)
    is_repeat = source in (StepStatus.STARTED, StepStatus.FAILED, StepStatus.HELD)
    return work, is_repeat


def put_back(transaction: Transaction, step: StepRow) -> None:
    """Let a step that is over, or was abandoned, be carried out again from its beginning."""
    again = replace(
        step,
        status=move(STEP, step.status, StepStatus.PENDING),
        attempts=0,
        next_try_at=None,
        reason=None,
        receipt=None,
    )
    transaction.save_step(again, claimed=None, expected=step.status)


def _row(transaction: Transaction, claimed: Offboarding, planned: PlannedStep) -> StepRow | None:
    return next((r for r in transaction.steps(claimed.id) if r.key == planned.key), None)


def _finish(work: Work, result: Result) -> Carried:
    """Write the receipt, its ledger entry and its events in one transaction."""
    now = work.context.clock.now()
    receipt = Receipt(
        step=work.planned.key,
        outcome=result.outcome,
        due_at=work.planned.due_at,
        done_at=now,
        delivered_at=result.delivered_at,
        proof=result.proof,
    )
    status = _STATUS_OF[result.outcome]
    row = replace(work.row, status=move(STEP, work.row.status, status), receipt=receipt)
    with work.context.store.transaction() as transaction:
        transaction.save_step(row, claimed=work.claimed, expected=StepStatus.STARTED)
        transaction.append([_event(work, status, at=now, proof=receipt.proof)])
        if result.conclude is not None:
            result.conclude(transaction)
        if status is StepStatus.UNREACHED:
            transaction.put_events([_alarm(work, EventKind.STEP_UNREACHED, at=now, detail={})])
        transaction.put_events(result.events)  # last: a conclusion may empty the outbox
        work.context.probe("receipt written")
    work.context.probe("receipt")
    _report(work, status)
    return Carried(key=work.planned.key, status=status)


def _miss(context: Context, claimed: Offboarding, planned: PlannedStep) -> Carried:
    began, now = context.elapsed(), context.clock.now()
    receipt = Receipt(step=planned.key, outcome=Outcome.MISSED, due_at=planned.due_at, done_at=now)
    with context.store.transaction() as transaction:
        before = _row(transaction, claimed, planned)
        row = StepRow(
            offboarding=claimed.id,
            key=planned.key,
            status=StepStatus.MISSED,
            due_at=planned.due_at,
            attempts=before.attempts if before else 0,
            receipt=receipt,
        )
        transaction.save_step(row, claimed=claimed, expected=before.status if before else None)
        work = Work(context=context, claimed=claimed, planned=planned, row=row, began=began)
        transaction.append([_event(work, StepStatus.MISSED, at=now, proof={})])
        transaction.put_events([_alarm(work, EventKind.STEP_MISSED, at=now, detail={})])
    _report(work, StepStatus.MISSED)
    return Carried(key=planned.key, status=StepStatus.MISSED)


def _record_trouble(work: Work, error: OfframpError) -> Carried:
    """Write down what went wrong and when to try again; a broken invariant goes on upwards."""
    now = work.context.clock.now()
    row = _after(work, error, now=now)
    event = _event(work, row.status, at=now, proof={"reason": error.code})
    with work.context.store.transaction() as transaction:
        transaction.save_step(row, claimed=work.claimed, expected=StepStatus.STARTED)
        transaction.append([event])
        if row.status is StepStatus.ABANDONED:
            detail = {"reason": error.code}
            transaction.put_events([_alarm(work, EventKind.STEP_ABANDONED, at=now, detail=detail)])
    _report(work, row.status, reason=error.code)
    if isinstance(error, Broken):
        raise error
    return Carried(key=row.key, status=row.status, reason=error.code)


def _after(work: Work, error: OfframpError, *, now: Instant) -> StepRow:
    """Choose what follows an error: a guard waits, an outage is tried again, the rest is loud.

    Back-off grows from attempt to attempt; after the last one the step is abandoned (L33).
    """
    limits = work.context.limits
    reason = error.code
    if isinstance(error, GuardNotMet):
        status, next_try_at, reason = StepStatus.HELD, None, error.attributes["reason"]
    elif isinstance(error, Refused | Broken) or work.row.attempts >= limits.attempts_max:
        status, next_try_at = StepStatus.ABANDONED, None
    else:
        minutes = limits.back_off(work.row.attempts)
        status, next_try_at = StepStatus.FAILED, now.add(minutes=minutes)
    return replace(
        work.row,
        status=move(STEP, work.row.status, status),
        next_try_at=next_try_at,
        reason=reason,
    )


def _alarm(work: Work, kind: EventKind, *, at: Instant, detail: Mapping[str, str]) -> OutboxEvent:
    """Tell of a step that did not do what it was for, and will not by itself."""
    key = f"{work.planned.key}:{work.claimed.attempt}"
    told = {"step": work.planned.key, **detail}
    return announce(work.claimed, kind, key=key, at=at, detail=told)


def _event(
    work: Work, status: StepStatus, *, at: Instant, proof: Mapping[str, str | int | bool | None]
) -> Event:
    return Event(
        kind=f"step-{status.value}",
        at=at,
        offboarding=work.claimed.id,
        episode=work.claimed.episode,
        step=work.planned.key,
        detail={"due_at": work.planned.due_at.format_iso(), **proof},
    )


def _report(work: Work, status: StepStatus, *, reason: str | None = None) -> None:
    report_step(
        work.context,
        work.claimed,
        step=work.planned.key,
        action=work.planned.action.value,
        status=status,
        reason=reason,
        began=work.began,
    )
