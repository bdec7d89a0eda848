"""The keys of a worklist: read at once, handed out chunk by chunk, remembered to be looked for.

Keys are all that an erasure holds in memory: those of the table that is worked off, and those of
rows that are gone and that others may have referred to. Of whole numbers they take eight bytes
for each column of each row.
"""

from array import array
from collections.abc import Iterator, MutableSequence, Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from offramp.core.dates import Boundary
from offramp.data.dialects import Columns, Dialect, in_columns
from offramp.data.erasure.statements import Step
from offramp.data.retention.keeping import Keeper, KeptRows, read_anchor
from offramp.data.sources.sql import SqlSource
from offramp.data.territory import Territory

_KEYS_FETCHED = 10_000

_Column = MutableSequence[Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Keys:
    """The keys of rows in the order in which they are worked off, column by column."""

    columns: tuple[MutableSequence[Any], ...]

    def __len__(self) -> int:
        """Count the rows."""
        return len(self.columns[0])

    def part(self, start: int, rows: int) -> "Keys":
        """Give so many keys from a place on, or as many as are left."""
        return Keys(columns=tuple(column[start : start + rows] for column in self.columns))


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

    def parts(self, table: str) -> Iterator[Keys]:
        """Give the keys of a table's rows in parts that one statement can take."""
        for keys in self._keys[table]:
            for start in range(0, len(keys), _KEYS_FETCHED):
                yield keys.part(start, _KEYS_FETCHED)


def read_keys(source: SqlSource, territory: Territory, step: Step) -> Keys:
    """Read the keys of a step's rows in one snapshot."""
    columns = _empty_columns(territory, step)
    lines = territory.dialect.whole_numbers(step.worklist) if _are_numbers(columns) else None
    with source.snapshot() as connection:
        if lines is None:
            with source.rows(connection, step.worklist) as blocks:
                for block in blocks:
                    _extend(columns, in_columns(block))
            return Keys(columns=columns)
        numbers = array("q")
        with source.json_blocks(connection, lines) as texts:
            for text in texts:
                numbers.extend(map(int, text.split()))
    width = len(columns)
    return Keys(columns=tuple(numbers[place::width] for place in range(width)))


def keys_of(territory: Territory, step: Step, rows: Sequence[Sequence[Any]]) -> Keys:
    """Take the keys of a step's rows from what a statement gave."""
    columns = _empty_columns(territory, step)
    if rows:
        _extend(columns, in_columns(rows))
    return Keys(columns=columns)


def read_kept(source: SqlSource, territory: Territory, step: Step, keeper: Keeper) -> Keys:
    """Read the keys of rows that stay in one snapshot, and tell each to a keeper."""
    keys = Keys(columns=_empty_columns(territory, step))
    anchors: list[Boundary | None] = []

    def tell() -> None:
        told = keys.part(len(keys) - len(anchors), len(anchors))
        rows = KeptRows(keys=list(zip(*told.columns, strict=True)), anchors=tuple(anchors))
        keeper.keep(territory.id_of(step.table), rows)
        anchors.clear()

    with (
        source.snapshot() as connection,
        source.rows(connection, step.worklist) as blocks,
    ):
        for block in blocks:
            *columns, values = in_columns(block)
            _extend(keys.columns, columns)
            anchors.extend(map(read_anchor, values))
            if len(anchors) >= _KEYS_FETCHED:
                tell()
    if anchors:
        tell()
    return keys


def _empty_columns(territory: Territory, step: Step) -> tuple[_Column, ...]:
    """Make room for keys: eight bytes for each of those that are numbers and cannot be else."""
    table = territory.catalog.tables[step.table]
    kinds = (table.columns[name].type for name in step.key_columns)
    return tuple(array("q") if _is_number(kind, territory.dialect) else [] for kind in kinds)


def _is_number(kind: sa.types.TypeEngine[Any], dialect: Dialect) -> bool:
    is_signed = isinstance(kind, sa.Integer) and not getattr(kind, "unsigned", False)
    return is_signed and dialect.types_hold


def _are_numbers(columns: Sequence[_Column]) -> bool:
    return all(isinstance(column, array) for column in columns)


def _extend(columns: Sequence[_Column], more: Columns) -> None:
    for column, values in zip(columns, more, strict=True):
        column.extend(values)
