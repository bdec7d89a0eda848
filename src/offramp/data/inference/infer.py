"""A data map proposed for a database that nobody has mapped: from its catalog, and its rows.

The law of inference lives here: every proposal carries its reason, and what cannot be decided is
listed and left out of the map, so that the check fails until somebody has decided it. Pure: the
catalog goes in, a proposal comes out; what only rows can tell, a witness is asked.

Source: L15 (fail closed), L16 (never zero rows by mistake), L17 (secrets).
"""

from collections.abc import Collection, Iterator, Mapping, Sequence

from offramp.core.errors import Invalid
from offramp.core.spelling import did_you_mean
from offramp.data.catalog.catalog import Catalog, CatalogTable, Reference, declare_references
from offramp.data.datamap import SqlSourceSpec, TableRule, split_column
from offramp.data.dialects import POSTGRES
from offramp.data.erasure.order import CycleUnbroken
from offramp.data.erasure.statements import plan_order
from offramp.data.inference.category import guess_column, is_about_people
from offramp.data.inference.evidence import Verdict, Witness, judge_naming, settle_ways
from offramp.data.inference.name import guess_references, spell
from offramp.data.inference.people import (
    find_member,
    is_json,
    may_be_sessions,
    propose_achievements,
    propose_marks,
    propose_members,
)
from offramp.data.inference.proposal import ColumnProposal, Proposal, TableProposal, Undecided
from offramp.data.inference.shared import Outside
from offramp.data.inference.way import Choice, choose_ways
from offramp.data.scope import Scope
from offramp.data.territory import Territory

Known = Mapping[str, Mapping[str, str]]

_SOFT = ("deleted_at", "deleted_on", "is_deleted", "deleted", "removed_at", "archived_at")


class KeyColumnMissing(Invalid):
    """The database has no column {column}, which was named as {option}."""


def infer(
    catalog: Catalog,
    *,
    source: str,
    root: str,
    member: str | None,
    known: Known | None = None,
    surroundings: Sequence[str] = (),
    witness: Witness | None = None,
) -> Proposal:
    """Propose a map for one source.

    Args:
        catalog: what the database declares.
        source: the name of the source in the map.
        root: the key of the organization, as ``companies.id``.
        member: the key of a person; where it is not given, it is looked for.
        known: categories that are known already, by table and column.
        surroundings: what holds data beside the tables, in sentences.
        witness: tells what the rows say, where the catalog alone leaves a choice.

    Raises:
        KeyColumnMissing: root or member is not in the database.
    """
    _require(catalog, "--root", root)
    guessed = guess_references(catalog, root=root)
    catalog = declare_references(catalog, guessed)
    root_table = split_column(root)[0]
    ways = choose_ways(catalog, root=root_table)
    ways = settle_ways(ways, witness) if witness else ways
    if member is not None:
        _require(catalog, "--member", member)
    member = member or find_member(catalog, ways)
    reading = _Reading(catalog, ways, guessed, root_table, member, known or {})
    if witness:
        reading.hear(witness)
        ways = reading.ways
    tables = tuple(reading.table(name) for name in sorted(catalog.tables))
    decided = {table.name for table in tables if table.is_decided}
    people, key = split_column(member or "")
    return Proposal(
        source=source,
        root=root,
        member=member,
        tables=tables,
        undecided=(*reading.undecided(), *_undecided_order(catalog, tables, root)),
        notes=(*reading.notes(), *surroundings),
        members=propose_members(source, catalog.tables[people], key=key)
        if people in decided
        else None,
        achievements=tuple(
            propose_achievements(source, catalog, ways, member=people, decided=decided)
        ),
        marks=tuple(
            propose_marks(
                source, catalog, [table for table in tables if table.is_decided], root=root_table
            )
        ),
    )


