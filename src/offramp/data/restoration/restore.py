"""Taking back: an exported document is read into the databases again, all of it or nothing.

The document is proved first, then held against the live catalog, then loaded parents first, each
source in one transaction; the transactions of several sources end together, after the last row.
References of a cycle, and of a table to itself, are set in a second pass. Whatever is refused, and
whatever fails, leaves every database as it was; running again finds every row and does nothing.

Only what a document holds can come back: a column that is never exported is empty afterwards, has
its default, or holds a value that nobody knows, as the map says.

Source: mission A9.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from itertools import count

import sqlalchemy as sa
from pydantic import BaseModel, ConfigDict

from offramp.data.catalog.permission import require_permitted, to_restore
from offramp.data.check import require_complete
from offramp.data.datamap import DataMap
from offramp.data.dialects import MYSQL, POSTGRES, SQLITE
from offramp.data.elsewhere import look_up_facts
from offramp.data.restoration.document_reader import Document
from offramp.data.restoration.error import ExportPartial
from offramp.data.restoration.files import FileReturn, returning
from offramp.data.restoration.mysql import MysqlRows
from offramp.data.restoration.plan import plan_tables, require_fit
from offramp.data.restoration.postgres import PostgresRows
from offramp.data.restoration.restoration import (
    LiveRows,
    OrganizationIsAnother,
    Progress,
    Restoration,
)
from offramp.data.restoration.sqlite import SqliteRows
from offramp.data.scope import Scope
from offramp.data.sources.source import Errand, ReceiptList, Source
from offramp.data.sources.sql import SqlSource
from offramp.data.survey import survey
from offramp.data.territory import Territory

_LIVE_ROWS: Mapping[str, type[SqliteRows] | type[PostgresRows] | type[MysqlRows]] = {
    SQLITE.name: SqliteRows,
    POSTGRES.name: PostgresRows,
    MYSQL.name: MysqlRows,
}


class RestoredTable(BaseModel):
    """What became of the rows of one table."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    added: int
    present: int
    relinked: int
    moved: int


class RestoreResult(BaseModel):
    """What a restore did; `organization` is the key that the organization has now."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    organization: str
    tables: Mapping[str, RestoredTable]
    left_out: Mapping[str, int] = {}  # rows of services, to which nothing is given back


def restore(
    datamap: DataMap,
    sources: Mapping[str, SqlSource],
    document: Document,
    *,
    seed: bytes,
    progress: Progress,
    is_dry_run: bool = False,
    others: Mapping[str, Source] | None = None,
) -> RestoreResult:
    """Read a document in again.

    Args:
        datamap: it has to be complete, or nothing is changed.
        sources: every source of the map, open.
        document: proved already by `open_document`.
        seed: chance, from which the values follow that nobody shall know.
        progress: told after every batch the table and the number of its rows so far.
        is_dry_run: do everything, and take it back.
        others: the sources of the map that are no database.

    Raises:
        ExportPartial: the document holds single columns of rows.
        DataMapIncomplete: the map and the live catalog differ.
        SchemaDifferent: the document and the live catalog differ.
        PermissionMissing, RowsHidden, SourceReadOnly: the database does not let us.
        KeyTaken, ReferenceMissing, RowsChanged, ValueMissing, ValueTaken, ValueUnfit: other rows
            are in the way.
        FileInTheWay, FilesNotIncluded: another file has the name of one that comes back, or it is
            neither there nor beside the document.
        RestoredInexactly: what was written does not read back as it is in the document.
    """
    manifest = document.manifest
    if manifest.categories:
        categories = ", ".join(manifest.categories)
        raise ExportPartial(file=document.file, categories=categories, hint="give a whole export")
    require_complete(datamap, sources)
    for passed_over in count():
        try:
            return _attempt(
                datamap,
                sources,
                document,
                seed=seed,
                progress=progress,
                is_dry_run=is_dry_run,
                passed_over=passed_over,
                others=others or {},
            )
        except OrganizationIsAnother:
            continue
    raise AssertionError("there is always one organization less that looks like ours")


def _attempt(
    datamap: DataMap,
    sources: Mapping[str, SqlSource],
    document: Document,
    *,
    seed: bytes,
    progress: Progress,
    is_dry_run: bool,
    passed_over: int,
    others: Mapping[str, Source],
) -> RestoreResult:
    with ExitStack() as stack:
        files = FileReturn(document=document, others=others, progress=progress)
        stack.enter_context(returning(files))  # first, so that it sees every commit fail
        connections = {
            name: stack.enter_context(sources[name].transaction())
            for name in sorted(datamap.databases)
        }
        territories = survey(datamap, sources, connections, _scope(document))
        require_fit(document.manifest, territories, elsewhere=files.tables())
        restorations = [
            Restoration(
                territory=territory,
                live=_live_rows(territory, connections[territory.source]),
                document=document,
                plans=plan_tables(territory, document.manifest, may_move=len(territories) == 1),
                seed=seed,
                progress=progress,
                passed_over=passed_over,
            )
            for territory in territories
        ]
        for restoration in restorations:
            source = sources[restoration.territory.source]
            needs = to_restore(restoration.territory, restoration.plans)
            require_permitted(source, restoration.live.connection, needs)
        for restoration in restorations:
            restoration.run()
        if files.tables():
            errand = _errand(datamap, sources, others, document, restorations, connections)
            files.run(errand, is_dry_run=is_dry_run)
        for restoration in restorations:
            if is_dry_run:
                _take_back(restoration.live.connection)
            else:
                restoration.continue_numbering()
        return _result(document, restorations, files)


def _scope(document: Document) -> Scope:
    manifest = document.manifest
    return Scope(
        organization=manifest.organization, member=manifest.member, product=manifest.product
    )


def _errand(
    datamap: DataMap,
    sources: Mapping[str, SqlSource],
    others: Mapping[str, Source],
    document: Document,
    restorations: Sequence[Restoration],
    connections: Mapping[str, sa.Connection],
) -> Errand:
    """Find the place of the files by the rows that came back, which nobody else sees yet."""
    scope = replace(_scope(document), organization=restorations[0].organization)
    facts = look_up_facts(datamap, sources, others, scope, connections=connections)
    return Errand(scope=scope, facts=facts, operation="", receipts=ReceiptList())


def _live_rows(territory: Territory, connection: sa.Connection) -> LiveRows:
    return _LIVE_ROWS[territory.dialect.name](territory=territory, connection=connection)


def _take_back(connection: sa.Connection) -> None:
    transaction = connection.get_transaction()
    assert transaction is not None, "a restore runs inside a transaction"
    transaction.rollback()


def _result(
    document: Document, restorations: Sequence[Restoration], files: FileReturn
) -> RestoreResult:
    counts = dict(_counts(restorations))
    for table, added in files.added.items():
        present = files.present[table]
        counts[table] = RestoredTable(added=added, present=present, relinked=0, moved=0)
    return RestoreResult(
        organization=restorations[0].organization,
        tables={table: counts[table] for table in document.manifest.tables if table in counts},
        left_out=files.left_out,
    )


def _counts(restorations: Sequence[Restoration]) -> Iterator[tuple[str, RestoredTable]]:
    for restoration in restorations:
        for table, counted in restoration.counts.items():
            yield (
                table,
                RestoredTable(
                    added=counted.added,
                    present=counted.present,
                    relinked=counted.relinked,
                    moved=counted.moved,
                ),
            )
