"""Is the map complete? The map is held against the live catalog, and every difference is named.

Everything that makes a map unfit for use lives here. The check runs before every export and every
erasure and fails closed: an unclassified table, column or reference stops the run (L15), and a
table that does not exist is an error, never zero rows (L16).
"""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, replace
from enum import Enum

import sqlalchemy as sa

from offramp.core.errors import Invalid, OfframpError
from offramp.core.spelling import did_you_mean
from offramp.data.catalog.catalog import CatalogTable, Reference
from offramp.data.catalog.trigger import read_triggers
from offramp.data.category import CATEGORIES
from offramp.data.datamap import DataMap, TableRule, split_column
from offramp.data.erasure.order import CycleUnbroken
from offramp.data.erasure.pseudonym import shortest_column
from offramp.data.erasure.statements import plan_order
from offramp.data.scope import Scope
from offramp.data.sessions import misfits
from offramp.data.source_spec import ObjectsSpec
from offramp.data.sources.source import Source
from offramp.data.sources.sql import SqlSource
from offramp.data.survey import snapshots, survey
from offramp.data.territory import Territory

_ANYBODY = Scope(organization="0")


class Severity(Enum):
    """How much a finding weighs."""

    ERROR = "nothing may run"
    WARNING = "it runs, and badly"


class Kind(Enum):
    """What is wrong."""

    UNCLASSIFIED_TABLE = "unclassified table"
    UNCLASSIFIED_COLUMN = "unclassified column"
    UNCLASSIFIED_REFERENCE = "unclassified foreign key"
    STALE = "stale entry"
    UNREACHABLE = "unreachable table"
    NOT_A_REFERENCE = "via is no foreign key"
    KEPT_REFERENCE = "kept row refers to an erased row"
    KEPT_WITHOUT_END = "kept without basis and end"
    UNFIT_RULE = "rule does not fit the column"
    UNKNOWN_CATEGORY = "unknown category"
    NO_KEY = "no usable primary key"
    CYCLE = "cycle that cannot be broken"
    UNUSABLE_SOURCE = "source cannot be used"
    KEEPS_HISTORY = "deleted rows are kept by the database"
    NOT_TRANSACTIONAL = "engine that takes nothing back"
    UNINDEXED = "foreign key without an index"
    TRIGGER = "trigger that may write elsewhere"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One difference between the map and the database."""

    severity: Severity
    kind: Kind
    subject: str
    problem: str
    hint: str


class DataMapIncomplete(Invalid):
    """The data map does not fit the database in {count} places; first, {subject}: {problem}."""


def check(
    datamap: DataMap,
    sources: Mapping[str, SqlSource],
    others: Mapping[str, Source] | None = None,
) -> tuple[Finding, ...]:
    """Compare the map with what the databases declare now, errors first.

    Args:
        datamap: what is judged.
        sources: every database of the map, open.
        others: the sources that are no database; none to judge the databases alone, because an
            export or an erasure asks the others itself.
    """
    with ExitStack() as stack:
        connections = snapshots(stack, datamap, sources)
        territories = survey(datamap, sources, connections, _ANYBODY)
        triggers = [
            finding
            for territory in territories
            for finding in _check_triggers(territory, connections[territory.source])
        ]
    found = [*_check_sources(datamap, territories), *triggers, *_check_others(others or {})]
    return _in_order(found)


def require_complete(datamap: DataMap, sources: Mapping[str, SqlSource]) -> None:
    """Refuse to go on with a map that does not fit.

    Raises:
        DataMapIncomplete: `findings` lists every error.
    """
    _refuse_errors(check(datamap, sources))


def survey_complete(
    datamap: DataMap,
    sources: Mapping[str, SqlSource],
    connections: Mapping[str, sa.Connection],
    scope: Scope,
) -> list[Territory]:
    """Read every catalog once, judge the map by it, and say which rows the scope covers.

    What is judged is the very state that is read or changed afterwards.

    Raises:
        DataMapIncomplete: `findings` lists every error.
    """
    territories = survey(datamap, sources, connections, scope)
    _refuse_errors(_in_order(_check_sources(datamap, territories)))
    return territories


def _refuse_errors(findings: Iterable[Finding]) -> None:
    errors = [finding for finding in findings if finding.severity is Severity.ERROR]
    if errors:
        raise DataMapIncomplete(
            count=len(errors),
            subject=errors[0].subject,
            problem=errors[0].problem,
            hint=errors[0].hint,
            findings=tuple(errors),
        )


def _in_order(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    by_weight = sorted(
        findings, key=lambda finding: (finding.severity is Severity.WARNING, finding.subject)
    )
    return tuple(by_weight)


def _check_sources(datamap: DataMap, territories: Iterable[Territory]) -> Iterator[Finding]:
    """A map is judged for everybody, whoever's rows are meant."""
    for territory in territories:
        yield from _check_source(datamap, replace(territory, scope=_ANYBODY))
    yield from _check_categories_elsewhere(datamap)


