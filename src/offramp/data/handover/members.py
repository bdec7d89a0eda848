"""What members have earned, for the farewell: read for as many of them at once as are written to.

The map is checked and the queries are made once; then it is one query for each table of
achievements, however many members are asked for, and no more is held than theirs. The farewell is
built from it before anything personal goes (L13).
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from offramp.core.errors import Invalid
from offramp.core.model import Achievement
from offramp.data.check import require_complete
from offramp.data.datamap import AchievementRule, DataMap
from offramp.data.scope import Scope
from offramp.data.sources.sql import SqlSource
from offramp.data.survey import survey_source
from offramp.data.territory import MEMBERS, Territory, row_value

Rows = sa.Select[str, str, str | None, str]


class MembersUndeclared(Invalid):
    """The data map does not say where members are read from."""


class AchievementUnowned(Invalid):
    """The rows of {table} do not lead to a member, so that nobody can be sent them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Register:
    """One table of achievements: where it is, and how it is asked about some members."""

    source: SqlSource
    territory: Territory
    key: tuple[str, str]  # the members' table, and its key
    statement: Rows

    def ask(self, members: Collection[str]) -> Sequence[sa.Row[str, str, str | None, str]]:
        keys = self.territory.keys_from(*self.key, members)
        with self.source.snapshot() as connection:
            return connection.execute(self.statement, {MEMBERS: keys}).all()


class AchievementReader:
    """Reads what members of one organization have earned, some of them at a time."""

    def __init__(
        self, datamap: DataMap, sources: Mapping[str, SqlSource], organization: str
    ) -> None:
        """Check the map, and prepare one query for each table of achievements.

        Raises:
            MembersUndeclared: the map has no `people.members`.
            AchievementUnowned: a table of achievements does not lead to the members' table.
        """
        require_complete(datamap, sources)
        if datamap.people is None:
            raise MembersUndeclared(hint="add people: {members: {table: app.users, key: id, …}}")
        scope = Scope(organization=organization)
        self._registers = [
            _open_register(datamap, sources, rule, scope) for rule in datamap.achievements
        ]

    def read(self, members: Collection[str]) -> Mapping[str, tuple[Achievement, ...]]:
        """Give all that each of these members has earned; who has earned nothing is left out."""
        earned: dict[str, list[Achievement]] = {}
        for register in self._registers:
            for row in register.ask(members):
                achievement = Achievement(title=row.title, holder=row.holder, at=row.at)
                earned.setdefault(row.member, []).append(achievement)
        return {member: tuple(found) for member, found in earned.items()}


def _open_register(
    datamap: DataMap, sources: Mapping[str, SqlSource], rule: AchievementRule, scope: Scope
) -> _Register:
    assert datamap.people is not None
    name, _, table = rule.table.partition(".")
    source, members = sources[name], datamap.people.members
    with source.snapshot() as connection:
        territory = survey_source(datamap, source, connection, scope)
    return _Register(
        source=source,
        territory=territory,
        key=(members.table.partition(".")[2], members.key),
        statement=_select(datamap, territory, table, rule),
    )


def _select(datamap: DataMap, territory: Territory, name: str, rule: AchievementRule) -> Rows:
    assert datamap.people is not None
    members = datamap.people.members
    rows = territory.table(name)
    joined: sa.FromClause = rows
    child: sa.FromClause = rows
    way = territory.way_to(name, members.table.partition(".")[2])
    if way is None:
        raise AchievementUnowned(
            table=territory.id_of(name), hint="lead `via` over the table of the members"
        )
    for number, hop in enumerate(way):
        parent = territory.table(hop.parent).alias(f"hop_{number}")
        on = row_value([child.c[column] for column in hop.columns]) == row_value(
            [parent.c[column] for column in hop.parent_columns]
        )
        joined, child = joined.join(parent, on), parent
    member = _text(child.c[members.key])
    is_asked_for = territory.is_among(members.table.partition(".")[2], child, members.key)
    joined, title = _with_title(territory, name, rule.title, rows=rows, joined=joined)
    holder = _text(rows.c[rule.holder]) if rule.holder else sa.null()
    fields = (sa.func.coalesce(_text(title), "").label("title"), holder.label("holder"))
    key = (rows.c[column] for column in territory.catalog.tables[name].key)
    return (
        sa.select(member.label("member"), *fields, _text(rows.c[rule.at]).label("at"))
        .select_from(joined)
        .where(territory.belongs(name, rows), is_asked_for)
        .order_by(*key)
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


def _text(column: sa.ColumnElement[object]) -> sa.Cast[str]:
    return sa.cast(column, sa.Text)
