"""The map laid over the live catalog: one territory for each source, read fresh."""

from collections.abc import Mapping
from contextlib import ExitStack

import sqlalchemy as sa

from offramp.data.catalog.catalog import declare_references
from offramp.data.datamap import DataMap
from offramp.data.scope import Scope
from offramp.data.sources.sql import SqlSource
from offramp.data.territory import Territory


def snapshots(
    stack: ExitStack, datamap: DataMap, sources: Mapping[str, SqlSource]
) -> dict[str, sa.Connection]:
    """Open one consistent state of every database."""
    return {
        name: stack.enter_context(sources[name].snapshot()) for name in sorted(datamap.databases)
    }


def survey(
    datamap: DataMap,
    sources: Mapping[str, SqlSource],
    connections: Mapping[str, sa.Connection],
    scope: Scope,
) -> list[Territory]:
    """Read every source's catalog and say which of its rows the scope covers."""
    return [
        survey_source(datamap, sources[name], connections[name], scope)
        for name in sorted(datamap.databases)
    ]


def survey_source(
    datamap: DataMap, source: SqlSource, connection: sa.Connection, scope: Scope
) -> Territory:
    """Read one source's catalog and say which of its rows the scope covers."""
    rules = datamap.tables_of(source.name)
    declared = {name: rule.references for name, rule in rules.items()}
    return Territory(
        source=source.name,
        spec=source.spec,
        rules=rules,
        catalog=declare_references(source.catalog(connection), declared),
        scope=scope,
        dialect=source.dialect,
    )