def _check_source(datamap: DataMap, territory: Territory) -> Iterator[Finding]:
    live = territory.catalog.tables
    for name in live:
        if name not in territory.rules:
            yield _error(
                Kind.UNCLASSIFIED_TABLE,
                territory.id_of(name),
                "is in the database and not in the map",
                "say how it leads to the root (via), what owns it (owned_by), or why it is shared",
            )
    for name in territory.catalog.strangers:
        yield _error(
            Kind.UNCLASSIFIED_TABLE,
            territory.id_of(name),
            "refers to tables of this source, and its schema is not read",
            "name its schema among the `schemas` of the source, and its tables in the map",
        )
    yield from _check_names(datamap, territory)
    yield from _check_categories(territory)
    for name, rule in territory.rules.items():
        if name in live:
            yield from _check_table(territory, live[name], rule)
    for table, problem in misfits(datamap, territory):
        hint = "name a table of sessions to which nothing refers"
        yield _error(Kind.UNFIT_RULE, table, f"cannot hold sessions: {problem}", hint)
    yield from _check_order(territory)


def _check_others(others: Mapping[str, Source]) -> Iterator[Finding]:
    for name, source in others.items():
        try:
            source.check()
        except OfframpError as error:
            hint = error.hint or "look at its address and its permissions"
            yield _error(Kind.UNUSABLE_SOURCE, name, str(error), hint)


def _check_names(datamap: DataMap, territory: Territory) -> Iterator[Finding]:
    """Everything that the map names has to exist."""
    for subject, column in _named(datamap, territory):
        name = subject.partition(".")[2]
        table = territory.catalog.tables.get(name)
        if table is None:
            problem = "is in the map and not in the database"
            yield _error(Kind.STALE, subject, problem, "remove the entry, or restore the table")
        elif column is not None and column not in table.columns:
            problem = "is named in the map and not in the database"
            hint = "remove the entry, or correct its name"
            yield _error(Kind.STALE, f"{subject}.{column}", problem, hint)


def _named(datamap: DataMap, territory: Territory) -> list[tuple[str, str | None]]:
    named: list[tuple[str, str | None]] = []
    for name, rule in territory.rules.items():
        subject = territory.id_of(name)
        columns = [*rule.columns, *rule.way_columns, *rule.references]
        columns += filter(None, [rule.until_column])
        named += [(subject, None), *((subject, column) for column in columns)]
        for target in rule.references.values():
            parent, column = split_column(target)
            named.append((territory.id_of(parent), column))
        for owner in rule.owned_by:
            table, columns_named = split_column(owner)
            named += [(territory.id_of(table), column) for column in columns_named.split("+")]
    ends = (territory.spec.root, territory.spec.member, *_prefix_columns(datamap, territory))
    for local in filter(None, ends):
        table, column = split_column(local)
        named.append((territory.id_of(table), column))
    elsewhere: list[tuple[str, str | None]] = []
    for mark in datamap.marks:
        table, column = split_column(mark)
        elsewhere.append((table, column))
    for award in datamap.achievements:
        source, _, name = award.table.partition(".")
        elsewhere += [(award.table, column) for column in filter(None, (award.holder, award.at))]
        if source == territory.source:
            trail = territory.catalog.trail(name, award.title)
            elsewhere += [(territory.id_of(table), column) for table, column in trail]
    if datamap.people:
        members = datamap.people.members
        fields = (members.key, members.email, *members.name, members.locale, members.zone)
        elsewhere += [(members.table, column) for column in filter(None, fields)]
    named += [entry for entry in elsewhere if entry[0].startswith(f"{territory.source}.")]
    return list(dict.fromkeys(named))


def _prefix_columns(datamap: DataMap, territory: Territory) -> list[str]:
    """Name the columns of this database that lead to the files of its organizations."""
    tables = {territory.spec.root_table, split_column(territory.spec.member or "")[0]}
    specs = [spec for spec in datamap.elsewhere.values() if isinstance(spec, ObjectsSpec)]
    columns = [column for spec in specs for column in spec.columns]
    return [column for column in columns if split_column(column)[0] in tables]


def _check_categories_elsewhere(datamap: DataMap) -> Iterator[Finding]:
    for name, spec in datamap.elsewhere.items():
        yield from _check_category(name, getattr(spec, "category", None))


