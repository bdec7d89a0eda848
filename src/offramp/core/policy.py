"""What a policy says: one frozen model per part of the file, and nothing about what it does.

The models are the language: its keys, its defaults and its JSON Schema come from here. What can
be wrong with a single value is refused by its type; what can be wrong between values (an unknown
anchor, a guard on a step that is not there) is judged in ``core/lint.py``.

Source: docs/policy.md; policy language T1-T8, S1-S7, A1-A3, N1-N3, E1, D1-D3, R1.
"""

from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Annotated, Any, Literal, TypeVar

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    PlainValidator,
    WithJsonSchema,
    model_validator,
)
from pydantic.json_schema import GenerateJsonSchema
from pydantic_core import PydanticCustomError
from whenever import Date, Time, Weekday

from offramp.core.dates import Period, WorkCalendar, parse_local_time
from offramp.core.errors import Invalid
from offramp.core.model import Cause, SubjectKind
from offramp.core.moment import Moment

_T = TypeVar("_T")
ANY: Literal["*"] = "*"
EVERYTHING = "everything"  # comes back when a subject does, unless the policy says something else


class Capability(StrEnum):
    """What an access level may allow."""

    SIGN_IN = "sign-in"
    READ = "read"
    CREATE = "create"
    UPDATE = "update"
    DELETE = "delete"
    COPY = "copy"
    EXPORT = "export"
    INVITE = "invite"
    MANAGE = "manage"
    BILL = "bill"


_C = Capability
LEVELS: Mapping[str, frozenset[Capability]] = {
    "full": frozenset(Capability),
    "edit-only": frozenset({_C.SIGN_IN, _C.READ, _C.UPDATE, _C.DELETE, _C.COPY, _C.EXPORT}),
    "read-only": frozenset({_C.SIGN_IN, _C.READ, _C.COPY, _C.EXPORT}),
    "export-only": frozenset({_C.SIGN_IN, _C.EXPORT}),
    "none": frozenset(),
}
"""The levels every policy knows; a policy may add its own or replace these."""


def _as_text(value: object) -> str:
    """Write a value as a policy file writes it."""
    if isinstance(value, Time):
        return value.format("HH:mm")
    return value.value if isinstance(value, StrEnum) else str(value)


def _read(parse: Callable[[str], _T], kind: type[_T]) -> PlainValidator:
    """Turn a parser of the core into a pydantic validator that keeps its expectation and hint."""

    def validate(value: object) -> _T:
        if isinstance(value, kind):
            return value
        if not isinstance(value, str):
            raise PydanticCustomError("value", "not a text", {"expected": "a text in quotes"})
        try:
            return parse(value)
        except Invalid as error:
            context = {"expected": error.attributes.get("expected", ""), "hint": error.hint or ""}
            raise PydanticCustomError("value", "{sentence}", {"sentence": str(error), **context})  # noqa: B904 (pydantic keeps the cause itself)

    return PlainValidator(validate)


def _text_type(pattern: str, description: str) -> tuple[PlainSerializer, WithJsonSchema]:
    schema = {"type": "string", "pattern": pattern, "description": description}
    return PlainSerializer(_as_text, return_type=str), WithJsonSchema(schema)


_MOMENT_TEXT, _MOMENT_SCHEMA = _text_type(".+", "expiry + P30D, never, immediately, …")
_PERIOD_TEXT, _PERIOD_SCHEMA = _text_type("^PT?[0-9].*$", "ISO 8601 duration, or P5B")
_TIME_TEXT, _TIME_SCHEMA = _text_type("^[0-2][0-9]:[0-5][0-9]$", "HH:MM, local time")
_DATE_TEXT, _DATE_SCHEMA = _text_type("^[0-9]{4}-[0-9]{2}-[0-9]{2}$", "a civil date")


def _date(value: object) -> object:
    """YAML reads 2024-12-25 as a date of its own; take its ISO form."""
    try:
        return Date.parse_iso(str(value))
    except ValueError as error:
        raise PydanticCustomError(
            "date", "not a date", {"expected": "a civil date such as 2024-12-25"}
        ) from error


MomentText = Annotated[Moment, _read(Moment.parse, Moment), _MOMENT_TEXT, _MOMENT_SCHEMA]
PeriodText = Annotated[Period, _read(Period.parse, Period), _PERIOD_TEXT, _PERIOD_SCHEMA]
LocalTime = Annotated[Time, _read(parse_local_time, Time), _TIME_TEXT, _TIME_SCHEMA]
CivilDate = Annotated[Date, PlainValidator(_date), _DATE_TEXT, _DATE_SCHEMA]
Id = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]*$")]
CauseKey = Cause | Literal["*"]
PeriodValue = PeriodText | Literal["never", "immediately"]


