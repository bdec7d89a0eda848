"""What has to hold while something is destroyed, and how much goes at once.

The law: nothing is changed outside of a fence. It is entered before every chunk and left after the
chunk's commit, and whatever it raises stops the work there, in every kind of source.

Source: docs/decisions/005-the-fence.md; measured chunk sizes.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

from offramp.core.errors import Unavailable

CHUNK_SECONDS = 0.2
CHUNK_ROWS_AT_FIRST = 500
CHUNK_ROWS_MAX = 10_000
CONNECTIONS = 2  # that delete at once, where the database allows it
WHOLE_COST_MAX = 30_000  # rows of a table at once, and looks at what may refer to them
TRIES_MAX = 8  # of one chunk in a row, after the first; the largest has become one row by then
WAIT_SECONDS_AT_FIRST = 0.05  # and twice as long before every further try
_SMALLER_PART = 4  # of a chunk that was stopped is what the next try may be
_FIRST_PART = 4  # of the largest chunk is what the first chunk of a table may be
_AIMED_AT = 0.75  # of the time that a chunk may take
_LEAP_MAX = 4  # times as many rows as before, and never more, however quick they were
_SECONDS_TOLD_APART = 1e-6


class ChunkRecord(Protocol):
    """What a fence gives for the length of one chunk."""

    def keep(self) -> None:
        """Make sure of the fence right before a change is kept, or raise to take it back.

        Whoever was frozen inside of a chunk may have lost the fence without noticing it.
        """

    def record(self, *, rows: int, table: str | None = None) -> None:
        """Keep, in the same transaction that holds the fence, how many rows were changed.

        Args:
            rows: so many.
            table: whose, if not of the table that the fence was opened for.
        """


class Fence(Protocol):
    """What has to hold for as long as a chunk runs: episode, holds, pause."""

    def chunk(self, table: str) -> AbstractContextManager[ChunkRecord]:
        """Open the fence for one chunk of a table, or raise to stop the work."""


def at_once(_seconds: float) -> None:
    """Wait for nothing: whoever has no clock to wait by tries again at once."""


@dataclass(kw_only=True)
class Pace:
    """The size of a chunk, held near the time that it may take."""

    elapsed: Callable[[], float]
    rows_max: int
    rows: int = CHUNK_ROWS_AT_FIRST
    lanes: int = 1  # so many chunks at once, each on a connection of its own
    pause: Callable[[float], None] = at_once
    whole_cost_max: int = WHOLE_COST_MAX
    stumbles: int = 0
    _is_untried: bool = True
    _last: tuple[int, float] = (0, 0.0)  # the rows and the seconds of the chunk before

    def __post_init__(self) -> None:
        """Start small, and never above the limit."""
        self.rows = min(self.rows, self.rows_max)

    def meet_table(self, *, row_cost: int | None = None) -> None:
        """Be careful with the next table: a row of it may cost many times what the last one did.

        Args:
            row_cost: a row, and the looks at what may refer to it; none where nobody knows.
        """
        if row_cost is None:
            most = self.rows_max // _FIRST_PART
        else:
            most = self.whole_cost_max // row_cost
            self.rows = self.rows_max if self._is_untried else self.rows
        self.rows = min(self.rows, max(1, most))
        self._last = (0, 0.0)

    def allows_whole(self, rows: int, *, cost: int) -> bool:
        """Say whether so many rows may go at once, without a small chunk before."""
        return rows <= self.rows_max and cost <= self.whole_cost_max

    def adapt_whole(self, rows: int, *, cost: int, took_seconds: float) -> None:
        """Let the next chunk have as many rows, or less go at once where they took too long."""
        if took_seconds <= CHUNK_SECONDS:
            self.rows = max(self.rows, min(rows, self.rows_max))
        else:
            affordable = int(cost * _AIMED_AT * CHUNK_SECONDS / took_seconds)
            self.whole_cost_max = min(self.whole_cost_max, affordable)

    def adapt(self, *, took_seconds: float) -> None:
        """Aim below the time that a chunk may take, by what the last one took."""
        self.stumbles, self._is_untried = 0, False
        factor = _AIMED_AT * CHUNK_SECONDS / max(took_seconds, _SECONDS_TOLD_APART)
        rows = self.rows * min(factor, _LEAP_MAX)
        if factor < 1:
            rows = max(rows, self._worth_it(took_seconds))
        self._last = (self.rows, took_seconds)
        self.rows = min(self.rows_max, max(1, int(rows)))

    def _worth_it(self, took_seconds: float) -> float:
        """Say how many rows it takes to cost as much as what a chunk costs without any.

        Where that is most of its time, fewer and fewer rows would only pay it again and again.
        """
        rows, seconds = self._last
        if rows <= self.rows:
            return 0  # nothing is known: the last chunk was no larger
        for_a_row = max(0.0, seconds - took_seconds) / (rows - self.rows)
        for_none = took_seconds - for_a_row * self.rows
        if for_none * 2 <= _AIMED_AT * CHUNK_SECONDS:
            return 0
        return min(rows, for_none / for_a_row) if for_a_row else rows

    def stumble(self, error: Unavailable) -> None:
        """Let a smaller chunk follow after a while, or give up where that has not helped so far.

        The fence is let go meanwhile, so that whoever wants to stop the work comes first.
        """
        if self.stumbles == TRIES_MAX:
            raise error
        self.pause(WAIT_SECONDS_AT_FIRST * 2**self.stumbles)
        self.stumbles, self._is_untried = self.stumbles + 1, False
        self._last = (0, 0.0)
        self.rows = max(1, self.rows // _SMALLER_PART)
