"""The sweep: claim what is due, carry it out, settle the next date. One tick does one of each.

Due work is a query over the off-boardings themselves. A claim is a lease; whoever dies holding
one is overtaken when it runs out, and fenced by the number of its attempt. One bad off-boarding
never stops the run.

Source: docs/architecture.md; policy language T7; lessons L2-L5, L18, L31, L33.
"""

from dataclasses import dataclass, replace

from whenever import Instant

from offramp.core.due import Agenda, Held, Reason, Wait, agenda, begins_at
from offramp.core.errors import Broken
from offramp.core.event_kind import EventKind
from offramp.core.ledger import Event
from offramp.core.transitions import STEP, OffboardingStatus, StepStatus, move
from offramp.engine.access import is_back
from offramp.engine.aftercare import look_after
from offramp.engine.announcement import announce
from offramp.engine.arming import alarm, foresee
from offramp.engine.context import Context
from offramp.engine.following import close
from offramp.engine.reporting import (
    report_claim,
    report_overtaken,
    report_postponed,
    report_stopped,
    report_sweep,
)
from offramp.engine.resending import send_asked
from offramp.engine.situation import situation_of
from offramp.engine.steps import Carried, carry_out
from offramp.engine.timekeeping import keep_time
from offramp.ports import Offboarding, StaleClaim, StepRow, Transaction

QUIET_TICKS_MAX = 10_000  # simulated time that does not come to rest is a fault, not a wait (L6)