class _Reading:
    """One catalog while it is read: every question about one of its tables is answered here."""

    def __init__(
        self,
        catalog: Catalog,
        ways: Mapping[str, Choice],
        guessed: Mapping[str, Mapping[str, str]],
        root: str,
        member: str | None,
        known: Known,
    ) -> None:
        self.catalog = catalog
        self.ways = dict(ways)
        self.guessed = guessed
        self.root = root
        self.member = split_column(member)[0] if member else None
        self.known = known
        self.verdicts: dict[str, Verdict] = {}
        self.outside = self._outside()

    def _outside(self) -> Outside:
        several = {n: each.evidence for n, each in self.verdicts.items() if not each.owners}
        owned = {self.root, *self.ways, *(n for n, each in self.verdicts.items() if each.owners)}
        return Outside(
            self.catalog,
            root=self.root,
            owned=owned,
            personal=self._personal,
            several=several,
        )

    def hear(self, witness: Witness) -> None:
        """Let the rows tell whose that is which only organizations name, and what hangs on it."""
        for name in sorted(self.catalog.tables):
            if self.outside.is_named_by_owned(name) and not self._is_decided_outside(name):
                verdict = judge_naming(self.catalog, name, self.ways, self.root, witness)
                if verdict is not None:
                    self.verdicts[name] = verdict
        parts = {n: each.owners[0] for n, each in self.verdicts.items() if each.owners}
        for name, choice in choose_ways(self.catalog, root=self.root, parts=parts).items():
            if name not in parts:
                self.ways.setdefault(name, choice)
        self.outside = self._outside()

    def _is_decided_outside(self, name: str) -> bool:
        return self._is_owned(name) or self.outside.why_shared(name) is not None

    def table(self, name: str) -> TableProposal:
        table = self.catalog.tables[name]
        shared = self.outside.why_shared(name)
        way = self.ways.get(name)
        owners = [each.label for each in self._owners(name)]
        is_sure = bool(owners) or name == self.root or bool(way and not way.problem)
        might_be = [] if is_sure or way or shared else self.outside.owners(name)
        return TableProposal(
            name=name,
            reasons=tuple(self._reasons(table)),
            via=way.best.first.columns if way else (),
            also=tuple(each.first.columns for each in way.also) if way else (),
            owned_by=tuple(owners or might_be),
            references=self.guessed.get(name, {}),
            shared=shared,
            columns=tuple(self._columns(table)) if self._is_owned(name) or might_be else (),
            is_decided=(is_sure or shared is not None) and table.is_nameable,
        )

    def _owners(self, name: str) -> tuple[Reference, ...]:
        verdict = self.verdicts.get(name)
        return verdict.owners if verdict else ()

    def undecided(self) -> Iterator[Undecided]:
        for name in sorted(self.catalog.tables):
            if not self.catalog.tables[name].is_nameable:
                hint = "rename the table: a map cannot name it"
                yield Undecided(
                    subject=name, problem="has a dot in its name, or a blank at its edge", hint=hint
                )
            yield from self._undecided_way(name)
            yield from self._undecided_key(self.catalog.tables[name])

    def notes(self) -> Iterator[str]:
        for name, table in sorted(self.catalog.tables.items()):
            if self._is_owned(name):
                yield from _column_notes(table)
            if may_be_sessions(self.catalog, table, member=self.member):
                yield (
                    f"{name}: may hold open sessions; where it does, name it under `sessions`, so"
                    " that they end with access"
                )
            for reference in table.references:
                if reference.parent not in self.catalog.tables:
                    yield f"{reference.label}: refers to {reference.parent}, in another schema"
                if reference.parent == name == self.root:
                    yield f"{reference.label}: an organization below another leaves on its own"
            if told := self.outside.note(name):
                yield told
        if self.member is None and not is_about_people(self.catalog.tables[self.root]):
            yield "no table of people was recognized; name its key as `member` of the source"

    def _is_owned(self, name: str) -> bool:
        return name == self.root or name in self.ways or bool(self._owners(name))

    def _columns(self, table: CatalogTable) -> Iterator[ColumnProposal]:
        known = self.known.get(table.name, {})
        for name, column in table.columns.items():
            yield guess_column(table, column, member=self.member, known=known.get(name))

    def _personal(self, name: str) -> list[str]:
        columns = self._columns(self.catalog.tables[name])
        return [column.name for column in columns if column.is_personal]

    def _reasons(self, table: CatalogTable) -> Iterator[str]:
        if table.name == self.root:
            yield "the root: one row is one organization"
        if owners := self._owners(table.name):
            yield f"owned the other way round, by {', '.join(each.label for each in owners)}"
            yield self.verdicts[table.name].evidence
        way = self.ways.get(table.name)
        if way is None:
            return
        yield f"way: {way.best.label}"
        for more in way.also:
            yield f"and: {more.label}"
        if way.evidence:
            yield way.evidence
        if way.best.first.is_optional and not way.problem and not way.also:
            empty = " or ".join(way.best.first.emptied)
            yield f"rows whose {empty} is empty belong to nobody, and stay"
        for other in way.others:
            if other not in way.rivals:
                yield f"leads there too, and does not decide: {other.label}"
        for column, target in self.guessed.get(table.name, {}).items():
            yield f"{column} is no foreign key; its name and type say that it names {target}"

    def _undecided_way(self, name: str) -> Iterator[Undecided]:
        way = self.ways.get(name)
        if way is not None and way.problem:
            yield Undecided(
                subject=name,
                problem=way.problem,
                hint="write the way that says whose a row is as `via`, and as `also` what else it"
                " goes with",
                options=tuple(each.label for each in (way.best, *way.rivals)),
            )
        elif not self._is_owned(name) and self.outside.why_shared(name) is None:
            owners = self.outside.owners(name)
            yield Undecided(
                subject=name,
                problem=self.outside.why_open(name),
                hint=f"say why it is `shared`, or that it is `owned_by` {', '.join(owners)}"
                if owners
                else _UNREACHED,
            )

    def _undecided_key(self, table: CatalogTable) -> Iterator[Undecided]:
        if table.key or not self._is_owned(table.name):
            return
        required = [
            path
            for path in table.unique
            if all(name in table.columns and not table.columns[name].nullable for name in path)
        ]
        able = f"({', '.join(required[0])})" if required else "a new identity column"
        yield Undecided(
            subject=table.name,
            problem="has no primary key, so that its rows have no order and cannot go in chunks",
            hint=f"make {able} its primary key",
        )


