"""The data map: where an organization's data lives, table by table and column by column.

Everything that a vendor declares about a database lives here, and nothing that can be read from
the database itself. A table is named ``source.table``, a column ``source.table.column``; between
the two stands the schema, where it is not the one that the source begins with.

Source: examples/training_platform/datamap.yaml.
"""

import re
from collections.abc import Mapping
from functools import cached_property
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, StringConstraints, model_validator

from offramp.core.dates import Period
from offramp.core.errors import Invalid
from offramp.data.source_spec import NAME, TABLE, LocalColumn, ObjectsSpec, Part, SourceSpec
from offramp.data.source_spec import SqlSourceSpec as SqlSourceSpec
from offramp.data.source_spec import split_column as split_column

_UNTIL = re.compile(r"(?P<column>\S.*) \+ (?P<period>P(?:\d+[YMWD])+)")

TableId = Annotated[str, StringConstraints(pattern=rf"^{NAME}\.{TABLE}$")]
ColumnId = Annotated[str, StringConstraints(pattern=rf"^{NAME}\.{TABLE}\.{NAME}$")]


def _spell_null(value: object) -> object:
    """YAML reads a bare ``null`` as nothing, where the author meant the word."""
    return "null" if value is None else value


_NULL_OR_WORD = BeforeValidator(
    _spell_null, json_schema_input_type=Literal["hash", "null", "keep"] | None
)


def _in_a_list(value: object) -> object:
    return [value] if isinstance(value, str) else value


def _each_in_a_list(value: object) -> object:
    return [_in_a_list(each) for each in value] if isinstance(value, list | tuple) else value


def _expand_category(value: object) -> object:
    return {"category": value} if isinstance(value, str) else value


class ColumnRule(Part):
    """What one column holds, and what happens to it where its row is kept.

    A column that is never exported comes back empty, or with the default of the database; with
    `restore: random` each row gets a value of its own that nobody knows.
    """

    category: str | None = None
    erase: Annotated[Literal["hash", "null", "keep"], _NULL_OR_WORD] = "keep"
    export: Literal["always", "never"] = "always"
    restore: Literal["random"] | None = None

    @model_validator(mode="after")
    def _replace_only_what_is_withheld(self) -> Self:
        if self.restore is not None and self.export != "never":
            raise ValueError("`restore: random` is for a column with `export: never`")
        return self


WrittenColumn = Annotated[
    ColumnRule, BeforeValidator(_expand_category, json_schema_input_type=ColumnRule | str)
]


_Ways = Annotated[
    tuple[tuple[str, ...], ...],
    BeforeValidator(_each_in_a_list, json_schema_input_type=list[str | list[str]]),
]
_Owners = Annotated[
    tuple[LocalColumn, ...],
    BeforeValidator(_in_a_list, json_schema_input_type=LocalColumn | list[LocalColumn]),
]


class TableRule(Part):
    """How the rows of one table belong to an organization, and what becomes of them.

    A row belongs to whoever `via` or one of `also` leads to, or to whom a row belongs that names
    it by one of `owned_by`.
    """

    via: tuple[str, ...] = ()
    also: _Ways = ()
    owned_by: _Owners = ()
    category: str | None = None
    product: str | None = None
    erase: Literal["delete", "keep"] = "delete"
    basis: str | None = None
    until: str | None = None
    shared: str | None = Field(default=None, min_length=1)
    references: Mapping[str, LocalColumn] = {}
    columns: Mapping[str, WrittenColumn] = {}

    @model_validator(mode="after")
    def _agree(self) -> Self:
        if self.shared is not None and (self.via or self.owned_by):
            raise ValueError("a table is either shared or reached via a column, not both")
        if self.also and not self.via:
            raise ValueError("`also` names what leads to the root beside `via`")
        if self.owned_by and self.via:
            raise ValueError("a table is either reached via a column or owned, not both")
        if self.until is not None and not _UNTIL.fullmatch(self.until):
            raise ValueError("`until` reads: column + ISO 8601 period, as in issued_on + P10Y")
        if self.until_period is not None:
            try:
                Period.parse(self.until_period)
            except Invalid as error:
                raise ValueError(f"`until`: {error}") from error
        return self

    @property
    def ways(self) -> tuple[tuple[str, ...], ...]:
        """The columns of every reference that leads towards the root."""
        return ((self.via,) if self.via else ()) + self.also

    @property
    def way_columns(self) -> frozenset[str]:
        """The columns that say whose a row is."""
        return frozenset(column for columns in self.ways for column in columns)

    @property
    def until_column(self) -> str | None:
        """The column from which the end of keeping is counted."""
        match = _UNTIL.fullmatch(self.until or "")
        return match["column"] if match else None

    @cached_property
    def until_period(self) -> str | None:
        """The period for which rows are kept from there on."""
        match = _UNTIL.fullmatch(self.until or "")
        return match["period"] if match else None

    def is_exported(self, column: str) -> bool:
        """Say whether a column is handed over; only a listed ``never`` withholds it."""
        rule = self.columns.get(column)
        return rule is None or rule.export == "always"


