"""The yardstick: what somebody who knows this one schema writes by hand, and runs once.

Everything that Offramp is compared with lives here. It is fast because it does without nearly
everything: no map, no fence, no chunks, one transaction that holds its locks to the end, nothing
to resume, and no proof but the number of rows.
"""

# ruff: noqa: S608 - every part of these statements is written in this folder

import hashlib
import os
import sqlite3
from pathlib import Path

import psycopg

from benchmarks.schema import OWNED, date_of

_OF_PERSON = ("people p", "t.person_id = p.id AND p.organization_id = {id}")
_OF_ENROLLMENT = (
    "enrollments e, people p",
    "t.enrollment_id = e.id AND e.person_id = p.id AND p.organization_id = {id}",
)
_DIRECT = ("", "t.organization_id = {id}")

# Children first: the tables to join, and what is true of the rows that are meant.
WAYS = {
    "answers": (
        "visits v, enrollments e, people p",
        "t.visit_id = v.id AND v.enrollment_id = e.id AND e.person_id = p.id"
        " AND p.organization_id = {id}",
    ),
    "award_events": (
        "awards a, enrollments e, people p",
        "t.award_id = a.id AND a.enrollment_id = e.id AND e.person_id = p.id"
        " AND p.organization_id = {id}",
    ),
    "visits": _OF_ENROLLMENT,
    "awards": _OF_ENROLLMENT,
    "enrollments": _OF_PERSON,
    "badges": _OF_PERSON,
    "notes": _OF_PERSON,
    "events": _DIRECT,
    "uploads": _DIRECT,
    "grants": _DIRECT,
    "memberships": _DIRECT,
    "pools": _DIRECT,
    "people": _DIRECT,
    "teams": _DIRECT,
    "organizations": ("", "t.id = {id}"),
}
BREAK_CYCLE = "UPDATE teams SET lead_id = NULL WHERE organization_id = {id}"

# Control characters as quote and delimiter leave the JSON as it is.
_COPY = r"COPY ({query}) TO STDOUT WITH (FORMAT csv, QUOTE E'\x01', DELIMITER E'\x02')"


def select(table: str, fields: str, *, organization: int) -> str:
    """Select the rows of one organization."""
    joined, which = WAYS[table]
    tables = f"{table} t, {joined}" if joined else f"{table} t"
    return f"SELECT {fields} FROM {tables} WHERE {which.format(id=organization)}"


def export(connection: psycopg.Connection, file: Path, *, organization: int) -> dict[str, int]:
    """Write every row as a line of JSON into one synced file (A); gives the rows by table."""
    rows = {}
    with file.open("wb") as sink, connection.cursor() as cursor:
        for table in WAYS:
            query = select(table, "row_to_json(t)", organization=organization)
            seen = hashlib.sha256()
            with cursor.copy(_COPY.format(query=query).encode()) as copy:
                for line in copy:
                    seen.update(line)
                    sink.write(line)
            rows[table] = cursor.rowcount
        sink.flush()
        os.fsync(sink.fileno())
    connection.commit()
    return rows


def delete(connection: psycopg.Connection, *, organization: int) -> dict[str, int]:
    """Delete every row, children first, in one transaction (D); gives the rows by table."""
    with connection.transaction(), connection.cursor() as cursor:
        cursor.execute(BREAK_CYCLE.format(id=organization).encode())
        return {
            table: cursor.execute(_delete(table, organization).encode()).rowcount for table in WAYS
        }


def count(connection: psycopg.Connection, *, organization: int) -> dict[str, int]:
    """Count the rows of an organization in each of its tables."""
    counted = {
        table: _number(
            connection.execute(select(table, "count(*)", organization=organization).encode())
        )
        for table in WAYS
    }
    connection.commit()
    return counted


def tables_left(connection: psycopg.Connection, *, organization: int) -> list[str]:
    """List the tables that still hold a row of an organization."""
    return [table for table, rows in count(connection, organization=organization).items() if rows]


