"""What will be run, as values: built here, printed by a dry run, and run unchanged by `erase`.

Every statement that changes an organization's rows lives here. Identifiers are quoted by the
dialect, values are bound; the keys of a chunk travel as arrays or as one JSON text, so that the
text of a statement does not depend on how many rows there are (L27). Every
change says again whose rows it means: a row that has moved to somebody else since it was found,
or whose key has been given to another row, is not touched.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from typing import Any

import sqlalchemy as sa

from offramp.data.catalog.catalog import Reference
from offramp.data.dialects.dialect import Change
from offramp.data.erasure.order import ErasureOrder, order_tables
from offramp.data.erasure.owned import OwnedRows, beside_owners, guests, hosts, leaves, plan_owned
from offramp.data.erasure.set_check import SetCheck
from offramp.data.erasure.tree import bound_reference, deepest_first
from offramp.data.erasure.whole import Whole, plan_whole, plan_whole_emptying
from offramp.data.territory import Predicate, Territory, primary_key, row_value


class Purpose(Enum):
    """What a statement is for."""

    GUARD = "make sure that no row of others needs a row that goes"
    EMPTY = "empty references to rows that go, in rows that stay"
    KEEP = "hash or null columns of rows that are kept"
    DELETE = "delete rows"


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """One statement that will run, as text with its bound values; chunk keys come at run time."""

    source: str
    table: str
    purpose: str
    text: str
    params: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One worklist and what is done to its rows, chunk by chunk."""

    purpose: Purpose
    table: str
    worklist: sa.Select[Any]  # keys; of rows that stay, also what their end counts from
    change: sa.UpdateBase | None  # none where rows stay exactly as they are
    key_columns: tuple[str, ...]
    hashed: tuple[str, ...] = ()
    written: tuple[str, ...] = ()  # the columns that an update changes
    current: sa.Select[Any] | None = None
    owned: tuple[OwnedRows, ...] = ()
    check: SetCheck | None = None  # in place of the database's own
    whole: Whole | None = None  # in place of chunks, where there are few rows

    def statements(self) -> list[tuple[str, sa.ClauseElement]]:
        """List what runs, in order, each with its purpose."""
        found: list[tuple[str, sa.ClauseElement]] = [(f"find: {self.purpose.value}", self.worklist)]
        if self.whole is not None and self.whole.change is not None:
            found.insert(0, (f"where there are few: {self.purpose.value}", self.whole.change))
        if self.current is not None:
            found.append(("read the values to hash", self.current))
        if self.change is not None:
            change = (self.purpose.value, self.change)
            found += self.check.around(change) if self.check else [change]
        for each in self.owned:
            found += each.statements()
        return found


def plan_order(territory: Territory) -> ErasureOrder:
    """Decide in which order the covered tables are worked off."""
    catalog = territory.catalog
    covered = territory.covered
    references = [
        reference for name in sorted(covered) for reference in catalog.tables[name].references
    ]
    fixed = [
        reference
        for reference in references
        if reference in territory.branches(reference.table) or not territory.emptied(reference)
    ]
    references += beside_owners(territory, references)
    fixed += beside_owners(territory, fixed)
    checked = [reference for reference in references if territory.is_checked(reference)]
    return order_tables(covered, references, fixed=fixed, checked=checked)


def plan_steps(territory: Territory, *, spared: Collection[str] = ()) -> Iterator[Step]:
    """Say everything that an erasure does to one source, in order; nothing to what is spared."""
    for name in plan_order(territory).tables:
        if territory.id_of(name) in spared:
            continue
        if territory.rules[name].erase == "keep":
            yield from _let_go_of(territory, guests(territory, name))
            yield _keep(territory, name)
        elif not hosts(territory, name):
            yield from _let_go_of(territory, {*guests(territory, name), name})
            yield _delete(territory, name)


def _let_go_of(territory: Territory, names: Collection[str]) -> Iterator[Step]:
    for name in sorted(names):
        for reference in territory.catalog.referring_to(name):
            if step := _let_go(territory, reference):
                yield step


