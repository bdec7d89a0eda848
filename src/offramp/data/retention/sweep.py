"""Sweeping: kept rows whose own time is over go, long after their organization has gone.

The law: a row goes only if all of this is so at the moment of the deletion. It is on the list of
rows that a finished erasure kept. It is still cut off: the reference that led to its organization
is empty, or leads to the kept row of that very organization. Its date is still the one that its
end was counted from, unless a person gave it its end. Nothing refers to it any more. Whatever is
not so leaves the row where it is, and is told.

So a row of a living organization is never touched, even under a key that was given again: it
belongs to somebody, and what belongs to somebody is not cut off.

Source: mission A11; docs/decisions/009-kept-rows.md; lessons L18-L20.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

import sqlalchemy as sa
from whenever import Date

from offramp.data.catalog.catalog import Reference
from offramp.data.check import require_complete
from offramp.data.datamap import DataMap
from offramp.data.dialects import in_columns
from offramp.data.erasure.fence import Fence, Pace
from offramp.data.erasure.statements import change_chunk, in_chunk, plan_order
from offramp.data.retention.keeping import Row, bindable
from offramp.data.scope import Scope
from offramp.data.sources.sql import SqlSource
from offramp.data.survey import survey_source
from offramp.data.territory import Predicate, Territory, primary_key, row_value, some_row

ROUNDS_MAX = 20  # through rows that refer to other rows of their own table
_DAYS_AROUND = 1  # a timestamp may stand on the day before or after in another zone


@dataclass(frozen=True, slots=True, kw_only=True)
class Overdue:
    """Rows of one table that an erasure kept, and whose end has come."""

    table: str
    keys: Sequence[Sequence[int | str]]
    counted_from: Date | None  # none where a person gave them their end, whatever their date is


@dataclass(frozen=True, slots=True, kw_only=True)
class Left:
    """Rows under the keys of kept ones that are still there, and why."""

    needed: tuple[Row, ...] = ()  # rows that stay refer to them
    changed: tuple[Row, ...] = ()  # their date is another one by now
    owned: tuple[Row, ...] = ()  # they belong to somebody, by a restore or under a key given again


@dataclass(frozen=True, slots=True, kw_only=True)
class Retention:
    """The sources that hold kept rows, laid out for one subject that is gone."""

    sources: Mapping[str, SqlSource]
    territories: Mapping[str, Territory]

    @classmethod
    def of(cls, datamap: DataMap, sources: Mapping[str, SqlSource], scope: Scope) -> "Retention":
        """Read the catalogs as they are now.

        Raises:
            DataMapIncomplete: the map and the live catalog differ; nothing is swept by it.
        """
        require_complete(datamap, sources)
        territories = {}
        for name in datamap.databases:
            with sources[name].snapshot() as connection:
                territories[name] = survey_source(datamap, sources[name], connection, scope)
        return cls(sources=sources, territories=territories)

    def order(self, tables: Iterable[str]) -> list[str]:
        """Order tables, children first; one that is no longer there comes last."""
        known = [
            territory.id_of(name)
            for territory in self.territories.values()
            for name in plan_order(territory).tables
        ]
        wanted = set(tables)
        return [each for each in known if each in wanted] + sorted(wanted - set(known))

    def is_known(self, table: str) -> bool:
        """Say whether a table is still where it was when its rows were kept."""
        source, _, name = table.partition(".")
        return source in self.territories and name in self.territories[source].covered

    def statement(self, table: str, *, counted_from: Date | None) -> str:
        """Give the text of what deletes rows of a table; only their keys are missing (L27)."""
        source, territory, name = self._place(table)
        text, _ = source.compile(plan_sweep(territory, name, counted_from=counted_from).delete)
        return text

    def sweep(self, overdue: Overdue, *, fence: Fence, pace: Pace) -> Left:
        """Delete rows whose time is over in fenced chunks, and look what is left of them.

        Rows that refer to rows of their own table go newest first, in as many rounds as it takes.
        """
        left = self.look(overdue)
        for _ in range(ROUNDS_MAX):
            before = len(left.needed)
            if not before:
                break
            self._delete(overdue, left.needed, fence=fence, pace=pace)
            left = self.look(overdue)
            if len(left.needed) in (0, before):
                break
        return left

    def look(self, overdue: Overdue) -> Left:
        """Find what is still there and cut off, in a fresh transaction."""
        source, territory, name = self._place(overdue.table)
        plan = plan_sweep(territory, name, counted_from=overdue.counted_from)
        keys = self._bound(overdue.table, overdue.keys)
        with source.snapshot() as connection:
            params = territory.dialect.chunk_params(in_columns(keys))
            rows = connection.execute(plan.left, params).all()
        found: dict[str, list[Row]] = {"needed": [], "changed": [], "owned": []}
        for *key, is_cut_off, is_unchanged in rows:
            why = "owned" if not is_cut_off else "needed" if is_unchanged else "changed"
            found[why].append(tuple(key))
        return Left(**{why: tuple(keys) for why, keys in found.items()})

    def _delete(self, overdue: Overdue, keys: Sequence[Row], *, fence: Fence, pace: Pace) -> None:
        source, territory, name = self._place(overdue.table)
        plan = plan_sweep(territory, name, counted_from=overdue.counted_from)
        pace.meet_table()
        for part in _chunks(keys, pace):
            params = territory.dialect.chunk_params(in_columns(part))
            with fence.chunk(overdue.table) as record:
                began = pace.elapsed()
                with source.transaction() as connection:
                    rows = connection.execute(plan.delete, params).rowcount
                    record.keep()
                pace.adapt(took_seconds=pace.elapsed() - began)
                record.record(rows=rows)

    def _place(self, table: str) -> tuple[SqlSource, Territory, str]:
        source, _, name = table.partition(".")
        return self.sources[source], self.territories[source], name

    def _bound(self, table: str, keys: Sequence[Sequence[int | str]]) -> list[Row]:
        _, territory, name = self._place(table)
        known = territory.catalog.tables[name]
        columns = [known.columns[column] for column in known.key]
        return [bindable(key, columns) for key in keys]


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepPlan:
    """What is asked and done about one table; the keys travel with each statement."""

    left: sa.Select[Any]
    delete: sa.Delete


def plan_sweep(territory: Territory, name: str, *, counted_from: Date | None) -> SweepPlan:
    """Say how rows of a table are swept whose end was counted from a date, or given."""
    rows = territory.table(name)
    key = primary_key(territory.catalog.tables[name], rows)
    cut_off = _is_cut_off(territory, name, rows, depth=1)
    unchanged = _counts_from(territory, name, rows, counted_from)
    return SweepPlan(
        left=sa.select(
            *key,
            sa.func.coalesce(cut_off, sa.false()).label("is_cut_off"),
            sa.func.coalesce(unchanged, sa.false()).label("is_unchanged"),
        )
        .where(in_chunk(territory, name, key))
        .order_by(*(column.desc() for column in key)),
        delete=change_chunk(
            territory,
            name,
            sa.delete(rows),
            sa.and_(cut_off, unchanged, *_needed_by_nobody(territory, name, rows)),
        ),
    )


def _is_cut_off(territory: Territory, name: str, rows: sa.FromClause, *, depth: int) -> Predicate:
    """Say that a row leads nowhere any more, or to the kept row of the subject itself."""
    anchor, column, key = territory.anchor
    if name == anchor:
        return rows.c[column] == key
    via = territory.via(name)
    if via is None:
        return sa.false()
    found: list[Predicate] = [rows.c[each].is_(None) for each in via.emptied]
    if territory.rules[via.parent].erase == "keep":
        found.append(_leads_to_cut_off(territory, via, rows, depth=depth))
    return sa.or_(sa.false(), *found)


def _leads_to_cut_off(
    territory: Territory, via: Reference, rows: sa.FromClause, *, depth: int
) -> Predicate:
    parent = territory.table(via.parent).alias(f"kept_{depth}")
    inside = _is_cut_off(territory, via.parent, parent, depth=depth + 1)
    keys = sa.select(*(parent.c[each] for each in via.parent_columns)).where(inside)
    return row_value([rows.c[each] for each in via.columns]).in_(keys.correlate(None))


def _counts_from(
    territory: Territory, name: str, rows: sa.FromClause, counted_from: Date | None
) -> Predicate:
    """Say that a row's date is still the one that its end was counted from."""
    until = territory.rules[name].until_column
    if counted_from is None or until is None:
        return sa.true() if counted_from is None else sa.false()
    earliest = counted_from.subtract(days=_DAYS_AROUND)
    latest = counted_from.add(days=_DAYS_AROUND + 1)
    column = territory.catalog.tables[name].columns[until]
    bound = [_as_bound(each, column.type, territory) for each in (earliest, latest)]
    return sa.and_(rows.c[until] >= bound[0], rows.c[until] < bound[1])


