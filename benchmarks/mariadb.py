"""The measured database on MariaDB: its tables, its rows, and a server that is measured fairly.

The rows are those of PostgreSQL, carried over table by table. A copy of the database is a copy of
the server's files, since MariaDB has no templates.
"""

# ruff: noqa: S608 - every part of these statements is written in this folder

import shutil
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pymysql
import sqlalchemy as sa

from benchmarks.schema import TABLES, Table, key_of
from offramp.testing import mariadb

DATABASE = "bench"

# Durable as in production, with room in memory.
SETTINGS = {
    "innodb-flush-log-at-trx-commit": "1",
    "innodb-doublewrite": "1",
    "innodb-flush-method": "O_DIRECT",
    "innodb-buffer-pool-size": "1G",
    "innodb-log-file-size": "256M",
    "local-infile": "1",
}

_TYPES = {
    "timestamptz": "datetime(6)",
    "jsonb": "json",
    "boolean": "tinyint(1)",
    "real": "float",
    "text": "text",
}
_INDEXED_TEXT = "varchar(190)"  # an index does not take a text of any length
_AS_TEXT = {"timestamptz": "({} AT TIME ZONE 'UTC')::text", "boolean": "{}::int"}


def tables() -> Iterator[str]:
    """Create the tables with everything that keeps them in order."""
    for table in TABLES:
        parts = [
            *(_column(table, name, kind) for name, kind in table.fields()),
            f"PRIMARY KEY ({table.key})",
            *([f"UNIQUE {table.name}_once ({table.unique})"] if table.unique else []),
            *(
                f"INDEX {table.name}_link_{place} ({link.columns})"
                for place, link in enumerate(table.links)
                if not link.is_indexed_by_key
            ),
            *(
                f"FOREIGN KEY ({link.columns}) REFERENCES {link.parent} ({key_of(link.parent)})"
                for link in table.links
            ),
        ]
        yield f"CREATE TABLE {table.name} ({', '.join(parts)})"


def fill(source: psycopg.Connection, data: Path) -> None:
    """Make the files of a server that holds the rows of a PostgreSQL database."""
    with running(data) as base_url, closing(connect(base_url)) as target, target.cursor() as cursor:
        cursor.execute(f"CREATE DATABASE {DATABASE}")
        cursor.execute(f"USE {DATABASE}")
        # The rows are in order already, and the tables refer to one another in a circle.
        cursor.execute("SET foreign_key_checks = 0, unique_checks = 0")
        for statement in tables():
            cursor.execute(statement)
        for table in TABLES:
            file = data.with_suffix(".rows")
            _unload(source, table, file)
            # Both databases write and read NULL and control characters alike.
            load = f"LOAD DATA LOCAL INFILE %s INTO TABLE {table.name} CHARACTER SET utf8mb4"
            cursor.execute(load, (str(file),))
            file.unlink()
        target.commit()
        cursor.execute(f"ANALYZE TABLE {', '.join(table.name for table in TABLES)}")


@contextmanager
def copy(data: Path) -> Iterator[str]:
    """Run a server on a copy of files, and give the URL of the measured database."""
    copied = data.with_suffix(".copy")
    shutil.copytree(data, copied)
    try:
        with running(copied) as base_url:
            url = sa.make_url(base_url).set(database=DATABASE)
            yield url.render_as_string(hide_password=False)
    finally:
        shutil.rmtree(copied)


@contextmanager
def running(data: Path) -> Iterator[str]:
    """Run a server on files for the length of the block."""
    settings = {**mariadb.SETTINGS, **SETTINGS}
    with mariadb.running_mariadb(data=data, settings=settings) as base_url:
        yield base_url


def connect(url: str) -> "pymysql.Connection[Any]":
    """Connect by the plain driver, as one does by hand."""
    parts = sa.make_url(url)
    socket = parts.query["unix_socket"]
    assert isinstance(socket, str), "the server listens on one socket"
    return pymysql.connect(
        unix_socket=socket, user=parts.username, database=parts.database, local_infile=True
    )


def process_of_server(connection: "pymysql.Connection[Any]") -> int:
    """Give the number of the server's process."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT @@pid_file")
        (file,) = cursor.fetchone() or ("",)
    return int(Path(file).read_text("ascii"))


def _column(table: Table, name: str, kind: str) -> str:
    word, *rest = kind.split()
    is_in_index = name in f"{table.key}, {table.unique}".split(", ")
    is_indexed_text = word == "text" and is_in_index
    return " ".join((name, _INDEXED_TEXT if is_indexed_text else _TYPES.get(word, word), *rest))


def _unload(source: psycopg.Connection, table: Table, file: Path) -> None:
    fields = ", ".join(
        _AS_TEXT.get(kind.split()[0], "{}").format(name) for name, kind in table.fields()
    )
    query = f"COPY (SELECT {fields} FROM {table.name} ORDER BY {table.key}) TO STDOUT"
    with file.open("wb") as sink, source.cursor() as cursor, cursor.copy(query.encode()) as rows:
        for block in rows:
            sink.write(block)
