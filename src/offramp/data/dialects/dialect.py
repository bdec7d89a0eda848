"""What has to be said of rows in every kind of database: rendered, ordered, named, chunked."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol, TypeVar

import sqlalchemy as sa

from offramp.data.catalog.catalog import CatalogColumn

Expression = sa.ColumnElement[Any]
Row = Sequence[Any]
Columns = Sequence[Sequence[Any]]
Change = TypeVar("Change", sa.Update, sa.Delete)

EXACT_MAX = 2**53 - 1


class Dialect(Protocol):
    """One kind of SQL database."""

    @property
    def name(self) -> str:
        """The name by which SQLAlchemy knows it."""

    @property
    def types_hold(self) -> bool:
        """Say whether a column's type promises anything about its values."""

    @property
    def checks_at_end(self) -> bool:
        """Say whether references are checked when a statement ends, and not row by row."""

    @property
    def asks_each(self) -> bool:
        """Say whether a question about few rows is answered sooner by looking up each of them."""

    @property
    def chooses_as_it_deletes(self) -> bool:
        """Say whether a deletion may choose its rows, and holds none that it only looks at."""

    def binding_type(self, kind: sa.types.TypeEngine[Any]) -> sa.types.TypeEngine[Any]:
        """Return the type with which values of a column are sent and read."""

    def type_name(self, kind: sa.types.TypeEngine[Any]) -> str:
        """Name a type in the words of the database."""

    def value_schema(self, column: CatalogColumn) -> dict[str, Any]:
        """Describe the values of a column in JSON Schema, as far as its type promises anything."""

    def objects(self, rows: sa.FromClause, columns: Sequence[CatalogColumn]) -> sa.Select[Any]:
        """Select rows as JSON objects, one text for each row."""

    def arrays_of_texts(
        self, rows: sa.FromClause, columns: Sequence[CatalogColumn]
    ) -> sa.Select[Any]:
        """Select the texts of some columns as JSON arrays, one for each row, to be searched."""

    def in_byte_order(self, column: Expression) -> Expression:
        """Sort text by its bytes, so that the order does not depend on a database's language."""

    def chunk(self, columns: Mapping[str, CatalogColumn]) -> sa.FromClause:
        """Return the rows of a chunk as a table that the database unfolds from its parameters."""

    def in_chunk(
        self, key: Sequence[Expression], columns: Mapping[str, CatalogColumn]
    ) -> sa.ColumnElement[bool]:
        """Say that a row is one of a chunk, by its key.

        Shape:
            columns: the columns of the key in its order, by name.
        """

    def change_chunk(
        self,
        change: Change,
        key: Sequence[Expression],
        columns: Mapping[str, CatalogColumn],
        which: sa.ColumnElement[bool],
    ) -> Change:
        """Let a change touch the rows of a chunk that are meant, and no others.

        Shape:
            columns: the columns of the key in its order, by name.
        """

    def chunk_params(self, columns: Columns) -> dict[str, Any]:
        """Bind the rows of a chunk to the parameters of `chunk` and `in_chunk`.

        Shape:
            columns: the values of each column, in the order of the rows.
        """

    def whole_numbers(self, keys: sa.Select[Any]) -> sa.Select[Any] | None:
        """Select whole-number keys in their order, many to a line, where that is faster."""


def in_columns(rows: Iterable[Row]) -> Columns:
    """Turn rows into columns; no rows have none."""
    return tuple(zip(*rows, strict=True))


def compiled_type(kind: sa.types.TypeEngine[Any], dialect: sa.Dialect) -> str:
    """Name a type as a dialect of SQLAlchemy does, whatever it is."""
    if isinstance(kind, sa.Enum) and kind.name:
        # Whether its schema is told depends on the search path of whoever asks.
        return kind.name
    try:
        return kind.compile(dialect)
    except sa.exc.CompileError:
        return str(kind)
