"""What would become of one organization with another end, or by another policy, before it is saved.

A date and a number of days beside it are counted together, so that the slider works without a
script. Looking changes nothing; saving is the act that the page of the organization has.

Source: mission A7; `engine.what_if`, which works it out.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Depends
from fastapi.responses import Response
from whenever import Instant

from offramp.core.dates import Boundary, Period, parse_boundary, shift
from offramp.core.operator import OperatorRole
from offramp.core.plan import Timeline
from offramp.core.policy import Action
from offramp.core.prospect import Fate, Prospect
from offramp.documents.timeline.drawing import draw_band
from offramp.documents.timeline.rows import timeline_rows
from offramp.engine.what_if import Departure, Supposition, WhatIf, suppose
from offramp.web.console.acts import FieldInvalid
from offramp.web.console.door import Admission, Door, Visitor
from offramp.web.console.organization import badge_numbers, picture
from offramp.web.console.organizations import PATH
from offramp.web.console.page import ConsolePages
from offramp.web.console.route import route_class

DAYS_MAX = 366  # of the slider, to both sides
_KINDS: Mapping[Fate, str] = {
    Fate.DONE: "green",
    Fate.EARLIER: "amber",
    Fate.AT_ONCE: "red",
    Fate.USELESS: "amber",
    Fate.LATER: "blue",
    Fate.ADDED: "blue",
    Fate.AGAIN: "blue",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One step in words, as it is and as it would be; ``number`` is its badge in the drawing."""

    number: int
    action: Action
    what: str
    who: str
    was_at: Instant | None
    becomes_at: Instant | None
    fate: str
    kind: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One way out, and how many of its steps would become what."""

    number: int
    departure: Departure
    lines: tuple[Line, ...]
    counts: tuple[tuple[str, int, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What was put into the form."""

    until: str = ""
    days: int = 0
    policy: str = ""
    is_renewal: bool = False

    def supposed(self, *, zone: str) -> Supposition:
        """Read it.

        Raises:
            FieldInvalid: the day is none, or so many days are too many.
        """
        return Supposition(
            until=self._end(zone=zone) if self.until else None,
            policy=self.policy,
            is_new_term=self.is_renewal,
        )

    def _end(self, *, zone: str) -> Boundary:
        if abs(self.days) > DAYS_MAX:
            raise FieldInvalid(path="days", problem=f"at most {DAYS_MAX} are asked")
        try:
            end = parse_boundary(self.until)
            period = Period(days=abs(self.days))
            return shift(end, period, zone=zone, backwards=self.days < 0)
        except ValueError as error:
            problem = "a date such as 2031-01-31 is asked"
            raise FieldInvalid(path="last day", problem=problem) from error


def what_if_routes(door: Door, pages: ConsolePages) -> APIRouter:
    """Give the page, and the drawings on it."""
    routes = APIRouter(prefix=f"{PATH}/{{organization}}", route_class=route_class(door, pages))
    viewer = Annotated[Visitor, Depends(Admission(door=door, role=OperatorRole.VIEWER))]

    @routes.get("/what-if")
    def look(
        visitor: viewer,
        organization: str,
        until: str = "",
        days: int = 0,
        policy: str = "",
        term: str = "",
    ) -> Response:
        wish = Wish(until=until, days=days, policy=policy, is_renewal=term == "new")
        found = _suppose(visitor, organization, wish)
        return pages.answer(
            "what-if",
            visitor=visitor,
            found=found,
            wish=wish,
            parts=[_part(each, number=n) for n, each in enumerate(found.departures)],
            end=wish.supposed(zone=found.organization.zone).until or found.ends,
            field="text" if isinstance(found.ends, Instant) else "date",
            days_max=DAYS_MAX,
        )

    @routes.get("/what-if/{number}.svg")
    def drawing(
        visitor: viewer,
        organization: str,
        number: int,
        until: str = "",
        days: int = 0,
        policy: str = "",
        term: str = "",
    ) -> Response:
        wish = Wish(until=until, days=days, policy=policy, is_renewal=term == "new")
        found = _suppose(visitor, organization, wish)
        chosen = found.departures[number : number + 1]
        timeline = chosen[0].then if chosen else None
        if timeline is None:
            return Response(status_code=HTTPStatus.NOT_FOUND)
        return picture(draw_band(timeline, now=found.at))

    return routes


def _suppose(visitor: Visitor, organization: str, wish: Wish) -> WhatIf:
    """Work it out; the zone that days are counted in is that of the organization."""
    present = suppose(visitor.context, organization, Supposition())
    supposed = wish.supposed(zone=present.organization.zone)
    if not supposed.policy and supposed.until in (None, present.ends):
        return present
    return suppose(visitor.context, organization, supposed)


def _part(departure: Departure, *, number: int) -> Part:
    words = {**_words(departure.now), **_words(departure.then)}
    numbers = badge_numbers(departure.then) if departure.then else {}
    counted = Counter(each.fate for each in departure.steps)
    return Part(
        number=number,
        departure=departure,
        lines=tuple(_line(each, words, numbers) for each in departure.steps),
        counts=tuple((f.value, counted[f], _KINDS.get(f, "")) for f in Fate if counted[f]),
    )


def _words(timeline: Timeline | None) -> Mapping[str, tuple[str, str]]:
    if timeline is None:
        return {}
    return {row.planned.key: (row.what, row.who) for row in timeline_rows(timeline)}


def _line(step: Prospect, words: Mapping[str, tuple[str, str]], numbers: Mapping[str, int]) -> Line:
    what, who = words[step.planned.key]
    return Line(
        number=numbers.get(step.planned.key, 0) if step.becomes else 0,
        action=step.planned.action,
        what=what,
        who=who,
        was_at=step.was_at,
        becomes_at=step.becomes_at,
        fate=step.fate.value,
        kind=_KINDS.get(step.fate, ""),
    )
