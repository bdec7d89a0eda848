"""Where the engine is measured: stores on both databases, and workers on them."""

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, fields
from pathlib import Path
from tempfile import TemporaryDirectory

import sqlalchemy as sa
from whenever import Instant

from benchmarks.samples import Samples
from offramp.adapters.clock import SystemClock
from offramp.adapters.dispatch_dbos import DbosQueue
from offramp.adapters.ids import RandomIds
from offramp.adapters.keys_folder import FolderKeys
from offramp.adapters.store.connection import connect
from offramp.adapters.store.migration import migrate
from offramp.adapters.store.store import SqlStore
from offramp.bootstrap import build, keys_folder
from offramp.config import Settings
from offramp.engine.context import Context, Limits
from offramp.ports import Report, Ticket, WorkQueue
from offramp.testing.clock import VirtualClock
from offramp.testing.postgres import fresh_database

POSTGRES, SQLITE = "PostgreSQL", "SQLite"
DATABASES = (POSTGRES, SQLITE)
DUE_AT = Instant.from_utc(2025, 1, 1)  # the one midnight at which everybody of a store is due
BEFORE = DUE_AT.subtract(hours=24)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizes:
    """How much there is of everything.

    Attributes:
        scheduled: off-boardings in the store that is swept and admitted, on PostgreSQL.
        scheduled_in_file: the same on SQLite, all of which are swept.
        admitted_in_file: so many of another store on SQLite are admitted.
        claims: off-boardings of one admission.
        members: of the organization that is written to.
        steps: carried out by one process.
        parked: organizations that wait for a date, in rows and in sleeping workflows.
        lease_seconds: of the worker that is killed.
    """

    scheduled: int
    scheduled_in_file: int
    admitted_in_file: int
    claims: int
    members: int
    steps: int
    parked: int
    lease_seconds: int

    def by_name(self) -> dict[str, int]:
        """Give them as numbers of a run."""
        return {each.name: getattr(self, each.name) for each in fields(self)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a round finds its databases, and where its numbers go."""

    base_url: str  # PostgreSQL's maintenance database
    folder: Path
    sizes: Sizes
    samples: Samples


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """One store, on its own, with a folder for keys."""

    url: str
    folder: Path
    lease_seconds: int = 20  # as it is by default

    @property
    def is_postgres(self) -> bool:
        """Whether the store is a PostgreSQL."""
        return sa.make_url(self.url).get_backend_name() == "postgresql"

    @property
    def order(self) -> tuple[str, ...]:
        """What a child has to be told to work on the same store."""
        return self.url, str(self.folder)

    @contextmanager
    def worker(
        self, *, at: Instant | None, report: Report | None = None
    ) -> Iterator[tuple[Context, WorkQueue]]:
        """Give what a worker works with, at an instant that does not pass, or at the true time.

        It is what `bootstrap.build_worker` makes, on connections that end with the block.
        """
        settings = Settings(folder=self.folder)
        ids, keys = RandomIds(), FolderKeys(keys_folder(settings))
        with self._engine() as engine:
            migrate(engine)
            context = build(
                settings,
                store=SqlStore(engine, ledger_key=keys.ledger_key()),
                ids=ids,
                keys=keys,
                clock=SystemClock() if at is None else VirtualClock(at),
                report=report or _tell_nobody,
                limits=Limits(lease_seconds=self.lease_seconds),
            )
            queue = DbosQueue(engine, executor_id=ids.new(), concurrency=settings.worker_steps)
            yield context, queue

    @contextmanager
    def connection(self) -> Iterator[sa.Connection]:
        """Work on the tables of the store as they are, in one transaction."""
        with self._engine() as engine, engine.begin() as connection:
            yield connection

    def settle(self) -> None:
        """Let PostgreSQL tidy up after a filling, as it does by itself where it is let."""
        if self.is_postgres:
            with self._engine() as engine, engine.connect() as connection:
                alone = connection.execution_options(isolation_level="AUTOCOMMIT")
                alone.exec_driver_sql("VACUUM ANALYZE")
                alone.exec_driver_sql("CHECKPOINT")

    def prepare(self) -> None:
        """Make the tables of the store and of its queue."""
        with self.worker(at=BEFORE) as (_, queue), queue.serving(_carry_nothing):
            pass

    @contextmanager
    def _engine(self) -> Iterator[sa.Engine]:
        engine = connect(self.url)
        try:
            yield engine
        finally:
            engine.dispose()


@contextmanager
def fresh_ground(place: Place, database: str) -> Iterator[Ground]:
    """Give an empty store, with the tables of its queue."""
    with TemporaryDirectory(dir=place.folder) as folder, _address(place, database, folder) as url:
        ground = Ground(url=url, folder=Path(folder), lease_seconds=place.sizes.lease_seconds)
        ground.prepare()
        yield ground


def _address(place: Place, database: str, folder: str) -> AbstractContextManager[str]:
    if database == SQLITE:
        return nullcontext(f"sqlite:///{folder}/offramp.sqlite")
    return fresh_database(place.base_url)


def _carry_nothing(_ticket: Ticket) -> None:
    """Nobody is given anything while a queue is prepared."""


def _tell_nobody(_event: str, _facts: Mapping[str, object]) -> None:
    """Nobody watches."""
