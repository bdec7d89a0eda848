"""Whether the time can be trusted: nothing is destroyed by a clock that went back.

A clock that is set back was wrong before, or is wrong now, and nobody can tell which. The latest
instant is kept in the store, so that the next process and the other machines know of it.

Source: lesson L6; CONTRIBUTING.md, "Time".
"""

from whenever import Instant

from offramp.core.event_kind import EventKind
from offramp.engine.announcement import announce_to_all
from offramp.engine.context import Context
from offramp.ports import OutboxEvent, Transaction

BEHIND_SECONDS_MAX = 300  # clocks that are set by a time server differ by less
SEEN_EVERY_SECONDS = 60  # so that many idle workers do not write all the time


def caught_up_at(context: Context, transaction: Transaction, *, now: Instant) -> Instant | None:
    """Give the instant at which a clock that went back has surely caught up; none if it did not."""
    latest = max(now, transaction.seen_at() or now)
    machine_at = now.subtract(seconds=context.clock.behind_seconds())
    if machine_at >= latest.subtract(seconds=BEHIND_SECONDS_MAX):
        return None
    return latest.add(seconds=BEHIND_SECONDS_MAX)


def keep_time(context: Context) -> bool:
    """Note how late it is, or raise the alarm, once, when it was later before.

    Returns:
        Whether it was noted: once a minute, whoever sweeps, however often.
    """
    now = context.clock.now()
    with context.store.transaction() as transaction:
        until = caught_up_at(context, transaction, now=now)
        seen_at = transaction.seen_at()
        if until is not None:
            transaction.put_events([_alarm(until, now=now)])
        elif seen_at is None or now >= seen_at.add(seconds=SEEN_EVERY_SECONDS):
            transaction.see(now)
            return True
    return False


def _alarm(until: Instant, *, now: Instant) -> OutboxEvent:
    """Tell of it once: whoever looks again finds the same instant to be caught up with."""
    return announce_to_all(
        EventKind.CLOCK_WENT_BACK,
        key=until.timestamp(unit="nanosecond"),
        at=now,
        detail={"until": until.format_iso()},
    )
