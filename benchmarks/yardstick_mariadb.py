"""The yardstick on MariaDB: export and deletion as somebody who knows this schema writes them."""

import hashlib
import os
from pathlib import Path
from typing import Any

import pymysql
from pymysql.cursors import SSCursor

from benchmarks.schema import OWNED
from benchmarks.yardstick import BREAK_CYCLE, WAYS, select

_COLUMNS = {table.name: table.names() for table in OWNED}
# MariaDB checks every row as it goes, so that an answer has to go before what it answers.
_YOUNGEST_FIRST = {
    "notes": "DELETE FROM notes WHERE person_id IN"
    " (SELECT id FROM people WHERE organization_id = {id}) ORDER BY id DESC"
}


def export(
    connection: "pymysql.Connection[Any]", file: Path, *, organization: int
) -> dict[str, int]:
    """Write every row as a line of JSON into one synced file (A); gives the rows by table."""
    rows = {}
    with file.open("wb") as sink, connection.cursor(SSCursor) as cursor:
        for table in WAYS:
            pairs = ", ".join(f"'{name}', t.{name}" for name in _COLUMNS[table])
            seen = hashlib.sha256()
            cursor.execute(select(table, f"JSON_OBJECT({pairs})", organization=organization))
            rows[table] = 0
            for (line,) in cursor:
                encoded = line.encode() + b"\n"
                seen.update(encoded)
                sink.write(encoded)
                rows[table] += 1
        sink.flush()
        os.fsync(sink.fileno())
    connection.commit()
    return rows


def delete(connection: "pymysql.Connection[Any]", *, organization: int) -> dict[str, int]:
    """Delete every row, children first, in one transaction (D); gives the rows by table."""
    with connection.cursor() as cursor:
        cursor.execute(BREAK_CYCLE.format(id=organization))
        rows = {table: cursor.execute(_delete(table, organization)) for table in WAYS}
    connection.commit()
    return rows


def _delete(table: str, organization: int) -> str:
    if table in _YOUNGEST_FIRST:
        return _YOUNGEST_FIRST[table].format(id=organization)
    joined, which = WAYS[table]
    tables = f"{table} t, {joined}" if joined else f"{table} t"
    return f"DELETE t FROM {tables} WHERE {which.format(id=organization)}"