def plan_guards(
    territory: Territory, *, spared: Collection[str] = ()
) -> Iterator[tuple[Reference, sa.Select[int]]]:
    """Count the rows of others that cannot exist without rows that go: there must be none.

    Such a row was not handed over with this scope and may not be deleted with it, nor can what it
    needs go while it is there; a cascade of the database would take it silently.
    """
    for name in sorted(territory.covered):
        if territory.rules[name].erase == "keep" or hosts(territory, name):
            continue
        if territory.id_of(name) in spared:
            continue
        for reference in territory.catalog.referring_to(name):
            child = reference.table
            if _is_branch(territory, reference) or territory.emptied(reference):
                continue
            rows = territory.table(child)
            which = _refers_to_covered(territory, reference, rows)
            if child in territory.covered:
                ours = sa.func.coalesce(territory.belongs(child, rows), sa.false())
                which = sa.and_(which, sa.not_(ours))
            yield reference, sa.select(sa.func.count()).select_from(rows).where(which)


def _let_go(territory: Territory, reference: Reference) -> Step | None:
    """Empty a reference to rows that go, wherever it is not the way along which they are found."""
    emptied = territory.emptied(reference)
    if _is_branch(territory, reference) or not emptied:
        return None
    rows = territory.table(reference.table)
    values = _stamps(territory, reference.table, rows) | dict.fromkeys(emptied, sa.null())

    def which(territory: Territory) -> Predicate:
        goes_first = _goes_before_parent(territory, reference, rows)
        return sa.and_(_refers_to_covered(territory, reference, rows), *goes_first)

    update, found = sa.update(rows).values(values), which(territory)
    step = _step(
        territory,
        reference.table,
        Purpose.EMPTY,
        update,
        found=found,
        still=which(territory.again),
        written=tuple(values),
    )
    return replace(step, whole=plan_whole_emptying(territory, reference, update.where(found)))


def _goes_before_parent(
    territory: Territory, reference: Reference, rows: sa.FromClause
) -> list[Predicate]:
    """Leave out the rows that go before the row of their own table to which they refer.

    They go newest first, in an earlier chunk than that row or in the same statement, at whose end
    the database checks its references; to empty them first would write every one of them twice.
    """
    table = territory.catalog.tables[reference.table]
    is_own = reference.parent == table.name and reference.parent_columns == table.key
    is_checked_late = reference.on_delete != "RESTRICT" and territory.dialect.checks_at_end
    if not is_own or not is_checked_late or territory.rules[table.name].erase != "delete":
        return []
    is_newer = row_value(primary_key(table, rows)) > row_value(
        [rows.c[name] for name in reference.columns]
    )
    goes = sa.and_(leaves(territory, table.name, rows), is_newer)
    return [sa.not_(sa.func.coalesce(goes, sa.false()))]


def _is_branch(territory: Territory, reference: Reference) -> bool:
    """Say whether the rows that refer in this way are found by it, and so are gone by then."""
    child = reference.table
    return child in territory.covered and reference in territory.branches(child)


def _refers_to_covered(
    territory: Territory, reference: Reference, rows: sa.FromClause
) -> Predicate:
    gone = territory.table(reference.parent).alias("gone")
    inside = leaves(territory, reference.parent, gone)
    return territory.refers(rows, reference, gone, inside)


def _delete(territory: Territory, name: str) -> Step:
    rows = territory.table(name)
    deletion, found = sa.delete(rows), territory.joined(name, rows)
    owned = plan_owned(territory, name)
    step = _step(
        territory,
        name,
        Purpose.DELETE,
        deletion,
        found=found,
        still=territory.again.belongs(name, rows),
    )
    whole = None if owned else plan_whole(territory, name, deletion.where(found))
    return replace(step, owned=owned, whole=whole)


def _step(
    territory: Territory,
    name: str,
    purpose: Purpose,
    change: Change,
    *,
    found: Predicate,
    still: Predicate,
    written: tuple[str, ...] = (),
) -> Step:
    """Find rows, and change those of a chunk of which the same is still true."""
    table = territory.catalog.tables[name]
    return Step(
        purpose=purpose,
        table=name,
        worklist=_worklist(territory, name, change, found),
        change=change_chunk(territory, name, change, still),
        key_columns=table.key,
        written=written,
    )


