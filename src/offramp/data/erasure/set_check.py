"""References looked at once for a chunk, where the map asks for it and the database can do it.

The law: the result is never another one than in the ordinary way. A chunk goes without the
database's own looks at each row; before its transaction ends, a new statement for each foreign key
that points at the table asks whether a row still refers to one that is not there any more. If there
is one, or if what points at the table is not what was planned with, the transaction is rolled back
and the chunk goes in the ordinary way, in which the database refuses, cascades or empties.

Nobody slips through between the two statements. Whoever has added a row that refers to one of the
chunk holds that one until the end of their transaction, so that our deletion waits, and the later
statement sees what they have added; whoever comes after it waits for us, and is refused. What
points at the table cannot change while the deletion has it.

Source: docs/decisions/018-set-checks.md; PostgreSQL, "Explicit Locking", "Transaction Isolation".
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from offramp.data.sources.driver import Pointer, SetChecks
from offramp.data.sources.sql import SqlSource
from offramp.data.territory import Territory, primary_key, some_row

_OPENING = "let the chunk go without a look at each row's references"
_ORPHANS = "count the rows that refer to one that went; with any, the chunk goes the ordinary way"


@dataclass(frozen=True, slots=True, kw_only=True)
class SetCheck:
    """What is asked after each chunk of a table, in place of what the database asks by itself."""

    checks: SetChecks
    table: sa.TableClause
    state: tuple[object, ...]
    orphans: tuple[sa.Select[int], ...]

    def around(self, deletion: tuple[str, sa.ClauseElement]) -> list[tuple[str, sa.ClauseElement]]:
        """List what runs in the transaction of a chunk, each with its purpose."""
        return [
            *((_OPENING, statement) for statement in self.checks.opening),
            deletion,
            *((_ORPHANS, statement) for statement in self.orphans),
        ]

    def holds(self, connection: sa.Connection, params: Mapping[str, Any]) -> bool:
        """Say, after a deletion, that nothing refers to what went, and that all is as planned.

        Only now nobody can let another reference point at the table any more.
        """
        return self.checks.state(connection, self.table) == self.state and not any(
            connection.execute(each, params).scalar_one() for each in self.orphans
        )


def require_set_checks(source: SqlSource, connection: sa.Connection) -> None:
    """Refuse to go on where the map asks for set checks and our role may not do without others.

    Raises:
        PermissionMissing: the hint is what to grant.
    """
    refusal = source.set_checks.refusal(connection) if source.set_checks else None
    if refusal is not None:
        raise refusal.in_source(source.name)


def plan_set_check(source: SqlSource, territory: Territory, name: str) -> SetCheck | None:
    """Say how the references to a table are looked at in sets; none if they are not."""
    if source.set_checks is None or not territory.catalog.referring_to(name):
        return None
    table, key = territory.table(name), territory.catalog.tables[name].key
    with source.snapshot() as connection:
        pointers = source.set_checks.pointers(connection, table)
        state = source.set_checks.state(connection, table)
    # A reference to something else than the key cannot be compared with the keys of a chunk.
    if not pointers or any({to for _, to in each.columns} != set(key) for each in pointers):
        return None
    return SetCheck(
        checks=source.set_checks,
        table=table,
        state=state,
        orphans=tuple(_count_orphans(territory, name, each) for each in pointers),
    )


def _count_orphans(territory: Territory, name: str, pointer: Pointer) -> sa.Select[int]:
    """Count the rows that refer to a key of the chunk under which no row is left."""
    table, parents = territory.catalog.tables[name], territory.table(name).alias("parents")
    column_to = {target: column for column, target in pointer.columns}
    kinds = {each: parents.c[each].type for each in table.key}
    fields = [sa.column(column_to[each], kinds[each]) for each in table.key]
    rows = sa.table(pointer.table, *fields, schema=pointer.schema).alias("children")
    named = [rows.c[column_to[each]] for each in table.key]
    key = {each: table.columns[each] for each in table.key}
    same = zip(primary_key(table, parents), named, strict=True)
    left = some_row(parents, *(one == other for one, other in same), seen_from=rows)
    return (
        sa.select(sa.func.count())
        .select_from(rows)
        .where(territory.dialect.in_chunk(named, key), sa.not_(left))
    )