def _check_categories(territory: Territory) -> Iterator[Finding]:
    for name, rule in territory.rules.items():
        subject = territory.id_of(name)
        given = [(subject, rule.category)]
        given += [(f"{subject}.{column}", each.category) for column, each in rule.columns.items()]
        for place, category in given:
            yield from _check_category(place, category)


def _check_category(place: str, category: str | None) -> Iterator[Finding]:
    if category is not None and category not in CATEGORIES:
        problem = f"has the category {category}, which does not exist"
        hint = did_you_mean(category, CATEGORIES) or "docs/datamap.md lists them"
        yield _error(Kind.UNKNOWN_CATEGORY, place, problem, hint)


def _check_table(territory: Territory, table: CatalogTable, rule: TableRule) -> Iterator[Finding]:
    if rule.shared is not None:
        yield from _check_shared(territory, table)
        return
    yield from _check_engine(territory, table)
    yield from _check_way(territory, table, rule)
    yield from _check_key(territory, table)
    yield from _check_owned(territory, table, rule)
    yield from _check_columns(territory, table, rule)
    if rule.erase == "keep":
        yield from _check_kept(territory, table, rule)
    for reference in table.references:
        yield from _check_reference(territory, reference)


def _check_engine(territory: Territory, table: CatalogTable) -> Iterator[Finding]:
    """Whatever is deleted must be gone, and a chunk should go as a whole or not at all."""
    subject = territory.id_of(table.name)
    if table.keeps_history:
        problem = "has system versioning, so that every row that is deleted stays as history"
        hint = f"ALTER TABLE {table.name} DROP SYSTEM VERSIONING"
        yield _error(Kind.KEEPS_HISTORY, subject, problem, hint)
    if table.engine is not None:
        yield Finding(
            severity=Severity.WARNING,
            kind=Kind.NOT_TRANSACTIONAL,
            subject=subject,
            problem=f"is stored by {table.engine}, so that a chunk that breaks off stays half done"
            " and an export may mix two states of it",
            hint=f"ALTER TABLE {table.name} ENGINE = InnoDB",
        )


def _check_reference(territory: Territory, reference: Reference) -> Iterator[Finding]:
    subject = f"{territory.source}.{reference.label}"
    tables = territory.catalog.tables
    if reference.declared:
        column = tables[reference.table].columns[reference.columns[0]]
        key = tables[reference.parent].columns[reference.parent_columns[0]]
        if not column.may_name(key):
            problem = f"cannot name {reference.parent}.{key.name}, which is of another type"
            yield _error(Kind.UNFIT_RULE, subject, problem, "name the column that it refers to")
    if not reference.indexed:
        yield Finding(
            severity=Severity.WARNING,
            kind=Kind.UNINDEXED,
            subject=subject,
            problem="has no index, so that every deleted parent scans the whole table",
            hint=f"CREATE INDEX ON {reference.table} ({', '.join(reference.columns)})",
        )


def _check_way(territory: Territory, table: CatalogTable, rule: TableRule) -> Iterator[Finding]:
    subject = territory.id_of(table.name)
    unknown = [columns for columns in rule.ways if table.reference(columns) is None]
    owners = {owner.label for owner in territory.owners(table.name)}
    if unknown:
        yield _error(
            Kind.NOT_A_REFERENCE,
            subject,
            f"has no foreign key over exactly {', '.join(unknown[0])}",
            "name the columns of one foreign key of this table",
        )
    elif strangers := [each for each in rule.owned_by if each not in owners]:
        yield _error(
            Kind.NOT_A_REFERENCE,
            subject,
            f"is not what {strangers[0]} refers to",
            "name a foreign key of another table that refers to this one",
        )
    elif not territory.is_reached(table.name):
        problem = f"does not lead to {territory.spec.root_table}"
        hint = "name the reference that leads there in `via`, or say why it is shared"
        yield _error(Kind.UNREACHABLE, subject, problem, hint)


def _check_owned(territory: Territory, table: CatalogTable, rule: TableRule) -> Iterator[Finding]:
    """A row that is found through its owner alone cannot outlive it."""
    for owner in territory.owners(table.name):
        above = territory.rules.get(owner.table)
        if above is None:
            continue
        is_cut = _goes(territory, owner.table) or _is_nulled(owner, above)
        if rule.erase == "keep" and is_cut:
            problem = f"is kept, and could not be found once {owner.label} is gone"
            hint = "keep its owner and that reference too, or delete both"
            yield _error(Kind.UNFIT_RULE, territory.id_of(table.name), problem, hint)
        if rule.product != above.product:
            problem = f"is of another product than {owner.table}, whose rows own its rows"
            hint = "give both the same product"
            yield _error(Kind.UNFIT_RULE, territory.id_of(table.name), problem, hint)