def _worklist(
    territory: Territory, name: str, change: sa.Update | sa.Delete, which: Predicate
) -> sa.Select[Any]:
    """Find keys in their order; children first where rows refer to rows of their table."""
    table = territory.catalog.tables[name]
    if isinstance(change, sa.Delete) and (bound := bound_reference(territory, name)):
        return deepest_first(territory, name, bound)
    key = primary_key(table, change.table)
    is_self_referring = any(reference.parent == name for reference in table.references)
    order = [column.desc() for column in key] if is_self_referring else key
    return sa.select(*key).where(which).order_by(*order)


def _keep(territory: Territory, name: str) -> Step:
    """Note kept rows, then hash and null their declared columns, in one update of each row."""
    columns = territory.rules[name].columns
    hashed = tuple(column for column, rule in columns.items() if rule.erase == "hash")
    rows = territory.table(name)
    which = territory.joined(name, rows)
    return Step(
        purpose=Purpose.KEEP,
        table=name,
        worklist=_worklist(territory, name, sa.update(rows), which).add_columns(
            _kept_from(territory, name, rows)
        ),
        current=_current(territory, name, hashed) if hashed else None,
        change=_disguise(territory, name, hashed=hashed),
        key_columns=territory.catalog.tables[name].key,
        hashed=hashed,
        written=tuple(_replaced(territory, name)),
        owned=plan_owned(territory, name),
    )


def _replaced(territory: Territory, name: str) -> list[str]:
    columns = territory.rules[name].columns
    replaced = [column for column, rule in columns.items() if rule.erase in ("hash", "null")]
    stamps = _stamps(territory, name, territory.table(name)) if replaced else ()
    return list(dict.fromkeys((*replaced, *stamps)))


def _disguise(territory: Territory, name: str, *, hashed: Sequence[str]) -> sa.Update | None:
    """Take from kept rows what may not stay; none where everything may."""
    rules = territory.rules[name].columns
    nulled = tuple(column for column, rule in rules.items() if rule.erase == "null")
    if not hashed and not nulled:
        return None
    table = territory.catalog.tables[name]
    rows = territory.table(name)
    chunk = territory.dialect.chunk({each: table.columns[each] for each in (*table.key, *hashed)})
    values: dict[str, Any] = _stamps(territory, name, rows)
    values |= {column: chunk.c[column] for column in hashed} | dict.fromkeys(nulled, sa.null())
    same = [rows.c[column] == chunk.c[column] for column in table.key]
    return sa.update(rows).values(values).where(*same, territory.again.belongs(name, rows))


def _stamps(
    territory: Territory, name: str, rows: sa.TableClause
) -> dict[str, sa.ColumnElement[Any]]:
    """Let stay what the database stamps with the instant of a change: this one is not theirs."""
    columns = territory.catalog.tables[name].columns.values()
    return {each.name: rows.c[each.name] for each in columns if each.is_stamped}


def _kept_from(territory: Territory, name: str, rows: sa.TableClause) -> sa.Label[Any]:
    """Read beside the key of a kept row the date from which its end is counted."""
    until = territory.rules[name].until_column
    return (rows.c[until] if until else sa.null()).label("kept_from")


def _current(territory: Territory, name: str, hashed: Sequence[str]) -> sa.Select[Any]:
    """Read the values to hash and hold their rows, so that no late write is lost in between."""
    rows = territory.table(name)
    key = primary_key(territory.catalog.tables[name], rows)
    values = (rows.c[column] for column in hashed)
    return sa.select(*key, *values).where(in_chunk(territory, name, key)).with_for_update()


def in_chunk(territory: Territory, name: str, key: list[sa.ColumnElement[Any]]) -> Predicate:
    """Say that a row is one of the chunk that travels with the statement."""
    columns = territory.catalog.tables[name].columns
    names = territory.catalog.tables[name].key
    return territory.dialect.in_chunk(key, {each: columns[each] for each in names})


def change_chunk(territory: Territory, name: str, change: Change, which: Predicate) -> Change:
    """Let a change touch those rows of the chunk that are still meant."""
    table = territory.catalog.tables[name]
    key = primary_key(table, change.table)
    return territory.dialect.change_chunk(
        change, key, {each: table.columns[each] for each in table.key}, which
    )
