"""Proving that nothing is left, by a list that erasure had no part in (L21).

Three independent questions, each asked in a fresh transaction, two tables at a time:

* **Counts.** The list of tables is built from the live catalog alone: every table from which
  foreign keys lead to the root. The root's key is known, so the first hop is counted by it, and
  every further hop through its parents. A table that the map forgot is on this list.
* **Orphans.** A row that lost its parent can no longer be counted through it. Where references
  are enforced there is none; so a row whose parent is missing was left behind, and is counted.
  Where one run knows the keys of all that it took away, only these are looked for among the
  references that the database enforces: nothing else can have lost its parent by it. (Keys alone
  would not do: SQLite gives the numbers of deleted rows to new ones.)
* **Residue.** Text and JSON columns of all tables are searched for the subject's marks, by their
  keyed hashes: an e-mail address anywhere in a text, any other mark where it is a whole value.

The rule about siblings: a person may be known to two organizations under one e-mail. A mark that
a remaining row of a mark column still carries belongs to that row's organization now, so its
occurrences cannot be told apart from ours and are not residue; `shared_marks` says how many marks
that were. Kept rows are counted as retained, never as zero.
"""

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from functools import partial
from itertools import chain

import sqlalchemy as sa
from pydantic import BaseModel, ConfigDict
from sqlalchemy.types import NullType

from offramp.core.errors import Broken
from offramp.data.catalog.catalog import CatalogColumn, Reference
from offramp.data.datamap import DataMap, split_column
from offramp.data.elsewhere import Elsewhere, require_none_left_out
from offramp.data.erasure.owned import is_free
from offramp.data.erasure.pseudonym import hash_mark
from offramp.data.erasure.tombstone import Tombstone
from offramp.data.erasure.worklist import Gone
from offramp.data.scope import Scope
from offramp.data.sources.abreast import ask_abreast
from offramp.data.sources.sql import SqlSource
from offramp.data.survey import survey_source
from offramp.data.territory import Territory, is_named, row_value, some_row

_ROWS_FETCHED = 1_000
_COLUMNS_AT_ONCE = 60  # a function of PostgreSQL takes at most a hundred arguments
_TEXTS_KNOWN_MAX = 50_000
_QUOTED = re.compile(r'"([^"]*)"')
_QUOTED_MAIL = re.compile(r'"([^"]*@[^"]*)"')
_MAIL = re.compile(r"[^\s\"'<>,;:()\[\]{}|\\/=]+@[^\s\"'<>,;:()\[\]{}|\\/=@?&]+")
_MAIL_EDGES = ".,!*_~`'-"


class RowsRemain(Broken):
    """After the erasure {rows} rows, {orphans} orphans and {hits} marks remain, in {tables}."""


