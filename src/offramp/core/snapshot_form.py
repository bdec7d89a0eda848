"""A snapshot of access as one JSON document, in which whatever is the same is written once.

The program that writes it and the one that reads it may be far apart, so it says everything by
itself: whoever reads it needs neither the policy nor the calendar.

Source: docs/sdk.md, "The snapshot"; docs/decisions/032-snapshots.md.
"""

from collections.abc import Iterator, Mapping
from functools import lru_cache
from sys import intern
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from whenever import Instant

from offramp.core.access import Decision, Voter
from offramp.core.errors import Invalid
from offramp.core.policy import Capability
from offramp.core.snapshot import AccessSnapshot, Course, Courses, Row

Number = Annotated[int, Field(ge=0)]
REVISION = "Offramp-Revision"
"""The header that names the state of the store from which a snapshot was made, or a newer one."""


class SnapshotInvalid(Invalid):
    """The snapshot of access cannot be read: {reason}."""


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, populate_by_name=True)


class AnswerPart(_Part):
    """One answer."""

    is_allowed: bool
    voter: Annotated[Voter, Field(description="Who was the strictest of those who have a say.")]
    stage: Annotated[str, Field(description="The stage in force, by its name in the policy.")]
    level: Annotated[str, Field(description="The access level in force.")]
    capabilities: Annotated[
        tuple[Capability, ...], Field(description="Everything that may be done.")
    ]
    until: Annotated[str | None, Field(description="When the answer may change, in UTC.")]


class CoursePart(_Part):
    """How the answers to one person on one surface change over time."""

    starts: Annotated[
        tuple[str, ...],
        Field(alias="from", description="When each row but the first begins to hold, in UTC."),
    ]
    rows: Annotated[
        tuple[tuple[Number, ...], ...],
        Field(description="The number of the answer for each capability, in their order."),
    ]


class GroupPart(_Part):
    """Members who share every answer."""

    courses: Annotated[
        Mapping[str, Mapping[str, Number]],
        Field(description="The number of the course, by product and surface."),
    ]
    members: tuple[str, ...]


class SnapshotDocument(_Part):
    """Who may do what in one organization, at every instant."""

    offramp: Literal[1] = 1
    organization: str
    is_by_product: Annotated[
        bool, Field(description="Whether each product ends by itself; else the product is `*`.")
    ]
    capabilities: tuple[Capability, ...]
    answers: tuple[AnswerPart, ...]
    courses: tuple[CoursePart, ...]
    groups: tuple[GroupPart, ...]


def write_snapshot(snapshot: AccessSnapshot) -> bytes:
    """Write a snapshot down; the same one gives the same bytes."""
    answers: dict[Decision, int] = {}
    courses: dict[tuple[tuple[Instant, ...], tuple[tuple[int, ...], ...]], int] = {}

    def number_of(course: Course) -> int:
        rows = tuple(
            tuple(answers.setdefault(row[each], len(answers)) for each in Capability)
            for row in course.rows
        )
        return courses.setdefault((course.starts, rows), len(courses))

    groups = tuple(
        GroupPart(
            courses={
                product: {surface: number_of(course) for surface, course in surfaces.items()}
                for product, surfaces in shared.items()
            },
            members=members,
        )
        for shared, members in _groups(snapshot)
    )
    document = SnapshotDocument(
        organization=snapshot.organization,
        is_by_product=snapshot.is_by_product,
        capabilities=tuple(Capability),
        answers=tuple(map(_answer, answers)),
        courses=tuple(
            CoursePart(starts=tuple(map(Instant.format_iso, starts)), rows=rows)
            for starts, rows in courses
        ),
        groups=groups,
    )
    return document.model_dump_json(by_alias=True).encode()


def _groups(snapshot: AccessSnapshot) -> Iterator[tuple[Courses, tuple[str, ...]]]:
    shared: dict[int, tuple[Courses, list[str]]] = {}
    for member, courses in snapshot.members.items():
        shared.setdefault(id(courses), (courses, []))[1].append(member)
    for courses, members in shared.values():
        yield courses, tuple(members)


def _answer(decision: Decision) -> AnswerPart:
    return AnswerPart(
        is_allowed=decision.is_allowed,
        voter=decision.voter,
        stage=decision.stage,
        level=decision.level,
        capabilities=tuple(each for each in Capability if each in decision.capabilities),
        until=None if decision.until is None else decision.until.format_iso(),
    )


def read_snapshot(body: bytes) -> AccessSnapshot:
    """Read a snapshot.

    Raises:
        SnapshotInvalid: it is none, or one of another version.
    """
    try:
        document = SnapshotDocument.model_validate_json(body)
        return _snapshot(document)
    except ValidationError as error:
        place = ".".join(str(part) for part in error.errors()[0]["loc"])
        raise SnapshotInvalid(reason=f"{place} is wrong") from error
    except (IndexError, KeyError, ValueError) as error:
        raise SnapshotInvalid(reason="its parts do not fit together") from error


def _snapshot(document: SnapshotDocument) -> AccessSnapshot:
    answers = [_decision(part) for part in document.answers]
    rows: dict[tuple[Number, ...], Row] = {}
    courses = [_course(part, document.capabilities, answers, rows) for part in document.courses]
    members: dict[str, Courses] = {}
    for group in document.groups:
        shared = {
            product: {surface: courses[number] for surface, number in surfaces.items()}
            for product, surfaces in group.courses.items()
        }
        members.update(dict.fromkeys(group.members, shared))
    return AccessSnapshot(
        organization=document.organization,
        is_by_product=document.is_by_product,
        members=members,
    )


def _decision(part: AnswerPart) -> Decision:
    return Decision(
        is_allowed=part.is_allowed,
        voter=part.voter,
        stage=intern(part.stage),
        level=intern(part.level),
        capabilities=_shared(part.capabilities),
        until=None if part.until is None else Instant.parse_iso(part.until),
    )


@lru_cache(maxsize=1024)
def _shared(capabilities: tuple[Capability, ...]) -> frozenset[Capability]:
    """Give what is the same in a hundred thousand organizations as one object."""
    return frozenset(capabilities)


def _course(
    part: CoursePart,
    capabilities: tuple[Capability, ...],
    answers: list[Decision],
    known: dict[tuple[Number, ...], Row],
) -> Course:
    """Read a course; rows that are alike are one object."""
    for row in part.rows:
        if row not in known:
            known[row] = dict(zip(capabilities, (answers[each] for each in row), strict=True))
    starts = tuple(map(Instant.parse_iso, part.starts))
    if len(part.rows) != len(starts) + 1 or set(capabilities) != set(Capability):
        raise ValueError("a row is missing")
    return Course(starts=starts, rows=tuple(known[row] for row in part.rows))
