"""PostgreSQL on the wire: snapshots by REPEATABLE READ, rows by COPY.

Source: PostgreSQL, "Transaction Isolation", "COPY".
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from itertools import islice
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine.interfaces import DBAPIConnection

from offramp.data.catalog.catalog import Catalog, read_catalog
from offramp.data.dialects import POSTGRES
from offramp.data.sources import postgres_permission, postgres_trouble
from offramp.data.sources.driver import BLOCK_BYTES, BLOCK_ROWS, Need, Stream, compile_statement
from offramp.data.sources.postgres_set_checks import PostgresSetChecks
from offramp.data.sources.trouble import Trouble

# Control characters cannot occur inside JSON, so nothing is ever quoted or doubled.
_COPY_OPTIONS = r") TO STDOUT WITH (FORMAT csv, QUOTE E'\x01', DELIMITER E'\x02')"
_IS_SMALL = """
    SELECT pg_relation_size(%(name)s::regclass) + coalesce(
        (SELECT sum(pg_relation_size(relid)) FROM pg_partition_tree(%(name)s::regclass)), 0
    ) < pg_size_bytes(current_setting('min_parallel_table_scan_size'))
"""
_SESSION = (
    "SET TIME ZONE 'UTC'",
    "SET DateStyle = 'ISO'",
    "SET IntervalStyle = 'iso_8601'",
    "SET extra_float_digits = 1",
    # A chunk that waits for somebody else's lock gives up, so that the fence is let go.
    "SET lock_timeout = '5s'",
    # A policy that hides rows makes an error, never a smaller answer (L16).
    "SET row_security = off",
)
_TEXT, _AS_TEXT = 25, 0  # the type of a text, and the format in which it is sent
# A link that died in silence is noticed within a minute, unless the address says otherwise.
_WIRE: Mapping[str, str] = {
    "connect_timeout": "10",
    "keepalives_idle": "20",
    "keepalives_interval": "10",
    "keepalives_count": "3",
    "tcp_user_timeout": "60000",
}


class PostgresDriver:
    """How PostgreSQL is reached."""

    dialect = POSTGRES
    extra = "postgres"
    writes_at_once = True
    logs_what_it_tidies = True
    sorts_first = True
    set_checks = PostgresSetChecks()
    # As many as there are lanes, and one that keeps a snapshot: nobody waits for the pool.
    engine_options: Mapping[str, Any] = {"max_overflow": -1}
    snapshot_options: Mapping[str, Any] = {
        "isolation_level": "REPEATABLE READ",
        "postgresql_readonly": True,
    }
    transaction_options: Mapping[str, Any] = {}

    def address(self, url: sa.URL) -> sa.URL:
        """Name the driver that copies."""
        query = {**_WIRE, **url.query}
        return url.set(drivername="postgresql+psycopg", query=query)

    def prepare(self, engine: sa.Engine) -> None:
        """Settle how values are written, whatever the server thinks."""
        sa.event.listen(engine, "connect", _prepare)

    def catalog(
        self, connection: sa.Connection, *, schema: str | None, further: Sequence[str]
    ) -> Catalog:
        """Read what the database declares now."""
        return read_catalog(connection, schema=schema, further=further)

    def share_snapshot(self, connection: sa.Connection, other: sa.Connection) -> None:
        """Let another connection read the very state that one reads."""
        token = connection.exec_driver_sql("SELECT pg_export_snapshot()").scalar_one()
        other.exec_driver_sql(f"SET TRANSACTION SNAPSHOT '{token}'")

    def renders_at_once(
        self, connection: sa.Connection, table: sa.TableClause, rows: Callable[[], sa.Select[Any]]
    ) -> bool:
        """Ask for its plan, unless the table is too small for several, which most tables are."""
        driver: Any = connection.connection.driver_connection
        name = connection.dialect.identifier_preparer.format_table(table)
        with driver.cursor() as cursor:
            (is_small,) = cursor.execute(_IS_SMALL, {"name": name}, prepare=True).fetchone()
            if is_small:
                return False
            text, params = compile_statement(rows(), connection.dialect)
            plan = cursor.execute("EXPLAIN " + text, params).fetchall()
        return any(line.lstrip(" ->").startswith("Gather") for (line,) in plan)

    def blocks(self, connection: sa.Connection, rows: sa.Select[Any]) -> Stream[bytes]:
        """Stream a one-column select of texts, in blocks of whole lines."""
        text, params = compile_statement(rows, connection.dialect)
        driver: Any = connection.connection.driver_connection
        command = "COPY (" + text + _COPY_OPTIONS
        with driver.cursor() as cursor, cursor.copy(command, params) as copy:
            held: list[bytes] = []
            size = 0
            for line in copy:
                held.append(bytes(line))
                size += len(line)
                if size >= BLOCK_BYTES:
                    yield b"".join(held)
                    held, size = [], 0
            if held:
                yield b"".join(held)

    def refusal(self, connection: sa.Connection, needs: Sequence[Need]) -> Trouble | None:
        """Say which privileges are missing, or which rows are hidden."""
        return postgres_permission.refusal(connection, needs)

    def rows(
        self, connection: sa.Connection, query: sa.Select[Any]
    ) -> Stream[Sequence[Sequence[Any]]]:
        """Stream the driver's own rows, numbers in binary.

        Not through a cursor of the server: for one of those it never plans to read in parallel.
        """
        text, params = compile_statement(query, connection.dialect)
        driver: Any = connection.connection.driver_connection
        are_numbers = all(isinstance(each.type, sa.Integer) for each in query.selected_columns)
        can_stream_blocks = connection.dialect.loaded_dbapi.capabilities.has_stream_chunked()
        at_once = BLOCK_ROWS if can_stream_blocks else 1
        with (
            driver.cursor() as cursor,
            closing(cursor.stream(text, params, binary=are_numbers, size=at_once)) as found,
        ):
            while block := list(islice(found, BLOCK_ROWS)):
                yield block

    def classify(self, error: BaseException) -> Trouble:
        """Say what an error of psycopg means."""
        return postgres_trouble.classify(error)


def _prepare(connection: DBAPIConnection, _record: object) -> None:
    with closing(connection.cursor()) as cursor:
        for setting in _SESSION:
            cursor.execute(setting)
    connection.commit()
    adapters: Any = connection.adapters  # psycopg reads no interval that is written by a standard
    adapters.register_loader("interval", adapters.get_loader(_TEXT, _AS_TEXT))
