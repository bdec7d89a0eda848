"""Handing over: everything that a scope covers, as one JSON document, in bounded memory.

The document is ``{"schema", "data": {"users": [...]}, "manifest"}``. The schema is known before
the first row; the manifest comes last, because counts and digests are known only when every row
has gone by, and a sink need not be able to go back.

The rows of each source are read in one snapshot. The digest of a table is SHA-256 over its rows,
each one line of JSON, in the order of their keys; `digest` takes it again without writing, which
proves just before a deletion that the document still equals the live rows.
"""

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from functools import partial
from typing import Any, BinaryIO

import sqlalchemy as sa
from whenever import Instant

from offramp.data.catalog.catalog import CatalogColumn
from offramp.data.catalog.permission import require_permitted, to_read
from offramp.data.check import survey_complete
from offramp.data.datamap import DataMap
from offramp.data.elsewhere import Elsewhere, TableElsewhere, require_none_left_out
from offramp.data.handover.part import WHOLE, Part
from offramp.data.handover.rendering import (
    exported_columns,
    row_schema,
    select_json,
    select_sorted_json,
)
from offramp.data.manifest import Manifest, TableDigest, TableEntry
from offramp.data.scope import Scope
from offramp.data.sources.sql import SqlSource
from offramp.data.survey import snapshots
from offramp.data.territory import Territory

Progress = Callable[[str, int], None]


def export(
    datamap: DataMap,
    sources: Mapping[str, SqlSource],
    scope: Scope,
    sink: BinaryIO,
    *,
    header: Mapping[str, Any],
    taken_at: Instant,
    progress: Progress,
    part: Part = WHOLE,
    elsewhere: Elsewhere | None = None,
) -> Manifest:
    """Write everything that a scope covers as one JSON document.

    Args:
        datamap: it has to be complete, or nothing is written.
        sources: every source of the map, open.
        scope: whose rows.
        sink: written forward only.
        header: versions of Offramp, policy and map; goes into the manifest as it is.
        taken_at: the instant that the manifest names.
        progress: told after every block the table and the number of its rows so far.
        part: what of it, if not all; the manifest says so.
        elsewhere: the sources of the map that are no database, asked about the same scope.

    Raises:
        DataMapIncomplete: the map and the live catalog differ.
        SourceLeftOut: the map names a source that is not there.
        CategoryUnused: nothing that is handed over has a category that was asked for.
    """
    require_none_left_out(datamap, elsewhere)
    with ExitStack() as stack:
        tables = _open(stack, datamap, sources, scope, part=part)
        held = list(elsewhere.tables()) if elsewhere is not None and part == WHOLE else []
        schema = _document_schema(datamap, tables, held)
        sink.write(b'{"schema":' + _compact(schema) + b',\n"data":{')
        entries: dict[str, TableEntry] = {}
        for table in tables:
            name = datamap.document_name(table.id)
            _begin(sink, name, is_first=not entries)
            with table.blocks() as blocks:
                counted = _stream(blocks, sink, partial(progress, table.id))
            entries[table.id] = _entry(table, name, counted)
            sink.write(b"]")
        for each in held:
            _begin(sink, each.id, is_first=not entries)
            counted = _stream(each.lines(), sink, partial(progress, each.id))
            entries[each.id] = each.entry(counted)
            sink.write(b"]")
        manifest = Manifest(
            header=dict(header),
            organization=scope.organization,
            member=scope.member,
            product=scope.product,
            taken_at=taken_at,
            tables=entries,
            content_only=part.content_only,
            categories=part.categories,
        )
        sink.write(b"},\n" + b'"manifest":' + _compact(manifest.model_dump(mode="json")) + b"}\n")
    return manifest


def digest(
    datamap: DataMap,
    sources: Mapping[str, SqlSource],
    scope: Scope,
    *,
    elsewhere: Elsewhere | None = None,
) -> dict[str, TableDigest]:
    """Take the digest of every covered table as it is now, without writing anything."""
    require_none_left_out(datamap, elsewhere)
    with ExitStack() as stack:
        digests = {table.id: table.digest() for table in _open(stack, datamap, sources, scope)}
    for each in elsewhere.tables() if elsewhere is not None else ():
        digests[each.id] = _stream(each.lines(), None, _ignore)
    return digests