class Verification(BaseModel):
    """What was looked at, and what was found there."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    counts: Mapping[str, int]
    orphans: Mapping[str, int]
    retained: Mapping[str, int]
    residue: Mapping[str, int]
    shared_marks: int
    checked: tuple[str, ...]
    unowned: Mapping[str, int] = {}
    elsewhere: tuple[str, ...] = ()  # tables of sources that are no database, counted there
    unseen: Mapping[str, str] = {}  # what cannot be looked at in which of them

    @property
    def clean(self) -> bool:
        """Say whether nothing is left but what is retained on purpose."""
        found = (self.counts, self.orphans, self.residue)
        return not any(rows for each in found for rows in each.values())


def verify(
    datamap: DataMap,
    sources: Mapping[str, SqlSource],
    scope: Scope,
    *,
    tombstone: Tombstone,
    key: bytes,
    elsewhere: Elsewhere | None = None,
    gone: Gone | None = None,
) -> Verification:
    """Count what is left of a subject in every source.

    Args:
        datamap: only its sources, its marks, and what it keeps on purpose are used.
        sources: every source of the map, open.
        scope: whose rows.
        tombstone: taken before the erasure; it carries the keyed marks.
        key: the key of the tombstone; it is destroyed after this, not before.
        elsewhere: the sources of the map that are no database, asked about the same scope.
        gone: the keys of all rows that went, if one run took them all; without them every row of
            everybody is asked for its parent.

    Raises:
        SourceLeftOut: the map names a source that is not there.
    """
    require_none_left_out(datamap, elsewhere)
    counts: dict[str, int] = {}
    orphans: dict[str, int] = {}
    residue: Counter[str] = Counter()
    checked: list[str] = []
    unowned: dict[str, int] = {}
    with ExitStack() as stack:
        views = list(_views(datamap, sources, scope, stack))
        for territory, connection in views:
            questions = dict(_questions(territory))
            ask = partial(_ask, territory, questions, gone=gone)
            found = ask_abreast(sources[territory.source], connection, questions, ask)
            for name, (rows, lost) in zip(questions, found, strict=True):
                table = territory.id_of(name)
                counts[table], orphans[table] = rows, lost
                checked.append(table)
            unowned |= _count_unowned(territory, connection)
        marks = frozenset(tombstone.marks)
        live = _live_marks(datamap, views, marks, key=key) if marks else marks
        detector = _Detector(sought=marks - live, are_all_mails=tombstone.are_all_mails, key=key)
        for territory, connection in views:
            if detector.sought:
                residue += _search(sources[territory.source], territory, connection, detector)
    left = elsewhere.count() if elsewhere is not None else {}
    counts |= left
    kept = {table for table, rule in datamap.tables.items() if rule.erase == "keep"}
    return Verification(
        counts={table: rows for table, rows in counts.items() if table not in kept},
        orphans=orphans,
        retained={table: rows for table, rows in counts.items() if table in kept},
        residue=dict(residue),
        shared_marks=len(live),
        checked=tuple(checked),
        unowned=unowned,
        elsewhere=tuple(left),
        unseen=elsewhere.unseen() if elsewhere is not None else {},
    )


def require_clean(verification: Verification) -> None:
    """Refuse to call an erasure complete while anything is left of it.

    Raises:
        RowsRemain: with counts and the names of tables, nothing of the rows.
    """
    if verification.clean:
        return
    found = (verification.counts, verification.orphans, verification.residue)
    raise RowsRemain(
        rows=sum(verification.counts.values()),
        orphans=sum(verification.orphans.values()),
        hits=sum(verification.residue.values()),
        tables=", ".join(sorted({name for each in found for name, rows in each.items() if rows})),
        hint="run the erasure again; if they stay, compare the map with the named tables",
    )


def _views(
    datamap: DataMap, sources: Mapping[str, SqlSource], scope: Scope, stack: ExitStack
) -> Iterator[tuple[Territory, sa.Connection]]:
    for name in sorted(datamap.databases):
        connection = stack.enter_context(sources[name].snapshot())
        yield survey_source(datamap, sources[name], connection, scope), connection


def _questions(territory: Territory) -> Iterator[tuple[str, sa.Select[int]]]:
    """Ask, table by table, how many rows are still the subject's."""
    if territory.scope.product is not None:
        # Only the map knows which tables carry a product, so here the list is the map's.
        for name in sorted(territory.covered):
            rows = territory.table(name)
            yield name, _count(rows).where(territory.belongs(name, rows))
        return
    anchor, column, _ = territory.anchor
    tree = _reachable(territory, anchor)
    for name in sorted(tree):
        rows = territory.table(name)
        found = [
            _leads(territory, tree, reference, rows, 1)
            for reference in territory.catalog.tables[name].references
            if reference.parent in tree
        ]
        found += [
            _is_owned(territory, tree, owner, rows, 1)
            for owner in territory.owners(name)
            if owner.table in tree
        ]
        if name == anchor:
            found.append(rows.c[column] == territory.anchor[2])
        yield name, _count(rows).where(sa.or_(*found))


def _ask(
    territory: Territory,
    questions: Mapping[str, sa.Select[int]],
    connection: sa.Connection,
    name: str,
    *,
    gone: Gone | None,
) -> tuple[int, int]:
    """Count what is left of one table's rows, and which of them have lost a parent."""
    left = int(connection.execute(questions[name]).scalar_one())
    lost = sum(
        _count_orphans(territory, connection, reference, gone=gone)
        for reference in territory.catalog.tables[name].references
        if reference.parent in questions
    )
    return left, lost


def _count(rows: sa.FromClause) -> sa.Select[int]:
    return sa.select(sa.func.count()).select_from(rows)


