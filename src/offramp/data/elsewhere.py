"""The sources that are no database, asked on behalf of one subject.

What export, digest, erase, verify and the check of a map have to know of them lives here, so that
those carry them exactly like tables: `source.table` in the manifest, the fence, the certificate.

A subject is found there by values of its own rows (`look_up_facts`). They are looked up before
the first row goes, because afterwards nobody can.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace

import sqlalchemy as sa

from offramp.core.errors import Invalid, Missing, Refused
from offramp.data.datamap import DataMap
from offramp.data.erasure.fence import Fence, Pace
from offramp.data.erasure.statements import Purpose, Statement
from offramp.data.manifest import TableDigest, TableEntry
from offramp.data.scope import Scope
from offramp.data.source_spec import Part, split_column
from offramp.data.sources.kind import kinds
from offramp.data.sources.source import (
    Errand,
    FileSource,
    ReceiptList,
    Receipts,
    Shape,
    Source,
    Tools,
)
from offramp.data.sources.sql import SqlSource
from offramp.data.survey import snapshots, survey_source
from offramp.data.territory import Territory


class SourceLeftOut(Invalid):
    """The sources {sources} are in the data map, and were left out of this work."""


class KindMissing(Invalid):
    """The source {source} is of the kind {kind}, whose package is not installed."""


class SourceSilent(Invalid):
    """The source {source} covers the subject and names no table, so that nothing is known of it."""


class SubjectRowMissing(Missing):
    """There is no row in {table} for the subject, so that nobody knows where its files are."""


class FolderShared(Refused):
    """Another row of {table} has the same {column}, so that both would lead to one folder."""


class ColumnElsewhere(Invalid):
    """The column {column} of a prefix is in no table whose rows are organizations or members."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TableElsewhere:
    """One table of a source, for one subject."""

    source: Source
    errand: Errand
    table: str
    shape: Shape

    @property
    def id(self) -> str:
        """Its name in a manifest: ``source.table``."""
        return f"{self.source.name}.{self.table}"

    def lines(self) -> Iterator[bytes]:
        """Yield its rows as blocks of lines."""
        return self.source.lines(self.errand, self.table)

    def entry(self, counted: TableDigest) -> TableEntry:
        """Describe it for a manifest."""
        columns = self.shape.columns
        return TableEntry(name=self.id, columns=columns, rows=counted.rows, sha256=counted.sha256)


@dataclass(frozen=True, slots=True, kw_only=True)
class Elsewhere:
    """Every source of a map that is no database, and the subject that they are asked about."""

    sources: Mapping[str, Source]
    errand: Errand
    left_out: Mapping[str, str] = field(default_factory=dict)  # sources that are not asked, and why

    def tables(self) -> Iterator[TableElsewhere]:
        """List what the sources hold of the subject.

        Raises:
            SourceSilent: a source says nothing, which is not the same as having nothing (L16).
        """
        for source in self._covering():
            shapes = source.tables(self.errand)
            if not shapes:
                raise SourceSilent(source=source.name, hint="ask those who run it")
            for table, shape in shapes.items():
                yield TableElsewhere(source=source, errand=self.errand, table=table, shape=shape)

    def files(self) -> Iterator[TableElsewhere]:
        """List the tables whose rows are files."""
        return (each for each in self.tables() if isinstance(each.source, FileSource))

    def erase(self, *, fence: Fence, pace: Pace) -> Iterator[tuple[str, int]]:
        """Destroy what the sources hold of the subject; yield after each chunk table and rows."""
        for source in self._covering():
            for table in source.count(self.errand):
                name = f"{source.name}.{table}"
                yield name, 0
                pace.meet_table()
                for rows in source.erase(self.errand, table, fence=fence, pace=pace):
                    yield name, rows

    def count(self) -> dict[str, int]:
        """Count anew what is left of the subject."""
        return {
            f"{source.name}.{table}": rows
            for source in self._covering()
            for table, rows in source.count(self.errand).items()
        }

    def unseen(self) -> dict[str, str]:
        """Say of which sources something cannot be seen, and what."""
        told = {source.name: source.unseen() for source in self._covering()}
        return dict(self.left_out) | {
            name: words for name, words in told.items() if words is not None
        }

    def preview(self) -> list[Statement]:
        """Say what an erasure would do."""
        return [
            Statement(
                source=source.name,
                table=f"{source.name}.{table}",
                purpose=Purpose.DELETE.value,
                text=words,
                params={},
            )
            for source in self._covering()
            for table, words in source.preview(self.errand)
        ]

    def named(self, operation: str) -> "Elsewhere":
        """Return the same under the name that its work has at every attempt."""
        return replace(self, errand=replace(self.errand, operation=operation))

    def without(self, waiting: Collection[str]) -> "Elsewhere":
        """Return the same without sources of which nothing goes now."""
        kept = {name: source for name, source in self.sources.items() if name not in waiting}
        words = dict.fromkeys(waiting, "nothing went, because it holds what is held, or may")
        return replace(self, sources=kept, left_out=dict(self.left_out) | words)

    def _covering(self) -> Iterator[Source]:
        scope = self.errand.scope
        return (each for _, each in sorted(self.sources.items()) if each.covers(scope))


