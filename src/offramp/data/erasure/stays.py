"""Which steps go together in one transaction, and which go in chunks.

The law: a transaction never takes more than a chunk may, in rows and in looks at what may refer to
them. What nobody counted just before, or whose rows nobody knows the cost of, goes in chunks.

A table that other tables often refer to goes in chunks as well where several may run at once: the
looks are most of its time, and two connections look twice as often.

Source: docs/decisions/043-fixed-costs.md, 044-two-connections.md.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from offramp.data.erasure.fence import Pace
from offramp.data.erasure.lanes import count_lanes
from offramp.data.erasure.statements import Purpose, Step
from offramp.data.sources.sql import SqlSource
from offramp.data.territory import Territory

LANE_LOOKS_MIN = 5_000  # fewer are done sooner than a second connection has begun


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """How many rows some steps delete, and those with all that is looked at for them."""

    rows: int
    cost: int


def in_stays(
    source: SqlSource,
    territory: Territory,
    steps: Iterable[Step],
    *,
    pace: Pace,
    expected: Mapping[str, int],
) -> Iterator[Sequence[Step]]:
    """Put steps together for as long as all of them are little enough for one transaction.

    What looks at references in sets has a transaction of its own.
    """
    together: list[Step] = []
    for step in steps:
        grown = [*together, step]
        if together and (
            source.set_checks
            or allowed(source, territory, grown, pace=pace, expected=expected) is None
        ):
            yield together
            together = []
        together.append(step)
    if together:
        yield together


def allowed(
    source: SqlSource,
    territory: Territory,
    steps: Sequence[Step],
    *,
    pace: Pace,
    expected: Mapping[str, int],
) -> Size | None:
    """Give the size of steps that are little enough for one transaction, or none."""
    rows = cost = 0
    for step in steps:
        if step.whole is None or step.whole.counted not in expected:
            return None
        counted = expected[step.whole.counted]
        looks = counted * step.whole.looks
        if looks >= LANE_LOOKS_MIN and count_lanes(source, territory, step, lanes=pace.lanes) > 1:
            return None
        cost += step.whole.cost(counted)
        rows += counted if step.purpose is Purpose.DELETE else 0
    return Size(rows=rows, cost=cost) if pace.allows_whole(rows, cost=cost) else None