def _reachable(territory: Territory, anchor: str) -> dict[str, Reference | None]:
    """Find every table from which references lead to the anchor, and the shortest way of each.

    Where rows are owned the other way round, only the map can tell: their way is the reference
    by which their owner names them.
    """
    tree: dict[str, Reference | None] = {anchor: None}
    frontier = [anchor]
    while frontier:
        parent = frontier.pop(0)
        onward = [(each.table, each) for each in territory.catalog.referring_to(parent)]
        onward += [
            (each.parent, each)
            for each in territory.catalog.tables[parent].references
            if each in territory.owners(each.parent)
        ]
        for table, reference in onward:
            if table not in tree:
                tree[table] = reference
                frontier.append(table)
    return tree


def _leads(
    territory: Territory,
    tree: Mapping[str, Reference | None],
    reference: Reference,
    rows: sa.FromClause,
    depth: int,
) -> sa.ColumnElement[bool]:
    """Return whether a reference of these rows leads to the anchor along the shortest way."""
    anchor, column, key = territory.anchor
    if reference.parent == anchor and reference.parent_columns == (column,):
        return rows.c[reference.columns[0]] == key
    parent = territory.table(reference.parent).alias(f"way_{depth}")
    inside = _inside(territory, tree, reference.parent, parent, depth)
    found = sa.select(*(parent.c[name] for name in reference.parent_columns)).where(inside)
    columns = [rows.c[name] for name in reference.columns]
    return row_value(columns).in_(found.correlate(None))


def _inside(
    territory: Territory,
    tree: Mapping[str, Reference | None],
    name: str,
    rows: sa.FromClause,
    depth: int,
) -> sa.ColumnElement[bool]:
    """Return whether rows of a table are the subject's, along the shortest way of their table."""
    onward = tree[name]
    if onward is None:
        _, column, key = territory.anchor
        return rows.c[column] == key
    if onward.table == name:
        return _leads(territory, tree, onward, rows, depth + 1)
    owners = [
        each
        for each in territory.owners(name)
        if each.table in tree and name not in _passed(tree, each.table)
    ]
    return sa.or_(*(_is_owned(territory, tree, each, rows, depth + 1) for each in owners))


def _passed(tree: Mapping[str, Reference | None], name: str) -> Iterator[str]:
    """Name the tables on the shortest way of a table."""
    onward = tree[name]
    while onward is not None:
        name = onward.parent if onward.table == name else onward.table
        yield name
        onward = tree[name]


def _is_owned(
    territory: Territory,
    tree: Mapping[str, Reference | None],
    owner: Reference,
    rows: sa.FromClause,
    depth: int,
) -> sa.ColumnElement[bool]:
    owners = territory.table(owner.table).alias(f"owner_{depth}")
    return is_named(rows, owner, owners, _inside(territory, tree, owner.table, owners, depth))


def _count_orphans(
    territory: Territory, connection: sa.Connection, reference: Reference, *, gone: Gone | None
) -> int:
    """Count the rows whose parent, by one reference, is missing."""
    rows = territory.table(reference.table)
    columns = [rows.c[column] for column in reference.columns]
    parent = territory.table(reference.parent).alias("parent")
    pairs = zip(columns, reference.parent_columns, strict=True)
    same = [column == parent.c[target] for column, target in pairs]
    missing = ~some_row(parent, *same, seen_from=rows)
    above = territory.catalog.tables[reference.parent]
    is_enforced = reference.parent_columns == above.key and not reference.declared
    if gone is None or not is_enforced or not gone.has(territory.id_of(above.name)):
        is_set = (column.is_not(None) for column in columns)
        return int(connection.execute(_count(rows).where(*is_set, missing)).scalar_one())
    keys = {name: above.columns[name] for name in above.key}
    question = _count(rows).where(territory.dialect.in_chunk(columns, keys), missing)
    found = 0
    for part in gone.parts(territory.id_of(above.name)):
        params = territory.dialect.chunk_params(part.columns)
        found += connection.execute(question, params).scalar_one()
    return found


def _count_unowned(territory: Territory, connection: sa.Connection) -> dict[str, int]:
    """Count the rows that only an owner could say the owner of, and that have none.

    They may be anybody's, and may have been there for years; so they are told and not judged.
    """
    found = {}
    for name in sorted(territory.rules):
        if owners := territory.owners(name):
            rows = territory.table(name)
            free = (is_free(territory, owner, rows) for owner in owners)
            found[territory.id_of(name)] = connection.execute(
                _count(rows).where(*free)
            ).scalar_one()
    return found


