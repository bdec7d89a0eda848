"""Rows that are owned the other way round: a row names another one, and that one is a part of it.

An order names its address; the address names nobody. The law of such rows lives here: once their
owner is gone nothing would find them again, so their keys are read, and their rows are held,
before the owner goes, and they go in the same transaction, right after it. A row that anybody
else still refers to stays: it goes with the last of its owners.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import sqlalchemy as sa

from offramp.data.catalog.catalog import Reference
from offramp.data.dialects import Columns, in_columns
from offramp.data.territory import Predicate, Territory, is_named, primary_key, some_row


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnedRows:
    """The rows of one table that go with a chunk of their owners.

    `find` is asked with the keys of the chunk, or with those that were found in the table before
    it; `change` deletes what it found, unless somebody else refers to it.
    """

    table: str
    owner: str
    find: sa.Select[Any]
    change: sa.Delete
    key_columns: tuple[str, ...]

    def statements(self) -> list[tuple[str, sa.ClauseElement]]:
        """List what runs, each with its purpose."""
        return [
            ("find and hold rows that are owned by rows that go", self.find),
            ("delete rows that were owned, unless others refer to them", self.change),
        ]


def plan_owned(territory: Territory, name: str) -> tuple[OwnedRows, ...]:
    """Say which rows go with the rows of a table, owners before what they own."""
    return tuple(_spread(territory, name, (name,)))


def hosts(territory: Territory, name: str) -> frozenset[str]:
    """Name the tables in whose chunks the rows of an owned table go."""
    owners = {reference.table for reference in territory.owners(name)}
    found: set[str] = set()
    for owner in owners:
        found |= hosts(territory, owner) or {owner}
    return frozenset(found)


def guests(territory: Territory, name: str) -> frozenset[str]:
    """Name the owned tables whose rows go in the chunks of a table."""
    return frozenset(each for each in territory.covered if name in hosts(territory, each))


def beside_owners(territory: Territory, references: Sequence[Reference]) -> Iterator[Reference]:
    """Let whatever refers to an owned row go before its owners: it is found through them."""
    for reference in references:
        above = hosts(territory, reference.parent)
        if reference not in territory.owners(reference.parent):
            for host in sorted(above - hosts(territory, reference.table) - {reference.table}):
                yield replace(reference, parent=host)


def leaves(territory: Territory, name: str, rows: sa.FromClause) -> Predicate:
    """Return what is true of covered rows that really go: nobody else owns them as well."""
    ours = territory.belongs(name, rows)
    for number, reference in enumerate(territory.owners(name)):
        others = territory.table(reference.table).alias(f"others_{number}")
        theirs = sa.not_(sa.func.coalesce(territory.belongs(reference.table, others), sa.false()))
        ours = sa.and_(
            ours, sa.not_(is_named(rows, reference, others, _names(others, reference, theirs)))
        )
    return ours


def _names(rows: sa.FromClause, reference: Reference, which: Predicate) -> Predicate:
    """Leave out empty references: nothing is ever known to be not among them."""
    return sa.and_(*(rows.c[name].is_not(None) for name in reference.columns), which)


def _spread(territory: Territory, name: str, passed: tuple[str, ...]) -> Iterator[OwnedRows]:
    by_table: dict[str, list[Reference]] = {}
    for reference in territory.owned(name):
        by_table.setdefault(reference.parent, []).append(reference)
    for table, references in sorted(by_table.items()):
        if table not in passed and territory.rules[table].erase == "delete":
            yield _owned(territory, name, table, references)
            yield from _spread(territory, table, (*passed, table))


def _owned(
    territory: Territory, owner: str, name: str, references: Sequence[Reference]
) -> OwnedRows:
    table, rows = territory.catalog.tables[name], territory.table(name)
    owners = territory.table(owner).alias("owners")
    going = _in_chunk(territory, owner, owners)
    named = [is_named(rows, each, owners, going) for each in references]
    key = primary_key(table, rows)
    free = sa.and_(
        *(
            is_free(territory, each, rows, goes_together=True)
            for each in territory.catalog.referring_to(name)
        )
    )
    return OwnedRows(
        table=name,
        owner=owner,
        find=sa.select(*key).where(sa.or_(*named)).order_by(*key).with_for_update(),
        change=territory.dialect.change_chunk(
            sa.delete(rows), key, {each: table.columns[each] for each in table.key}, free
        ),
        key_columns=table.key,
    )


def is_free(
    territory: Territory, reference: Reference, rows: sa.FromClause, *, goes_together: bool = False
) -> Predicate:
    """Say that no row refers to a row; rows of its own table may, if they go with it."""
    users = territory.table(reference.table).alias("users")
    is_own = goes_together and reference.table == reference.parent
    but = [sa.not_(_in_chunk(territory, reference.table, users))] if is_own else []
    pairs = zip(reference.columns, reference.parent_columns, strict=True)
    same = [users.c[column] == rows.c[target] for column, target in pairs]
    return ~some_row(users, *same, *but, seen_from=rows)


def _in_chunk(territory: Territory, name: str, rows: sa.FromClause) -> Predicate:
    table = territory.catalog.tables[name]
    columns = {each: table.columns[each] for each in table.key}
    return territory.dialect.in_chunk(primary_key(table, rows), columns)


def hold_owned(
    connection: sa.Connection,
    territory: Territory,
    owned: Sequence[OwnedRows],
    chunk: Columns,
    *,
    owner: str,
) -> Mapping[str, Columns]:
    """Read the keys of owned rows, and hold the rows, before their owners go.

    Shape:
        table -> its keys; the table of the owners is among them, with the chunk.
    """
    held = {owner: chunk}
    rows: dict[str, list[sa.Row[Any]]] = {}
    for each in owned:
        keys = held[each.owner]
        params = territory.dialect.chunk_params(keys)
        found = connection.execute(each.find, params).all() if keys else ()
        rows.setdefault(each.table, []).extend(found)
        held[each.table] = in_columns(rows[each.table])
    return held


def release_owned(
    connection: sa.Connection,
    territory: Territory,
    owned: Sequence[OwnedRows],
    held: Mapping[str, Columns],
) -> Mapping[str, int]:
    """Delete what was held and is free now; return the number of rows that went, by table."""
    gone: dict[str, int] = {}
    for each in owned:
        keys = held[each.table]
        params = territory.dialect.chunk_params(keys)
        rows = connection.execute(each.change, params).rowcount if keys else 0
        gone[each.table] = gone.get(each.table, 0) + int(rows)
    return gone