def ask_elsewhere(
    datamap: DataMap,
    sources: Mapping[str, SqlSource],
    others: Mapping[str, Source],
    scope: Scope,
    *,
    receipts: Receipts | None = None,
) -> Elsewhere:
    """Return the sources that are no database, ready to be asked about one subject.

    Raises:
        SubjectRowMissing, FolderShared: nobody can say where its files are.
    """
    facts = look_up_facts(datamap, sources, others, scope)
    kept = receipts if receipts is not None else ReceiptList()
    errand = Errand(scope=scope, facts=facts, operation="", receipts=kept)
    return Elsewhere(sources=others, errand=errand)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Rows:
    """The one row of the subject that a column is read from."""

    territory: Territory
    connection: sa.Connection
    table: str
    key: str
    text: str

    def value(self, column: str) -> str:
        rows = self.territory.table(self.table)
        mine = self.territory.belongs(self.table, rows)
        found = self.connection.execute(sa.select(rows.c[column]).where(mine)).scalars().all()
        if not found and column == self.key:
            return self.text  # the row is gone already, and its key is known
        if len(found) != 1:
            raise SubjectRowMissing(table=self.territory.id_of(self.table))
        if column != self.key:
            self._require_own(column, found[0])
        return "" if found[0] is None else str(found[0])

    def _require_own(self, column: str, value: object) -> None:
        rows = self.territory.table(self.table)
        same = sa.select(sa.func.count()).select_from(rows).where(rows.c[column] == value)
        if self.connection.execute(same).scalar_one() > 1:
            hint = "name a column that tells organizations apart, as their key does"
            raise FolderShared(table=self.territory.id_of(self.table), column=column, hint=hint)


def ask_afterwards(others: Mapping[str, Source], errand: Errand) -> Elsewhere:
    """Return the sources in which a subject that is gone can still be found by what is known."""
    findable = {
        name: source
        for name, source in others.items()
        if not source.covers(errand.scope)
        or set(source.columns(errand.scope)) <= errand.facts.keys()
    }
    lost = sorted(others.keys() - findable.keys())
    words = dict.fromkeys(lost, "where the subject's files were is forgotten with it")
    return Elsewhere(sources=findable, errand=errand, left_out=words)


def ask_about_remains(
    datamap: DataMap,
    sources: Mapping[str, SqlSource],
    others: Mapping[str, Source],
    scope: Scope,
) -> Elsewhere:
    """Return the sources that are no database, for a subject whose own row may be gone.

    Without that row only its keys are known. A source to which something else would lead is
    named as one that nobody can look into any more.
    """
    try:
        return ask_elsewhere(datamap, sources, others, scope)
    except SubjectRowMissing:
        facts = dict(_keys(datamap, scope))
    errand = Errand(scope=scope, facts=facts, operation="", receipts=ReceiptList())
    return ask_afterwards(others, errand)


