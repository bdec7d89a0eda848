"""An installation's part in a replay: whether it may go on, and that it happened.

What is erased again is found by certificates, outside of the store: the store may have come back
with the same backup.

Source: lesson L29; docs/decisions/016-replay.md.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from offramp.core.errors import Refused
from offramp.core.ledger import Event
from offramp.engine.context import Context
from offramp.engine.timekeeping import caught_up_at


class ReplayPaused(Refused):
    """Everything destructive is paused."""


class ReplayOutOfTime(Refused):
    """The clock went back; nothing is erased before {until}."""


@contextmanager
def unless_paused(context: Context) -> Iterator[None]:
    """Ask before a chunk whether everything destructive is stopped.

    Raises:
        ReplayPaused: it is, by a person.
        ReplayOutOfTime: it is, because the clock went back.
    """
    with context.store.transaction() as transaction:
        if transaction.is_paused():
            raise ReplayPaused(hint="offramp resume lets it go on")
        until = caught_up_at(context, transaction, now=context.clock.now())
        if until is not None:
            raise ReplayOutOfTime(
                until=until.format_iso(), hint="is the clock of this machine right?"
            )
    yield


def note_replay(context: Context, original: Mapping[str, Any], replay: Mapping[str, Any]) -> None:
    """Write into the ledger that a finished deletion was carried out again."""
    detail = {
        "replay_of": str(replay["replay_of"]),
        "rows": sum(replay["tables"].values()),
        "tables": len(replay["tables"]),
    }
    event = Event(
        kind="erasure-replayed",
        at=context.clock.now(),
        offboarding=original.get("offboarding"),
        episode=original.get("episode"),
        actor="operator",
        detail=detail,
    )
    with context.store.transaction() as transaction:
        transaction.append([event])
