"""Open sessions of people, where they are rows of the vendor's database: counted, and closed.

A session is closed by deleting its row, in a table that the map names for that. Nothing may refer
to such a row, so nothing else is touched when it goes. The members are given; whoever gives them
has decided that they may not sign in any more.

Source: mission A2; lesson L40.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from offramp.core.errors import Invalid
from offramp.data.catalog.catalog import Reference
from offramp.data.datamap import DataMap, MembersRule
from offramp.data.scope import Scope
from offramp.data.sources.sql import SqlSource
from offramp.data.survey import survey_source
from offramp.data.territory import MEMBERS, Predicate, Territory


class SessionsUnfit(Invalid):
    """The rows of {table} cannot be closed as sessions: {problem}."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Table:
    """One table of sessions, and how those of some members are told from all others."""

    source: SqlSource
    territory: Territory
    rows: sa.TableClause
    is_of_members: Predicate
    key: tuple[str, str]  # the members' table, and its key

    def bound(self, members: Collection[str]) -> Mapping[str, list[Any]]:
        return {MEMBERS: self.territory.keys_from(*self.key, members)}


class OpenSessions:
    """The open sessions of one organization's people."""

    def __init__(
        self, datamap: DataMap, sources: Mapping[str, SqlSource], organization: str
    ) -> None:
        """Prepare one statement for each table of sessions; nothing is read of them yet.

        Raises:
            SessionsUnfit: a table is not there, or is none whose rows may go alone.
        """
        scope = Scope(organization=organization)
        self._tables = [_open(datamap, sources, table, scope) for table in datamap.sessions]

    def count(self, members: Sequence[str]) -> int:
        """Count what is open of some members."""
        found = 0
        for table in self._tables:
            query = sa.select(sa.func.count()).select_from(table.rows).where(table.is_of_members)
            with table.source.snapshot() as connection:
                found += connection.execute(query, table.bound(members)).scalar_one()
        return found

    def close(self, members: Sequence[str]) -> int:
        """Close whatever is open of some members, and say how many sessions that were."""
        closed = 0
        for table in self._tables:
            statement = sa.delete(table.rows).where(table.is_of_members)
            with table.source.transaction() as connection:
                closed += connection.execute(statement, table.bound(members)).rowcount
        return closed


def misfits(datamap: DataMap, territory: Territory) -> Iterator[tuple[str, str]]:
    """Give the tables of sessions that are unfit for it, each with what is wrong."""
    for table in datamap.sessions:
        source, _, name = table.partition(".")
        if source == territory.source and name in territory.catalog.tables:
            problem = _misfit(territory, name, _members(datamap))
            if problem is not None:
                yield table, problem


def _misfit(territory: Territory, name: str, members: MembersRule) -> str | None:
    referring = [each.table for each in territory.catalog.referring_to(name) if each.table != name]
    if referring:
        return f"rows of {referring[0]} refer to them"
    if territory.rules[name].erase == "keep" or territory.rules[name].shared is not None:
        return "the map keeps them"
    if _way(territory, name, members) is None:
        return f"they do not lead to {members.table}"
    return None


def _members(datamap: DataMap) -> MembersRule:
    assert datamap.people is not None, "sessions are declared beside people"
    return datamap.people.members


def _way(territory: Territory, name: str, members: MembersRule) -> tuple[Reference, ...] | None:
    source, _, people = members.table.partition(".")
    return territory.way_to(name, people) if source == territory.source else None


def _open(datamap: DataMap, sources: Mapping[str, SqlSource], table: str, scope: Scope) -> _Table:
    source, _, name = table.partition(".")
    with sources[source].snapshot() as connection:
        territory = survey_source(datamap, sources[source], connection, scope)
    if name not in territory.catalog.tables:
        raise SessionsUnfit(table=table, problem="it is not in the database")
    members = _members(datamap)
    problem = _misfit(territory, name, members)
    if problem is not None:
        raise SessionsUnfit(table=table, problem=problem)
    way = _way(territory, name, members)
    assert way is not None, "a table without a way is unfit"
    rows = territory.table(name)
    people = members.table.partition(".")[2]
    is_theirs = _is_of_members(territory, rows, way, members.key, people, depth=1)
    return _Table(
        source=sources[source],
        territory=territory,
        rows=rows,
        is_of_members=sa.and_(territory.belongs(name, rows), is_theirs),
        key=(people, members.key),
    )


def _is_of_members(
    territory: Territory,
    rows: sa.FromClause,
    way: Sequence[Reference],
    key: str,
    people: str,
    *,
    depth: int,
) -> Predicate:
    if not way:
        return territory.is_among(people, rows, key)
    hop, *rest = way
    parent = territory.table(hop.parent).alias(f"hop_{depth}")
    inside = _is_of_members(territory, parent, rest, key, people, depth=depth + 1)
    return territory.refers(rows, hop, parent, inside)