class MembersRule(Part):
    """Where members and how to reach them are read from."""

    table: TableId
    key: str
    email: str
    name: tuple[str, ...] = ()
    locale: str | None = None
    zone: str | None = None


class People(Part):
    """The people of an organization."""

    members: MembersRule


class AchievementRule(Part):
    """Where a member's achievements are read from.

    Attributes:
        title: a column, or the way to one through references: ``course_id.title``.
    """

    table: TableId
    title: str
    holder: str | None = None
    at: str


class DataMap(Part):
    """Everything that a vendor declares about where an organization's data lives."""

    offramp: Literal[1]
    sources: Mapping[str, SourceSpec] = Field(min_length=1)
    tables: Mapping[TableId, TableRule] = Field(min_length=1)
    people: People | None = None
    achievements: tuple[AchievementRule, ...] = ()
    content: tuple[TableId, ...] = ()
    sessions: tuple[TableId, ...] = ()
    marks: tuple[ColumnId, ...] = ()

    @model_validator(mode="after")
    def _point_at_what_is_declared(self) -> Self:
        for table in self.tables:
            if table.partition(".")[0] not in self.databases:
                raise ValueError(f"the table {table} is in no declared database")
        named = [*self.content, *self.sessions, *(rule.table for rule in self.achievements)]
        named += [mark.rpartition(".")[0] for mark in self.marks]
        named += [self.people.members.table] if self.people else []
        if self.sessions and self.people is None:
            raise ValueError("`sessions` needs `people`, which says whose they are")
        for table in named:
            if table not in self.tables:
                raise ValueError(f"{table} is used below, but is not among the tables")
        return self

    @model_validator(mode="after")
    def _find_files_by_rows_of_the_subject(self) -> Self:
        known = [spec.root for spec in self.databases.values()]
        known += [spec.member for spec in self.databases.values() if spec.member is not None]
        tables = [split_column(column)[0] for column in known]
        for spec in self.elsewhere.values():
            for column in spec.columns if isinstance(spec, ObjectsSpec) else ():
                if tables.count(split_column(column)[0]) != 1:
                    raise ValueError(f"{column} is no column of exactly one root or member table")
        return self

    @property
    def databases(self) -> Mapping[str, SqlSourceSpec]:
        """The sources that hold tables."""
        return {
            name: spec for name, spec in self.sources.items() if isinstance(spec, SqlSourceSpec)
        }

    @property
    def elsewhere(self) -> Mapping[str, Part]:
        """The sources that are no database."""
        return {
            name: spec for name, spec in self.sources.items() if not isinstance(spec, SqlSourceSpec)
        }

    def tables_of(self, source: str) -> dict[str, TableRule]:
        """List one source's rules by the table's own name."""
        prefix = f"{source}."
        return {
            table.removeprefix(prefix): rule
            for table, rule in self.tables.items()
            if table.startswith(prefix)
        }

    def document_name(self, table: str) -> str:
        """Name a table inside an export: its bare name, unless two sources share that."""
        bare = table.partition(".")[2]
        namesakes = sum(other.partition(".")[2] == bare for other in self.tables)
        return bare if namesakes == 1 else table

    def to_json(self) -> dict[str, Any]:
        """Return the map as plain data without the addresses of its sources."""
        return self.model_dump(mode="json", exclude={"sources": {"__all__": {"url"}}})
