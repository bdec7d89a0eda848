"""Rows as JSON, rendered by the database itself: one line of text for each row.

The law of exactness lives here: what a JSON number would lose becomes a string (decimals, whole
numbers beyond 2**53), bytes become base64, instants RFC 3339 in UTC. A timestamp that is stored
without a zone is handed over without one: to add a Z would be to claim what nobody knows.

Source: RFC 8259, section 6; RFC 3339; JSON Schema 2020-12.
"""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import CompileError

from offramp.data.catalog import CatalogColumn
from offramp.data.territory import Territory, primary_key

Expression = sa.ColumnElement[Any]
EXACT_MAX = 2**53 - 1
# SQLite takes at most 127 arguments to a function; a wide row is put together from several.
_PAIRS_MAX = 60
_ENDLESS = 1.7976931348623157e308


def exported_columns(territory: Territory, name: str) -> list[CatalogColumn]:
    """List the columns of a table that are handed over, in the order of the database."""
    rule = territory.rules[name]
    columns = territory.catalog.tables[name].columns.values()
    return [column for column in columns if rule.is_exported(column.name)]


def select_json(territory: Territory, name: str) -> sa.Select[Any]:
    """Select the covered rows of a table as JSON texts, in the order of their keys."""
    rows = territory.table(name)
    columns = exported_columns(territory, name)
    render = _sqlite_object if territory.is_sqlite else _postgres_object
    key = [
        _byte_order(territory, column)
        for column in primary_key(territory.catalog.tables[name], rows)
    ]
    return render(rows, columns).where(territory.belongs(name, rows)).order_by(*key)


def select_texts(
    territory: Territory,
    rows: sa.FromClause,
    columns: Sequence[CatalogColumn],
    which: sa.ColumnExpressionArgument[bool],
) -> sa.Select[Any]:
    """Select chosen columns of any rows of a table, rendered as for an export, as plain text."""
    render = _sqlite_object if territory.is_sqlite else _postgres_object
    rendered = render(rows, columns).where(which)
    whole = sa.cast(rendered.selected_columns[0], sa.Text)
    return rendered.with_only_columns(whole, maintain_column_froms=True)


def type_name(column: CatalogColumn, *, is_sqlite: bool) -> str:
    """Name the type of a column in the words of its database."""
    if isinstance(column.type, sa.Enum) and column.type.name:
        # Whether its schema is told depends on the search path of whoever asks.
        return column.type.name
    dialect = sqlite.dialect() if is_sqlite else postgresql.dialect()  # type: ignore[no-untyped-call]
    try:
        return column.type.compile(dialect)
    except CompileError:
        return str(column.type)


def row_schema(columns: Sequence[CatalogColumn], *, is_sqlite: bool) -> dict[str, Any]:
    """Describe one row of a table in JSON Schema."""
    return {
        "type": "object",
        "properties": {column.name: _value_schema(column, is_sqlite) for column in columns},
        "required": [column.name for column in columns],
        "additionalProperties": False,
    }


def _byte_order(territory: Territory, column: Expression) -> Expression:
    """Sort text by its bytes, so that the order does not depend on a database's language."""
    if territory.is_sqlite:
        return column.collate("BINARY")
    if isinstance(column.type, sa.Enum):
        return sa.cast(column, sa.Text).collate("C")
    return column.collate("C") if isinstance(column.type, sa.String) else column


def _postgres_object(rows: sa.FromClause, columns: Sequence[CatalogColumn]) -> sa.Select[Any]:
    fields = [_postgres_value(rows.c[column.name], column).label(column.name) for column in columns]
    # The lateral row carries the names; PostgreSQL folds it away when it plans.
    entry = sa.select(*fields).correlate(rows).lateral("entry")
    whole = sa.func.row_to_json(entry.table_valued())
    return sa.select(whole).select_from(rows.join(entry, sa.true()))


def _postgres_value(value: Expression, column: CatalogColumn) -> Expression:
    kind = column.type
    if isinstance(kind, sa.LargeBinary):
        return sa.func.translate(sa.func.encode(value, "base64"), "\n", "")
    if isinstance(kind, sa.BigInteger):
        is_exact = value.between(-EXACT_MAX, EXACT_MAX)
        text = sa.func.to_json(sa.cast(value, sa.Text))
        return sa.case((is_exact, sa.func.to_json(value)), else_=text)
    if isinstance(kind, sa.Float):
        return value
    if isinstance(kind, sa.Numeric):
        return sa.cast(value, sa.Text)
    if isinstance(kind, postgresql.ARRAY) and isinstance(
        kind.item_type, sa.Numeric | sa.BigInteger
    ):
        return sa.cast(value, postgresql.ARRAY(sa.Text))
    if isinstance(kind, sa.JSON) and not isinstance(kind, postgresql.JSONB):
        # It is kept as it was typed, and a line feed in it would end the row.
        return sa.cast(sa.func.translate(sa.cast(value, sa.Text), "\n\r", "  "), postgresql.JSON)
    return value


