"""A SQL database that holds organizations' data: reached, read in one snapshot, written in chunks.

Everything that differs between drivers and everything that can go wrong on the wire lives here:
driver errors are translated once, and never carry a row's values.

Source: SQLite "Isolation"; PostgreSQL "Transaction Isolation", "COPY".
"""

from base64 import b64encode
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError

from offramp.core.errors import Invalid, Refused, Unavailable
from offramp.data.catalog import Catalog, read_catalog
from offramp.data.datamap import DataMap, SqlSourceSpec

BLOCK_ROWS = 1_000
BLOCK_BYTES = 64 * 1024
BUSY_WAIT_SECONDS = 5

# Control characters cannot occur inside JSON, so nothing is ever quoted or doubled.
_COPY_OPTIONS = r") TO STDOUT WITH (FORMAT csv, QUOTE E'\x01', DELIMITER E'\x02')"
_POSTGRES_SESSION = (
    "SET TIME ZONE 'UTC'",
    "SET DateStyle = 'ISO'",
    "SET IntervalStyle = 'iso_8601'",
    "SET extra_float_digits = 1",
    # A chunk that waits for somebody else's lock gives up, so that the fence is let go.
    "SET lock_timeout = '5s'",
)


class SourceUnavailable(Unavailable):
    """The source {source} cannot be reached: {reason}."""


class SourceUnusable(Invalid):
    """The source {source} is declared in a way that cannot be used: {reason}."""


class SchemaDrifted(Invalid):
    """The source {source} is no longer as it was when this work began: {reason}."""


class RowsInTheWay(Refused):
    """The source {source} refuses the change, because other rows depend on it: {reason}."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SqlSource:
    """One open SQL source."""

    name: str
    spec: SqlSourceSpec
    engine: sa.Engine

    @property
    def is_sqlite(self) -> bool:
        """Say which of the two dialects is spoken."""
        return self.engine.dialect.name == "sqlite"

    @contextmanager
    def snapshot(self) -> Iterator[sa.Connection]:
        """Read one consistent state, whatever others write meanwhile."""
        options: dict[str, Any] = (
            {}
            if self.is_sqlite
            else {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
        )
        with (
            self._translated(),
            self.engine.connect().execution_options(**options) as connection,
            connection.begin(),
        ):
            yield connection

    @contextmanager
    def transaction(self) -> Iterator[sa.Connection]:
        """Change rows in one short transaction; on SQLite it takes the write lock at once."""
        with self._translated(), self.engine.connect() as connection:
            connection = connection.execution_options(offramp_begin="BEGIN IMMEDIATE")
            with connection.begin():
                yield connection

    def catalog(self, connection: sa.Connection) -> Catalog:
        """Read what the database declares now."""
        return read_catalog(connection, schema=self.spec.schema_name)

    def compile(self, statement: sa.ClauseElement) -> tuple[str, Mapping[str, Any]]:
        """Return the text that runs and its bound values."""
        compiled = statement.compile(
            dialect=self.engine.dialect, compile_kwargs={"render_postcompile": True}
        )
        return str(compiled), dict(compiled.params)

    def json_blocks(self, connection: sa.Connection, rows: sa.Select[Any]) -> Iterator[bytes]:
        """Stream a one-column select of JSON texts as blocks of whole lines."""
        return self._fetched(connection, rows) if self.is_sqlite else self._copied(connection, rows)

    def close(self) -> None:
        """Let go of every connection."""
        self.engine.dispose()

    def _fetched(self, connection: sa.Connection, rows: sa.Select[Any]) -> Iterator[bytes]:
        with connection.execution_options(yield_per=BLOCK_ROWS).execute(rows) as result:
            lines = result.scalars()
            while block := list(islice(lines, BLOCK_ROWS)):
                yield ("\n".join(block) + "\n").encode()

    def _copied(self, connection: sa.Connection, rows: sa.Select[Any]) -> Iterator[bytes]:
        text, params = self.compile(rows)
        command = "COPY (" + text + _COPY_OPTIONS
        driver: Any = connection.connection.driver_connection
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

    @contextmanager
    def _translated(self) -> Iterator[None]:
        driver_error = self.engine.dialect.loaded_dbapi.Error
        try:
            yield
        except DBAPIError as error:
            raise self._translation(error.orig) from error
        except driver_error as error:
            raise self._translation(error) from error

    def _translation(self, error: BaseException | None) -> Unavailable | Invalid | Refused:
        """Name the kind of a driver's error; its text may quote rows and is told only if safe."""
        driver: Any = self.engine.dialect.loaded_dbapi
        kind = type(error).__name__
        if isinstance(error, driver.IntegrityError):
            return RowsInTheWay(
                source=self.name,
                reason=kind,
                hint="a row outside of the scope still refers to one inside; run the map check",
            )
        text = str(error).split("\n", 1)[0]
        is_missing = isinstance(error, driver.ProgrammingError) or text.startswith("no such")
        if is_missing:
            return SchemaDrifted(source=self.name, reason=kind, hint="run the map check again")
        reason = text if isinstance(error, driver.OperationalError) else kind
        return SourceUnavailable(
            source=self.name, reason=reason, hint="is the database up, and is the address right?"
        )


