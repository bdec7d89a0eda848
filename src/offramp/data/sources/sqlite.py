"""SQLite in this process: one file, one writer, functions of ours for what it cannot say.

Source: SQLite, "Isolation In SQLite", "URI Filenames".
"""

from base64 import b64encode
from collections.abc import Mapping, Sequence
from contextlib import closing
from itertools import chain
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import sqlite
from sqlalchemy.engine.interfaces import DBAPIConnection

from offramp.data.catalog.catalog import Catalog
from offramp.data.dialects import SQLITE
from offramp.data.sources import sqlite_trouble
from offramp.data.sources.driver import BLOCK_ROWS, Need, Stream, compile_statement
from offramp.data.sources.sqlite_catalog import SqliteCatalogs
from offramp.data.sources.trouble import Trouble

BUSY_WAIT_SECONDS = 5
_CACHE_KIBIBYTES = 6_000  # a chunk that has no room in it is written twice
_NAMED = sqlite.dialect(paramstyle="named")


class SqliteDriver:
    """How SQLite is reached."""

    dialect = SQLITE
    extra = ""  # it comes with Python
    writes_at_once = False
    share_snapshot = None
    logs_what_it_tidies = False
    sorts_first = False
    set_checks = None
    engine_options: Mapping[str, Any] = {}
    snapshot_options: Mapping[str, Any] = {}
    # The write lock is taken at once: a reader that wants to write later is refused.
    transaction_options: Mapping[str, Any] = {"offramp_begin": "BEGIN IMMEDIATE"}

    def __init__(self) -> None:
        """Have read nothing yet."""
        self._catalogs = SqliteCatalogs()

    def address(self, url: sa.URL) -> sa.URL:
        """Open the file only if it is there: one is never made by mistake (L16).

        Raises:
            FileNotFoundError: there is no such file.
        """
        if url.database and url.database.startswith("file:"):
            return url
        if not url.database or not Path(url.database).is_file():
            raise FileNotFoundError
        return url.set(database=Path(url.database).resolve().as_uri()).update_query_dict(
            {"mode": "rw", "uri": "true"}
        )

    def prepare(self, engine: sa.Engine) -> None:
        """Enforce references, wait for others, and begin transactions by ourselves."""
        sa.event.listen(engine, "connect", _prepare)
        sa.event.listen(engine, "begin", _begin)

    def catalog(
        self, connection: sa.Connection, *, schema: str | None, further: Sequence[str]
    ) -> Catalog:
        """Read what the database declares now."""
        return self._catalogs.read(connection, schema=schema, further=further)

    def renders_at_once(
        self, _connection: sa.Connection, _table: sa.TableClause, _rows: object
    ) -> bool:
        """Know of no statement that takes several."""
        return False

    def blocks(self, connection: sa.Connection, rows: sa.Select[Any]) -> Stream[bytes]:
        """Stream a one-column select of texts, in blocks of whole lines."""
        for block in self.rows(connection, rows):
            yield ("\n".join(chain.from_iterable(block)) + "\n").encode()

    def rows(
        self, connection: sa.Connection, query: sa.Select[Any]
    ) -> Stream[Sequence[Sequence[Any]]]:
        """Stream the driver's own rows: to wrap each of them costs as much as to read it."""
        text, params = compile_statement(query, _NAMED)
        driver: Any = connection.connection.driver_connection
        with closing(driver.execute(text, params)) as cursor:
            while block := cursor.fetchmany(BLOCK_ROWS):
                yield block

    def refusal(self, _connection: sa.Connection, _needs: Sequence[Need]) -> Trouble | None:
        """Know of nothing: a file has no roles, and the first chunk finds out about writing."""
        return None

    def classify(self, error: BaseException) -> Trouble:
        """Say what an error of SQLite means."""
        return sqlite_trouble.classify(error)


def _prepare(connection: DBAPIConnection, _record: object) -> None:
    connection.isolation_level = None  # The driver must not open transactions of its own.
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute(f"PRAGMA cache_size = -{_CACHE_KIBIBYTES}")
    connection.execute(f"PRAGMA busy_timeout = {BUSY_WAIT_SECONDS * 1000}")
    connection.create_function("offramp_base64", 1, _base64, deterministic=True)
    connection.create_function("offramp_real", 1, _real, deterministic=True)


def _begin(connection: sa.Connection) -> None:
    options = connection.get_execution_options()
    connection.exec_driver_sql(options.get("offramp_begin", "BEGIN"))


def _base64(value: bytes) -> str:
    return b64encode(value).decode()


def _real(value: float) -> str:
    return repr(value).replace("inf", "Inf")
