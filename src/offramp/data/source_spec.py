"""What a data map says about each source: where it is, and how an organization is found in it.

One model for each kind lives here: the keys of `sources` in a data map, and nothing of how a
source works. A kind that somebody else ships brings its own model (`data/sources/source.py`).

Source: docs/datamap.md.
"""

from typing import Annotated, Literal, TypeAlias

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    ValidatorFunctionWrapHandler,
    WrapValidator,
)

from offramp.data.sources.kind import further_kinds
from offramp.data.sources.prefix import parse_prefix

ScopePart: TypeAlias = Literal["organization", "member", "product"]
NAME = r"[^.\s](?:[^.\r\n]*[^.\s])?"  # a dot parts names; a blank within is part of one
TABLE = rf"{NAME}(?:\.{NAME})?"


def split_column(name: str) -> tuple[str, str]:
    """Part the name of a column from that of its table: ``schema.table.column`` has two dots."""
    table, _, column = name.rpartition(".")
    return table, column


class Part(BaseModel):
    """A part of a data map: frozen, without unknown keys, and never quoted in an error."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


def _require_prefix(text: str) -> str:
    parse_prefix(text)
    return text


LocalColumn = Annotated[str, StringConstraints(pattern=rf"^{TABLE}\.{NAME}$")]
FromEnvironment = Annotated[str, StringConstraints(pattern=r"^env:[A-Za-z_][A-Za-z0-9_]*$")]
WrittenPrefix = Annotated[str, AfterValidator(_require_prefix)]


class SqlSourceSpec(Part):
    """One SQL database; `root` is the key of the organization, `member` that of one person."""

    kind: Literal["sql"]
    url: str
    root: LocalColumn
    member: LocalColumn | None = None
    schema_name: str | None = Field(default=None, alias="schema")
    schemas: tuple[str, ...] = ()
    set_checks: bool = False

    @property
    def root_table(self) -> str:
        """The table whose rows are the organizations."""
        return split_column(self.root)[0]


class ObjectsSpec(Part):
    """One store of files, in which a prefix holds everything of one organization."""

    kind: Literal["objects"]
    url: str
    prefix: WrittenPrefix
    member: WrittenPrefix | None = None
    category: str | None = None
    versions: str | None = Field(default=None, min_length=1)
    empty: str | None = Field(default=None, min_length=1)

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns whose values the prefixes are filled with."""
        patterns = filter(None, (self.prefix, self.member))
        return tuple(column for text in patterns for column in parse_prefix(text).columns)


class HttpSpec(Part):
    """One service that answers plan, export, erase and verify for its own data."""

    kind: Literal["http"]
    url: str
    secret: FromEnvironment
    covers: tuple[ScopePart, ...] = ("organization",)
    category: str | None = None


def _read_further_kind(value: object, read: ValidatorFunctionWrapHandler) -> object:
    """Let a kind that somebody else ships read its own keys."""
    kind = value.get("kind") if isinstance(value, dict) else None
    found = further_kinds().get(str(kind))
    return read(value) if found is None else found.load().spec.model_validate(value)


SourceSpec = Annotated[
    Annotated[SqlSourceSpec | ObjectsSpec | HttpSpec, Field(discriminator="kind")],
    WrapValidator(_read_further_kind),
]
