"""A deletion as a platform for privacy requests does it: every row by itself.

One query for each row that is handed over and one for each that goes, each its own transaction.
"""

# ruff: noqa: S608 - every part of these statements is written in this folder

import json
import sys
from pathlib import Path

import psycopg
from psycopg.rows import dict_row

from benchmarks.child import report
from benchmarks.schema import OWNED
from benchmarks.server import connect
from benchmarks.yardstick import WAYS, select

_KEYS = {table.name: table.key.split(", ") for table in OWNED}


def leave(connection: psycopg.Connection, *, organization: int, file: Path) -> int:
    """Export and delete every row of an organization; gives the number of rows."""
    rows = 0
    with file.open("w", encoding="utf-8") as sink:
        for table in WAYS:
            fields = ", ".join(f"t.{name}" for name in _KEYS[table])
            query = select(table, fields, organization=organization)
            # Newest first: an answer to a note is younger than the note.
            keys = connection.execute(f"{query} ORDER BY {fields} DESC".encode()).fetchall()
            for key in keys:
                sink.write(_take(connection, table, key))
            rows += len(keys)
    return rows


def _take(connection: psycopg.Connection, table: str, key: tuple[object, ...]) -> str:
    which = " AND ".join(f"{name} = %s" for name in _KEYS[table])
    if table == "people":
        connection.execute("UPDATE teams SET lead_id = NULL WHERE lead_id = %s", key)
    with connection.cursor(row_factory=dict_row) as cursor:
        row = cursor.execute(f"SELECT * FROM {table} WHERE {which}".encode(), key).fetchone()
        cursor.execute(f"DELETE FROM {table} WHERE {which}".encode(), key)
    return json.dumps(row, default=str) + "\n"


def main(url: str, organization: str, file: str) -> None:
    """Let an organization leave, and tell how long it took."""
    with connect(url) as connection:
        connection.autocommit = True
        report(lambda: leave(connection, organization=int(organization), file=Path(file)))


if __name__ == "__main__":
    main(*sys.argv[1:])
