"""PostgreSQL's own words: rows by ``row_to_json``, chunks as arrays.

Source: PostgreSQL, "JSON Functions", "Array Functions" (unnest).
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from offramp.data.catalog.catalog import CatalogColumn
from offramp.data.dialects.dialect import EXACT_MAX, Change, Columns, Expression, compiled_type


class PostgresDialect:
    """What PostgreSQL says in its own way."""

    name = "postgresql"
    types_hold = True
    checks_at_end = True
    asks_each = False
    chooses_as_it_deletes = True

    def binding_type(self, kind: sa.types.TypeEngine[Any]) -> sa.types.TypeEngine[Any]:
        """Send values as what the column says that they are, and those of a domain as its own."""
        while isinstance(kind, postgresql.DOMAIN):
            kind = kind.data_type
        return kind

    def type_name(self, kind: sa.types.TypeEngine[Any]) -> str:
        """Name a type in the words of the database."""
        return compiled_type(kind, postgresql.dialect())  # type: ignore[no-untyped-call]

    def value_schema(self, column: CatalogColumn) -> dict[str, Any]:
        """Describe the values of a column in JSON Schema."""
        optional = ["null"] if column.nullable else []
        match column.type:
            case sa.Boolean():
                return {"type": ["boolean", *optional]}
            case sa.Integer():
                return {"type": ["integer", "string", *optional]}
            case sa.Float():
                return {"type": ["number", "string", *optional]}
            case sa.LargeBinary():
                return {"type": ["string", *optional], "contentEncoding": "base64"}
            case sa.DateTime(timezone=True):
                return {"type": ["string", *optional], "format": "date-time"}
            case sa.Date():
                return {"type": ["string", *optional], "format": "date"}
            case sa.Numeric() | sa.String() | sa.Enum() | sa.DateTime() | sa.Time() | sa.Uuid():
                return {"type": ["string", *optional]}
            case _:
                return {}

    def objects(self, rows: sa.FromClause, columns: Sequence[CatalogColumn]) -> sa.Select[Any]:
        """Select rows as JSON objects, one text for each row.

        Whole numbers that a JSON number would lose are rare: a row is asked once whether it holds
        one, and only then value by value.
        """
        exact, whole = _as_row(rows, columns, "entry", _value)
        large = [rows.c[each.name] for each in columns if isinstance(each.type, sa.BigInteger)]
        if not large:
            return sa.select(whole).select_from(rows.join(exact, sa.true()))
        plain, quick = _as_row(rows, columns, "plain", _plain_value)
        # Both leave out what is empty.
        is_inexact = sa.or_(
            sa.func.greatest(*large) > EXACT_MAX, sa.func.least(*large) < -EXACT_MAX
        )
        both = rows.join(exact, sa.true()).join(plain, sa.true())
        return sa.select(sa.case((is_inexact, whole), else_=quick)).select_from(both)

    def arrays_of_texts(
        self, rows: sa.FromClause, columns: Sequence[CatalogColumn]
    ) -> sa.Select[Any]:
        """Select texts as JSON arrays; what is binary JSON is not quoted a second time."""
        values = [
            rows.c[column.name]
            if isinstance(column.type, JSONB)
            else sa.cast(rows.c[column.name], sa.Text)
            for column in columns
        ]
        return sa.select(sa.func.json_build_array(*values))

    def in_byte_order(self, column: Expression) -> Expression:
        """Sort text by its bytes."""
        if isinstance(column.type, sa.Enum):
            return sa.cast(column, sa.Text).collate("C")
        return column.collate("C") if isinstance(column.type, sa.String) else column

    def chunk(self, columns: Mapping[str, CatalogColumn]) -> sa.FromClause:
        """Unfold one array for each column."""
        arrays = (
            sa.bindparam(f"chunk_{number}", type_=_array_of(column.type))
            for number, column in enumerate(columns.values())
        )
        fields = [sa.column(name, column.type) for name, column in columns.items()]
        return (
            sa.func.unnest(*arrays).table_valued(*fields, name="chunk").render_derived(name="chunk")
        )

    def in_chunk(
        self, key: Sequence[Expression], columns: Mapping[str, CatalogColumn]
    ) -> sa.ColumnElement[bool]:
        """Compare one column with an array, and several with the rows of arrays."""
        if len(key) == 1:
            return key[0] == sa.any_(sa.bindparam("chunk_0", type_=_array_of(key[0].type)))
        chunk = self.chunk(columns)
        return sa.tuple_(*key).in_(sa.select(*chunk.c).correlate(None))

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
        """Give one array for each column."""
        return {f"chunk_{number}": list(column) for number, column in enumerate(columns)}

    def whole_numbers(self, _keys: sa.Select[Any]) -> sa.Select[Any] | None:
        """Read key by key: in binary the driver makes a number of each as fast as of a line."""
        return None


class _WholeNumbers(sa.types.UserDefinedType[Sequence[int]]):
    """An array written out by ourselves: the driver looks at every number as if it were text."""

    cache_ok = True
    render_bind_cast = True

    def __init__(self, kind: str) -> None:
        self.kind = kind

    def get_col_spec(self, **_words: object) -> str:
        return f"{self.kind}[]"

    def bind_processor(self, dialect: sa.Dialect) -> Callable[[Sequence[int] | None], str]:
        return _write_numbers


def _write_numbers(numbers: Sequence[int] | None) -> str:
    assert numbers is not None, "a chunk has keys"
    return "{" + ",".join(map(str, numbers)) + "}"


def _array_of(kind: sa.types.TypeEngine[Any]) -> sa.types.TypeEngine[Any]:
    if isinstance(kind, sa.Integer):
        return _WholeNumbers(compiled_type(kind, postgresql.dialect()))  # type: ignore[no-untyped-call]
    return ARRAY(kind)


def _as_row(
    rows: sa.FromClause,
    columns: Sequence[CatalogColumn],
    name: str,
    render: Callable[[Expression, CatalogColumn], Expression],
) -> tuple[sa.FromClause, Expression]:
    """Return rendered values as a row, and the row as JSON.

    The lateral row carries the names; PostgreSQL folds it away when it plans.
    """
    fields = [render(rows.c[column.name], column).label(column.name) for column in columns]
    row = sa.select(*fields).correlate(rows).lateral(name)
    return row, sa.func.row_to_json(row.table_valued())


def _plain_value(value: Expression, column: CatalogColumn) -> Expression:
    return value if isinstance(column.type, sa.BigInteger) else _value(value, column)


def _value(value: Expression, column: CatalogColumn) -> Expression:
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
    if isinstance(kind, ARRAY) and isinstance(kind.item_type, sa.Numeric | sa.BigInteger):
        return sa.cast(value, ARRAY(sa.Text))
    if isinstance(kind, sa.JSON) and not isinstance(kind, JSONB):
        # It is kept as it was typed, and a line feed in it would end the row.
        return sa.cast(sa.func.translate(sa.cast(value, sa.Text), "\n\r", "  "), postgresql.JSON)
    return value
