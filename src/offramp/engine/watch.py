"""What a machine wants to know of a worker: whether it lives, whether it can work, how much waits.

Source: docs/operations.md; ``ports.Workload``.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from whenever import Instant

from offramp.engine.context import Context
from offramp.engine.overview import HOURS_AHEAD
from offramp.ports import Workload


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """How much there is to do at an instant, and whether destruction is stopped."""

    at: Instant
    workload: Workload
    is_paused: bool


@dataclass(slots=True, kw_only=True)
class Pulse:
    """When a worker was last seen to do something; it is a report, and hears of all it does."""

    elapsed: Callable[[], float]  # seconds on a clock that only runs forward
    beaten_at: float = 0.0

    def __post_init__(self) -> None:
        """Count from the beginning."""
        self.beat()

    def __call__(self, event: str, facts: Mapping[str, object], /) -> None:
        """Take whatever is told for a sign of life."""
        self.beat()

    def beat(self) -> None:
        """Show that the worker goes on."""
        self.beaten_at = self.elapsed()

    def silent_seconds(self) -> float:
        """Say for how long nothing was seen."""
        return max(0.0, self.elapsed() - self.beaten_at)


def measure(context: Context) -> Load:
    """Count how much there is to do, without holding up anybody who does it.

    Raises:
        StoreUnavailable, StoreVersionDiffers: the store cannot tell.
    """
    now = context.clock.now()
    with context.store.reading() as transaction:
        return Load(
            at=now,
            workload=transaction.workload(now=now, until=now.add(hours=HOURS_AHEAD)),
            is_paused=transaction.is_paused(),
        )


def require_store(context: Context) -> None:
    """Ask whether the store answers, with the tables that this version of the program knows.

    Raises:
        StoreUnavailable, StoreVersionDiffers: it does not.
    """
    with context.store.reading() as transaction:
        transaction.is_paused()
