"""A snapshot kept open while rows are deleted, so that the database does not tidy up behind us.

A look at a reference comes upon the index entries of rows that earlier chunks deleted. PostgreSQL
marks them as dead, and with data checksums on, its default, writes every page so marked into its
log as a whole: a ninth more log than the deletion itself makes. It marks none that an older
snapshot could still need, and the next vacuum clears them away together with the rows.

The law: the snapshot holds no lock, and none is older than a minute; for as long as one is open,
every table of the database keeps its dead rows. It is a courtesy: where it cannot be had, the work
goes on without it.

Source: PostgreSQL, "Routine Vacuuming", and `wal_log_hints`; measured in
docs/decisions/017-speed-of-a-deletion.md.
"""

from collections.abc import Callable
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field

import sqlalchemy as sa

from offramp.core.errors import OfframpError
from offramp.data.sources.sql import SqlSource

SECONDS_MAX = 60.0


@dataclass(kw_only=True)
class Horizon:
    """The oldest state of one source that is still kept for somebody."""

    source: SqlSource
    elapsed: Callable[[], float]
    _since: float | None = None  # none while nothing is kept
    _open: ExitStack = field(default_factory=ExitStack)

    def keep(self) -> None:
        """Have one that is not older than a minute, where the database gains by it."""
        if not self.source.driver.logs_what_it_tidies:
            return
        if self._since is not None and self.elapsed() - self._since < SECONDS_MAX:
            return
        self.close()
        self._since = self.elapsed()
        with suppress(OfframpError), ExitStack() as trial:
            trial.enter_context(self.source.snapshot()).execute(sa.text("SELECT 1"))
            with self.source.snapshot():
                self._open = trial.pop_all()  # there is a connection left for the work

    def close(self) -> None:
        """Let the database tidy up to the present."""
        self._since = None
        with suppress(OfframpError):
            self._open.close()