def _sqlite_object(rows: sa.FromClause, columns: Sequence[CatalogColumn]) -> sa.Select[Any]:
    pairs = [
        (sa.literal(column.name), _sqlite_value(rows.c[column.name], column)) for column in columns
    ]
    groups = [pairs[start : start + _PAIRS_MAX] for start in range(0, len(pairs), _PAIRS_MAX)]
    objects = [sa.func.json_object(*(part for pair in group for part in pair)) for group in groups]
    whole: Expression = objects[0] if objects else sa.literal("{}")
    for more in objects[1:]:
        head = sa.func.substr(whole, 1, sa.func.length(whole) - 1)
        whole = head.concat(",").concat(sa.func.substr(more, 2))
    return sa.select(whole).select_from(rows)


def _sqlite_value(value: Expression, column: CatalogColumn) -> Expression:
    """SQLite's types are those of values, not of columns, so each value is asked for its own."""
    is_decimal = isinstance(column.type, sa.Numeric) and not isinstance(column.type, sa.Float)
    number = _sqlite_real(value, is_decimal=is_decimal)
    whole = sa.cast(value, sa.Text) if is_decimal else _sqlite_whole(value, column)
    return sa.case(
        (sa.func.typeof(value) == "integer", whole),
        (sa.func.typeof(value) == "real", number),
        (sa.func.typeof(value) == "blob", sa.func.offramp_base64(value)),
        else_=_sqlite_text(value, column),
    )


def _sqlite_whole(value: Expression, column: CatalogColumn) -> Expression:
    if isinstance(column.type, sa.Boolean):
        return sa.case(
            (value == sa.literal_column("0"), sa.func.json("false")),
            (value == sa.literal_column("1"), sa.func.json("true")),
            else_=value,
        )
    is_exact = value.between(-EXACT_MAX, EXACT_MAX)
    return sa.case((is_exact, sa.func.json(sa.cast(value, sa.Text))), else_=sa.cast(value, sa.Text))


def _sqlite_real(value: Expression, *, is_decimal: bool) -> Expression:
    """Print the shortest text that reads back as the same number; SQLite's own is not always it."""
    text = sa.func.offramp_real(value)
    if is_decimal:
        return text
    is_finite = value.between(-_ENDLESS, _ENDLESS)
    return sa.case((is_finite, sa.func.json(text)), else_=text)


def _sqlite_text(value: Expression, column: CatalogColumn) -> Expression:
    if isinstance(column.type, sa.JSON):
        return sa.case((sa.func.json_valid(value) == 1, sa.func.json(value)), else_=value)
    if isinstance(column.type, sa.DateTime):
        is_spaced = value.op("GLOB")("????-??-?? ??:??*")
        spelled = sa.func.substr(value, 1, 10).concat("T").concat(sa.func.substr(value, 12))
        return sa.case((is_spaced, spelled), else_=value)
    return value


def _value_schema(column: CatalogColumn, is_sqlite: bool) -> dict[str, Any]:
    kind = column.type
    optional = ["null"] if column.nullable else []
    schema: dict[str, Any]
    match kind:
        case sa.Boolean():
            schema = {"type": ["boolean", *optional]}
        case sa.Integer():
            schema = {"type": ["integer", "string", *optional]}
        case sa.Float():
            schema = {"type": ["number", "string", *optional]}
        case sa.Numeric():
            schema = {"type": ["string", *optional]}
        case sa.LargeBinary():
            schema = {"type": ["string", *optional], "contentEncoding": "base64"}
        case sa.JSON():
            return {}
        case sa.DateTime(timezone=True) if not is_sqlite:
            schema = {"type": ["string", *optional], "format": "date-time"}
        case sa.Date() if not is_sqlite:
            schema = {"type": ["string", *optional], "format": "date"}
        case sa.String() | sa.Enum() | sa.DateTime() | sa.Date() | sa.Time() | sa.Uuid():
            schema = {"type": ["string", *optional]}
        case _:
            return {}
    # SQLite keeps whatever it was given, so its declared types promise nothing about values.
    return {} if is_sqlite else schema
