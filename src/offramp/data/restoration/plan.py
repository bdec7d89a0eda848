"""What a restore will do with each table: which columns it writes, and where their keys come from.

Two laws live here. **Fit**: a document fits a database when every column of it is there with a
type that holds the same values, and every further column can do without a value of the document.
**Origin**: a column that refers to another table takes its value from there, hop by hop, so that
a key that has to change changes in every row that names it.

Pure: the catalog in, plans and differences out.
"""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from offramp.core.errors import Invalid
from offramp.data.catalog.catalog import CatalogColumn, CatalogTable, Reference
from offramp.data.datamap import TableRule
from offramp.data.erasure.statements import plan_order
from offramp.data.manifest import Manifest
from offramp.data.territory import Territory

Origin = tuple[str, str]
_TEXT = re.compile(r"(?:CHAR|VARCHAR|NVARCHAR)\((\d+)\)|VARCHAR|TEXT")
_WHOLE = ("SMALLINT", "INTEGER", "BIGINT")


class SchemaDifferent(Invalid):
    """The document does not fit the database in {count} places: {listed}."""


@dataclass(frozen=True, kw_only=True)
class TablePlan:
    """How the rows of one table are restored."""

    id: str
    table: CatalogTable
    rule: TableRule
    columns: tuple[str, ...]
    deferred: tuple[Reference, ...]
    later: frozenset[str]
    origins: Mapping[str, Origin]
    own: str | None
    is_fixed_by_key: bool
    outside: tuple[Reference, ...]
    random: tuple[str, ...]
    is_at_once: bool
    owning: frozenset[str]

    @property
    def name(self) -> str:
        """The table's own name."""
        return self.table.name

    @property
    def compared(self) -> tuple[str, ...]:
        """The columns in which a live row tells whether it is the same as one of the document."""
        return tuple(
            name for name in self.columns if name not in self.later and name not in self.table.key
        )

    @property
    def emptied(self) -> frozenset[str]:
        """The columns that an erasure may have emptied in a row that stayed."""
        nulled = {name for name, rule in self.rule.columns.items() if rule.erase == "null"}
        kept = nulled if self.rule.erase == "keep" else set()
        referring = {name for reference in self.table.references for name in reference.emptied}
        return frozenset(kept | referring - self.rule.way_columns - self.owning)

    @property
    def hashed(self) -> frozenset[str]:
        """The columns that an erasure may have hashed in a row that stayed."""
        if self.rule.erase != "keep":
            return frozenset()
        return frozenset(name for name, rule in self.rule.columns.items() if rule.erase == "hash")


def require_fit(
    manifest: Manifest, territories: Sequence[Territory], *, elsewhere: Collection[str] = ()
) -> None:
    """Refuse a document that was taken from another shape of database.

    Args:
        manifest: that of the document.
        territories: the databases as they are.
        elsewhere: tables of the document that are of no database.

    Raises:
        SchemaDifferent: `differences` lists every place.
    """
    by_source = {territory.source: territory for territory in territories}
    found: list[str] = []
    for table, entry in manifest.tables.items():
        source, _, name = table.partition(".")
        territory = by_source.get(source)
        if table in elsewhere:
            continue
        if territory is None or name not in territory.catalog.tables:
            found.append(f"{table} is not in the database")
        elif name not in territory.covered:
            found.append(f"{table} does not lead to {territory.spec.root_table} in the map")
        else:
            found += _differences(territory, name, entry.columns)
    if found:
        raise SchemaDifferent(
            count=len(found),
            listed="; ".join(found),
            differences=tuple(found),
            hint="migrate the database to the shape of the document, or loosen the columns named",
        )


def plan_tables(territory: Territory, manifest: Manifest, *, may_move: bool) -> list[TablePlan]:
    """Plan every table of one source that the document holds, parents first.

    Args:
        may_move: whether the organization and its members can get other keys here.
    """
    order = plan_order(territory)
    ids = {name: territory.id_of(name) for name in order.tables}
    names = [name for name in reversed(order.tables) if ids[name] in manifest.tables]
    return [
        _plan(
            territory, name, names, manifest.tables[ids[name]].columns, order.cut, may_move=may_move
        )
        for name in names
    ]