def _keys(datamap: DataMap, scope: Scope) -> Iterator[tuple[str, str]]:
    for spec in datamap.databases.values():
        yield spec.root, scope.organization
        if spec.member is not None and scope.member is not None:
            yield spec.member, scope.member


def require_none_left_out(datamap: DataMap, elsewhere: Elsewhere | None) -> None:
    """Refuse to work on a part of a map's sources as if it were all of them.

    Raises:
        SourceLeftOut: those that were left out.
    """
    given = {*elsewhere.sources, *elsewhere.left_out} if elsewhere is not None else set()
    missing = sorted(datamap.elsewhere.keys() - given)
    if missing:
        raise SourceLeftOut(sources=", ".join(missing))


def open_elsewhere(datamap: DataMap, *, tools: Tools) -> dict[str, Source]:
    """Open every source of a map that is no database; nothing connects before its first use.

    Raises:
        KindMissing: a kind needs a package that is not there.
    """
    return {name: _open(name, spec, tools) for name, spec in datamap.elsewhere.items()}


def look_up_facts(
    datamap: DataMap,
    sources: Mapping[str, SqlSource],
    elsewhere: Mapping[str, Source],
    scope: Scope,
    *,
    connections: Mapping[str, sa.Connection] | None = None,
) -> dict[str, str]:
    """Read the values of the subject's rows that the sources need to find it.

    Args:
        datamap: it names the tables whose rows are organizations and members.
        sources: every database of the map, open.
        others: the sources that are no database.
        scope: the subject.
        connections: to see rows that nobody else sees yet; fresh ones otherwise.

    Raises:
        SubjectRowMissing, FolderShared: the values would lead nowhere, or to somebody else too.
    """
    wanted = {
        column
        for source in elsewhere.values()
        if source.covers(scope)
        for column in source.columns(scope)
    }
    if not wanted:
        return {}
    with ExitStack() as stack:
        connections = connections or snapshots(stack, datamap, sources)
        rows = list(_subject_rows(datamap, sources, connections, scope))
        return {column: _look_up(column, rows) for column in sorted(wanted)}


def _subject_rows(
    datamap: DataMap,
    sources: Mapping[str, SqlSource],
    connections: Mapping[str, sa.Connection],
    scope: Scope,
) -> Iterator[_Rows]:
    """Give the row of the organization in each database, and that of the member."""
    for name, spec in datamap.databases.items():
        subjects = [(spec.root, scope.organization, replace(scope, member=None, product=None))]
        if scope.member is not None and spec.member is not None:
            subjects.append((spec.member, scope.member, replace(scope, product=None)))
        for local, text, whose in subjects:
            table, key = split_column(local)
            territory = survey_source(datamap, sources[name], connections[name], whose)
            yield _Rows(
                territory=territory,
                connection=connections[name],
                table=table,
                key=key,
                text=text,
            )


def _look_up(column: str, rows: Sequence[_Rows]) -> str:
    table, name = split_column(column)
    for each in rows:
        if each.table == table and name in each.territory.catalog.tables[table].columns:
            return each.value(name)
    raise ColumnElsewhere(column=column, hint="name a column of the root, or of the member")


def _open(name: str, spec: Part, tools: Tools) -> Source:
    kind = str(spec.model_dump(include={"kind"})["kind"])
    found = kinds().get(kind)
    try:
        opened = found.load() if found is not None else None
    except ImportError:
        opened = None
    if opened is None:
        hint = f"pip install offramp[{kind}]"
        raise KindMissing(source=name, kind=kind, hint=hint)
    source: Source = opened().open(name, spec, tools=tools)
    return source
