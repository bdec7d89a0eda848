"""What a member has earned, for the farewell: read for all members of an organization at once.

Set-based: one query for each table of achievements, however many members there are, merged as
they stream. The farewell is built from it before anything personal goes (L13).
"""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from heapq import merge
from itertools import groupby
from operator import itemgetter

import sqlalchemy as sa

from offramp.core.errors import Invalid
from offramp.core.model import Achievement
from offramp.data.catalog.catalog import Reference
from offramp.data.check import require_complete
from offramp.data.datamap import AchievementRule, DataMap
from offramp.data.scope import Scope
from offramp.data.sources.sql import SqlSource
from offramp.data.survey import survey_source
from offramp.data.territory import Territory, row_value

_ROWS_FETCHED = 1_000
Earned = tuple[str, Achievement]


class MembersUndeclared(Invalid):
    """The data map does not say where members are read from."""


class AchievementUnowned(Invalid):
    """The rows of {table} do not lead to a member, so that nobody can be sent them."""


def achievements(
    datamap: DataMap, sources: Mapping[str, SqlSource], organization: str
) -> Iterator[tuple[str, tuple[Achievement, ...]]]:
    """Yield every member who has earned something, with all of it, in the order of their keys.

    Raises:
        MembersUndeclared: the map has no `people.members`.
        AchievementUnowned: a table of achievements does not lead to the members' table.
    """
    require_complete(datamap, sources)
    if datamap.people is None:
        raise MembersUndeclared(hint="add people: {members: {table: app.users, key: id, …}}")
    scope = Scope(organization=organization)
    with ExitStack() as stack:
        streams = [_read(datamap, sources, rule, scope, stack) for rule in datamap.achievements]
        in_order = merge(*streams, key=itemgetter(0))
        for member, earned in groupby(in_order, key=itemgetter(0)):
            yield member, tuple(achievement for _, achievement in earned)


def _read(
    datamap: DataMap,
    sources: Mapping[str, SqlSource],
    rule: AchievementRule,
    scope: Scope,
    stack: ExitStack,
) -> Iterator[Earned]:
    source, _, name = rule.table.partition(".")
    connection = stack.enter_context(sources[source].snapshot())
    territory = survey_source(datamap, sources[source], connection, scope)
    statement = _select(datamap, territory, name, rule)
    result = connection.execution_options(yield_per=_ROWS_FETCHED).execute(statement)
    return (
        (row.member, Achievement(title=row.title, holder=row.holder, at=row.at)) for row in result
    )


def _select(
    datamap: DataMap, territory: Territory, name: str, rule: AchievementRule
) -> sa.Select[str, str, str | None, str]:
    assert datamap.people is not None
    members = datamap.people.members
    rows = territory.table(name)
    joined: sa.FromClause = rows
    child: sa.FromClause = rows
    for number, hop in enumerate(_way_to_member(territory, name, members.table)):
        parent = territory.table(hop.parent).alias(f"hop_{number}")
        on = row_value([child.c[column] for column in hop.columns]) == row_value(
            [parent.c[column] for column in hop.parent_columns]
        )
        joined, child = joined.join(parent, on), parent
    member = _text(child.c[members.key])
    order = territory.dialect.in_byte_order(member)
    joined, title = _with_title(territory, name, rule.title, rows=rows, joined=joined)
    holder = _text(rows.c[rule.holder]) if rule.holder else sa.null()
    fields = (sa.func.coalesce(_text(title), "").label("title"), holder.label("holder"))
    key = (rows.c[column] for column in territory.catalog.tables[name].key)
    return (
        sa.select(member.label("member"), *fields, _text(rows.c[rule.at]).label("at"))
        .select_from(joined)
        .where(territory.belongs(name, rows))
        .order_by(order, *key)
    )


def _with_title(
    territory: Territory, name: str, path: str, *, rows: sa.FromClause, joined: sa.FromClause
) -> tuple[sa.FromClause, sa.ColumnElement[object]]:
    """Join the tables that lead to a title, one row of each at most, and give its column."""
    child: sa.FromClause = rows
    *hops, (_, column) = territory.catalog.trail(name, path)
    for number, (table, key) in enumerate(hops):
        reference = territory.catalog.tables[table].reference((key,))
        assert reference is not None, "the check has followed the same path"
        parent = territory.table(reference.parent).alias(f"title_{number}")
        on = child.c[key] == parent.c[reference.parent_columns[0]]
        joined, child = joined.join(parent, on, isouter=True), parent
    return joined, child.c[column]


def _way_to_member(territory: Territory, name: str, members: str) -> list[Reference]:
    """Follow `via` until the members' table, or take a reference that leads there directly."""
    wanted = members.partition(".")[2]
    way: list[Reference] = []
    while name != wanted:
        direct = [
            each for each in territory.catalog.tables[name].references if each.parent == wanted
        ]
        hop = direct[0] if direct else territory.via(name)
        if hop is None:
            raise AchievementUnowned(
                table=territory.id_of(name), hint="lead `via` over the table of the members"
            )
        way.append(hop)
        name = hop.parent
    return way


def _text(column: sa.ColumnElement[object]) -> sa.Cast[str]:
    return sa.cast(column, sa.Text)