def _as_tuple(value: object) -> object:
    return (value,) if isinstance(value, str) else value


def _as_causes(value: object) -> object:
    return value if isinstance(value, dict) else {ANY: value}


def _in_order(capabilities: frozenset[Capability]) -> list[Capability]:
    """Give the same text for the same set: a published version is compared with its file."""
    return [capability for capability in Capability if capability in capabilities]


_Moments = Annotated[
    tuple[MomentText, ...],
    Field(min_length=1),
    BeforeValidator(_as_tuple, json_schema_input_type=MomentText | tuple[MomentText, ...]),
]
Schedule = Annotated[
    Mapping[CauseKey, _Moments],
    BeforeValidator(_as_causes, json_schema_input_type=_Moments | Mapping[CauseKey, _Moments]),
]
"""When, per cause: one moment, a list of them, or a mapping from cause (or ``*``) to those."""


class _Part(BaseModel):
    model_config = ConfigDict(
        extra="forbid", frozen=True, arbitrary_types_allowed=True, populate_by_name=True
    )


class NamedPeriod(_Part):
    """A period that a contract may override within bounds (S3)."""

    value: PeriodValue
    at_least: PeriodText | None = None
    at_most: PeriodText | Literal["never"] | None = None


class Reactivation(_Part):
    """Who may bring a subject back from a stage, and what comes back (R1)."""

    by: Annotated[tuple[Literal["admin", "owner", "support"], ...], Field(min_length=1)]
    restores: str = EVERYTHING


class Stage(_Part):
    """One stage of leaving: when it begins and what each role may do where."""

    id: Id
    title: str = ""
    starts: Annotated[Schedule | None, Field(alias="from")] = None
    access: Mapping[str, str | Mapping[str, str]]
    banner: bool = False
    final: bool = False
    reactivate: Reactivation | None = None
    export_on_request: tuple[SubjectKind, ...] = ()  # whose data, even when nobody may sign in (E1)

    def level(self, *, role: str, surface: str) -> str:
        """Name the level of a role on a surface; what is not listed gets ``none`` (A1)."""
        row = self.access.get(role, self.access.get(ANY, "none"))
        if isinstance(row, str):
            return row
        return row.get(surface, row.get(ANY, "none"))

    @property
    def levels(self) -> frozenset[str]:
        """Every level that it gives to anybody anywhere."""
        rows = ([row] if isinstance(row, str) else row.values() for row in self.access.values())
        return frozenset(level for row in rows for level in row)


class Requirement(_Part):
    """A guard: that step was delivered, at least so long before (D2)."""

    delivered: Id
    at_least_before: PeriodText = Period()


class Unmet(StrEnum):
    """What a destructive step does while a requirement does not hold."""

    POSTPONE = "postpone"
    ASK = "ask"
    PROCEED = "proceed"


class Audience(StrEnum):
    """Whom a notice is for; a policy may also list addresses by name (N1)."""

    MEMBERS = "members"
    ADMINS = "admins"
    OWNER = "owner"
    BILLING = "billing"
    SUBJECT = "subject"  # the one member concerned; in an organization's case, every member


class Action(StrEnum):
    """The kinds of step."""

    NOTIFY = "notify"
    EXPORT = "export"
    ERASE = "erase"
    ACCESS = "access"


Audiences = Annotated[
    tuple[Audience, ...],
    Field(min_length=1),
    BeforeValidator(_as_tuple, json_schema_input_type=Audience | tuple[Audience, ...]),
]
Capabilities = Annotated[frozenset[Capability], PlainSerializer(_in_order)]


