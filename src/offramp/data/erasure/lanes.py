"""Several chunks at once: each on a connection and in a transaction of its own.

The law: all of them lie inside one fence, which is entered before the first and left when the last
has committed. So the fence never sees more than one round, whoever wants to stop the work waits
for one round and not longer, and between two rounds nothing is held.

Chunks of one round are different rows of one table that refers to no rows of its own, and every
row that referred to them is gone. A deletion takes no lock but those of its own rows and looks for
rows that refer to them, so that no chunk of a round waits for another one.

Source: docs/decisions/005-the-fence.md; PostgreSQL, "Explicit Locking".
"""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Generic, TypeVar

from offramp.core.errors import Unavailable
from offramp.data.erasure.statements import Purpose, Step
from offramp.data.erasure.worklist import Keys
from offramp.data.sources.sql import SqlSource
from offramp.data.sources.trouble import PASSING, SourceCrowded
from offramp.data.territory import Territory

LANE_ROWS_MIN = 250  # fewer are not worth a transaction of their own
_STOPPING: tuple[type[Unavailable], ...] = (*PASSING, SourceCrowded)

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True, kw_only=True)
class Round(Generic[Result]):
    """What the chunks of one round did; the first that was stopped for a while is named."""

    done: tuple[Result, ...]
    stopped: Unavailable | None = None


def count_lanes(source: SqlSource, territory: Territory, step: Step, *, lanes: int) -> int:
    """Say how many chunks of a step may run at once."""
    references = territory.catalog.tables[step.table].references
    is_apart = all(reference.parent != step.table for reference in references)
    is_plain = step.purpose is Purpose.DELETE and not step.owned
    return lanes if is_apart and is_plain and source.driver.writes_at_once else 1


def next_parts(keys: Keys, done: int, *, rows: int, lanes: int) -> list[Keys]:
    """Share out the next rows: evenly, no more than so many to each lane, none for nothing."""
    share = -(-(len(keys) - done) // lanes)
    each = min(rows, max(LANE_ROWS_MIN, share))
    starts = range(done, min(len(keys), done + lanes * each), each)
    return [keys.part(start, each) for start in starts]


def run_round(change: Callable[[Keys], Result], parts: Sequence[Keys]) -> Round[Result]:
    """Change all parts at once, and come back when every one has committed or failed.

    Raises:
        Exception: the first that says more than that a chunk has to be tried again.
    """
    if len(parts) == 1:
        return Round(done=(change(parts[0]),))
    with ThreadPoolExecutor(max_workers=len(parts)) as pool:
        waiting = [pool.submit(change, part) for part in parts]
    done: list[Result] = []
    stopped: Unavailable | None = None
    for each in waiting:
        try:
            done.append(each.result())
        except _STOPPING as error:
            stopped = stopped or error
    return Round(done=tuple(done), stopped=stopped)