class NeverQuiet(Broken):
    """The work due at {at} does not come to an end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tick:
    """What one tick did."""

    claimed: int
    carried: tuple[Carried, ...] = ()
    failed: int = 0  # off-boardings that met an unexpected error


def tick(context: Context) -> Tick:
    """Claim one batch of due off-boardings and carry out everything that is due on them."""
    watch_the_clock(context)
    began, now = context.elapsed(), context.clock.now()
    with context.store.transaction() as transaction:
        claims = transaction.claim_due(
            now=now, lease_until=context.lease_from(now), limit=context.limits.claims_max
        )
        context.dispatcher.enqueue(claims, transaction=transaction)
        context.probe("claimed uncommitted")
    context.probe("claimed")
    carried: list[Carried] = []
    failures: list[str] = []

    def handle(claimed: Offboarding) -> None:
        done = carry(context, claimed)
        if done is None:
            failures.append(claimed.id)
        else:
            carried.extend(done)

    context.dispatcher.run(handle)
    report_sweep(context, claimed=len(claims), failed=len(failures), began=began)
    return Tick(claimed=len(claims), carried=tuple(carried), failed=len(failures))


def watch_the_clock(context: Context) -> None:
    """Note how late it is before every sweep, and once a minute what is coming."""
    if keep_time(context):
        foresee(context)


def run_until_quiet(context: Context) -> tuple[Carried, ...]:
    """Tick until nothing is due at the present time.

    Raises:
        NeverQuiet: it does not end.
    """
    carried: list[Carried] = []
    for _ in range(QUIET_TICKS_MAX):
        done = tick(context)
        carried.extend(done.carried)
        if not done.claimed or context.is_stopping():
            return tuple(carried)
    raise NeverQuiet(at=context.clock.now().format_iso())


def carry(context: Context, claimed: Offboarding) -> tuple[Carried, ...] | None:
    """Carry out one claim; whatever goes wrong with it stays with it (L33).

    None where it met an error that nobody expected.
    """
    report_claim(context, claimed)
    try:
        return work_off(context, claimed)
    except StaleClaim:
        report_overtaken(context, claimed)
        return ()
    except Broken as error:
        _stop(context, claimed, reason=error.code)
    except Exception as error:  # noqa: BLE001 (the tick: one bad off-boarding never stops the run)
        report_postponed(context, claimed, error)
        _postpone(context, claimed)
    return None


def work_off(context: Context, claimed: Offboarding) -> tuple[Carried, ...]:
    """Carry out the steps of one claim in due order, then settle when to look again.

    Whoever wants to stop is heard between two steps; what is left stays due. An off-boarding that
    nothing is left to do on stays open, for a renewal to end it; only destruction completes one.
    """
    if claimed.status is OffboardingStatus.COMPLETED:
        return look_after(context, claimed)
    if claimed.status is OffboardingStatus.CANCELED and _leave_alone(context, claimed):
        return ()
    send_again_at = send_asked(context, claimed)
    carried: list[Carried] = []
    while True:
        now = context.clock.now()
        with context.store.transaction() as transaction:
            transaction.extend_lease(claimed, lease_until=context.lease_from(now))
            if context.is_stopping():
                _settle(transaction, claimed, look_again_at=now, erases_at=claimed.erases_at)
                return tuple(carried)
            situation = situation_of(context, transaction, claimed, now=now)
            due = agenda(situation, now=now)
            if due.act is None:
                _note_blocked(transaction, claimed, due, now=now)
                _settle(
                    transaction,
                    claimed,
                    look_again_at=_earlier(due.look_again_at, send_again_at),
                    erases_at=begins_at(situation, now=now),
                )
                context.probe("settled uncommitted")
                return tuple(carried)
        done = carry_out(context, claimed, due.act)
        carried.append(done)
        if due.act.planned.is_destructive and done.status is StepStatus.DONE:
            return tuple(carried)  # destruction ended the episode with its receipt


def _leave_alone(context: Context, claimed: Offboarding) -> bool:
    """Tell nobody that they are back who have left again meanwhile, or go in another way."""
    with context.store.transaction() as transaction:
        is_gone = not is_back(transaction, claimed.subject, now=context.clock.now())
        if is_gone:
            _settle(transaction, claimed, look_again_at=None, erases_at=None)
    return is_gone


def _settle(
    transaction: Transaction,
    claimed: Offboarding,
    *,
    look_again_at: Instant | None,
    erases_at: Instant | None,
) -> None:
    if not transaction.settle(claimed, next_due_at=look_again_at, erases_at=erases_at):
        raise StaleClaim(offboarding=claimed.id, attempt=claimed.attempt)


def _earlier(*dates: Instant | None) -> Instant | None:
    return min((date for date in dates if date is not None), default=None)


def _note_blocked(
    transaction: Transaction, claimed: Offboarding, due: Agenda, *, now: Instant
) -> None:
    """Show why a due step does not run, and raise the alarm before its window closes (T5)."""
    rows = {row.key: row for row in transaction.steps(claimed.id)}
    for verdict in due.blocked:
        _note(transaction, claimed, verdict, rows.get(verdict.planned.key), now=now)
    if any(verdict.reason is Reason.BULK for verdict in due.blocked):
        transaction.put_events([alarm(EventKind.BULK_HELD, at=now)])
    transaction.put_events(
        [
            announce(claimed, EventKind.WINDOW_CLOSING, key=key, at=now, detail={"step": key})
            for key in due.late
        ]
    )


def _note(
    transaction: Transaction,
    claimed: Offboarding,
    verdict: Wait | Held,
    row: StepRow | None,
    *,
    now: Instant,
) -> None:
    planned, reason = verdict.planned, verdict.reason.value
    if row is not None and (_is_told(row, reason) or row.status not in _WAITING):
        return
    source = row.status if row else StepStatus.PENDING
    held = StepRow(
        offboarding=claimed.id,
        key=planned.key,
        status=move(STEP, source, StepStatus.HELD),
        due_at=planned.due_at,
        reason=reason,
    )
    if row is not None:
        held = replace(row, status=held.status, reason=reason)
    transaction.save_step(held, claimed=claimed, expected=row.status if row else None)
    transaction.append(
        [
            Event(
                kind="step-held",
                at=now,
                offboarding=claimed.id,
                episode=claimed.episode,
                step=planned.key,
                detail={"reason": reason},
            )
        ]
    )


def _is_told(row: StepRow, reason: str) -> bool:
    """Say whether a row gives that reason already; it may also name what is held."""
    told = row.reason or ""
    return told == reason or told.startswith(f"{reason}: ")


_WAITING = frozenset({StepStatus.PENDING, StepStatus.HELD})


def _stop(context: Context, claimed: Offboarding, *, reason: str) -> None:
    """Stop one off-boarding whose invariant failed, keep its evidence, and say so."""
    now = context.clock.now()
    with context.store.transaction() as transaction:
        row = transaction.lock(claimed.id, now=now)
        if (row.status, row.attempt) != (OffboardingStatus.OPEN, claimed.attempt):
            return  # somebody ended the episode, or took it over, while it went wrong here
        close(transaction, row, OffboardingStatus.STOPPED, now=now)
        event = Event(
            kind="offboarding-stopped",
            at=now,
            offboarding=claimed.id,
            episode=claimed.episode,
            detail={"reason": reason},
        )
        transaction.append([event])
        kind, detail = EventKind.OFFBOARDING_STOPPED, {"reason": reason}
        transaction.put_events(
            [announce(claimed, kind, key=claimed.attempt, at=now, detail=detail)]
        )
    report_stopped(context, claimed, reason=reason)


def _postpone(context: Context, claimed: Offboarding) -> None:
    """Look at an off-boarding again later; its started step will be verified first then."""
    wait = context.limits.back_off(claimed.attempt)
    with context.store.transaction() as transaction:
        transaction.settle(
            claimed,
            next_due_at=context.clock.now().add(minutes=wait),
            erases_at=claimed.erases_at,
        )
