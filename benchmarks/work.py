"""Offramp's side of the comparison: the same calls that its engine makes, on one organization."""

import os
import signal
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter

import sqlalchemy as sa
from whenever import Instant

from benchmarks.load import LARGE, ORDINARY, TRUSTED
from benchmarks.schema import URL_VARIABLE, data_map
from offramp.adapters.vault_folder import FolderVault
from offramp.cli.late import keep_imported, seldom_collect
from offramp.data.datamap import DataMap
from offramp.data.erasure.erase import ErasureResult, erase
from offramp.data.erasure.fence import CONNECTIONS
from offramp.data.erasure.tombstone import Tombstone, take_tombstone
from offramp.data.erasure.worklist import Gone
from offramp.data.handover.export import digest, export
from offramp.data.manifest import Manifest, TableDigest
from offramp.data.proof.verify import Verification, verify
from offramp.data.scope import Scope
from offramp.data.sources.sql import SqlSource, open_sources

KEY = bytes(range(32))
TAKEN_AT = Instant.from_utc(2026, 11, 22)
EXPORT_NAME = "export.json"
# What an erasure that goes on where another one died is started with.
NOTHING_KNOWN = Tombstone(subject="", marks=(), are_all_mails=True, tables={})

_CURSOR = sa.Table(
    "erasure_cursor",
    sa.MetaData(),
    sa.Column("table", sa.Text, primary_key=True),
    sa.Column("rows", sa.BigInteger, nullable=False),
)


@dataclass(kw_only=True)
class CursorFence:
    """A fence as the engine has it: a row is held in another database while a chunk runs."""

    engine: sa.Engine
    goes_on: bool = False
    dies_after: int | None = None
    seconds: list[float] = field(default_factory=list)
    _table: str = ""
    _rows: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Start with an empty cursor, unless an earlier run left one to go on from."""
        if self.goes_on:
            return
        _CURSOR.metadata.drop_all(self.engine)
        _CURSOR.metadata.create_all(self.engine)
        with self.engine.begin() as connection:
            connection.execute(_CURSOR.insert().values(table="guard", rows=0))

    def keep(self) -> None:
        """Hold: the guard is a true lock."""

    def record(self, *, rows: int, table: str | None = None) -> None:
        """Keep the number until the chunk's own transaction is through."""
        self._rows[table or self._table] = rows

    @contextmanager
    def chunk(self, table: str) -> Iterator["CursorFence"]:
        """Hold the guard, let the chunk run, move the cursor."""
        with self.engine.begin() as connection:
            guard = sa.select(_CURSOR.c.rows).where(_CURSOR.c.table == "guard")
            connection.execute(guard.with_for_update(read=True)).one()
            self._table, self._rows = table, {}
            began = perf_counter()
            yield self
            self.seconds.append(perf_counter() - began)
            if len(self.seconds) == self.dies_after:
                # The rows are gone and their number is not yet told: the worst moment there is.
                os.kill(os.getpid(), signal.SIGKILL)
            for name, rows in self._rows.items():
                self._advance(connection, name, rows=rows)

    def erased_rows(self) -> dict[str, int]:
        """Give the cursor."""
        with self.engine.begin() as connection:
            return {table: rows for table, rows in connection.execute(sa.select(_CURSOR))}

    def _advance(self, connection: sa.Connection, table: str, *, rows: int) -> None:
        which = _CURSOR.c.table == table
        moved = sa.update(_CURSOR).where(which).values(rows=_CURSOR.c.rows + rows)
        if not connection.execute(moved).rowcount:
            connection.execute(_CURSOR.insert().values(table=table, rows=rows))


@dataclass(frozen=True, kw_only=True)
class Work:
    """One organization in one database, and everything that is done to it."""

    datamap: DataMap
    sources: dict[str, SqlSource]
    scope: Scope
    fence: CursorFence
    gone: Gone = field(default_factory=Gone)

    def export(self, folder: Path) -> Manifest:
        """Hand the rows over into a vault."""
        with FolderVault(folder).write(EXPORT_NAME) as sink:
            return export(
                self.datamap,
                self.sources,
                self.scope,
                sink,
                header={"offramp": "bench"},
                taken_at=TAKEN_AT,
                progress=_tell_nobody,
            )

    def digest(self) -> dict[str, TableDigest]:
        """Prove once more that the live rows are those that were handed over."""
        return digest(self.datamap, self.sources, self.scope)

    def bury(self, digests: dict[str, TableDigest]) -> Tombstone:
        """Take the tombstone."""
        return take_tombstone(self.datamap, self.sources, self.scope, key=KEY, digests=digests)

    def prepare(self) -> Tombstone:
        """Read every row and take the tombstone, as is done just before a deletion."""
        return self.bury(self.digest())

    def erase(
        self,
        tombstone: Tombstone,
        *,
        connections: int = CONNECTIONS,
        finished: Collection[str] = (),
    ) -> ErasureResult:
        """Hash or delete every row, in chunks, inside the fence."""
        return erase(
            self.datamap,
            self.sources,
            self.scope,
            key=KEY,
            fence=self.fence,
            elapsed=perf_counter,
            tombstone=tombstone,
            progress=_tell_nobody,
            gone=self.gone,
            connections=connections,
            expected=tombstone.counts,
            finished=finished,
        )

    def verify(self, tombstone: Tombstone) -> Verification:
        """Count what is left, and search for marks if the tombstone has any."""
        return verify(
            self.datamap,
            self.sources,
            self.scope,
            tombstone=tombstone,
            key=KEY,
            gone=self.gone,
        )


@contextmanager
def open_work(
    url: str,
    *,
    store_url: str,
    keeps_everything: bool = False,
    set_checks: bool = False,
    goes_on: bool = False,
) -> Iterator[Work]:
    """Connect to a database and to the one that holds the fence, as a worker at work is connected.

    Args:
        url: the database.
        store_url: the database of the fence.
        keeps_everything: rows stay and lose their people, in place of being deleted.
        set_checks: PostgreSQL trusts Offramp to look at references in its place, in sets.
        goes_on: another process has begun, and left its cursor behind.
    """
    datamap = data_map(keeps_everything=keeps_everything, set_checks=set_checks)
    role = TRUSTED if set_checks else ORDINARY
    sources = open_sources(datamap, environment={URL_VARIABLE: _as_role(url, role)})
    for source in sources.values():  # what is written by hand is connected beforehand as well
        with source.snapshot() as connection:
            source.catalog(connection)
    seldom_collect()  # as the command does
    keep_imported()
    store = sa.create_engine(store_url)
    if store.dialect.name == "sqlite":  # as the engine keeps its own
        with store.begin() as connection:
            connection.exec_driver_sql("PRAGMA journal_mode = WAL")
    try:
        yield Work(
            datamap=datamap,
            sources=sources,
            scope=Scope(organization=str(LARGE)),
            fence=CursorFence(engine=store, goes_on=goes_on),
        )
    finally:
        store.dispose()
        for source in sources.values():
            source.close()


def _as_role(url: str, role: str) -> str:
    parts = sa.make_url(url)
    if parts.get_backend_name() == "postgresql":
        parts = parts.set(username=role)
    return parts.render_as_string(hide_password=False)


def _tell_nobody(_table: str, _rows: int) -> None:
    """Nobody watches."""
