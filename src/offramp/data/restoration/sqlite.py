"""Rows of a document into SQLite, whose types are those of values and not of columns.

Everything that turns the text of a value back into what SQLite stored lives here; it is the other
side of `rendering._sqlite_value`. Numbers are read by Python, which always finds the nearest one.

Limits of what a document can say: bytes in a column that was not declared for bytes come back as
their base64 text, and an instant is written as SQLite's own functions write it, with a space.
"""

import json
import re
from base64 import b64decode, b64encode
from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from offramp.core.errors import Refused
from offramp.data.catalog.catalog import CatalogColumn
from offramp.data.handover.rendering import select_texts
from offramp.data.restoration.error import ReferenceMissing, ValueMissing, ValueTaken, ValueUnfit
from offramp.data.restoration.row_text import NULL, Row, split_row
from offramp.data.territory import Territory, row_value

Stored = None | int | float | str | bytes
_FAILED = re.compile(r"(?P<rule>[A-Z ]+) constraint failed(?:: (?P<where>.+))?")
_SPELLED = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d[^Z]*")
_WHOLE = re.compile(r"-?\d+")
_INTEGER_MAX = 2**63


@dataclass(frozen=True, kw_only=True)
class SqliteRows:
    """Finds and writes rows of one SQLite source inside one transaction."""

    territory: Territory
    connection: sa.Connection

    def defer(self) -> None:
        """Check references at the end, where rows of a table need one another."""
        self.connection.exec_driver_sql("PRAGMA defer_foreign_keys = ON")

    def find(
        self, name: str, by: Sequence[str], columns: Sequence[str], rows: Sequence[Row]
    ) -> list[Row]:
        """Read some columns of the live rows that equal one of these rows in some others."""
        live = self._columns(name)
        keys = [[stored(row[column], live[column]) for column in by] for row in rows]
        entry = sa.func.json_each(sa.bindparam("keys", json.dumps(keys))).table_valued("value")
        wanted = [sa.func.json_extract(entry.c.value, f"$[{place}]") for place in range(len(by))]
        table = self.territory.table(name)
        which = row_value([table.c[column] for column in by]).in_(sa.select(*wanted))
        found = select_texts(self.territory, table, [live[column] for column in columns], which)
        return [split_row(text) for text in self.connection.execute(found).scalars()]

    def insert(self, name: str, columns: Sequence[str], rows: Sequence[Row]) -> None:
        """Write new rows."""
        live = self._columns(name)
        table = self.territory.table(name)
        values = [{each: stored(row[each], live[each]) for each in columns} for row in rows]
        self._write(name, sa.insert(table), values)

    def update(
        self, name: str, key: Sequence[str], columns: Sequence[str], rows: Sequence[Row]
    ) -> None:
        """Write some columns of rows that are there."""
        live = self._columns(name)
        table = self.territory.table(name)
        which = [table.c[each] == sa.bindparam(f"key {each}") for each in key]
        change = sa.update(table).where(*which)
        change = change.values({each: sa.bindparam(f"new {each}") for each in columns})
        values = [
            {f"key {each}": stored(row[each], live[each]) for each in key}
            | {f"new {each}": stored(row[each], live[each]) for each in columns}
            for row in rows
        ]
        self._write(name, change, values)

    def continue_numbering(self, _name: str, _column: str) -> None:
        """SQLite takes the number after the highest one by itself."""

    def _columns(self, name: str) -> dict[str, CatalogColumn]:
        return dict(self.territory.catalog.tables[name].columns)

    def _write(self, name: str, statement: sa.UpdateBase, values: list[dict[str, Stored]]) -> None:
        try:
            self.connection.execute(statement, values)
        except IntegrityError as error:
            raise _refusal(self.territory.id_of(name), str(error.orig)) from error


def stored(text: str, column: CatalogColumn) -> Stored:
    """Turn the text of a JSON value back into what was stored."""
    if text == NULL:
        return NULL if isinstance(column.type, sa.JSON) and not column.nullable else None
    value = json.loads(text)
    if isinstance(column.type, sa.JSON) or not isinstance(value, int | float | str):
        return text
    return _stored_text(value, column.type) if isinstance(value, str) else _number(value)


def _number(value: int | float) -> int | float:
    return int(value) if isinstance(value, bool) else value


def _stored_text(value: str, kind: sa.types.TypeEngine[object]) -> Stored:
    match kind:
        case sa.LargeBinary() | sa.BINARY() | sa.VARBINARY():
            return _bytes(value)
        case sa.Numeric() | sa.Float() | sa.Integer():
            return _exact_number(value)
        case sa.DateTime() if _SPELLED.fullmatch(value):
            return f"{value[:10]} {value[11:]}"
    return value


def _bytes(value: str) -> bytes | str:
    try:
        content = b64decode(value, validate=True)
    except ValueError:
        return value
    return content if b64encode(content).decode() == value else value


def _exact_number(value: str) -> int | float | str:
    if _WHOLE.fullmatch(value) and -_INTEGER_MAX <= int(value) < _INTEGER_MAX:
        return int(value)
    try:
        return float(value)
    except ValueError:
        return value


def _refusal(table: str, message: str) -> Refused:
    """Say what SQLite says, which names columns and never a value."""
    match = _FAILED.fullmatch(message)
    rule, where = (match["rule"], match["where"] or "") if match else ("", message)
    source = table.partition(".")[0]
    columns = ", ".join(part.rpartition(".")[2] for part in where.split(", "))
    match rule:
        case "UNIQUE":
            return ValueTaken(table=table, columns=columns, hint="change or remove that row")
        case "NOT NULL":
            return ValueMissing(table=f"{source}.{where.partition('.')[0]}", column=columns)
        case "FOREIGN KEY":
            return ReferenceMissing(
                table=table, columns="a foreign key", rows="some", parent="another table"
            )
    return ValueUnfit(table=table, rule=where or rule)
