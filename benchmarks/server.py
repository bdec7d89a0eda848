"""A PostgreSQL that is measured fairly: durable, with room in memory, and nobody else on it."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import LiteralString

import psycopg
import sqlalchemy as sa

from benchmarks.meter import parent_of
from offramp.testing import postgres

# Durable as in production. Nothing runs in the background by its own clock, so that two sides of
# a comparison meet the same server.
SETTINGS = {
    "fsync": "on",
    "synchronous_commit": "on",
    "full_page_writes": "on",
    "shared_buffers": "1GB",
    "work_mem": "64MB",
    "maintenance_work_mem": "256MB",
    "max_wal_size": "8GB",
    "checkpoint_timeout": "1h",
    "random_page_cost": "1.1",
    "autovacuum": "off",
    "jit": "off",
}

_LARGE_BYTES = 2 << 30  # from here on a copy is faster than writing every page to the log


@contextmanager
def durable_postgres() -> Iterator[str]:
    """Run a server for the length of the block, and give the URL of its maintenance database."""
    with postgres.running_postgres(settings={**postgres.SETTINGS, **SETTINGS}) as base_url:
        yield base_url


@contextmanager
def clone(base_url: str, template: str) -> Iterator[str]:
    """Give a database with the rows of another, after a checkpoint, so that each starts alike."""
    with connect(base_url) as connection:
        size = _number(connection, "SELECT pg_database_size(%(name)s)", {"name": template})
    strategy: postgres.Strategy = "file_copy" if size > _LARGE_BYTES else "wal_log"
    with postgres.fresh_database(base_url, template=template, strategy=strategy) as url:
        with connect(base_url) as connection:
            connection.autocommit = True
            connection.execute("CHECKPOINT")
        yield url


def connect(url: str) -> psycopg.Connection:
    """Connect by the plain driver, as one does by hand."""
    user = sa.make_url(url).username
    return psycopg.connect(host=socket_folder_of(url), dbname=database_of(url), user=user)


def socket_folder_of(url: str) -> str:
    """Give the folder in which the server listens."""
    host = sa.make_url(url).query["host"]
    assert isinstance(host, str), "the server listens on one socket"
    return host


def database_of(url: str) -> str:
    """Give the name of the database that a URL leads to."""
    name = sa.make_url(url).database
    assert name is not None, "every URL here names its database"
    return name


def process_of_server(url: str) -> int:
    """Give the number of the process that starts all others of a server."""
    with connect(url) as connection:
        return parent_of(connection.info.backend_pid)


def version_of_server(url: str) -> str:
    """Say which server it is."""
    with connect(url) as connection:
        return f"PostgreSQL {connection.info.parameter_status('server_version')}"


def written_bytes(connection: psycopg.Connection) -> int:
    """Tell how many bytes of log the server has written so far."""
    written = _number(connection, "SELECT pg_current_wal_insert_lsn() - '0/0'::pg_lsn")
    connection.commit()
    return written


def _number(
    connection: psycopg.Connection, query: LiteralString, values: Mapping[str, str] | None = None
) -> int:
    row = connection.execute(query, values).fetchone()
    assert row is not None, "the server knows about itself"
    return int(row[0])
