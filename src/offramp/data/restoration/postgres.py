"""Rows of a document into PostgreSQL, which reads its own JSON back better than anybody else.

A batch travels as one JSON text and the database turns it into rows of the table's own type, so
that enums, arrays, intervals, endless instants and exact decimals need no law of ours. Bytes alone
are told apart, because a document has them in base64.

A live row is looked up by its index, key by key, whatever the statistics say: those of a table that
was emptied are of no rows, and a plan made for them reads everything again for every batch. Hence
the lookups stand behind ``OFFSET 0``, which PostgreSQL plans by itself.

Source: PostgreSQL, "JSON Functions" (json_populate_record), "INSERT" (OVERRIDING SYSTEM VALUE),
"PostgreSQL Error Codes" (class 23).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlalchemy.exc import DataError, IntegrityError

from offramp.core.errors import Refused
from offramp.data.catalog.catalog import CatalogColumn
from offramp.data.handover.rendering import select_texts
from offramp.data.restoration.error import ReferenceMissing, ValueMissing, ValueTaken, ValueUnfit
from offramp.data.restoration.row_text import Row, join_rows, split_row
from offramp.data.territory import Territory

_SEQUENCE = """
SELECT sequence.oid::regclass::text FROM pg_catalog.pg_attrdef AS preset
JOIN pg_catalog.pg_depend AS needs ON needs.classid = 'pg_attrdef'::regclass
  AND needs.objid = preset.oid AND needs.refclassid = 'pg_class'::regclass
JOIN pg_catalog.pg_class AS sequence ON sequence.oid = needs.refobjid AND sequence.relkind = 'S'
JOIN pg_catalog.pg_attribute AS field ON field.attrelid = preset.adrelid
  AND field.attnum = preset.adnum
WHERE preset.adrelid = CAST(CAST(:place AS text) AS regclass)
  AND field.attname = CAST(:field AS text)
