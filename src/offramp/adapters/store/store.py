"""The store on SQLite or PostgreSQL: transactions, and the fence around destructive chunks.

Everything that begins and ends a transaction lives here.

Source: docs/decisions/005-the-fence.md; ``ports.Store``.
"""

import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field

from sqlalchemy import Engine
from whenever import Instant

from offramp.adapters.store.connection import for_reading
from offramp.adapters.store.lock import stale
from offramp.adapters.store.revision import Revisions
from offramp.adapters.store.transaction import SqlTransaction
from offramp.adapters.store.version import require_newest
from offramp.ports import DeletionInFlight, FenceRecord, Offboarding, Transaction

TURN_SECONDS = 0.01  # between two looks whether somebody who was refused has come back
TURN_LOOKS_MAX = 100  # ten times as long as whoever was refused waits before they come back

Judge = Callable[[Transaction], None]


def _hold_anyway(deadline: Instant) -> None:
    """Need no deadline: a true lock lasts for as long as its transaction."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FenceNotes:
    """What one chunk has to tell when its fence is left."""

    rows: Counter[str] = field(default_factory=Counter)
    lengthen: Callable[[Instant], None] = _hold_anyway

    def prolong(self, *, deadline: Instant) -> None:
        """Hold the fence until a later deadline, or say that it was lost."""
        self.lengthen(deadline)

    def record(self, table: str, rows: int) -> None:
        """Add to the cursor: so many more rows of this table are gone."""
        self.rows[table] += rows


class SqlStore:
    """Facts, receipts and proof in a database whose tables exist (``migration.migrate``)."""

    def __init__(self, engine: Engine, *, ledger_key: bytes) -> None:
        """Keep everything behind an engine made by ``connection.connect``."""
        self._engine = engine
        self._reader = for_reading(engine)
        self._revisions = Revisions(engine)
        self._ledger_key = ledger_key

    @contextmanager
    def transaction(self) -> Iterator[SqlTransaction]:
        """Begin a transaction that commits at the end and rolls back on an error."""
        refused = None
        try:
            with self._engine.begin() as connection:
                transaction = SqlTransaction(connection, ledger_key=self._ledger_key)
                try:
                    yield transaction
                finally:
                    refused = transaction.refused
                transaction.finish()
        except DeletionInFlight:
            if refused is not None:
                self._ask(*refused)
            raise

    @contextmanager
    def reading(self) -> Iterator[SqlTransaction]:
        """Begin a transaction for looking only, which waits for nobody who writes."""
        with self._reader.begin() as connection:
            require_newest(connection)
            yield SqlTransaction(connection, ledger_key=self._ledger_key)

    def revision(self, organization: str) -> str | None:
        """Name the state of everything that decides who may do what in an organization."""
        return self._revisions.of(organization)

    def _ask(self, offboardings: Sequence[str], at: Instant) -> None:
        """Let the next chunk know of somebody who was refused because of the one that runs."""
        with self._engine.begin() as connection:
            SqlTransaction(connection, ledger_key=self._ledger_key).ask(offboardings, at=at)

    def fence(
        self, claimed: Offboarding, *, now: Instant, deadline: Instant, judge: Judge
    ) -> AbstractContextManager[FenceRecord]:
        """Hold the off-boarding and the pause switch while one destructive chunk runs.

        PostgreSQL holds true locks until the worker is done or its connection is gone. SQLite
        cannot, so it leaves a marker that counts until ``deadline``.
        """
        assert now < deadline, "a chunk gets some time"
        if self._engine.dialect.name == "postgresql":
            return self._locked(claimed, judge=judge)
        return self._marked(claimed, deadline=deadline, judge=judge)

    @contextmanager
    def _locked(self, claimed: Offboarding, *, judge: Judge) -> Iterator[FenceRecord]:
        notes = FenceNotes()
        with self.transaction() as transaction:
            transaction.share(claimed)
            judge(transaction)
            yield notes
            transaction.advance(claimed.id, rows=notes.rows)

    @contextmanager
    def _marked(
        self, claimed: Offboarding, *, deadline: Instant, judge: Judge
    ) -> Iterator[FenceRecord]:
        number = self._mark(claimed, deadline=deadline, judge=judge)

        def lengthen(deadline: Instant) -> None:
            with self.transaction() as transaction:
                if not transaction.prolong(number, deadline=deadline):
                    raise stale(claimed)

        notes = FenceNotes(lengthen=lengthen)
        with ExitStack() as failure:
            failure.callback(self._unmark, number)
            yield notes
            failure.pop_all()
        with self.transaction() as transaction:
            if not transaction.unmark(number):
                raise stale(claimed)
            transaction.require_current(claimed)
            transaction.advance(claimed.id, rows=notes.rows)

    def _mark(self, claimed: Offboarding, *, deadline: Instant, judge: Judge) -> int:
        """Leave a marker, after those who were refused have had their turn, if they come back."""
        while True:
            with self.transaction() as transaction:
                if not transaction.is_asked_for(claimed):
                    return self._begun(transaction, claimed, deadline=deadline, judge=judge)
            self._let_go_first(claimed)

    def _let_go_first(self, claimed: Offboarding) -> None:
        """Wait for whoever was refused; looking only, for they and the chunk in hand write."""
        for _ in range(TURN_LOOKS_MAX):
            with self.reading() as transaction:
                if not transaction.is_asked_for(claimed):
                    return
            time.sleep(TURN_SECONDS)
        with self.transaction() as transaction:
            transaction.forget_asking(claimed)

    def _begun(
        self, transaction: SqlTransaction, claimed: Offboarding, *, deadline: Instant, judge: Judge
    ) -> int:
        transaction.require_current(claimed)
        judge(transaction)
        return transaction.mark(claimed, deadline=deadline)

    def _unmark(self, number: int) -> None:
        with self.transaction() as transaction:
            transaction.unmark(number)