def open_sources(datamap: DataMap, *, environment: Mapping[str, str]) -> dict[str, SqlSource]:
    """Open every source of a map; nothing connects before its first use."""
    return {
        name: open_sql_source(name, spec, environment=environment)
        for name, spec in datamap.sources.items()
    }


def open_sql_source(name: str, spec: SqlSourceSpec, *, environment: Mapping[str, str]) -> SqlSource:
    """Prepare a source for use; it connects on its first use.

    Raises:
        SourceUnusable: the address is missing, malformed, or of a kind that is not supported.
        SourceUnavailable: an SQLite file does not exist (one is never made by mistake: L16).
    """
    url = _read_url(name, spec, environment)
    engine = sa.create_engine(url, hide_parameters=True, pool_pre_ping=True)
    if engine.dialect.name == "sqlite":
        sa.event.listen(engine, "connect", _prepare_sqlite)
        sa.event.listen(engine, "begin", _begin_sqlite)
    else:
        sa.event.listen(engine, "connect", _prepare_postgres)
    return SqlSource(name=name, spec=spec, engine=engine)


def _read_url(name: str, spec: SqlSourceSpec, environment: Mapping[str, str]) -> sa.URL:
    address = spec.url
    if address.startswith("env:"):
        variable = address.removeprefix("env:")
        address = environment.get(variable, "")
        if not address:
            reason = f"the variable {variable} is not set"
            raise SourceUnusable(source=name, reason=reason, hint=f"set {variable} to a URL")
    try:
        url = sa.make_url(address)
        backend = url.get_backend_name()
    except (ArgumentError, NoSuchModuleError) as error:
        reason = "its address is not a database URL"
        raise SourceUnusable(source=name, reason=reason, hint="dialect://host/name") from error
    match backend:
        case "postgresql":
            return url.set(drivername="postgresql+psycopg")
        case "sqlite":
            return _existing_file(name, url)
        case _:
            reason = f"{backend} is not supported"
            raise SourceUnusable(source=name, reason=reason, hint="use PostgreSQL or SQLite")


def _existing_file(name: str, url: sa.URL) -> sa.URL:
    if url.database and url.database.startswith("file:"):
        return url
    if not url.database or not Path(url.database).is_file():
        reason = "there is no such SQLite file"
        raise SourceUnavailable(source=name, reason=reason, hint="is the path right?")
    return url.set(database=Path(url.database).resolve().as_uri()).update_query_dict(
        {"mode": "rw", "uri": "true"}
    )


def _prepare_sqlite(connection: DBAPIConnection, _record: object) -> None:
    connection.isolation_level = None  # The driver must not open transactions of its own.
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute(f"PRAGMA busy_timeout = {BUSY_WAIT_SECONDS * 1000}")
    connection.create_function("offramp_base64", 1, _base64, deterministic=True)
    connection.create_function("offramp_real", 1, _real, deterministic=True)


def _begin_sqlite(connection: sa.Connection) -> None:
    options = connection.get_execution_options()
    connection.exec_driver_sql(options.get("offramp_begin", "BEGIN"))


def _prepare_postgres(connection: DBAPIConnection, _record: object) -> None:
    with closing(connection.cursor()) as cursor:
        for setting in _POSTGRES_SESSION:
            cursor.execute(setting)
    connection.commit()


def _base64(value: bytes) -> str:
    return b64encode(value).decode()


def _real(value: float) -> str:
    return repr(value).replace("inf", "Inf")
