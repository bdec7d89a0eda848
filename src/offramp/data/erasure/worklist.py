"""The keys of a worklist: read at once, handed out chunk by chunk, remembered to be looked for.

Keys are all that an erasure holds in memory: those of the table that is worked off, and those of
rows that are gone and that others may have referred to. Of whole numbers they take eight bytes
for each column of each row.
"""

from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from offramp.data.dialects import Row
from offramp.data.erasure.statements import Step
from offramp.data.sources.sql import SqlSource
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Gone:
    """The keys of the rows that one erasure took away, table by table.

    It knows all of them only where no other run has taken any before.
    """

    _keys: dict[str, list[Keys]] = field(default_factory=dict)

    def remember(self, table: str, keys: Keys) -> None:
        """Keep the keys of a table's rows that go."""
        self._keys.setdefault(table, []).append(keys)

    def has(self, table: str) -> bool:
        """Say whether rows of a table were looked for, even if there were none."""
        return table in self._keys

    def parts(self, table: str) -> Iterator[list[Row]]:
        """Give the keys of a table's rows in parts that one statement can take."""
        for keys in self._keys[table]:
            for start in range(0, len(keys), _KEYS_FETCHED):
                yield keys.part(start, _KEYS_FETCHED)


def read_keys(source: SqlSource, territory: Territory, step: Step) -> Keys:
    """Read the keys of a step's rows in one snapshot."""
    columns = territory.catalog.tables[step.table].columns
    are_numbers = all(isinstance(columns[name].type, sa.Integer) for name in step.key_columns)
    lines = territory.dialect.whole_numbers(step.worklist) if are_numbers else None
    width = len(step.key_columns)
    with source.snapshot() as connection:
        if lines is None:
            return _in_columns(source.rows(connection, step.worklist), width=width)
        numbers = array("q")
        for block in source.json_blocks(connection, lines):
            numbers.extend(map(int, block.split()))
    return Keys(columns=tuple(numbers[place::width] for place in range(width)))


def _in_columns(blocks: Iterator[Sequence[Row]], *, width: int) -> Keys:
    columns: tuple[list[Any], ...] = tuple([] for _ in range(width))
    for block in blocks:
        for column, values in zip(columns, zip(*block, strict=True), strict=True):
            column.extend(values)
    return Keys(columns=columns)
