"""The store in memory: the same promises as the databases', small enough to be seen at a glance.

A transaction works on a copy of everything, which takes the place of the original at its end. One
transaction is open at a time. A chunk in its fence leaves a marker with a deadline, as on SQLite;
a process that dies there (any ``BaseException`` that is no ``Exception``) leaves it behind.

Source: ``ports.Store``; the contract suite that every store passes.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Lock

from whenever import Instant

from offramp.ports import FenceRecord, Offboarding, StoreUnavailable, Transaction
from offramp.testing.memory_api_key import MemoryApiKeyPart
from offramp.testing.memory_arming import MemoryArmingPart
from offramp.testing.memory_bulk import MemoryBulkPart
from offramp.testing.memory_case import MemoryCasePart
from offramp.testing.memory_delivery import MemoryDeliveryPart
from offramp.testing.memory_facts import MemoryFactPart
from offramp.testing.memory_kept_answer import MemoryKeptAnswerPart
from offramp.testing.memory_link import MemoryLinkPart
from offramp.testing.memory_operator import MemoryOperatorPart
from offramp.testing.memory_optional import MemoryOptionalPart
from offramp.testing.memory_outbox import MemoryOutboxPart
from offramp.testing.memory_outlook import MemoryOutlookPart
from offramp.testing.memory_portal import MemoryPortalPart
from offramp.testing.memory_request import MemoryRequestPart
from offramp.testing.memory_retention import MemoryRetentionPart
from offramp.testing.memory_subscription import MemorySubscriptionPart
from offramp.testing.memory_tables import MemoryTables, stale
from offramp.testing.memory_work import MemoryProofPart

WAIT_SECONDS_MAX = 5.0
_KEY = b"a key for tests, and for nothing else"


class MemoryTransaction(
    MemoryFactPart,
    MemoryOutlookPart,  # and the off-boardings
    MemoryDeliveryPart,
    MemoryLinkPart,
    MemoryOperatorPart,
    MemoryApiKeyPart,
    MemorySubscriptionPart,
    MemoryKeptAnswerPart,
    MemoryOptionalPart,
    MemoryPortalPart,
    MemoryRequestPart,
    MemoryCasePart,
    MemoryBulkPart,
    MemoryRetentionPart,
    MemoryProofPart,
    MemoryOutboxPart,
    MemoryArmingPart,
):
    """One transaction over a copy of the tables."""

    def mark(self, claimed: Offboarding, *, deadline: Instant) -> int:
        """Leave a marker for as long as a chunk runs, and return its number."""
        self.tables.markers_made += 1
        self.tables.markers[self.tables.markers_made] = (claimed.id, deadline)
        return self.tables.markers_made

    def unmark(self, number: int) -> bool:
        """Take a marker away; false when somebody did so after its deadline."""
        return self.tables.markers.pop(number, None) is not None


class MemoryStore:
    """Facts, receipts and proof for as long as the process lives."""

    def __init__(self, *, ledger_key: bytes = _KEY) -> None:
        """Begin with empty tables."""
        self._tables = MemoryTables()
        self._turn = Lock()
        self._ledger_key = ledger_key

    @contextmanager
    def transaction(self) -> Iterator["MemoryTransaction"]:
        """Begin a transaction that commits at the end and rolls back on an error."""
        if not self._turn.acquire(timeout=WAIT_SECONDS_MAX):
            raise StoreUnavailable(reason="another transaction does not end")
        try:
            tables = self._tables.copy()
            yield MemoryTransaction(tables, ledger_key=self._ledger_key)
            self._tables = tables
        finally:
            self._turn.release()

    @contextmanager
    def reading(self) -> Iterator["MemoryTransaction"]:
        """Begin a transaction for looking only, on the tables as they are committed."""
        yield MemoryTransaction(self._tables.copy(), ledger_key=self._ledger_key)

    def revision(self, organization: str) -> str | None:
        """Name the state of everything that decides who may do what in an organization."""
        return self._tables.revision(organization)

    @contextmanager
    def fence(
        self,
        claimed: Offboarding,
        *,
        now: Instant,
        deadline: Instant,
        judge: Callable[[Transaction], None],
    ) -> Iterator[FenceRecord]:
        """Hold the off-boarding and the pause switch while one destructive chunk runs."""
        assert now < deadline, "a chunk gets some time"
        with self.transaction() as transaction:
            transaction.require_current(claimed)
            judge(transaction)
            number = transaction.mark(claimed, deadline=deadline)

        def lengthen(deadline: Instant) -> None:
            with self.transaction() as transaction:
                if number not in transaction.tables.markers:
                    raise stale(claimed)
                transaction.tables.markers[number] = (claimed.id, deadline)

        notes = _FenceNotes(lengthen=lengthen)
        with _Undo(lambda: self._unmark(number)):
            yield notes
        with self.transaction() as transaction:
            if not transaction.unmark(number):
                raise stale(claimed)
            transaction.require_current(claimed)
            transaction.advance(claimed.id, notes.rows)

    def _unmark(self, number: int) -> None:
        with self.transaction() as transaction:
            transaction.unmark(number)


@dataclass(frozen=True, slots=True)
class _FenceNotes:
    lengthen: Callable[[Instant], None]
    rows: Counter[str] = field(default_factory=Counter)

    def prolong(self, *, deadline: Instant) -> None:
        self.lengthen(deadline)

    def record(self, table: str, rows: int) -> None:
        self.rows[table] += rows


@dataclass(frozen=True, slots=True)
class _Undo:
    """Undoes something after an error, unless the process has died of it."""

    action: Callable[[], None]

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: type[BaseException] | None, *_rest: object) -> None:
        if kind is not None and issubclass(kind, Exception):
            self.action()
