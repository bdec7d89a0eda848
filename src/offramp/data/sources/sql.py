"""A SQL database that holds organizations' data: reached, read in one snapshot, written in chunks.

Everything that can go wrong on the wire is translated here, once, and never carries a row's values;
what differs between kinds of databases is a driver's.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.exc import ArgumentError, DataError, DBAPIError, IntegrityError, NoSuchModuleError

from offramp.core.errors import OfframpError
from offramp.data.catalog.catalog import Catalog
from offramp.data.datamap import DataMap, SqlSourceSpec
from offramp.data.dialects import Dialect
from offramp.data.sources.driver import Driver, SetChecks, compile_statement
from offramp.data.sources.mysql import MysqlDriver
from offramp.data.sources.postgres import PostgresDriver
from offramp.data.sources.sqlite import SqliteDriver
from offramp.data.sources.trouble import CommitUnknown, SourceUnavailable, SourceUnusable

_DRIVERS: Mapping[str, Driver] = {
    "mariadb": MysqlDriver(),
    "mysql": MysqlDriver(),
    "postgresql": PostgresDriver(),
    "sqlite": SqliteDriver(),
}
_SUPPORTED = "PostgreSQL, MySQL, MariaDB or SQLite"


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

    @property
    def set_checks(self) -> SetChecks | None:
        """How references are looked at once for a chunk, where the map asks for it."""
        return self.driver.set_checks if self.spec.set_checks else None

    @contextmanager
    def snapshot(self) -> Iterator[sa.Connection]:
        """Read one consistent state, whatever others write meanwhile."""
        with self._begun(self.driver.snapshot_options) as transaction:
            yield transaction.connection  # and nothing is kept: nothing was changed

    @contextmanager
    def transaction(self) -> Iterator[sa.Connection]:
        """Change rows in one short transaction."""
        with self._begun(self.driver.transaction_options) as transaction:
            yield transaction.connection
            self._commit(transaction)

    def catalog(self, connection: sa.Connection) -> Catalog:
        """Read what the database declares now."""
        spec = self.spec
        return self.driver.catalog(connection, schema=spec.schema_name, further=spec.schemas)

    def compile(self, statement: sa.ClauseElement) -> tuple[str, Mapping[str, Any]]:
        """Return the text that runs and its bound values."""
        return compile_statement(statement, self.engine.dialect)

    @contextmanager
    def json_blocks(
        self, connection: sa.Connection, rows: sa.Select[Any]
    ) -> Iterator[Iterator[bytes]]:
        """Stream a one-column select of JSON texts as blocks of whole lines.

        Whoever stops in the middle leaves the context: the connection can do nothing before.
        """
        with self._translated(), closing(self.driver.blocks(connection, rows)) as blocks:
            yield blocks

    @contextmanager
    def rows(
        self, connection: sa.Connection, query: sa.Select[Any]
    ) -> Iterator[Iterator[Sequence[Sequence[Any]]]]:
        """Stream rows in blocks, with values that can be bound again as they are."""
        with self._translated(), closing(self.driver.rows(connection, query)) as blocks:
            yield blocks

    def close(self) -> None:
        """Let go of every connection."""
        self.engine.dispose()

    @contextmanager
    def _begun(self, options: Mapping[str, Any]) -> Iterator[sa.RootTransaction]:
        with self._translated(), self.engine.connect() as connection:
            transaction = connection.execution_options(**options).begin()
            try:
                yield transaction
            except KeyboardInterrupt:
                connection.invalidate()  # a statement is under way: nothing more can be said on it
                raise
            finally:
                _roll_back(transaction)

    def _commit(self, transaction: sa.RootTransaction) -> None:
        """Keep the changes; a connection that is lost on the way leaves open whether they were."""
        try:
            if transaction.is_active:
                transaction.commit()
        except SourceUnavailable as error:
            raise CommitUnknown(
                source=self.name,
                reason=error.reason,
                hint="run it again: what was kept is found, and is not done twice",
            ) from error

    @contextmanager
    def _translated(self) -> Iterator[None]:
        """Translate what SQLAlchemy does not see: an error of the driver, or a broken rule."""
        driver_error = self.engine.dialect.loaded_dbapi.Error
        try:
            yield
        except DBAPIError as error:
            raise self._error(error.orig or error) from error
        except driver_error as error:
            raise self._error(error) from error

    def _error(self, error: BaseException) -> OfframpError:
        return self.driver.classify(error).in_source(self.name)


def _roll_back(transaction: sa.RootTransaction) -> None:
    """Take back what is still open; what went wrong before is what is told."""
    with suppress(OfframpError):
        if transaction.is_active:
            transaction.rollback()


def open_sources(datamap: DataMap, *, environment: Mapping[str, str]) -> dict[str, SqlSource]:
    """Open every source of a map; nothing connects before its first use."""
    return {
        name: open_sql_source(name, spec, environment=environment)
        for name, spec in datamap.databases.items()
    }


def open_sql_source(name: str, spec: SqlSourceSpec, *, environment: Mapping[str, str]) -> SqlSource:
    """Prepare a source for use; it connects on its first use.

    Raises:
        SourceUnusable: the address is missing, malformed, or of a kind that is not supported, or
            that does not do what the map asks for.
        SourceUnavailable: an SQLite file does not exist (one is never made by mistake: L16).
    """
    url, driver = _read_url(name, spec, environment)
    if spec.set_checks and driver.set_checks is None:
        reason = "only PostgreSQL looks at references in sets"
        raise SourceUnusable(source=name, reason=reason, hint="leave `set_checks` out")
    try:
        engine = sa.create_engine(
            url, hide_parameters=True, pool_pre_ping=True, **driver.engine_options
        )
    except ModuleNotFoundError as error:
        reason = f"the package {error.name} is not installed"
        hint = f'pip install "offramp[{driver.extra}]"'
        raise SourceUnusable(source=name, reason=reason, hint=hint) from error
    driver.prepare(engine)
    sa.event.listen(engine, "handle_error", partial(_translate, name, driver))
    return SqlSource(name=name, spec=spec, engine=engine, driver=driver)


def _translate(name: str, driver: Driver, context: ExceptionContext) -> None:
    """Raise what an error of the driver means, there and then, so that the right source is named.

    A broken rule of the database is left to who knows which rows were written.
    """
    is_rule = isinstance(context.sqlalchemy_exception, IntegrityError | DataError)
    if context.is_pre_ping or is_rule or context.sqlalchemy_exception is None:
        return
    raise driver.classify(context.original_exception).in_source(name)


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
