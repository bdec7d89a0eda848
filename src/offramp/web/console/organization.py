"""One organization: what was done and its proof, what comes and when, and who is in it.

Source: mission A7, A12; `engine.closeup`, which looks.
"""

from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Depends
from fastapi.responses import Response
from whenever import Instant

from offramp.core.operator import OperatorRole
from offramp.core.plan import Timeline
from offramp.core.policy import Action
from offramp.documents.timeline.drawing import draw_band
from offramp.documents.timeline.rows import timeline_rows
from offramp.engine.closeup import look_closely
from offramp.engine.overview import Leaving, StepState
from offramp.web.console.cases import COMPLAINTS
from offramp.web.console.door import Admission, Door, Visitor
from offramp.web.console.organizations import PATH
from offramp.web.console.page import ConsolePages
from offramp.web.console.route import route_class
from offramp.web.console.sight import state_of_step, step_text, why_text
from offramp.web.console.told import TOLD


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One step in words.

    Attributes:
        number: that of its badge in the drawing; 0 where it has none.
        kind: the color of its state.
        proof: what its receipt holds.
    """

    number: int
    at: Instant
    what: str
    who: str
    why: str
    state: str
    kind: str
    action: Action
    proof: tuple[tuple[str, str], ...]
    messages: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Departure:
    """One off-boarding in words: what was done, and what comes."""

    leaving: Leaving
    done: tuple[Line, ...]
    coming: tuple[Line, ...]


def organization_routes(door: Door, pages: ConsolePages) -> APIRouter:
    """Give the page of one organization, and the drawing on it."""
    routes = APIRouter(prefix=f"{PATH}/{{organization}}", route_class=route_class(door, pages))
    viewer = Annotated[Visitor, Depends(Admission(door=door, role=OperatorRole.VIEWER))]

    @routes.get("")
    def look(visitor: viewer, organization: str, done: str = "") -> Response:
        seen = look_closely(visitor.context, organization)
        return pages.answer(
            "organization",
            visitor=visitor,
            seen=seen,
            departures=[departure_of(each) for each in seen.leaving],
            alone=[departure_of(each) for each in seen.alone],
            told=TOLD.get(done, ""),
            complaints=COMPLAINTS,
        )

    @routes.get("/timelines/{offboarding}.svg")
    def drawing(visitor: viewer, organization: str, offboarding: str) -> Response:
        seen = look_closely(visitor.context, organization)
        both = (*seen.leaving, *seen.alone)
        chosen = next((each for each in both if each.offboarding.id == offboarding), None)
        if chosen is None:
            return Response(status_code=HTTPStatus.NOT_FOUND)
        return picture(draw_band(chosen.timeline, now=seen.at))

    return routes


def departure_of(leaving: Leaving) -> Departure:
    """Write down one off-boarding."""
    rows = timeline_rows(leaving.timeline)
    who = {row.planned.key: row.who for row in rows}
    numbers = badge_numbers(leaving.timeline)
    lines = [
        (step, _line(leaving, step, who=who.get(key, ""), number=numbers.get(key, 0)))
        for step in leaving.steps
        for key in [step.planned.key]
    ]
    return Departure(
        leaving=leaving,
        done=tuple(line for step, line in lines if step.is_finished),
        coming=tuple(line for step, line in lines if not step.is_finished),
    )


def badge_numbers(timeline: Timeline) -> Mapping[str, int]:
    """Number the steps as their badges in the drawing are; a stage has none."""
    badges = (row.planned.key for row in timeline_rows(timeline) if row.planned.stage is None)
    return {key: number for number, key in enumerate(badges, start=1)}


def _line(leaving: Leaving, step: StepState, *, who: str, number: int) -> Line:
    state, kind = state_of_step(step)
    receipt = leaving.situation.receipts.get(step.planned.key)
    proof = receipt.proof.items() if receipt else ()
    return Line(
        number=number,
        at=step.done_at or step.expected_at or step.planned.due_at,
        what=step_text(leaving, step),
        who=who,
        why=why_text(step),
        state=state,
        kind=kind,
        action=step.planned.action,
        proof=tuple((name.replace("_", " "), str(value)) for name, value in proof),
        messages=tuple((status.value, count) for status, count in step.deliveries.items()),
    )


def picture(svg: str) -> Response:
    """Answer with a drawing; its own style and nothing else is taken."""
    style = svg.partition("<style>")[2].partition("</style>")[0]
    digest = b64encode(sha256(style.encode()).digest()).decode()
    headers = {"Content-Security-Policy": f"default-src 'none'; style-src 'sha256-{digest}'"}
    return Response(svg, media_type="image/svg+xml", headers=headers)
