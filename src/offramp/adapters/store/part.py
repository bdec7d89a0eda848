"""What the parts of a transaction have in common: one connection, and writes by key.

Everything that SQLite and PostgreSQL spell differently in a statement lives here.

Source: SQLite and PostgreSQL, "INSERT … ON CONFLICT".
"""

from collections.abc import Hashable, Iterator, Mapping, Sequence
from enum import StrEnum
from typing import Any, TypeVar, cast

from sqlalchemy import BindParameter, ColumnElement, Connection, Table, Text, any_, literal
from sqlalchemy.dialects import postgresql, sqlite

from offramp.adapters.store.connection import is_postgresql
from offramp.ports import Changes

BATCH_ROWS_MAX = 1000  # bound values of one statement; SQLite takes 32,766

Row = dict[str, Any]
_Id = TypeVar("_Id", bound=Hashable)
_Value = TypeVar("_Value")


class Part:
    """One subject's share of a transaction."""

    def __init__(self, connection: Connection) -> None:
        """Work on a connection that is in a transaction."""
        self.connection = connection

    def _insert(self, table: Table) -> postgresql.Insert:
        """Begin an INSERT that can say ON CONFLICT, which both dialects spell the same way."""
        if is_postgresql(self.connection):
            return postgresql.insert(table)
        return cast(postgresql.Insert, sqlite.insert(table))

    def _add(self, table: Table, rows: Sequence[Row]) -> None:
        """Insert rows, leaving those alone that are there."""
        if rows:
            self.connection.execute(self._insert(table).on_conflict_do_nothing(), rows)

    def _create(self, table: Table, row: Row) -> bool:
        """Insert one row; false when its key is taken."""
        statement = self._insert(table).on_conflict_do_nothing()
        created = statement.returning(*table.primary_key)
        return self.connection.execute(created, row).first() is not None

    def _among(self, column: ColumnElement[str], values: Sequence[str]) -> ColumnElement[bool]:
        """Say that a column has one of the values: one array where the database knows arrays."""
        if is_postgresql(self.connection):
            return column == any_(literal(list(values), postgresql.ARRAY(Text)))
        return column.in_(values)

    def _put(self, table: Table, rows: Sequence[Row]) -> None:
        """Insert rows, or overwrite the named columns of those that are there."""
        if not rows:
            return
        statement = self._insert(table)
        key = [column.name for column in table.primary_key]
        values = {name: statement.excluded[name] for name in rows[0] if name not in key}
        self.connection.execute(
            statement.on_conflict_do_update(index_elements=key, set_=values), rows
        )


def batches(values: Sequence[_Id]) -> Iterator[Sequence[_Id]]:
    """Cut a sequence into pieces that fit one statement."""
    for start in range(0, len(values), BATCH_ROWS_MAX):
        yield values[start : start + BATCH_ROWS_MAX]


def written(status: StrEnum) -> BindParameter[str]:
    """Write a status into the statement: SQLite sees only then that a partial index fits."""
    return literal(status.value, literal_execute=True)


def compare(
    before: Mapping[_Id, _Value], wanted: Mapping[_Id, _Value]
) -> tuple[list[_Value], Changes]:
    """Tell what has to be written, and count what is new, changed and the same."""
    created = [value for key, value in wanted.items() if key not in before]
    changed = [value for key, value in wanted.items() if key in before and before[key] != value]
    same = len(wanted) - len(created) - len(changed)
    return created + changed, Changes(created=len(created), changed=len(changed), same=same)