def _column_notes(table: CatalogTable) -> Iterator[str]:
    for column in table.columns:
        if spell(column) in _SOFT:
            yield f"{table.name}.{column}: rows that are marked as deleted are rows; they go too"
        if is_json(table, column):
            yield f"{table.name}.{column}: may hold anything; look into it, and say what it holds"


_UNREACHED = "say why it is `shared`, or declare what leads to the root under `references`"


def _require(catalog: Catalog, option: str, column: str) -> None:
    table, name = split_column(column)
    if table in catalog.tables and name in catalog.tables[table].columns:
        return
    known = [f"{each}.{name}" for each, table in catalog.tables.items() for name in table.columns]
    hint = did_you_mean(column, known) or "name a table and its column, as in companies.id"
    raise KeyColumnMissing(column=column, option=option, hint=hint)


def _undecided_order(
    catalog: Catalog, tables: Collection[TableProposal], root: str
) -> Iterator[Undecided]:
    """Find a cycle that no erasure could break, whatever else will be decided."""
    rules = {
        table.name: TableRule(shared="yes")
        if table.shared is not None
        else TableRule(via=table.via, also=table.also, owned_by=table.owned_by)
        for table in tables
    }
    territory = Territory(
        source="",
        spec=SqlSourceSpec(kind="sql", url="", root=root),
        rules=rules,
        catalog=catalog,
        scope=Scope(organization="0"),
        dialect=POSTGRES,
    )
    try:
        plan_order(territory)
    except CycleUnbroken as error:
        yield Undecided(
            subject=error.tables,
            problem="refer to one another, and no reference between them may be empty",
            hint=str(error.hint),
        )
