"""The rows themselves, asked as few questions as possible: counted by the database, never read.

Everything that inference asks of live rows is asked here: read only, one statement for a table,
over at most `ROWS_SEEN_MAX` rows of it, and only counts come back.

Source: data/inference/evidence.py.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import sqlalchemy as sa

from offramp.data.catalog.catalog import Catalog, Reference
from offramp.data.datamap import SqlSourceSpec, split_column
from offramp.data.inference.evidence import Agreement, Naming
from offramp.data.inference.proposal import Way
from offramp.data.inference.way import Choice

ROWS_SEEN_MAX = 200_000
Settled = Mapping[str, Choice]


@dataclass(frozen=True, kw_only=True)
class LiveWitness:
    """Asks one database, inside one snapshot."""

    connection: sa.Connection
    spec: SqlSourceSpec
    catalog: Catalog

    def agreement(self, table: str, ways: Sequence[Way], settled: Settled) -> Agreement:
        """Count the rows that each set of ways leads to the root, and those led to two."""
        rows = self._seen(table)
        joined, roots = self._join(rows, table, ways, settled)
        is_led = [_flag(root.is_not(None)) for root in roots]
        pairs = [one != other for one, other in combinations(roots, 2)]
        fields = [*is_led, _flag(sa.or_(*pairs))]
        named = [field.label(f"f{number}") for number, field in enumerate(fields)]
        root = sa.func.coalesce(*roots, sa.null()).label("root")
        seen = sa.select(*named, root).select_from(joined).subquery("seen")
        flags = [seen.c[field.name] for field in named]
        asked = sa.select(*flags, sa.func.count()).group_by(*flags)
        found: dict[frozenset[int], int] = {}
        disagreeing = 0
        for *led, differs, count in self.connection.execute(asked):
            pattern = frozenset(number for number, is_set in enumerate(led) if is_set)
            found[pattern] = found.get(pattern, 0) + count
            disagreeing += count if differs else 0
        total = sum(found.values())
        return Agreement(
            rows=total,
            roots=self.connection.execute(
                sa.select(sa.func.count(seen.c.root.distinct()))
            ).scalar_one(),
            is_complete=total < ROWS_SEEN_MAX,
            disagreeing=disagreeing,
            found=found,
        )

    def naming(self, table: str, names: Sequence[Reference], settled: Settled) -> Naming:
        """Count the rows that one row names, and those that rows of several organizations name."""
        key = names[0].parent_columns
        same = [each for each in names if each.parent_columns == key]
        told = sa.union_all(*(self._names(each, settled) for each in same)).subquery("told")
        marks = [told.c[f"k{number}"] for number in range(len(key))]
        by_row = (
            sa.select(
                *marks,
                sa.func.count().label("names"),
                sa.func.count(told.c.root.distinct()).label("roots"),
            )
            .group_by(*marks)
            .subquery("by_row")
        )
        rows = self._seen(table)
        on = [rows.c[name] == by_row.c[f"k{number}"] for number, name in enumerate(key)]
        asked = sa.select(
            sa.func.count(),
            sa.func.coalesce(sa.func.sum(_flag(by_row.c.names == 1)), 0),
            sa.func.coalesce(sa.func.sum(_flag(by_row.c.names > 1)), 0),
            sa.func.coalesce(sa.func.sum(_flag(by_row.c.roots > 1)), 0),
        ).select_from(rows.outerjoin(by_row, sa.and_(*on)))
        total, once, often, several = self.connection.execute(asked).one()
        roots = sa.select(sa.func.count(told.c.root.distinct()))
        return Naming(
            rows=total,
            roots=self.connection.execute(roots).scalar_one(),
            is_complete=total < ROWS_SEEN_MAX and len(same) == len(names),
            named_once=int(once),
            named_often=int(often),
            of_several=int(several),
        )

    def _names(self, reference: Reference, settled: Settled) -> sa.Select[Any]:
        rows = self._roots(reference.table, settled, (), reference.columns).subquery()
        marks = [rows.c[name].label(f"k{n}") for n, name in enumerate(reference.columns)]
        is_set = [rows.c[name].is_not(None) for name in reference.columns]
        return sa.select(*marks, rows.c.root.label("root")).where(*is_set)

    def _seen(self, name: str) -> sa.Subquery:
        table = self._table(name)
        return sa.select(*table.c).limit(ROWS_SEEN_MAX).subquery("rows")

    def _table(self, name: str) -> sa.TableClause:
        table = self.catalog.tables[name]
        return sa.table(
            table.own_name,
            *(sa.column(column.name, column.type) for column in table.columns.values()),
            schema=table.schema or self.spec.schema_name,
        )

    def _join(
        self,
        rows: sa.FromClause,
        name: str,
        ways: Sequence[Way],
        settled: Settled,
        passed: tuple[str, ...] = (),
    ) -> tuple[sa.FromClause, list[sa.ColumnElement[Any]]]:
        """Join what tells for each way to which root it leads a row."""
        root_table, root_key = split_column(self.spec.root)
        joined, roots = rows, list[sa.ColumnElement[Any]]()
        for way in ways:
            hop = way.first
            if hop.table != name:  # the row is owned the other way round, and tells nothing itself
                roots.append(sa.null())
                continue
            if hop.parent == root_table and hop.parent_columns == (root_key,):
                roots.append(rows.c[hop.columns[0]])
                continue
            above = self._roots(hop.parent, settled, (*passed, name), hop.parent_columns)
            parent = above.subquery()
            pairs = zip(hop.columns, hop.parent_columns, strict=True)
            same = [rows.c[column] == parent.c[target] for column, target in pairs]
            joined = joined.outerjoin(parent, sa.and_(*same))
            roots.append(parent.c.root)
        return joined, roots

    def _roots(
        self, name: str, settled: Settled, passed: tuple[str, ...], columns: Sequence[str]
    ) -> sa.Select[Any]:
        """Select some columns of every row, and the root to which its settled ways lead it."""
        rows = self._table(name).alias()
        root_table, root_key = split_column(self.spec.root)
        wanted = [rows.c[column] for column in dict.fromkeys(columns)]
        if name == root_table:
            return sa.select(*wanted, rows.c[root_key].label("root"))
        ways = [
            way
            for way in settled[name].chosen
            if way.first.parent == root_table or way.first.parent not in (*passed, name)
        ]
        joined, roots = self._join(rows, name, ways, settled, passed)
        root = sa.func.coalesce(*roots) if len(roots) > 1 else (roots or [sa.null()])[0]
        return sa.select(*wanted, root.label("root")).select_from(joined)


def _flag(condition: sa.ColumnElement[bool]) -> sa.ColumnElement[int]:
    """Say yes or no as a number, so that every database groups and sums it alike."""
    return sa.case((condition, sa.literal_column("1")), else_=sa.literal_column("0"))
