"""A worker inside of another process: it sweeps as `offramp run` does, until that process stops.

An outage is waited out. A mistake of ours ends one sweep and not the worker, as the server around
it still has to say who may do what; until a sweep goes well again, the pulse is a broken one.

Source: docs/decisions/038-one-process.md; lessons L31, L33.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from offramp.core.errors import Unavailable
from offramp.engine.context import Context
from offramp.engine.courier import carrying
from offramp.engine.sweep import tick
from offramp.engine.watch import Pulse


@dataclass(frozen=True, slots=True, kw_only=True)
class EmbeddedWorker:
    """The sweeps of one process; its context tells the pulse of all that they do."""

    context: Context
    pulse: Pulse

    def sweep(self) -> int:
        """Sweep once, and say how much there was to do."""
        is_broken = True
        try:
            claimed = tick(self.context).claimed
            is_broken = False
        except Unavailable:
            is_broken = False
            raise
        finally:
            self.pulse.is_broken = is_broken
        return claimed

    @contextmanager
    def working(self) -> Iterator[None]:
        """Work for as long as the block runs; the steps in hand then are finished."""
        with carrying(self.context, sweep=self.sweep):
            yield
