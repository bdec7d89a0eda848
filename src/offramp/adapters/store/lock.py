"""Who waits for whom: destructive chunks share an off-boarding, people take it for themselves.

Everything about locks lives here. PostgreSQL keeps them itself: rows for off-boardings, an
advisory lock for the pause switch (it queues fairly, so that a stream of chunks cannot keep a
pause out). SQLite has one writer and no row locks, so a chunk leaves a marker with a deadline, and
whoever wants the off-boarding is told at once that a deletion is in flight. That they were told so
is left there, too, as a marker of the attempt zero: the next chunk lets them go first, or a stream
of chunks would keep them out for as long as it lasts. There are no markers on PostgreSQL, and
SQLite ignores a FOR UPDATE; so most statements here serve both.

Source: docs/decisions/005-the-fence.md; lesson L18.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Row,
    delete,
    exists,
    func,
    insert,
    or_,
    select,
    true,
    update,
)
from whenever import Instant

from offramp.adapters.store import schema
from offramp.adapters.store.connection import LockTimeout, is_postgresql
from offramp.adapters.store.revision import RevisionPart
from offramp.ports import DeletionInFlight, Offboarding, StaleClaim

_LOCK_SPACE = 0x0FFA  # keeps our advisory locks apart from those of others in the database
_PAUSE = 1
_LEDGER = 2
_CAP = 3
_ASKED = 0  # is the attempt of a marker that somebody left who was refused


class LockPart(RevisionPart):
    """Waiting, and being waited for."""

    refused: tuple[Sequence[str], Instant] | None = None

    def lock_organization(self, organization: str, *, now: Instant) -> None:
        """Take all off-boardings of an organization exclusively."""
        self.lock_rows(schema.offboarding.c.organization == organization, now=now)

    def lock_rows(self, which: ColumnElement[bool], *, now: Instant) -> Sequence[Row[Any]]:
        """Take off-boardings exclusively until the transaction ends.

        Raises:
            DeletionInFlight: a chunk is holding one of them.
        """
        table = schema.offboarding
        self._refuse_markers(which, now=now)
        organization = self.connection.scalar(select(table.c.organization).where(which).limit(1))
        with _told_as_in_flight(organization):
            chosen = select(table).where(which).order_by(table.c.id).with_for_update()
            return self.connection.execute(chosen).all()

    def lock_pause_switch(self, *, now: Instant) -> None:
        """Take the pause switch exclusively until the transaction ends.

        Raises:
            DeletionInFlight: a chunk is holding it.
        """
        self._refuse_markers(true(), now=now)
        with _told_as_in_flight(None):
            self._advise(_PAUSE)

    def lock_ledger(self) -> None:
        """Take the end of the ledger exclusively until the transaction ends."""
        self._advise(_LEDGER)

    def lock_cap(self) -> None:
        """Let nobody else begin a deletion until the transaction ends."""
        self._advise(_CAP)

    def share(self, claimed: Offboarding) -> None:
        """Take the pause switch and a claimed off-boarding together with other chunks.

        Raises:
            StaleClaim: the claim is not the current one.
        """
        self._advise(_PAUSE, shared=True)
        self.require_current(claimed)

    def require_current(self, claimed: Offboarding) -> None:
        """Keep a claim from being taken over until the transaction ends.

        Raises:
            StaleClaim: it was taken over already, or the episode is not as it was.
        """
        table = schema.offboarding
        columns = select(table.c.attempt, table.c.episode, table.c.status)
        chosen = columns.where(table.c.id == claimed.id).with_for_update(read=True)
        row = self.connection.execute(chosen).one_or_none()
        current = (claimed.attempt, claimed.episode, claimed.status)
        if row is None or tuple(row) != current:
            raise stale(claimed)

    def mark(self, claimed: Offboarding, *, deadline: Instant) -> int:
        """Leave a marker for as long as a chunk runs, and return its number."""
        statement = self._insert(schema.inflight).returning(schema.inflight.c.number)
        values = {"offboarding": claimed.id, "attempt": claimed.attempt, "deadline": deadline}
        return int(self.connection.execute(statement, values).scalar_one())

    def unmark(self, number: int) -> bool:
        """Take a marker away; false when somebody did so after its deadline."""
        marker = schema.inflight
        return (
            self.connection.execute(delete(marker).where(marker.c.number == number)).rowcount == 1
        )

    def prolong(self, number: int, *, deadline: Instant) -> bool:
        """Let a marker count for longer; false when it was taken away after its deadline."""
        marker = schema.inflight
        later = update(marker).where(marker.c.number == number).values(deadline=deadline)
        return self.connection.execute(later).rowcount == 1

    def ask(self, offboardings: Sequence[str], *, at: Instant) -> None:
        """Ask the next chunk of those off-boardings for the turn."""
        asked = {"attempt": _ASKED, "deadline": at}
        rows = [{"offboarding": each, **asked} for each in offboardings]
        self.connection.execute(insert(schema.inflight), rows)

    def is_asked_for(self, claimed: Offboarding) -> bool:
        """Whether somebody was refused an off-boarding and has not come back since."""
        return self.connection.scalar(select(exists().where(*_asked(claimed)))) is True

    def forget_asking(self, claimed: Offboarding) -> None:
        """Wait no longer for whoever was refused."""
        self.connection.execute(delete(schema.inflight).where(*_asked(claimed)))

    def _refuse_markers(self, which: ColumnElement[bool], *, now: Instant) -> None:
        marker, episode = schema.inflight, schema.offboarding
        mine = marker.c.offboarding.in_(select(episode.c.id).where(which))
        # Whoever is here has their turn; if they are refused, this is taken back with the rest.
        is_over = or_(marker.c.deadline <= now, marker.c.attempt == _ASKED)
        self.connection.execute(delete(marker).where(mine, is_over))
        marked = select(episode.c.id, episode.c.organization).join(marker).where(mine).distinct()
        running = self.connection.execute(marked).all()
        if running:
            # By name: when they can ask, this chunk may be over and the next one not begun.
            self.refused = ([row.id for row in running], now)
            raise DeletionInFlight(organization=running[0].organization)

    def _advise(self, number: int, *, shared: bool = False) -> None:
        if is_postgresql(self.connection):
            take = func.pg_advisory_xact_lock_shared if shared else func.pg_advisory_xact_lock
            self.connection.execute(select(take(_LOCK_SPACE, number)))


def _asked(claimed: Offboarding) -> tuple[ColumnElement[bool], ...]:
    marker = schema.inflight
    return marker.c.offboarding == claimed.id, marker.c.attempt == _ASKED


@contextmanager
def _told_as_in_flight(organization: str | None) -> Iterator[None]:
    try:
        yield
    except LockTimeout as error:
        raise DeletionInFlight(organization=organization or "some organization") from error


def stale(claimed: Offboarding) -> StaleClaim:
    """Say that a claim is not the current one."""
    return StaleClaim(attempt=claimed.attempt, offboarding=claimed.id)
