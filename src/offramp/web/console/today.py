"""The first page: what happens until midnight, and what a person has to look at.

Source: mission A7, A12; `engine.today`, which knows.
"""

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response

from offramp.core.operator import OperatorRole
from offramp.engine.arming import approve, look_at_request
from offramp.engine.brake import set_paused
from offramp.engine.today import ROWS_MAX, look_at_today
from offramp.ports import Workload
from offramp.web.console.acts import FORM_BYTES_MAX, require_typed
from offramp.web.console.door import ROOT, Admission, Door, Visitor
from offramp.web.console.page import ConsolePages
from offramp.web.console.route import route_class
from offramp.web.console.sight import sight_of
from offramp.web.console.told import TOLD

RESUME = "resume"  # to be typed


def today_routes(door: Door, pages: ConsolePages) -> APIRouter:
    """Give the page, at the console's own address."""
    routes = APIRouter(prefix=ROOT, route_class=route_class(door, pages))
    viewer = Annotated[Visitor, Depends(Admission(door=door, role=OperatorRole.VIEWER))]

    @routes.get("")
    def today(visitor: viewer, done: str = "") -> Response:
        zone = visitor.signed_in.operator.zone
        seen = look_at_today(visitor.context, zone=zone)
        load = seen.workload
        return pages.answer(
            "today",
            visitor=visitor,
            today=seen,
            figures=_figures(load),
            troubled=[sight_of(each, is_trouble=True) for each in seen.troubled],
            rows_max=ROWS_MAX,
            told=TOLD.get(done, ""),
            resume=RESUME,
            late=[sight_of(each) for each in seen.late],
            coming=[sight_of(each) for each in seen.coming],
        )

    approving = Annotated[Visitor, Depends(Admission(door=door, role=OperatorRole.APPROVER))]
    admin = Annotated[Visitor, Depends(Admission(door=door, role=OperatorRole.ADMIN))]

    @routes.post("/pause", max_body_size=FORM_BYTES_MAX)
    def pause(request: Request, visitor: admin) -> Response:
        set_paused(visitor.context, is_paused=True)
        return pages.lead(request, f"{ROOT}?done=paused")

    @routes.post("/resume", max_body_size=FORM_BYTES_MAX)
    def resume(request: Request, visitor: admin) -> Response:
        require_typed(visitor, RESUME)
        set_paused(visitor.context, is_paused=False)
        return pages.lead(request, f"{ROOT}?done=resumed")

    @routes.post("/requests/{arming}", max_body_size=FORM_BYTES_MAX)
    def let_begin(request: Request, visitor: approving, arming: str) -> Response:
        asked, _ = look_at_request(visitor.context, arming)
        require_typed(visitor, str(asked.organizations))
        approve(visitor.context, arming, approver=visitor.signed_in.operator.name)
        return pages.lead(request, f"{ROOT}?done=approved")

    return routes


def _figures(load: Workload) -> list[tuple[str, int, str]]:
    """Give each count with what it is of, and its color where it is not zero."""
    return [
        ("until midnight", load.coming, ""),
        ("due now", load.due, ""),
        ("running", load.running, ""),
        ("held", load.held, "amber"),
        ("failing", load.failed, "amber"),
        ("given up", load.abandoned, "red"),
        ("stopped", load.stopped, "red"),
    ]
