"""Columns that hold values of the core, the same way on SQLite and PostgreSQL.

Everything that turns a core value into a database value and back lives here.

Source: SQLAlchemy, "Augmenting Existing Types".
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeEngine
from whenever import Instant

from offramp.core.dates import Boundary, parse_boundary

JSON = sa.JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")
"""A mapping of plain values; PostgreSQL can compare and search it."""


class Key(sa.types.TypeDecorator[str]):
    """An id, sorted by code point everywhere: PostgreSQL's usual order depends on the machine."""

    impl = sa.Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Choose the collation that sorts like Python and SQLite do."""
        collation = "C" if dialect.name == "postgresql" else None
        return dialect.type_descriptor(sa.Text(collation=collation))


class OptionalKey(Key):
    """A part of a key that may be absent, kept as the empty text.

    Two nulls are different values to a unique index; two absent products are the same.
    """

    cache_ok = True
    coerce_to_is_types: tuple[type[Any], ...] = ()  # `== None` compares with the empty text

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str:
        """Write none as the empty text."""
        return value or ""

    def process_result_value(self, value: str | None, dialect: Dialect) -> str | None:
        """Read the empty text as none."""
        return value or None


class MomentInTime(sa.types.TypeDecorator[Instant]):
    """An instant to the microsecond: a timestamp with zone, or UTC text of one width that sorts."""

    impl = sa.Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Choose the timestamp where there is a true one."""
        if dialect.name == "postgresql":
            return dialect.type_descriptor(sa.DateTime(timezone=True))
        return dialect.type_descriptor(sa.Text())

    def process_bind_param(self, value: Instant | None, dialect: Dialect) -> str | datetime | None:
        """Write an instant; what is finer than a microsecond is cut off."""
        if value is None:
            return None
        if dialect.name == "postgresql":
            return value.to_stdlib()
        return value.format_iso(unit="microsecond")

    def process_result_value(
        self, value: str | datetime | None, dialect: Dialect
    ) -> Instant | None:
        """Read an instant."""
        if isinstance(value, datetime):
            return Instant(value.astimezone(UTC))
        return None if value is None else Instant.parse_iso(value)


class BoundariesByName(sa.types.TypeDecorator[Mapping[str, Boundary]]):
    """Civil dates and instants by name, as ISO 8601 text; null where there are none."""

    impl = JSON
    cache_ok = True

    def process_bind_param(
        self, value: Mapping[str, Boundary] | None, dialect: Dialect
    ) -> dict[str, str] | None:
        """Write boundaries."""
        return {name: boundary.format_iso() for name, boundary in (value or {}).items()} or None

    def process_result_value(
        self, value: Mapping[str, str] | None, dialect: Dialect
    ) -> Mapping[str, Boundary]:
        """Read boundaries."""
        return {name: parse_boundary(text) for name, text in (value or {}).items()}


class BoundaryText(sa.types.TypeDecorator[Boundary]):
    """A civil date or an instant, as ISO 8601 text; the two never mix."""

    impl = sa.Text
    cache_ok = True

    def process_bind_param(self, value: Boundary | None, dialect: Dialect) -> str | None:
        """Write a boundary."""
        return None if value is None else value.format_iso()

    def process_result_value(self, value: str | None, dialect: Dialect) -> Boundary | None:
        """Read a boundary."""
        return None if value is None else parse_boundary(value)
