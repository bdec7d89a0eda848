"""SQLite's own words: its types are those of values, not of columns; a chunk is one JSON text.

Source: SQLite, "Datatypes In SQLite", "JSON Functions And Operators".
"""

import json
from collections.abc import Mapping, Sequence
from itertools import chain
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import sqlite

from offramp.data.catalog.catalog import CatalogColumn
from offramp.data.dialects.dialect import EXACT_MAX, Change, Columns, Expression, compiled_type

# SQLite takes at most 127 arguments to a function; a wide row is put together from several.
_PAIRS_MAX = 60
_ENDLESS = 1.7976931348623157e308
_PLAINLY_SPELLED = (0.001, 999_999_999_999_999.0)


class SqliteDialect:
    """What SQLite says in its own way."""

    name = "sqlite"
    types_hold = False
    checks_at_end = True
    asks_each = True  # it makes a list of all that a subquery finds, for each statement anew
    chooses_as_it_deletes = True

    def binding_type(self, _kind: sa.types.TypeEngine[Any]) -> sa.types.TypeEngine[Any]:
        """Ask for what is stored, not for what SQLAlchemy would make of it."""
        return sa.types.NULLTYPE

    def type_name(self, kind: sa.types.TypeEngine[Any]) -> str:
        """Name a type in the words of the database."""
        return compiled_type(kind, sqlite.dialect())

    def value_schema(self, _column: CatalogColumn) -> dict[str, Any]:
        """Promise nothing: any column may hold any kind of value."""
        return {}

    def objects(self, rows: sa.FromClause, columns: Sequence[CatalogColumn]) -> sa.Select[Any]:
        """Select rows as JSON objects, one text for each row."""
        pairs = [(sa.literal(each.name), _value(rows.c[each.name], each)) for each in columns]
        groups = [pairs[start : start + _PAIRS_MAX] for start in range(0, len(pairs), _PAIRS_MAX)]
        parts = [sa.func.json_object(*chain.from_iterable(group)) for group in groups]
        whole: Expression = parts[0] if parts else sa.literal("{}")
        for more in parts[1:]:
            head = sa.func.substr(whole, 1, sa.func.length(whole) - 1)
            whole = head.concat(",").concat(sa.func.substr(more, 2))
        return sa.select(whole).select_from(rows)

    def arrays_of_texts(
        self, rows: sa.FromClause, columns: Sequence[CatalogColumn]
    ) -> sa.Select[Any]:
        """Select texts as JSON arrays."""
        texts = [sa.cast(rows.c[column.name], sa.Text) for column in columns]
        return sa.select(sa.func.json_array(*texts))

    def in_byte_order(self, column: Expression) -> Expression:
        """Sort text by its bytes."""
        return column.collate("BINARY")

    def chunk(self, columns: Mapping[str, CatalogColumn]) -> sa.FromClause:
        """Unfold one JSON array of rows, or of values where a row is one value."""
        entry = sa.func.json_each(sa.bindparam("chunk")).table_valued("value", name="entry")
        if len(columns) == 1:
            values = (entry.c.value.label(name) for name in columns)
            return sa.select(*values).select_from(entry).subquery("chunk")
        fields = (
            sa.func.json_extract(entry.c.value, f"$[{number}]").label(name)
            for number, name in enumerate(columns)
        )
        return sa.select(*fields).select_from(entry).subquery("chunk")

    def in_chunk(
        self, key: Sequence[Expression], columns: Mapping[str, CatalogColumn]
    ) -> sa.ColumnElement[bool]:
        """Compare the key with the rows of the JSON array."""
        value: Expression = key[0] if len(key) == 1 else sa.tuple_(*key)
        return value.in_(sa.select(*self.chunk(columns).c).correlate(None))

    def change_chunk(
        self,
        change: Change,
        key: Sequence[Expression],
        columns: Mapping[str, CatalogColumn],
        which: sa.ColumnElement[bool],
    ) -> Change:
        """Let a change touch the rows of a chunk that are meant, and no others."""
        return change.where(self.in_chunk(key, columns), which)

    def chunk_params(self, columns: Columns) -> dict[str, Any]:
        """Give all rows as one JSON text."""
        rows = columns[0] if len(columns) == 1 else zip(*columns, strict=True)
        return {"chunk": json.dumps(list(rows))}

    def whole_numbers(self, _keys: sa.Select[Any]) -> sa.Select[Any] | None:
        """Read key by key: inside this very process a line costs nothing."""
        return None


def _value(value: Expression, column: CatalogColumn) -> Expression:
    """Render a value by its own type, for which each one is asked."""
    is_decimal = isinstance(column.type, sa.Numeric) and not isinstance(column.type, sa.Float)
    number = _real(value, is_decimal=is_decimal)
    whole = sa.cast(value, sa.Text) if is_decimal else _whole(value, column)
    by_kind = {"integer": whole, "real": number, "blob": sa.func.offramp_base64(value)}
    return sa.case(by_kind, value=sa.func.typeof(value), else_=_text(value, column))


def _whole(value: Expression, column: CatalogColumn) -> Expression:
    if isinstance(column.type, sa.Boolean):
        return sa.case(
            (value == sa.literal_column("0"), sa.func.json("false")),
            (value == sa.literal_column("1"), sa.func.json("true")),
            else_=value,
        )
    is_exact = value.between(-EXACT_MAX, EXACT_MAX)
    return sa.case((is_exact, value), else_=sa.cast(value, sa.Text))


def _real(value: Expression, *, is_decimal: bool) -> Expression:
    """Print the shortest text that reads back as the same number; SQLite's own is not always it.

    It is where its fifteen digits read back as the same number, and no exponent is spelled.
    """
    own = sa.cast(value, sa.Text)
    is_own = sa.and_(
        sa.func.abs(value).between(*_PLAINLY_SPELLED), sa.cast(own, sa.Double) == value
    )
    text = sa.func.offramp_real(value)
    if is_decimal:
        return sa.case((is_own, own), else_=text)
    is_finite = value.between(-_ENDLESS, _ENDLESS)
    return sa.case((is_own, value), (is_finite, sa.func.json(text)), else_=text)


def _text(value: Expression, column: CatalogColumn) -> Expression:
    if isinstance(column.type, sa.JSON):
        return sa.case((sa.func.json_valid(value) == 1, sa.func.json(value)), else_=value)
    if isinstance(column.type, sa.DateTime):
        is_spaced = value.op("GLOB")("????-??-?? ??:??*")
        spelled = sa.func.substr(value, 1, 10).concat("T").concat(sa.func.substr(value, 12))
        return sa.case((is_spaced, spelled), else_=value)
    return value