def _live_marks(
    datamap: DataMap,
    views: list[tuple[Territory, sa.Connection]],
    marks: frozenset[str],
    *,
    key: bytes,
) -> frozenset[str]:
    """Name those of the marks that rows of others still carry."""
    found: set[str] = set()
    for territory, connection in views:
        for mark in datamap.marks:
            table, column = split_column(mark)
            source, _, name = table.partition(".")
            if source != territory.source or name not in territory.catalog.tables:
                continue
            values = sa.select(territory.table(name).c[column]).distinct()
            hashed = (hash_mark(str(value), key=key) for value in _stream(connection, values))
            found.update(mark for mark in hashed if mark in marks)
    return frozenset(found)


@dataclass(kw_only=True)
class _Detector:
    """Tells the texts that hold a mark, and remembers the last ones it was asked about."""

    sought: frozenset[str]
    are_all_mails: bool
    key: bytes
    _known: dict[str, bool] = field(default_factory=dict)

    def detects(self, text: str) -> bool:
        """Say whether a mark is the whole text, or an e-mail address within it."""
        if self.are_all_mails and "@" not in text:
            return False
        known = self._known.get(text)
        if known is None:
            if len(self._known) >= _TEXTS_KNOWN_MAX:
                self._known.clear()
            words = set(_words(text))
            known = any(hash_mark(word, key=self.key) in self.sought for word in words)
            self._known[text] = known
        return known

    def suspects(self, block: bytes) -> Iterator[str]:
        """Pick the lines of JSON that hold a mark, or that have to be read to know it.

        Without a backslash the texts in JSON are what stands between its quotes, and a whole
        block is judged by one expression.
        """
        lines = block.decode()
        if not self._may_hold(lines):
            return
        yield from (line for line in lines.split("\n") if line and self._may_hold(line))

    def _may_hold(self, lines: str) -> bool:
        quoted = _QUOTED_MAIL if self.are_all_mails else _QUOTED
        return "\\" in lines or any(map(self.detects, quoted.findall(lines)))


def _search(
    source: SqlSource, territory: Territory, connection: sa.Connection, detector: _Detector
) -> Counter[str]:
    """Count the values in which a mark occurs, column by column, in one pass over each table."""
    hits: Counter[str] = Counter()
    for name, table in territory.catalog.tables.items():
        searched = [column for column in table.columns.values() if _is_searched(column)]
        for start in range(0, len(searched), _COLUMNS_AT_ONCE):
            columns = searched[start : start + _COLUMNS_AT_ONCE]
            rows = _rows_to_search(territory, name, columns, detector)
            with source.json_blocks(connection, rows) as blocks:
                for line in chain.from_iterable(map(detector.suspects, blocks)):
                    for column, value in zip(columns, json.loads(line), strict=True):
                        if any(map(detector.detects, _leaves(value, column))):
                            hits[f"{territory.id_of(name)}.{column.name}"] += 1
    return hits


def _is_searched(column: CatalogColumn) -> bool:
    return column.is_text or isinstance(column.type, sa.JSON | sa.ARRAY | NullType)


def _rows_to_search(
    territory: Territory, name: str, columns: Sequence[CatalogColumn], detector: _Detector
) -> sa.Select[str]:
    """Select the columns of each row as one array of JSON."""
    rows = territory.table(name)
    lines = territory.dialect.arrays_of_texts(rows, columns)
    if not detector.are_all_mails:
        return lines
    texts = (sa.cast(rows.c[column.name], sa.Text) for column in columns)
    return lines.where(sa.or_(*(text.like("%@%") for text in texts)))


def _stream(connection: sa.Connection, values: sa.Select[str]) -> Iterator[str]:
    result = connection.execution_options(yield_per=_ROWS_FETCHED).execute(values)
    return (value for value in result.scalars() if value is not None)


def _words(text: str) -> Iterator[str]:
    """Name what could be a mark: the whole value, and every e-mail address within it."""
    yield text
    for mail in _MAIL.findall(text):
        yield mail
        yield mail.strip(_MAIL_EDGES)


def _leaves(value: object, column: CatalogColumn) -> Iterator[str]:
    """Name the texts inside a JSON value, or the text itself where it is none."""
    waiting = [value]
    if isinstance(value, str) and isinstance(column.type, sa.JSON):
        with suppress(ValueError):
            waiting = [json.loads(value)]
    while waiting:
        match waiting.pop():
            case str() as text:
                yield text
            case dict() as inside:
                waiting += [*inside, *inside.values()]
            case list() as inside:
                waiting += inside