UNION SELECT pg_get_serial_sequence(CAST(:place AS text), CAST(:field AS text))
ORDER BY 1 NULLS LAST LIMIT 1
"""
_ZERO: sa.ColumnElement[int] = sa.literal_column("0", sa.Integer)


@dataclass(frozen=True, kw_only=True)
class PostgresRows:
    """Finds and writes rows of one PostgreSQL source inside one transaction."""

    territory: Territory
    connection: sa.Connection

    def defer(self) -> None:
        """Check those references at the end that may be checked then."""
        self.connection.exec_driver_sql("SET CONSTRAINTS ALL DEFERRED")

    def find(
        self, name: str, by: Sequence[str], columns: Sequence[str], rows: Sequence[Row]
    ) -> list[Row]:
        """Read some columns of the live rows that equal one of these rows in some others."""
        table, described = self.territory.table(name), self._columns(name)
        text = f"SELECT made.* FROM {self._made(name)}"  # noqa: S608
        asked = sa.text(text).columns(*(sa.column(each) for each in by)).subquery("asked")
        needed = [table.c[each] for each in dict.fromkeys((*by, *columns))]
        equal = sa.select(*needed).where(*(table.c[each] == asked.c[each] for each in by))
        if self.territory.catalog.tables[name].is_indexed(tuple(by)):
            equal = equal.offset(_ZERO)
        live = equal.lateral("live")
        rows_found = sa.select(live).select_from(asked.join(live, sa.true())).subquery("found")
        wanted = [described[each] for each in columns]
        found = select_texts(self.territory, rows_found, wanted, sa.true())
        keys = [{each: row[each] for each in by} for row in rows]
        texts = self.connection.execute(found, {"lines": join_rows(keys)}).scalars()
        return [split_row(each) for each in texts]

    def insert(self, name: str, columns: Sequence[str], rows: Sequence[Row]) -> None:
        """Write new rows in one statement, so that they may refer to one another."""
        names = ", ".join(map(_quote, columns))
        values = ", ".join(self._value(name, column) for column in columns)
        text = (
            f"INSERT INTO {self._place(name)} ({names}) OVERRIDING SYSTEM VALUE "  # noqa: S608
            f"SELECT {values} FROM {self._made(name)}"
        )
        self._write(name, text, rows)

    def update(
        self, name: str, key: Sequence[str], columns: Sequence[str], rows: Sequence[Row]
    ) -> None:
        """Write some columns of rows that are there."""
        place = self._place(name)
        changes = ", ".join(f"{_quote(each)} = {self._value(name, each)}" for each in columns)
        which = " AND ".join(f"there.{_quote(each)} = made.{_quote(each)}" for each in key)
        text = (
            f"UPDATE {place} AS changed SET {changes} FROM {self._made(name)}, "  # noqa: S608
            f"LATERAL (SELECT there.tableoid AS part, there.ctid AS spot FROM {place} AS there "
            f"WHERE {which} OFFSET 0) AS live "
            "WHERE changed.ctid = live.spot AND changed.tableoid = live.part"
        )
        self.connection.exec_driver_sql("SET LOCAL enable_seqscan = off")
        self._write(name, text, rows)
        self.connection.exec_driver_sql("SET LOCAL enable_seqscan TO DEFAULT")

    def continue_numbering(self, name: str, column: str) -> None:
        """Let the next new row get a number after all that are there now."""
        place = self._place(name).replace("\\:", ":")
        sequence = self.connection.scalar(sa.text(_SEQUENCE), {"place": place, "field": column})
        if sequence is None:
            return
        highest = self.connection.scalar(
            sa.select(sa.func.max(self.territory.table(name).c[column]))
        )
        text = f"SELECT setval(:sequence, :highest) FROM {sequence} WHERE last_value < :highest"  # noqa: S608
        if highest is not None:
            self.connection.execute(sa.text(text), {"sequence": sequence, "highest": highest})

    def _columns(self, name: str) -> Mapping[str, CatalogColumn]:
        return self.territory.catalog.tables[name].columns

    def _place(self, name: str) -> str:
        table = self.territory.catalog.tables[name]
        schema = table.schema or self.territory.spec.schema_name
        place = _quote(table.own_name)
        return f"{_quote(schema)}.{place}" if schema else place

    def _made(self, name: str) -> str:
        """Say how a batch becomes rows of a table's type."""
        return (
            "json_array_elements(CAST(:lines AS json)) AS entry (line), "
            f"json_populate_record(CAST(NULL AS {self._place(name)}), entry.line) AS made"
        )

    def _value(self, name: str, column: str) -> str:
        declared = self._columns(name)[column]
        kind = declared.type
        if isinstance(kind, sa.LargeBinary):
            return f"decode(entry.line ->> {_literal(column)}, 'base64')"
        if isinstance(kind, sa.JSON) and not declared.nullable:
            cast = "jsonb" if isinstance(kind, postgresql.JSONB) else "json"
            return f"CAST(entry.line -> {_literal(column)} AS {cast})"
        return f"made.{_quote(column)}"

    def _write(self, name: str, text: str, rows: Sequence[Row]) -> None:
        try:
            self.connection.execute(sa.text(text), {"lines": join_rows(rows)})
        except IntegrityError as error:
            raise self._refusal(name, error.orig) from error
        except DataError as error:
            table = self.territory.id_of(name)
            kind = type(error.orig).__name__
            raise ValueUnfit(table=table, rule=f"a value is of the wrong kind ({kind})") from error

    def _refusal(self, name: str, error: Any) -> Refused:  # noqa: ANN401 - a driver's error
        """Say which rule was broken by the names that the database gives, never by its text."""
        table, rule = self.territory.id_of(name), str(error.diag.constraint_name)
        match error.sqlstate:
            case "23505":
                columns = ", ".join(self._columns_of(rule)) or rule
                return ValueTaken(table=table, columns=columns, hint="change or remove that row")
            case "23502":
                return ValueMissing(table=table, column=str(error.diag.column_name))
            case "23503":
                return ReferenceMissing(
                    table=table, columns=rule, rows="some", parent="another table"
                )
        return ValueUnfit(table=table, rule=rule)

    def _columns_of(self, index: str) -> list[str]:
        """List the columns of an index; a refused transaction answers nothing, so ask anew."""
        text = sa.text(
            "SELECT field.attname FROM pg_catalog.pg_index AS made"
            " JOIN pg_catalog.pg_class AS named ON named.oid = made.indexrelid"
            " JOIN pg_catalog.pg_attribute AS field ON field.attrelid = named.oid"
            " WHERE named.relname = :index ORDER BY field.attnum"
        )
        with self.connection.engine.connect() as other:
            return list(other.scalars(text, {"index": index}))


def _quote(name: str) -> str:
    return '"' + name.replace('"', '""').replace(":", "\\:") + '"'


def _literal(name: str) -> str:
    return "'" + name.replace("'", "''").replace(":", "\\:") + "'"