def _as_bound(
    day: Date, kind: sa.types.TypeEngine[Any], territory: Territory
) -> sa.BindParameter[Any]:
    value: str | date | datetime = day.format_iso()
    if territory.dialect.types_hold and isinstance(kind, sa.DateTime):
        zone = UTC if kind.timezone else None
        value = datetime(day.year, day.month, day.day, tzinfo=zone)
    elif territory.dialect.types_hold and isinstance(kind, sa.Date):
        value = day.to_stdlib()
    return sa.bindparam(None, value, territory.dialect.binding_type(kind), unique=True)


def _needed_by_nobody(territory: Territory, name: str, rows: sa.FromClause) -> Iterator[Predicate]:
    """Say, foreign key by foreign key, that no row refers to a row: no cascade is ever set off."""
    for number, reference in enumerate(territory.catalog.referring_to(name)):
        child = territory.table(reference.table).alias(f"needing_{number}")
        pairs = zip(reference.columns, reference.parent_columns, strict=True)
        same = [child.c[column] == rows.c[target] for column, target in pairs]
        yield ~some_row(child, *same, seen_from=rows)


def _chunks(keys: Sequence[Row], pace: Pace) -> Iterator[Sequence[Row]]:
    done = 0
    while done < len(keys):
        part = keys[done : done + pace.rows]
        done += len(part)
        yield part
