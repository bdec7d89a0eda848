"""How a database is reached, and what its driver's errors mean to us.

Every setting of a connection and every translation of a driver's error lives here. No message
carries a password, and no statement's values get into an error.

Source: SQLite, "Write-Ahead Logging" and "BEGIN IMMEDIATE"; PostgreSQL, "Client Connection
Defaults"; dependencies, "Default store".
"""

import sqlite3
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.exc import ArgumentError, InterfaceError, OperationalError

from offramp.adapters.store.file import keep_to_file
from offramp.core.errors import Invalid
from offramp.ports import StoreUnavailable

LOCK_WAIT_SECONDS = 2.0
SQLITE_BUSY_SECONDS = 10.0  # there is one writer at a time, and each is short
CONNECT_SECONDS_MAX = 10

_READING = "offramp_reading"  # the option of an engine whose transactions only look
_ONE_LOOK = "offramp_one_look"  # and of one that asks a single question at a time
_LOCK_NOT_AVAILABLE = "55P03"
_UNDEFINED_TABLE = "42P01"


class StoreUrlInvalid(Invalid):
    """The address of the store is not a URL of SQLite or PostgreSQL."""


class LockTimeout(StoreUnavailable):
    """The store cannot be reached: {reason}."""


def connect(url: str, *, lock_wait_seconds: float = LOCK_WAIT_SECONDS) -> Engine:
    """Prepare an engine for a store; nothing is connected before it is used.

    Raises:
        StoreUrlInvalid: neither SQLite nor PostgreSQL.
        StoreUnavailable: PostgreSQL's driver is not installed.
    """
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        raise StoreUrlInvalid(expected="sqlite:///… or postgresql://…") from error
    match parsed.get_backend_name():
        case "sqlite":
            engine = _sqlite(parsed)
        case "postgresql":
            engine = _postgresql(parsed, lock_wait_seconds=lock_wait_seconds)
        case _:
            raise StoreUrlInvalid(expected="sqlite:///… or postgresql://…")
    event.listen(engine, "handle_error", _translate)
    return engine


def for_reading(engine: Engine) -> Engine:
    """Give the same connections for transactions that only look and hold nobody up."""
    return engine.execution_options(**{_READING: True}, postgresql_readonly=True)


def for_one_look(engine: Engine) -> Engine:
    """Give the same connections for single questions, which need no transaction around them."""
    if engine.dialect.name == "postgresql":
        return engine.execution_options(isolation_level="AUTOCOMMIT")
    return engine.execution_options(**{_ONE_LOOK: True})


def is_postgresql(connection: Connection) -> bool:
    """Whether a connection leads to PostgreSQL."""
    return connection.dialect.name == "postgresql"


def _sqlite(url: URL) -> Engine:
    engine = create_engine(url, hide_parameters=True, max_overflow=-1)

    def prepare(connection: Any, _record: object) -> None:  # noqa: ANN401 (a driver's own)
        connection.isolation_level = None  # we say BEGIN ourselves
        try:
            connection.execute(f"PRAGMA busy_timeout = {int(SQLITE_BUSY_SECONDS * 1000)}")
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA foreign_keys = ON")
        except sqlite3.DatabaseError as error:  # SQLAlchemy does not translate what happens here
            connection.close()
            raise StoreUnavailable(reason=str(error)) from error

    event.listen(engine, "connect", prepare)
    event.listen(engine, "begin", _begin)
    if url.database and not url.database.startswith((":memory:", "file:")):
        keep_to_file(engine, Path(url.database))
    return engine


def _begin(connection: Connection) -> None:
    options = connection.get_execution_options()
    if options.get(_ONE_LOOK, False):
        return
    # A transaction that begins by reading cannot become a writer while another one writes.
    is_reading = options.get(_READING, False)
    connection.exec_driver_sql("BEGIN DEFERRED" if is_reading else "BEGIN IMMEDIATE")


def _postgresql(url: URL, *, lock_wait_seconds: float) -> Engine:
    try:
        engine = create_engine(
            url.set(drivername="postgresql+psycopg"),
            hide_parameters=True,
            pool_pre_ping=True,
            max_overflow=-1,  # whoever has a step in hand must never wait for a connection
            connect_args={"connect_timeout": CONNECT_SECONDS_MAX},
        )
    except ModuleNotFoundError as error:
        raise StoreUnavailable(
            reason="the PostgreSQL driver is not installed", hint="install offramp[postgres]"
        ) from error

    def prepare(connection: Any, _record: object) -> None:  # noqa: ANN401 (a driver's own)
        connection.execute(f"SET lock_timeout = '{int(lock_wait_seconds * 1000)}ms'")
        connection.commit()

    event.listen(engine, "connect", prepare)
    return engine


def _translate(context: ExceptionContext) -> StoreUnavailable | None:
    """Say what an error of the driver means, as SQLAlchemy asks at every one of them.

    A connection that was found dead when it was asked whether it lives is replaced, not told.
    """
    if context.is_pre_ping:
        return None
    error = context.original_exception
    state = getattr(error, "sqlstate", None)
    reason = (str(error).splitlines() or [type(error).__name__])[0]
    if state == _UNDEFINED_TABLE or reason.startswith("no such table"):
        return StoreUnavailable(reason="its tables have not been made", hint="run: offramp init")
    if state == _LOCK_NOT_AVAILABLE:
        return LockTimeout(reason="somebody else is holding what is needed")
    if isinstance(context.sqlalchemy_exception, OperationalError | InterfaceError):
        return StoreUnavailable(reason=_without_password(reason, context.engine))
    return None


def _without_password(reason: str, engine: Engine | None) -> str:
    password = engine.url.password if engine is not None else None
    return reason.replace(password, "…") if password else reason
