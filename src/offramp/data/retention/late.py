"""Looking for rows that came after an erasure: under the key of who is gone, or below it (L22).

The law: what has come late is found by the list that verification makes of the live catalog, and
is told apart from somebody who is there. Where the subject's own row exists again, its key may
have been given to a new customer, whose rows are nobody's to take: that is told, and nothing is
touched. Without such a row nothing below it can be anybody's, and it goes.

Nothing is searched by names or addresses: the key of their hashes is destroyed.

Source: lessons L22, L24; docs/decisions/014-late-rows.md.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import sqlalchemy as sa

from offramp.data.datamap import DataMap, TableRule
from offramp.data.elsewhere import Elsewhere
from offramp.data.erasure.tombstone import Tombstone
from offramp.data.proof.verify import Verification, verify
from offramp.data.scope import Scope
from offramp.data.sources.sql import SqlSource
from offramp.data.survey import survey_source

NO_MARKS = Tombstone(subject="", marks=(), are_all_mails=True, tables={})


@dataclass(frozen=True, slots=True, kw_only=True)
class LateRows:
    """What is there again of a subject that was erased."""

    tables: Mapping[str, int]  # rows that lead to its key
    orphans: Mapping[str, int]  # rows that lead nowhere; whose they were cannot be told
    is_back: bool  # its own row exists

    @property
    def rows(self) -> int:
        """How many rows lead to its key."""
        return sum(self.tables.values())


def find_late(
    datamap: DataMap,
    sources: Mapping[str, SqlSource],
    scope: Scope,
    *,
    listed: Mapping[str, int],
    elsewhere: Elsewhere | None,
) -> LateRows:
    """Count what is there of a subject that was erased.

    Args:
        datamap: what it keeps on purpose is not late.
        sources: every source of the map, open.
        scope: whose rows; never one product alone, which may have been bought again.
        listed: rows that the erasure kept, by table.
        elsewhere: the sources of the map that are no database.
    """
    found = verify(datamap, sources, scope, tombstone=NO_MARKS, key=b"", elsewhere=elsewhere)
    late = {**found.counts, **_late_kept(datamap, found, listed)}
    return LateRows(
        tables={table: rows for table, rows in late.items() if rows},
        orphans={table: rows for table, rows in found.orphans.items() if rows},
        is_back=is_back(datamap, sources, scope),
    )


def is_back(datamap: DataMap, sources: Mapping[str, SqlSource], scope: Scope) -> bool:
    """Say whether the subject's own row exists in any source, unless the map keeps that row."""
    for name in datamap.databases:
        with sources[name].snapshot() as connection:
            territory = survey_source(datamap, sources[name], connection, scope)
            table, column, key = territory.anchor
            rows = territory.table(table)
            own = sa.select(sa.func.count()).select_from(rows).where(rows.c[column] == key)
            is_kept = territory.rules[table].erase == "keep"
            if not is_kept and connection.execute(own).scalar_one():
                return True
    return False


def _late_kept(datamap: DataMap, found: Verification, listed: Mapping[str, int]) -> dict[str, int]:
    """Count rows of kept tables that lead to the key and are not on the list of kept rows."""
    late = {}
    for table, rows in found.retained.items():
        is_cut = _is_cut(datamap.tables[table])
        late[table] = rows if is_cut else max(0, rows - listed.get(table, 0))
    return late


def _is_cut(rule: TableRule) -> bool:
    """Say whether kept rows of a table lead to nobody any more."""
    return any(each in rule.columns and rule.columns[each].erase == "null" for each in rule.via)
