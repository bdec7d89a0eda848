"""What our role has to be permitted, asked before anything is done, and told by name.

The law: what is needed is read off the very statements that will run, so that there is no list
beside them that could forget something. Only verification looks at more than the map names, and so
whoever erases has to be able to read everything; else a deletion would end with a proof that cannot
be made. Rows that are hidden from us are an error, never a smaller answer (L16).

Source: lesson L16; PostgreSQL, "Privileges", "Row Security Policies".
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

import sqlalchemy as sa
from sqlalchemy.sql.visitors import ExternallyTraversible

from offramp.data.erasure.statements import Step
from offramp.data.restoration.plan import TablePlan
from offramp.data.sources.driver import Need
from offramp.data.sources.sql import SqlSource
from offramp.data.territory import Territory


def require_permitted(source: SqlSource, connection: sa.Connection, needs: Iterable[Need]) -> None:
    """Refuse to go on where a table may not be read or changed as it has to be.

    Raises:
        PermissionMissing, RowsHidden, SourceReadOnly: the database would not let us, or not see.
    """
    refusal = source.driver.refusal(connection, list(needs))
    if refusal is not None:
        raise refusal.in_source(source.name)


def to_erase(territory: Territory, steps: Iterable[Step]) -> Iterator[Need]:
    """Name what the steps of an erasure change; it and its verification may read any column."""
    for name, table in territory.catalog.tables.items():
        yield Need(verb="SELECT", table=territory.table(name), columns=tuple(table.columns))
    for step in steps:
        yield from _changed_by(territory, step)


def to_restore(territory: Territory, plans: Sequence[TablePlan]) -> Iterator[Need]:
    """Name what a restore finds, adds and fills in."""
    for plan in plans:
        table = territory.table(plan.name)
        yield Need(verb="SELECT", table=table, columns=plan.columns)
        yield Need(verb="INSERT", table=table, columns=(*plan.columns, *plan.random))
        later = {name for each in plan.deferred for name in territory.emptied(each)}
        if plan.rule.erase == "keep":
            later |= plan.hashed | plan.emptied
        filled = tuple(sorted(name for name in later if name in plan.columns))
        if filled:
            yield Need(verb="UPDATE", table=table, columns=filled)


def _changed_by(territory: Territory, step: Step) -> Iterator[Need]:
    table = territory.table(step.table)
    if isinstance(step.change, sa.Delete):
        yield Need(verb="DELETE", table=table)
    elif step.change is not None:
        yield Need(verb="UPDATE", table=table, columns=step.written)
    for each in step.owned:
        yield Need(verb="DELETE", table=territory.table(each.table))


def to_read(statements: Iterable[sa.ClauseElement]) -> Iterator[Need]:
    """Name what statements read, column by column."""
    tables: dict[str, sa.TableClause] = {}
    columns: defaultdict[str, set[str]] = defaultdict(set)
    for element in _parts_of(statements):
        if isinstance(element, sa.ColumnClause) and (table := _table_of(element)) is not None:
            tables[table.fullname] = table
            columns[table.fullname].add(element.name)
    for name, table in tables.items():
        yield Need(verb="SELECT", table=table, columns=tuple(sorted(columns[name])))


def _parts_of(statements: Iterable[ExternallyTraversible]) -> Iterator[ExternallyTraversible]:
    """Walk through all that statements are made of; what they have in common comes up once."""
    waiting = list(statements)
    seen: set[ExternallyTraversible] = set()
    while waiting:
        if (element := waiting.pop()) not in seen:
            seen.add(element)
            yield element
            waiting += element.get_children()


def _table_of(column: sa.ColumnClause[object]) -> sa.TableClause | None:
    owner = column.table
    while isinstance(owner, sa.Alias):
        owner = owner.element
    return owner if isinstance(owner, sa.TableClause) else None