def _plan(
    territory: Territory,
    name: str,
    names: Sequence[str],
    documented: Mapping[str, str],
    cut: Sequence[Reference],
    *,
    may_move: bool,
) -> TablePlan:
    table, rule = territory.catalog.tables[name], territory.rules[name]
    inside = [each for each in table.references if each.parent in names]
    own_rows = [each for each in inside if each.parent == name]
    deferred = tuple(
        each for each in inside if (each in cut or each in own_rows) and territory.emptied(each)
    )
    stubborn = {each for each in own_rows if each not in deferred}
    later = {column for each in deferred for column in territory.emptied(each)}
    later |= {column for each in stubborn for column in each.columns if column not in table.key}
    origins = {
        column: origin
        for column in table.columns
        if (origin := _origin(territory, names, name, column)) != (name, column)
    }
    anchors = {territory.spec.root, territory.spec.member or ""}
    own = table.key[0] if len(table.key) == 1 and table.key[0] not in origins else None
    if own and not may_move and f"{name}.{own}" in anchors:
        own = None
    return TablePlan(
        id=territory.id_of(name),
        table=table,
        rule=rule,
        columns=tuple(
            each for each in table.columns if each in documented and not _generated(table, each)
        ),
        deferred=deferred,
        later=frozenset(later),
        origins=origins,
        own=own,
        is_fixed_by_key=any(column in origins for column in table.key),
        outside=tuple(each for each in table.references if each.parent not in names),
        random=tuple(each for each, how in rule.columns.items() if how.restore == "random"),
        is_at_once=bool(stubborn),
        owning=frozenset(column for each in territory.owned(name) for column in each.columns),
    )


def _generated(table: CatalogTable, column: str) -> bool:
    return table.columns[column].is_generated


def _origin(territory: Territory, names: Sequence[str], name: str, column: str) -> Origin:
    """Follow a column to the table in which its value is made."""
    passed: set[Origin] = set()
    while (name, column) not in passed:
        passed.add((name, column))
        for reference in territory.catalog.tables[name].references:
            if reference.parent in names and column in reference.columns:
                parent = reference.parent_columns[reference.columns.index(column)]
                if (reference.parent, parent) not in passed:
                    name, column = reference.parent, parent
                    break
    return name, column


def _differences(territory: Territory, name: str, documented: Mapping[str, str]) -> Iterator[str]:
    table, rule = territory.catalog.tables[name], territory.rules[name]
    for column, kind in documented.items():
        place = f"{territory.id_of(name)}.{column}"
        live = table.columns.get(column)
        if live is None:
            yield f"{place} is not in the database"
            continue
        found = territory.dialect.type_name(live.type)
        if not _holds(found, kind):
            yield f"{place} is {found} and was {kind}"
    for column in table.key:
        if column not in documented:
            yield f"{territory.id_of(name)}.{column} is a key and is not in the document"
    for column, live in table.columns.items():
        if column in documented or column in table.key:
            continue
        if problem := _lack(live, rule):
            yield f"{territory.id_of(name)}.{column} {problem}"


def _holds(live: str, documented: str) -> bool:
    """Say whether every value of one type is a value of the other."""
    if live == documented:
        return True
    if live in _WHOLE and documented in _WHOLE:
        return _WHOLE.index(live) > _WHOLE.index(documented)
    now, then = _TEXT.fullmatch(live), _TEXT.fullmatch(documented)
    if not now or not then:
        return False
    return now[1] is None or (then[1] is not None and int(now[1]) >= int(then[1]))


def _lack(column: CatalogColumn, rule: TableRule) -> str | None:
    """Say why a column cannot do without a value of the document."""
    how = rule.columns.get(column.name)
    if column.is_generated:
        return None
    if how is not None and how.restore == "random":
        fits = column.is_text or isinstance(column.type, sa.LargeBinary)
        return None if fits else "cannot hold a random value, only text and bytes can"
    if column.nullable or column.has_default:
        return None
    if how is not None and how.export == "never":
        return "is never exported and must have a value: give it a default, or `restore: random`"
    return "must have a value, and the document has none"
