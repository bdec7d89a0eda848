"""Rows of a document into MySQL and MariaDB, whose strict mode lets nothing be cut or rounded.

Everything that turns the text of a value back into what was stored lives here; it is the other
side of `dialects.mysql`. Values travel as texts wherever the server reads its own texts back.

Limits: InnoDB checks a reference as soon as a row is written, so rows that need one another come
back only if each one's parent comes first; a text that MariaDB takes for JSON, and nobody else
does, comes back as a JSON string.

Source: MySQL, "FOREIGN KEY Constraints", "Server Error Message Reference".
"""

import json
import re
from base64 import b64decode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import DataError, IntegrityError

from offramp.core.errors import Refused
from offramp.data.catalog.catalog import CatalogColumn
from offramp.data.handover.rendering import select_texts
from offramp.data.restoration.error import (
    EngineUnfit,
    ReferenceMissing,
    ValueMissing,
    ValueTaken,
    ValueUnfit,
)
from offramp.data.restoration.row_text import NULL, Row, split_row
from offramp.data.sources.mysql import row_too_long
from offramp.data.sources.mysql_trouble import classify, error_of
from offramp.data.sources.trouble import ChangeRefused
from offramp.data.territory import Territory

Stored = None | int | float | str | bytes
_TAKEN = re.compile(r".* for key '(?:[^'.]*\.)?([^']+)'")
_EMPTY = re.compile(r"Column '(.+)' cannot be null")
_CONSTRAINT = re.compile(r".*CONSTRAINT `(.+?)` FOREIGN KEY")
_INDEX = """
SELECT column_name FROM information_schema.statistics
WHERE table_schema = coalesce(:schema, database()) AND table_name = :place AND index_name = :index
ORDER BY seq_in_index
"""


@dataclass(frozen=True, kw_only=True)
class MysqlRows:
    """Finds and writes rows of one MySQL or MariaDB source inside one transaction."""

    territory: Territory
    connection: sa.Connection

    def __post_init__(self) -> None:
        """Refuse tables that would stay as they are when the transaction is taken back."""
        for name in sorted(self.territory.covered):
            engine = self.territory.catalog.tables[name].engine
            if engine is not None:
                raise EngineUnfit(
                    table=self.territory.id_of(name),
                    engine=engine,
                    hint=f"ALTER TABLE {name} ENGINE = InnoDB",
                )

    def defer(self) -> None:
        """Nothing can be deferred here: older rows come first in a document, and that is enough."""

    def find(
        self, name: str, by: Sequence[str], columns: Sequence[str], rows: Sequence[Row]
    ) -> list[Row]:
        """Read some columns of the live rows that equal one of these rows in some others."""
        live = self._columns(name)
        table = self.territory.table(name)
        dialect = self.territory.dialect
        keys = [[stored(row[column], live[column]) for row in rows] for column in by]
        which = dialect.in_chunk([table.c[each] for each in by], {each: live[each] for each in by})
        found = select_texts(self.territory, table, [live[column] for column in columns], which)
        params = dialect.chunk_params(keys)
        return [self._split(text) for text in self.connection.execute(found, params).scalars()]

    def insert(self, name: str, columns: Sequence[str], rows: Sequence[Row]) -> None:
        """Write new rows."""
        live = self._columns(name)
        values = [{each: stored(row[each], live[each]) for each in columns} for row in rows]
        self._write(name, sa.insert(self._plain_table(name)), values)

    def update(
        self, name: str, key: Sequence[str], columns: Sequence[str], rows: Sequence[Row]
    ) -> None:
        """Write some columns of rows that are there."""
        live = self._columns(name)
        table = self._plain_table(name)
        which = [table.c[each] == sa.bindparam(f"key {each}") for each in key]
        stamps = {each.name: table.c[each.name] for each in live.values() if each.is_stamped}
        change = sa.update(table).where(*which)
        change = change.values(stamps | {each: sa.bindparam(f"new {each}") for each in columns})
        values = [
            {f"key {each}": stored(row[each], live[each]) for each in key}
            | {f"new {each}": stored(row[each], live[each]) for each in columns}
            for row in rows
        ]
        self._write(name, change, values)

    def continue_numbering(self, _name: str, _column: str) -> None:
        """InnoDB takes the number after the highest one that was written by itself."""

    def _columns(self, name: str) -> Mapping[str, CatalogColumn]:
        return self.territory.catalog.tables[name].columns

    def _split(self, text: str | None) -> Row:
        if text is None:
            raise row_too_long(self.connection)
        return split_row(text)

    def _plain_table(self, name: str) -> sa.TableClause:
        """Name a table whose values go to the driver as they are."""
        table = self.territory.catalog.tables[name]
        schema = table.schema or self.territory.spec.schema_name
        return sa.table(table.own_name, *map(sa.column, table.columns), schema=schema)

    def _write(self, name: str, statement: sa.UpdateBase, values: list[dict[str, Stored]]) -> None:
        table = self.territory.id_of(name)
        try:
            self.connection.execute(statement, values)
        except IntegrityError as error:
            raise self._refusal(name, error.orig) from error
        except DataError as error:
            raise ValueUnfit(table=table, rule=classify(error.orig or error).reason) from error
        except ChangeRefused as error:
            raise ValueUnfit(table=table, rule=error.reason) from error

    def _refusal(self, name: str, error: BaseException | None) -> Refused:
        """Say which rule was broken by the names that the database gives, never by its text."""
        table = self.territory.id_of(name)
        assert error is not None, "an error of the driver is behind every broken rule"
        number, text = error_of(error)
        if number == 1062 and (taken := _TAKEN.fullmatch(text)):
            columns = ", ".join(self._columns_of(name, taken[1])) or taken[1]
            return ValueTaken(table=table, columns=columns, hint="change or remove that row")
        if number == 1048 and (empty := _EMPTY.fullmatch(text)):
            return ValueMissing(table=table, column=empty[1])
        if constraint := _CONSTRAINT.match(text):
            return ReferenceMissing(
                table=table, columns=constraint[1], rows="some", parent="another table"
            )
        return ValueUnfit(table=table, rule=classify(error).reason)

    def _columns_of(self, name: str, index: str) -> list[str]:
        table = self.territory.catalog.tables[name]
        schema = table.schema or self.territory.spec.schema_name
        params = {"schema": schema, "place": table.own_name, "index": index}
        return list(self.connection.execute(sa.text(_INDEX), params).scalars())


def stored(text: str, column: CatalogColumn) -> Stored:
    """Turn the text of a JSON value back into what was stored."""
    kind = column.type
    if text == NULL:
        return NULL if isinstance(kind, sa.JSON) and not column.nullable else None
    if isinstance(kind, sa.JSON):
        return text
    # There is a zero below zero, which only a float can hold.
    value: Any = json.loads(text, parse_int=float if isinstance(kind, sa.Float) else int)
    match kind:
        case sa.LargeBinary() | sa.BINARY() | sa.VARBINARY():
            return b64decode(value)
        case sa.DateTime():
            return str(value).replace("T", " ").removesuffix("+00:00")
    return int(value) if isinstance(value, bool) else value