def hash_rows(connection: psycopg.Connection, *, organization: int, key: bytes) -> dict[str, int]:
    """Hash the people of rows that stay, one update of each table (H); gives the rows by table."""
    padded = key.ljust(64, b"\0")
    pads = {
        "inner": bytes(byte ^ 0x36 for byte in padded) + b"value\0",
        "outer": bytes(byte ^ 0x5C for byte in padded),
    }
    rows = {}
    with connection.transaction(), connection.cursor() as cursor:
        for table in OWNED:
            if table.hashed:
                values = ", ".join(f"{name} = {_pseudonym(name)}" for name in table.hashed)
                joined, which = WAYS[table.name]
                source = f" FROM {joined}" if joined else ""
                update = f"UPDATE {table.name} t SET {values}{source} WHERE {which}"
                cursor.execute(update.format(id=organization).encode(), pads)
                rows[table.name] = cursor.rowcount
    return rows


def note_kept(connection: psycopg.Connection, file: Path, *, organization: int) -> dict[str, int]:
    """List every row that stays with the date its end is counted from (K); gives the rows."""
    rows = {}
    with file.open("wb") as sink, connection.cursor() as cursor:
        for table in OWNED:
            fields = ", ".join(f"t.{name}" for name in (*table.key.split(", "), date_of(table)))
            query = select(table.name, fields, organization=organization)
            with cursor.copy(f"COPY ({query}) TO STDOUT".encode()) as copy:
                for block in copy:
                    sink.write(block)
            rows[table.name] = cursor.rowcount
        sink.flush()
        os.fsync(sink.fileno())
    connection.commit()
    return rows


def scan(connection: psycopg.Connection, *, mark: str) -> int:
    """Search every table once for a text (V); gives the number of rows that hold it."""
    found = 0
    for table in (*(owned.name for owned in OWNED), "subjects", "units"):
        query = f"SELECT count(*) FROM {table} t WHERE t::text LIKE %(mark)s"
        found += _number(connection.execute(query.encode(), {"mark": f"%{mark}%"}))
    connection.commit()
    return found


def export_sqlite(connection: sqlite3.Connection, file: Path, *, organization: int) -> None:
    """Do the same as `export` for SQLite."""
    with file.open("wb") as sink:
        for table in OWNED:
            pairs = ", ".join(f"'{name}', t.{name}" for name in table.names())
            seen = hashlib.sha256()
            query = select(table.name, f"json_object({pairs})", organization=organization)
            for (line,) in connection.execute(query):
                encoded = line.encode() + b"\n"
                seen.update(encoded)
                sink.write(encoded)
        sink.flush()
        os.fsync(sink.fileno())


def delete_sqlite(connection: sqlite3.Connection, *, organization: int) -> None:
    """Do the same as `delete` for SQLite."""
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("BEGIN IMMEDIATE")
    connection.execute(BREAK_CYCLE.format(id=organization))
    for table in WAYS:
        query = select(table, "t.rowid", organization=organization)
        connection.execute(f"DELETE FROM {table} WHERE rowid IN ({query})")
    connection.execute("COMMIT")


def _delete(table: str, organization: int) -> str:
    joined, which = WAYS[table]
    source = f" USING {joined}" if joined else ""
    return f"DELETE FROM {table} t{source} WHERE {which.format(id=organization)}"


def _pseudonym(column: str) -> str:
    """Compute HMAC-SHA-256 in SQL, as RFC 2104 defines it, in the form that Offramp gives it."""
    inner = f"sha256(%(inner)s::bytea || convert_to({column}, 'UTF8'))"
    digits = f"left(encode(sha256(%(outer)s::bytea || {inner}), 'hex'), 32)"
    suffix = f"CASE WHEN {column} LIKE '%%@%%' THEN '@erased.invalid' ELSE '' END"
    return f"'erased-' || {digits} || {suffix}"


def _number(cursor: psycopg.Cursor[tuple[int]]) -> int:
    row = cursor.fetchone()
    return row[0] if row else 0