@dataclass(frozen=True, slots=True, kw_only=True)
class _Table:
    """One table that is handed over, and the statement that reads it."""

    territory: Territory
    name: str
    columns: Sequence[CatalogColumn]
    source: SqlSource
    connection: sa.Connection
    rows: sa.Select[Any]

    @property
    def id(self) -> str:
        """The table's name in the map."""
        return self.territory.id_of(self.name)

    def blocks(self) -> AbstractContextManager[Iterator[bytes]]:
        """Stream the rows as whole lines of JSON."""
        driver, table = self.source.driver, self.territory.table(self.name)
        unsorted = partial(select_json, self.territory, self.name)
        is_split = driver.renders_at_once(self.connection, table, unsorted)
        return self.source.json_blocks(self.connection, unsorted() if is_split else self.rows)

    def digest(self) -> TableDigest:
        """Count and digest the rows, and keep none of them."""
        with self.blocks() as blocks:
            return _stream(blocks, None, _ignore)


def _open(
    stack: ExitStack,
    datamap: DataMap,
    sources: Mapping[str, SqlSource],
    scope: Scope,
    *,
    part: Part = WHOLE,
) -> list[_Table]:
    """List the tables of a part in the order of the map, all of which may be read."""
    connections = snapshots(stack, datamap, sources)
    found = survey_complete(datamap, sources, connections, scope)
    territories = {territory.source: part.narrow(territory) for territory in found}
    tables = list(_tables(datamap, sources, connections, territories, part=part))
    part.require_tables([table.id for table in tables])
    for name, connection in connections.items():
        read = (table.rows for table in tables if table.source.name == name)
        require_permitted(sources[name], connection, to_read(read))
    return tables


def _tables(
    datamap: DataMap,
    sources: Mapping[str, SqlSource],
    connections: Mapping[str, sa.Connection],
    territories: Mapping[str, Territory],
    *,
    part: Part,
) -> Iterator[_Table]:
    for table in datamap.tables:
        source, _, name = table.partition(".")
        territory = territories[source]
        if name not in territory.covered or not part.names(datamap, table):
            continue
        columns = exported_columns(territory, name)
        select = select_sorted_json if sources[source].driver.sorts_first else select_json
        if columns or not part.categories:
            yield _Table(
                territory=territory,
                name=name,
                columns=columns,
                source=sources[source],
                connection=connections[source],
                rows=select(territory, name),
            )


def _begin(sink: BinaryIO, name: str, *, is_first: bool) -> None:
    sink.write((b"\n" if is_first else b",\n") + _compact(name) + b":[\n")


def _stream(
    blocks: Iterator[bytes], sink: BinaryIO | None, progress: Callable[[int], None]
) -> TableDigest:
    """Count and digest whole lines as they pass, and write them as members of a JSON array."""
    seen = hashlib.sha256()
    rows = 0
    for block in blocks:
        seen.update(block)
        if sink is not None:
            # JSON text holds no raw line feed, so every one of them ends a row.
            separator = b"," if rows else b""
            sink.write(separator + block[:-1].replace(b"\n", b",\n") + b"\n")
        rows += block.count(b"\n")
        progress(rows)
    return TableDigest(rows=rows, sha256=seen.hexdigest())


def _ignore(_rows: int) -> None:
    """Tell nobody."""


def _entry(table: _Table, name: str, counted: TableDigest) -> TableEntry:
    type_name = table.territory.dialect.type_name
    return TableEntry(
        name=name,
        columns={column.name: type_name(column.type) for column in table.columns},
        rows=counted.rows,
        sha256=counted.sha256,
    )


def _document_schema(
    datamap: DataMap, tables: Sequence[_Table], held: Sequence[TableElsewhere]
) -> dict[str, Any]:
    properties = {
        datamap.document_name(table.id): {
            "type": "array",
            "items": row_schema(table.columns, table.territory.dialect),
        }
        for table in tables
    }
    properties |= {each.id: {"type": "array", "items": dict(each.shape.schema)} for each in held}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "properties": {
            "schema": {"type": "object"},
            "data": {
                "type": "object",
                "properties": properties,
                "required": list(properties),
                "additionalProperties": False,
            },
            "manifest": {"type": "object"},
        },
        "required": ["schema", "data", "manifest"],
    }


def _compact(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
