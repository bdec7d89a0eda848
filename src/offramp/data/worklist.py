"""The keys of a worklist: read at once, handed out chunk by chunk.

The keys of one table are all that an erasure holds in memory: of whole numbers eight bytes for
each column of each row.
"""

from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from offramp.data.dialects import Row
from offramp.data.sources.sql import SqlSource
from offramp.data.statements import Step
from offramp.data.territory import Territory

_KEYS_FETCHED = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Keys:
    """The keys of rows in the order in which they are worked off, column by column."""

    columns: tuple[Sequence[Any], ...]

    def __len__(self) -> int:
        """Count the rows."""
        return len(self.columns[0])

    def part(self, start: int, rows: int) -> list[Row]:
        """Give so many keys from a place on, or as many as are left."""
        columns = (column[start : start + rows] for column in self.columns)
        return list(zip(*columns, strict=True))


def read_keys(source: SqlSource, territory: Territory, step: Step) -> Keys:
    """Read the keys of a step's rows in one snapshot."""
    columns = territory.catalog.tables[step.table].columns
    are_numbers = all(isinstance(columns[name].type, sa.Integer) for name in step.key_columns)
    lines = territory.dialect.whole_numbers(step.worklist) if are_numbers else None
    width = len(step.key_columns)
    with source.snapshot() as connection:
        if lines is None:
            return _read_rows(connection, step.worklist, width=width)
        numbers = array("q")
        for block in source.json_blocks(connection, lines):
            numbers.extend(map(int, block.split()))
    return Keys(columns=tuple(numbers[place::width] for place in range(width)))


def _read_rows(connection: sa.Connection, worklist: sa.Select[Any], *, width: int) -> Keys:
    columns: tuple[list[Any], ...] = tuple([] for _ in range(width))
    result = connection.execution_options(yield_per=_KEYS_FETCHED).execute(worklist)
    for block in result.partitions():
        for column, values in zip(columns, zip(*block, strict=True), strict=True):
            column.extend(values)
    return Keys(columns=columns)
