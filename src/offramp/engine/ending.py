"""What a completed off-boarding still has before it: its date, and what it says about that.

Source: mission A11; docs/decisions/009-kept-rows.md.
"""

from dataclasses import replace

from whenever import Instant

from offramp.core.aftercare import next_look
from offramp.core.event_kind import EventKind
from offramp.engine.announcement import announce
from offramp.engine.context import Context
from offramp.ports import Offboarding, Transaction


def begin_aftercare(context: Context, transaction: Transaction, completed: Offboarding) -> None:
    """Give a completed off-boarding its next date, and tell what is kept without an end."""
    now = context.clock.now()
    transaction.adopt_kept(completed)
    next_due_at = date_of(context, transaction, completed, now=now, has_looked=False)
    dated = replace(completed, next_due_at=next_due_at)
    transaction.save_offboarding(dated, expected_episode=completed.episode)
    groups = transaction.kept(completed.id)
    undecided = sum(group.rows for group in groups if group.ends_at is None)
    if undecided:
        event = announce(
            completed,
            EventKind.RETENTION_UNDECIDED,
            key=completed.episode,
            at=now,
            detail={"rows": undecided},
        )
        transaction.put_events([event])


def date_of(
    context: Context,
    transaction: Transaction,
    completed: Offboarding,
    *,
    now: Instant,
    has_looked: bool,
) -> Instant | None:
    """Give the next instant at which a completed off-boarding is to be looked at."""
    ends = (group.ends_at for group in transaction.kept(completed.id))
    return next_look(
        (end for end in ends if end is not None),
        watched_until=watched_until(context, completed),
        now=now,
        has_looked=has_looked,
    )


def watched_until(context: Context, completed: Offboarding) -> Instant:
    """Give the instant of the last look for rows that come late."""
    assert completed.closed_at is not None, "what is completed was closed"
    return completed.closed_at.add(hours=24 * context.limits.late_watch_days)
