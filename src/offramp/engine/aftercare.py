"""After an erasure: what comes late is found, and what was kept goes when its own time is over.

A completed off-boarding that still has work keeps a date, and is claimed on it like any other. What
cannot be done now is told, and looked at again; nothing is done while somebody holds or pauses.

Source: mission A11; docs/decisions/009-kept-rows.md; lessons L18, L25, L33.
"""

from collections.abc import Callable

from whenever import Instant

from offramp.core.due import Reason
from offramp.core.errors import OfframpError
from offramp.core.event_kind import EventKind
from offramp.core.ledger import Event
from offramp.core.transitions import StepStatus
from offramp.data.scope import Scope
from offramp.engine.announcement import announce
from offramp.engine.context import Context, Data
from offramp.engine.ending import date_of, watched_until
from offramp.engine.late import Watch
from offramp.engine.reporting import report_step
from offramp.engine.retention import has_due, preview_due, sweep_due
from offramp.engine.steps import Carried
from offramp.engine.timekeeping import caught_up_at
from offramp.engine.work import DataMapMissing, GuardNotMet
from offramp.ports import Offboarding, StaleClaim, Transaction

NOTHING = "0 rows"
RETENTION, LATE_WATCH = "retention", "late-watch"
_ALARMS = {
    (RETENTION, StepStatus.FAILED): EventKind.RETENTION_FAILED,
    (RETENTION, StepStatus.HELD): EventKind.RETENTION_HELD,
    (LATE_WATCH, StepStatus.FAILED): EventKind.LATE_WATCH_FAILED,
    (LATE_WATCH, StepStatus.HELD): EventKind.LATE_WATCH_HELD,
}


def look_after(context: Context, claimed: Offboarding) -> tuple[Carried, ...]:
    """Do what a finished erasure has left to do now, and settle when to look again.

    Raises:
        StaleClaim: another attempt has taken over.
    """
    carried: list[Carried] = []
    now = context.clock.now()
    with context.store.transaction() as transaction:
        is_over = has_due(transaction, claimed, now=now)
        is_watched = _is_watched(context, transaction, claimed, now=now)
    if is_watched:
        watched = _attempt(context, claimed, LATE_WATCH, lambda: _watch(context, claimed))
        if watched.status is not StepStatus.DONE or watched.reason != NOTHING:
            carried.append(watched)
    if is_over:
        carried.append(_attempt(context, claimed, RETENTION, lambda: _sweep(context, claimed)))
    with context.store.transaction() as transaction:
        now = context.clock.now()
        next_due_at = date_of(context, transaction, claimed, now=now, has_looked=True)
        if not transaction.settle(claimed, next_due_at=next_due_at):
            raise StaleClaim(offboarding=claimed.id, attempt=claimed.attempt)
    return tuple(carried)


def preview(context: Context, completed: Offboarding) -> tuple[str, ...]:
    """List what `look_after` would delete now, statement by statement (L27)."""
    with context.store.transaction() as transaction:
        is_over = has_due(transaction, completed, now=context.clock.now())
    if not is_over:
        return ()
    return preview_due(context, _data(context), completed, _scope(context, completed))


def _is_watched(
    context: Context, transaction: Transaction, claimed: Offboarding, *, now: Instant
) -> bool:
    """Say whether rows could still come late of who is gone, and stays so."""
    until = watched_until(context, claimed)
    if now > until or now == claimed.closed_at:
        return False
    return _is_gone(transaction, claimed)


def _watch(context: Context, claimed: Offboarding) -> int:
    def judge(transaction: Transaction) -> None:
        _require_free(context, transaction, claimed)

    data = _data(context)
    watch = Watch(
        context=context, data=data, claimed=claimed, scope=_scope(context, claimed), judge=judge
    )
    return watch.look()


def _sweep(context: Context, claimed: Offboarding) -> int:
    def judge(transaction: Transaction) -> None:
        _require_free(context, transaction, claimed)

    data = _data(context)
    return sweep_due(context, data, claimed, _scope(context, claimed), judge=judge)


def _scope(context: Context, claimed: Offboarding) -> Scope:
    """Say whose rows are looked after: who is gone wholly is, whichever product went last."""
    subject = claimed.subject
    with context.store.transaction() as transaction:
        product = None if _is_gone(transaction, claimed) else subject.product
    return Scope(organization=subject.organization, member=subject.member, product=product)


def _is_gone(transaction: Transaction, claimed: Offboarding) -> bool:
    subject = claimed.subject
    if subject.member is None:
        return transaction.organization(subject.organization) is None
    return transaction.member(subject.organization, subject.member) is None


def _data(context: Context) -> Data:
    if context.data is None:
        raise DataMapMissing(step=RETENTION, hint="set OFFRAMP_DATAMAP to the data map file")
    return context.data


def _require_free(context: Context, transaction: Transaction, claimed: Offboarding) -> None:
    """Judge on fresh facts whether anything may be destroyed of who is gone already (L18).

    Raises:
        GuardNotMet: a hold was placed on what was kept, everything destructive is paused, or the
            clock went back.
    """
    now = context.clock.now()
    holds = transaction.holds(claimed.subject.organization)
    if transaction.is_paused():
        raise GuardNotMet(step=RETENTION, reason=Reason.PAUSED.value)
    if caught_up_at(context, transaction, now=now) is not None:
        raise GuardNotMet(step=RETENTION, reason=Reason.CLOCK.value)
    if any(hold.is_active(now) and hold.covers(claimed.subject) for hold in holds):
        raise GuardNotMet(step=RETENTION, reason=Reason.HOLD.value)


def _attempt(context: Context, claimed: Offboarding, key: str, act: Callable[[], int]) -> Carried:
    """Do one thing; what goes wrong with it is on record, and is tried again at the next look."""
    began = context.elapsed()
    try:
        rows = act()
    except StaleClaim:
        raise
    except OfframpError as error:
        done = Carried(key=key, status=StepStatus.FAILED, reason=error.code)
        if isinstance(error, GuardNotMet):
            reason = error.attributes["reason"]
            done = Carried(key=key, status=StepStatus.HELD, reason=reason)
        _note(context, claimed, done)
    else:
        done = Carried(key=key, status=StepStatus.DONE, reason=f"{rows} rows")
    if done.reason != NOTHING:
        report_step(
            context,
            claimed,
            step=key,
            action=key,  # it has no step of a policy
            status=done.status,
            reason=done.reason,
            began=began,
        )
    return done


def _note(context: Context, claimed: Offboarding, done: Carried) -> None:
    """Put into the ledger why something was not done, and raise the alarm."""
    now = context.clock.now()
    kind = _ALARMS[done.key, done.status]
    event = Event(
        kind=kind,
        at=now,
        offboarding=claimed.id,
        episode=claimed.episode,
        step=done.key,
        detail={"reason": done.reason},
    )
    detail = {"reason": done.reason}
    alarm = announce(claimed, kind, key=claimed.attempt, at=now, detail=detail)
    with context.store.transaction() as transaction:
        transaction.append([event])
        transaction.put_events([alarm])
