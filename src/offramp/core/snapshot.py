"""Who may do what in one organization, at every instant: worked out once, then only looked up.

Answers are those of `Reader.decide`, asked at every instant at which one of them may change. So
a snapshot cannot mean anything else, it knows every end that is planned, and whoever holds one is
right at the first instant of a day without asking anybody. What was done later, a renewal or a
deletion, is not in it: a newer one has to be taken.

Source: mission A1, A2, B1-B5; docs/decisions/032-snapshots.md; lessons L1, L7, L38, L39.
"""

from bisect import bisect_right
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TypeAlias

from whenever import Instant

from offramp.core.access import UNKNOWN, Decision, Standing
from offramp.core.banner import Reader
from offramp.core.policy import ANY, Capability

Row: TypeAlias = Mapping[Capability, Decision]


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """How the answers to one person on one surface change over time.

    Shape:
        starts: the instants at which another answer begins, in order.
        rows: the answer for every capability; the first one holds before all of ``starts``.
    """

    starts: tuple[Instant, ...]
    rows: tuple[Row, ...]

    def at(self, now: Instant) -> Row:
        """Give the answers at an instant."""
        return self.rows[bisect_right(self.starts, now)]


Courses: TypeAlias = Mapping[str, Mapping[str, Course]]
"""Product, then surface. Where products have no clock of their own the product is `ANY`, and `ANY`
is every surface that is not named."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessSnapshot:
    """Everything that has a say about every member of one organization.

    Attributes:
        is_by_product: whether each product ends by itself, and so has to be asked for.
        members: the courses of each; whoever shares everything shares one object.
    """

    organization: str
    is_by_product: bool
    members: Mapping[str, Courses]

    def decide(
        self,
        member: str,
        capability: Capability,
        *,
        now: Instant,
        surface: str = ANY,
        product: str | None = None,
    ) -> Decision:
        """Look up whether a member may do something at an instant."""
        course = self._course(member, surface, product)
        return UNKNOWN if course is None else course.at(now)[capability]

    def allowed(
        self, member: str, *, now: Instant, surface: str = ANY, product: str | None = None
    ) -> frozenset[Capability]:
        """List all that a member may do at an instant."""
        course = self._course(member, surface, product)
        row = {} if course is None else course.at(now)
        return frozenset(each for each, answer in row.items() if answer.is_allowed)

    def _course(self, member: str, surface: str, product: str | None) -> Course | None:
        courses = self.members.get(member)
        if courses is None:
            return None
        surfaces = courses.get(product or "" if self.is_by_product else ANY)
        return None if surfaces is None else surfaces.get(surface) or surfaces[ANY]

    def is_shut_out(self, member: str, *, now: Instant) -> bool:
        """Whether a member may sign in nowhere, in no product."""
        return not any(
            course.at(now)[Capability.SIGN_IN].is_allowed
            for surfaces in self.members.get(member, {}).values()
            for course in surfaces.values()
        )


def courses_of(readers: Mapping[str, Reader]) -> Courses:
    """Work out every answer to one person.

    Shape:
        readers: product -> everything that has a say about the person there, as in `Courses`.
    """
    return {
        product: {surface: _course(replace(reader, surface=surface)) for surface in _named(reader)}
        for product, reader in readers.items()
    }


def _named(reader: Reader) -> list[str]:
    """List the surfaces that some stage tells apart from the others, and what stands for these."""
    rows = (
        row
        for standing in reader.standings
        for span in standing.timeline.spans
        for row in span.stage.access.values()
    )
    return sorted({ANY}.union(*(row for row in rows if not isinstance(row, str))))


def _course(reader: Reader) -> Course:
    starts: list[Instant] = []
    rows = [_row(reader, now=Instant.MIN)]
    for now in sorted(boundaries_of(reader)):
        row = _row(reader, now=now)
        if row != rows[-1]:
            starts.append(now)
            rows.append(row)
    return Course(starts=tuple(starts), rows=tuple(rows))


def _row(reader: Reader, *, now: Instant) -> Row:
    return {each: reader.decide(each, now=now) for each in Capability}


def boundaries_of(reader: Reader) -> frozenset[Instant]:
    """Give every instant at which something that has a say may say something else."""
    ends = (end for unlock in reader.unlocks for end in (unlock.starts_at, unlock.ends_at))
    return frozenset(ends).union(*(_of_standing(standing) for standing in reader.standings))


def _of_standing(standing: Standing) -> Iterator[Instant]:
    """Give the beginnings of the stages, which are the ends of those before them."""
    for span in standing.timeline.spans:
        if span.starts_at is not None:
            yield span.starts_at
        done = standing.receipts.get(span.after_step or "")
        if done is not None:
            yield done.done_at
