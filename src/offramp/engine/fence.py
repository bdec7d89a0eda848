"""The fence as the data engine wants it, around every chunk that destroys something.

Source: docs/decisions/005-the-fence.md; lesson L18.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from offramp.data.erasure.fence import ChunkRecord
from offramp.engine.context import Context
from offramp.engine.work import Heartbeat
from offramp.ports import FenceRecord, Offboarding, Transaction


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineFence:
    """Judges the guards anew before every chunk and holds them while it runs."""

    context: Context
    claimed: Offboarding
    judge: Callable[[Transaction], None]
    heartbeat: Heartbeat

    @classmethod
    def around(
        cls, context: Context, claimed: Offboarding, *, judge: Callable[[Transaction], None]
    ) -> "EngineFence":
        """Fence the chunks of one claim, and keep the claim while they run."""
        heartbeat = Heartbeat(context=context, claimed=claimed)
        return cls(context=context, claimed=claimed, judge=judge, heartbeat=heartbeat)

    @contextmanager
    def chunk(self, table: str) -> Iterator[ChunkRecord]:
        """Open the fence for one chunk of a table."""
        context = self.context
        self.heartbeat.beat()
        now = context.clock.now()
        with context.store.fence(
            self.claimed,
            now=now,
            deadline=now.add(seconds=context.limits.chunk_seconds),
            judge=self.judge,
        ) as record:
            context.probe("chunk fenced")
            yield _Recorder(table=table, held=record, context=context)
            context.probe("chunk committed")
        context.probe("chunk recorded")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Recorder:
    table: str
    held: FenceRecord
    context: Context

    def keep(self) -> None:
        chunk_seconds = self.context.limits.chunk_seconds
        self.held.prolong(deadline=self.context.clock.now().add(seconds=chunk_seconds))

    def record(self, *, rows: int, table: str | None = None) -> None:
        self.held.record(table or self.table, rows)
