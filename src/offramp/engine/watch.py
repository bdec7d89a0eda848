"""What a machine wants to know of a worker: whether it lives, whether it can work, how much waits.

Source: docs/operations.md; ``ports.Workload``.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from whenever import Instant

from offramp.engine.context import Context
from offramp.engine.overview import HOURS_AHEAD
from offramp.ports import EndpointLoad, Happening, Workload


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """How much there is to do and to send at an instant, and whether destruction is stopped."""

    at: Instant
    workload: Workload
    is_paused: bool
    endpoints: Mapping[str, EndpointLoad] = field(default_factory=dict)


@dataclass(slots=True, kw_only=True)
class Pulse:
    """When a worker was last seen to do something; it is a report, and hears of all it does.

    What goes to the endpoints does so beside it, and says nothing about it.

    Attributes:
        is_broken: whether its last sweep met a mistake of ours.
    """

    elapsed: Callable[[], float]  # seconds on a clock that only runs forward
    beaten_at: float = 0.0
    is_broken: bool = False

    def __post_init__(self) -> None:
        """Count from the beginning."""
        self.beat()

    def __call__(self, event: str, facts: Mapping[str, object], /) -> None:
        """Take whatever is told for a sign of life."""
        if event != Happening.PARCEL:
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
            endpoints=transaction.endpoint_loads(list(context.endpoints)),
        )


def require_store(context: Context) -> None:
    """Ask whether the store answers, with the tables that this version of the program knows.

    Raises:
        StoreUnavailable, StoreVersionDiffers: it does not.
    """
    with context.store.reading() as transaction:
        transaction.is_paused()