class Step(_Part):
    """One dated step: exactly one of ``notify``, ``export`` and ``erase`` says what it does."""

    id: Id
    at: Schedule
    applies_to: tuple[SubjectKind, ...] = ()  # empty: whatever the policy applies to
    no_later_than: MomentText | None = None
    spread_over: PeriodText | None = None
    useful_until: MomentText | None = None
    notify: Audiences | None = None
    fallback: Audiences = (Audience.OWNER, Audience.ADMINS, Audience.BILLING)
    attach: Literal["achievements"] | None = None
    optional: bool = False
    export: Literal["organization", "member", "subject"] | None = None
    send_to: Audiences | None = None
    link_valid: PeriodText = Period(days=7, text="P7D")
    erase: Literal["organization", "member", "subject"] | None = None
    method: Literal["delete", "hash-then-delete"] = "delete"
    requires: tuple[Requirement, ...] = ()
    if_unmet: Unmet = Unmet.POSTPONE
    instead: Id | None = None

    @model_validator(mode="after")
    def _has_one_action(self) -> "Step":
        named = [name for name in ("notify", "export", "erase") if getattr(self, name)]
        if len(named) != 1:
            raise PydanticCustomError(
                "action",
                "a step does exactly one thing, this one {count}",
                {"count": ", ".join(named) or "nothing", "expected": "notify, export or erase"},
            )
        return self

    @model_validator(mode="after")
    def _spreads_inside_a_window(self) -> "Step":
        if self.spread_over is None:
            return self
        if self.erase is None or self.no_later_than is None or self.spread_over.is_exact:
            raise PydanticCustomError(
                "spread",
                "spread_over has no window of days to spread a deletion over",
                {"expected": "erase and no_later_than in the same step, and days or months"},
            )
        return self

    @property
    def action(self) -> Action:
        """What kind of step this is."""
        if self.notify:
            return Action.NOTIFY
        return Action.EXPORT if self.export else Action.ERASE

    @property
    def scope(self) -> str:
        """Whose data the step concerns: ``subject`` unless it names one kind."""
        return self.export or self.erase or "subject"

    @property
    def audience(self) -> tuple[Audience, ...]:
        """Everybody who is written to by this step."""
        return self.notify or self.send_to or ()

    @property
    def is_destructive(self) -> bool:
        """Whether it takes something away for good."""
        return self.action is Action.ERASE


class Links(_Part):
    """Where notices point to (B10)."""

    agreement: str | None = None
    information: str | None = None
    support: str | None = None


_WEEKDAYS = {day.name.lower(): day for day in Weekday}
WeekdayName = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]


class Policy(_Part):
    """One published policy, in one version."""

    offramp: Literal[1]
    policy: Id
    version: Annotated[int, Field(ge=1)]
    title: str = ""
    applies_to: Annotated[tuple[SubjectKind, ...], Field(min_length=1)]
    clock: Literal["organization", "product"] = "organization"
    expiry: Literal["end-of-day", "instant"] = "end-of-day"
    send_at: LocalTime = Time(9, 0)
    quiet_hour: LocalTime = Time(2, 0)
    quiet_until: LocalTime | None = None
    bounce_window: PeriodText = Period(minutes=60, text="PT1H")
    weekend: Annotated[tuple[WeekdayName, ...], Field(max_length=6)] = ("saturday", "sunday")
    holidays: tuple[CivilDate, ...] = ()
    periods: Mapping[Id, NamedPeriod] = Field(default_factory=dict)
    levels: Mapping[Id, Capabilities] = Field(default_factory=dict)
    links: Links = Links()
    stages: Annotated[tuple[Stage, ...], Field(min_length=1)]
    steps: tuple[Step, ...] = ()

    @property
    def calendar(self) -> WorkCalendar:
        """Its business days."""
        return WorkCalendar(
            weekend=frozenset(_WEEKDAYS[name] for name in self.weekend),
            holidays=frozenset(self.holidays),
        )

    @property
    def moments(self) -> tuple[Moment, ...]:
        """Every moment that it names, in no particular order."""
        schedules = [*(s.starts for s in self.stages if s.starts), *(s.at for s in self.steps)]
        dated = [moment for each in schedules for several in each.values() for moment in several]
        ends = [end for step in self.steps for end in (step.useful_until, step.no_later_than)]
        return (*dated, *(end for end in ends if end is not None))

    def capabilities(self, level: str) -> frozenset[Capability]:
        """List what a level allows; an unknown level allows nothing."""
        return self.levels.get(level, LEVELS.get(level, frozenset()))

    def step(self, step_id: str) -> Step | None:
        """Find a step by its id."""
        return next((step for step in self.steps if step.id == step_id), None)

    def steps_for(self, kind: SubjectKind) -> tuple[Step, ...]:
        """List the steps that concern one kind of subject."""
        return tuple(step for step in self.steps if _concerns(self, step, kind))


def _concerns(policy: Policy, step: Step, kind: SubjectKind) -> bool:
    if step.scope in set(SubjectKind):
        return step.scope == kind
    return kind in (step.applies_to or policy.applies_to)


class _SchemaWriter(GenerateJsonSchema):
    """Writes defaults as a policy file writes them."""

    def encode_default(self, dft: object) -> object:
        """Give one default as JSON."""
        return _as_text(dft) if isinstance(dft, Period | Time) else super().encode_default(dft)


def schema() -> dict[str, Any]:
    """Give the JSON Schema 2020-12 of a policy file, for editors."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Offramp policy",
        **Policy.model_json_schema(by_alias=True, schema_generator=_SchemaWriter),
    }