def _check_key(territory: Territory, table: CatalogTable) -> Iterator[Finding]:
    kinds = [table.columns[name].type for name in table.key]
    if not kinds or any(isinstance(kind, sa.LargeBinary) for kind in kinds):
        problem = "has no primary key by which its rows could be named"
        hint = "give it a primary key of numbers or text"
        yield _error(Kind.NO_KEY, territory.id_of(table.name), problem, hint)


def _check_columns(territory: Territory, table: CatalogTable, rule: TableRule) -> Iterator[Finding]:
    referring = {column for reference in table.references for column in reference.columns}
    for column in table.columns:
        if column in rule.columns or column in table.key or column in rule.way_columns:
            continue
        is_reference = column in referring
        yield _error(
            Kind.UNCLASSIFIED_REFERENCE if is_reference else Kind.UNCLASSIFIED_COLUMN,
            f"{territory.id_of(table.name)}.{column}",
            "is in the database and not in the map",
            "name it among the columns of its table, with a category",
        )


def _check_kept(territory: Territory, table: CatalogTable, rule: TableRule) -> Iterator[Finding]:
    subject = territory.id_of(table.name)
    if not rule.basis or not rule.until:
        problem = "is kept without a legal basis and an end"
        hint = 'add basis: "…" and until: "issued_on + P10Y"'
        yield _error(Kind.KEPT_WITHOUT_END, subject, problem, hint)
    for reference in table.references:
        if _goes(territory, reference.parent) and not _is_nulled(reference, rule):
            yield _error(
                Kind.KEPT_REFERENCE,
                f"{territory.source}.{reference.label}",
                f"would be left pointing at an erased row of {reference.parent}",
                'give a column of it `erase: "null"`, and let it be NULL in the database',
            )
    for column, each in rule.columns.items():
        misfit = _misfit(table, column, each.erase, is_mail="email" in (each.category or ""))
        if misfit:
            yield _error(Kind.UNFIT_RULE, f"{subject}.{column}", misfit, "choose another rule")


def _check_shared(territory: Territory, table: CatalogTable) -> Iterator[Finding]:
    for reference in table.references:
        if _goes(territory, reference.parent) and not reference.is_optional:
            yield _error(
                Kind.KEPT_REFERENCE,
                f"{territory.source}.{reference.label}",
                f"is shared, and cannot do without rows of {reference.parent} that are erased",
                "let the reference be NULL, or lead the table to the root",
            )


def _check_triggers(territory: Territory, connection: sa.Connection) -> Iterator[Finding]:
    """Name what may copy a row while it is changed: nobody can tell from a catalog where to."""
    for name, trigger in read_triggers(connection, territory.catalog):
        rule = territory.rules.get(name)
        if rule is not None and rule.shared is None:
            yield Finding(
                severity=Severity.WARNING,
                kind=Kind.TRIGGER,
                subject=territory.id_of(name),
                problem=f"has the trigger {trigger}, which may write rows elsewhere",
                hint="read it: what it copies has to be in the map, and is erased only by that",
            )


def _check_order(territory: Territory) -> Iterator[Finding]:
    live = territory.catalog.tables
    if not all(name in live for name in territory.rules):
        return
    try:
        plan_order(territory)
    except CycleUnbroken as error:
        yield _error(Kind.CYCLE, territory.source, str(error), str(error.hint))


def _goes(territory: Territory, name: str) -> bool:
    rule = territory.rules.get(name)
    return rule is not None and rule.shared is None and rule.erase == "delete"


def _is_nulled(reference: Reference, rule: TableRule) -> bool:
    nulled = {column for column, each in rule.columns.items() if each.erase == "null"}
    return bool(nulled & set(reference.emptied))


def _misfit(table: CatalogTable, name: str, erase: str, *, is_mail: bool) -> str | None:
    column = table.columns.get(name)
    if column is None or erase == "keep":
        return None
    if name in table.key:
        return "is part of the primary key, which stays"
    if column.is_generated:
        return "is computed by the database, so that nothing can be written into it"
    if erase == "null":
        return None if column.nullable else "cannot be NULL in the database"
    if not column.is_text:
        return "does not hold text, so that no hash fits into it"
    if column.length is not None and column.length < shortest_column(is_mail=is_mail):
        return f"is too short for a hash, which takes {shortest_column(is_mail=is_mail)}"
    return None


def _error(kind: Kind, subject: str, problem: str, hint: str) -> Finding:
    return Finding(severity=Severity.ERROR, kind=kind, subject=subject, problem=problem, hint=hint)
