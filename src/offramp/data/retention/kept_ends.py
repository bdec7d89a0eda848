"""Until when kept rows stay, counted before anything is taken from them.

Afterwards nobody could find them by their organization; so where no keeper remembers each row, the
counts are taken once, together with the tombstone, and a crash loses none of them.

Source: mission A11; lesson L32.
"""

from collections import Counter
from collections.abc import Mapping

import sqlalchemy as sa
from pydantic import BaseModel, ConfigDict

from offramp.data.datamap import DataMap
from offramp.data.retention.keeping import KeptRows, end_of, last_date, read_anchor
from offramp.data.scope import Scope
from offramp.data.sources.sql import SqlSource
from offramp.data.survey import survey_source
from offramp.data.territory import Territory

_ROWS_FETCHED = 1_000


class KeptEnds(BaseModel):
    """How many rows of each table stay until when; it is a keeper that was told beforehand."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    tables: Mapping[str, Mapping[str, int]] = {}

    def keep(self, table: str, rows: KeptRows) -> None:
        """Hear of rows that were counted already."""

    def ends(self, table: str) -> Mapping[str, int]:
        """Give what was counted of a table by its last civil date."""
        return self.tables.get(table, {})


def count_ends(
    datamap: DataMap, sources: Mapping[str, SqlSource], scope: Scope, *, zone: str = "UTC"
) -> KeptEnds:
    """Count the rows that will stay, by the last civil date of their keeping."""
    tables = {}
    for source in datamap.databases:
        with sources[source].snapshot() as connection:
            territory = survey_source(datamap, sources[source], connection, scope)
            for name in sorted(territory.covered):
                if territory.rules[name].erase == "keep":
                    found = _count(territory, name, connection, zone=zone)
                    tables[territory.id_of(name)] = dict(sorted(found.items()))
    return KeptEnds(tables=tables)


def _count(
    territory: Territory, name: str, connection: sa.Connection, *, zone: str
) -> Counter[str]:
    rule = territory.rules[name]
    rows = territory.table(name)
    anchor = rows.c[rule.until_column] if rule.until_column else sa.null()
    chosen = sa.select(anchor.label("kept_from")).where(territory.joined(name, rows)).subquery()
    counted = sa.select(chosen.c.kept_from, sa.func.count()).group_by(chosen.c.kept_from)
    found = Counter[str]()
    options = {"yield_per": _ROWS_FETCHED}
    for value, number in connection.execute(counted, execution_options=options):
        end = end_of(read_anchor(value), rule, zone=zone)
        found[last_date(end.ends_at if end else None, zone=zone)] += number
    return found
