"""A SQL database that holds organizations' data: reached, read in one snapshot, written in chunks.

Everything that can go wrong on the wire is translated here, once, and never carries a row's values;
what differs between kinds of databases is a driver's.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError

from offramp.core.errors import Invalid, Refused, Unavailable
from offramp.data.catalog import Catalog, read_catalog
from offramp.data.datamap import DataMap, SqlSourceSpec
from offramp.data.dialects import Dialect
from offramp.data.sources.driver import Driver, compile_statement
from offramp.data.sources.postgres import PostgresDriver
from offramp.data.sources.sqlite import SqliteDriver

_DRIVERS: Mapping[str, Driver] = {"postgresql": PostgresDriver(), "sqlite": SqliteDriver()}
_SUPPORTED = "PostgreSQL or SQLite"


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
    driver: Driver

    @property
    def dialect(self) -> Dialect:
        """The words that the database understands."""
        return self.driver.dialect

    @contextmanager
    def snapshot(self) -> Iterator[sa.Connection]:
        """Read one consistent state, whatever others write meanwhile."""
        with self._begun(self.driver.snapshot_options) as connection:
            yield connection

    @contextmanager
    def transaction(self) -> Iterator[sa.Connection]:
        """Change rows in one short transaction."""
        with self._begun(self.driver.transaction_options) as connection:
            yield connection

    def catalog(self, connection: sa.Connection) -> Catalog:
        """Read what the database declares now."""
        spec = self.spec
        return read_catalog(connection, schema=spec.schema_name, further=spec.schemas)

    def compile(self, statement: sa.ClauseElement) -> tuple[str, Mapping[str, Any]]:
        """Return the text that runs and its bound values."""
        return compile_statement(statement, self.engine.dialect)

    def json_blocks(self, connection: sa.Connection, rows: sa.Select[Any]) -> Iterator[bytes]:
        """Stream a one-column select of JSON texts as blocks of whole lines."""
        return self.driver.blocks(connection, rows)

    def close(self) -> None:
        """Let go of every connection."""
        self.engine.dispose()

    @contextmanager
    def _begun(self, options: Mapping[str, Any]) -> Iterator[sa.Connection]:
        with self._translated(), self.engine.connect() as connection:
            connection = connection.execution_options(**options)
            with connection.begin():
                yield connection

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
        for name, spec in datamap.databases.items()
    }


def open_sql_source(name: str, spec: SqlSourceSpec, *, environment: Mapping[str, str]) -> SqlSource:
    """Prepare a source for use; it connects on its first use.

    Raises:
        SourceUnusable: the address is missing, malformed, or of a kind that is not supported.
        SourceUnavailable: an SQLite file does not exist (one is never made by mistake: L16).
    """
    url, driver = _read_url(name, spec, environment)
    engine = sa.create_engine(url, hide_parameters=True, pool_pre_ping=True)
    driver.prepare(engine)
    return SqlSource(name=name, spec=spec, engine=engine, driver=driver)


def _read_url(
    name: str, spec: SqlSourceSpec, environment: Mapping[str, str]
) -> tuple[sa.URL, Driver]:
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
    if backend not in _DRIVERS:
        reason = f"{backend} is not supported"
        raise SourceUnusable(source=name, reason=reason, hint=f"use {_SUPPORTED}")
    driver = _DRIVERS[backend]
    try:
        return driver.address(url), driver
    except FileNotFoundError as error:
        reason = "there is no such file"
        raise SourceUnavailable(source=name, reason=reason, hint="is the path right?") from error
