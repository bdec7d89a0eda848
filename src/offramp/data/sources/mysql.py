"""MySQL and MariaDB on the wire: snapshots by REPEATABLE READ, rows as they come.

Source: MySQL, "START TRANSACTION", "Server SQL Modes", "InnoDB and Transaction Isolation Levels";
PyMySQL, "SSCursor" (rows are read from the wire one by one, never held).
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine.interfaces import DBAPIConnection, DBAPICursor

from offramp.core.errors import OfframpError
from offramp.data.catalog.catalog import Catalog
from offramp.data.catalog.mysql import read_mysql_catalog
from offramp.data.dialects import MYSQL
from offramp.data.sources import mysql_permission, mysql_trouble
from offramp.data.sources.driver import BLOCK_ROWS, Need, Stream, compile_statement
from offramp.data.sources.trouble import Trouble

_SESSION = (
    "SET time_zone = '+00:00'",
    # Nothing is cut or rounded in silence; what is stored, however odd a date, can come back.
    "SET sql_mode = 'STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION,NO_AUTO_VALUE_ON_ZERO,"
    "ALLOW_INVALID_DATES'",
    "SET foreign_key_checks = 1, unique_checks = 1, sql_safe_updates = 0",
    "SET sql_select_limit = DEFAULT",
    # The keys of a range come as one text, of which nothing may be cut off.
    "SET group_concat_max_len = 1000000",
    # A chunk that waits for somebody else's lock gives up, so that the fence is let go.
    "SET innodb_lock_wait_timeout = 5, lock_wait_timeout = 5",
    # Whoever takes the rows may take their time.
    "SET net_write_timeout = 600",
)
_OPENING = "offramp_begin"


class MysqlDriver:
    """How MySQL and MariaDB are reached."""

    dialect = MYSQL
    extra = "mysql"
    writes_at_once = False
    share_snapshot = None
    logs_what_it_tidies = False
    sorts_first = False
    set_checks = None
    engine_options: Mapping[str, Any] = {}
    snapshot_options: Mapping[str, Any] = {
        _OPENING: (
            "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ",
            "START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY",
        )
    }
    # Only rows that are changed are locked, and not the gaps between them, so others may insert.
    transaction_options: Mapping[str, Any] = {
        _OPENING: (
            "SET TRANSACTION ISOLATION LEVEL READ COMMITTED",
            "START TRANSACTION READ WRITE",
        )
    }

    def address(self, url: sa.URL) -> sa.URL:
        """Name the driver, and the character set that holds all others."""
        named = url.set(drivername="mysql+pymysql")
        return named.update_query_dict({"charset": "utf8mb4", "local_infile": "0"})

    def prepare(self, engine: sa.Engine) -> None:
        """Settle how values are read and written, whatever the server thinks."""
        sa.event.listen(engine, "connect", _prepare)
        sa.event.listen(engine, "begin", _begin)

    def catalog(
        self, connection: sa.Connection, *, schema: str | None, further: Sequence[str]
    ) -> Catalog:
        """Read what the database declares now."""
        return read_mysql_catalog(connection, schema=schema, further=further)

    def renders_at_once(
        self, _connection: sa.Connection, _table: sa.TableClause, _rows: object
    ) -> bool:
        """Know of no statement that takes several."""
        return False

    def blocks(self, connection: sa.Connection, rows: sa.Select[Any]) -> Stream[bytes]:
        """Stream a one-column select of texts, in blocks of whole lines."""
        text, params = compile_statement(rows, connection.dialect)
        driver: Any = connection.connection.driver_connection
        unbuffered: Any = connection.dialect.loaded_dbapi.cursors.SSCursor
        with driver.cursor(unbuffered) as cursor, _stopped_early(connection, cursor):
            cursor.execute(text, params)
            while lines := [line for (line,) in cursor.fetchmany(BLOCK_ROWS)]:
                if None in lines:
                    raise row_too_long(connection)
                yield ("\n".join(lines) + "\n").encode()

    def rows(
        self, connection: sa.Connection, query: sa.Select[Any]
    ) -> Stream[Sequence[Sequence[Any]]]:
        """Stream rows in blocks, with values that can be bound again as they are."""
        with (
            connection.execution_options(yield_per=BLOCK_ROWS).execute(query) as result,
            _stopped_early(connection, result.cursor),
        ):
            yield from result.partitions()

    def refusal(self, connection: sa.Connection, needs: Sequence[Need]) -> Trouble | None:
        """Say which privileges are missing."""
        return mysql_permission.refusal(connection, needs)

    def classify(self, error: BaseException) -> Trouble:
        """Say what an error of PyMySQL means."""
        return mysql_trouble.classify(error)


@contextmanager
def _stopped_early(connection: sa.Connection, cursor: DBAPICursor | None) -> Iterator[None]:
    """Let the server send no more where reading ends early: the driver reads all that it sends."""
    is_read = False
    try:
        yield
        is_read = True
    finally:
        if not is_read:
            _stop_sending(connection, cursor)


def _stop_sending(connection: sa.Connection, cursor: DBAPICursor | None) -> None:
    driver: Any = connection.connection.driver_connection
    with suppress(OfframpError, connection.dialect.loaded_dbapi.Error):
        with connection.engine.connect() as other:
            other.exec_driver_sql(f"KILL QUERY {driver.thread_id()}")
        if cursor is not None:
            cursor.close()  # and reads what is on its way, up to the word that it was stopped


def row_too_long(connection: sa.Connection) -> Exception:
    """Make an error of what the server only warns of, while it gives NULL for a whole line."""
    driver: Any = connection.dialect.loaded_dbapi
    error: Exception = driver.OperationalError(mysql_trouble.ROW_CUT, "a row was too long")
    return error


def _prepare(connection: DBAPIConnection, _record: object) -> None:
    with closing(connection.cursor()) as cursor:
        for setting in _SESSION:
            cursor.execute(setting)
    connection.commit()


def _begin(connection: sa.Connection) -> None:
    for statement in connection.get_execution_options().get(_OPENING, ()):
        connection.exec_driver_sql(statement)
