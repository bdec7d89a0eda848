"""The tombstone: what stays known of an organization that is gone, and nothing of its people.

Keyed hashes of the identifiers that prove which organization it was, and the digest of each
table's content. It is taken before the first row goes, because afterwards nobody can.
"""

from collections.abc import Mapping
from contextlib import ExitStack

import sqlalchemy as sa
from pydantic import BaseModel, ConfigDict

from offramp.data.check import survey_complete
from offramp.data.datamap import DataMap, split_column
from offramp.data.erasure.pseudonym import hash_mark, is_mail_address
from offramp.data.manifest import TableDigest
from offramp.data.scope import Scope
from offramp.data.sources.sql import SqlSource
from offramp.data.survey import snapshots
from offramp.data.territory import Territory


class Tombstone(BaseModel):
    """Keyed hashes of a subject's marks, and the digests of its tables."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    subject: str
    marks: tuple[str, ...]
    are_all_mails: bool
    tables: Mapping[str, TableDigest]

    @property
    def counts(self) -> Mapping[str, int]:
        """How many rows each table had."""
        return {table: known.rows for table, known in self.tables.items()}

    def finished(self, erased: Mapping[str, int]) -> frozenset[str]:
        """Name the tables of which as many rows were erased as they had."""
        had = self.counts
        return frozenset(name for name, rows in erased.items() if 0 < had.get(name, 0) <= rows)


def take_tombstone(
    datamap: DataMap,
    sources: Mapping[str, SqlSource],
    scope: Scope,
    *,
    key: bytes,
    digests: Mapping[str, TableDigest],
) -> Tombstone:
    """Hash the marks of a subject while its rows are still there.

    Args:
        datamap: its `marks` name the columns that identify the subject.
        sources: every source of the map, open.
        scope: whose marks.
        key: the organization's own key; it never leaves this process.
        digests: what `offramp.data.handover.export.digest` has found just now.
    """
    with ExitStack() as stack:
        connections = snapshots(stack, datamap, sources)
        marks = {
            mark
            for territory in survey_complete(datamap, sources, connections, scope)
            for mark in _read_marks(datamap, territory, connections[territory.source])
        }
    subject = "\0".join(part or "" for part in (scope.organization, scope.member, scope.product))
    return Tombstone(
        subject=hash_mark(subject, key=key),
        marks=tuple(sorted(hash_mark(mark, key=key) for mark in marks)),
        are_all_mails=all(is_mail_address(mark) for mark in marks),
        tables=dict(digests),
    )


def _read_marks(datamap: DataMap, territory: Territory, connection: sa.Connection) -> set[str]:
    found: set[str] = set()
    for mark in datamap.marks:
        table, column = split_column(mark)
        source, _, name = table.partition(".")
        if source != territory.source or name not in territory.covered:
            continue
        rows = territory.table(name)
        values = sa.select(rows.c[column]).distinct().where(territory.joined(name, rows))
        found |= {str(value) for value in connection.execute(values).scalars() if value}
    return found
