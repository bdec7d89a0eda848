"""The first page: what happens until midnight, and what a person has to look at.

Source: mission A7, A12; `engine.today`, which knows.
"""

from typing import Annotated

from fastapi import APIRouter, Depends
from fastapi.responses import Response

from offramp.core.operator import OperatorRole
from offramp.engine.today import ROWS_MAX, look_at_today
from offramp.ports import Workload
from offramp.web.console.door import ROOT, Admission, Door, Visitor
from offramp.web.console.page import ConsolePages
from offramp.web.console.route import route_class
from offramp.web.console.sight import sight_of


def today_routes(door: Door, pages: ConsolePages) -> APIRouter:
    """Give the page, at the console's own address."""
    routes = APIRouter(prefix=ROOT, route_class=route_class(door, pages))
    viewer = Annotated[Visitor, Depends(Admission(door=door, role=OperatorRole.VIEWER))]

    @routes.get("")
    def today(visitor: viewer) -> Response:
        zone = visitor.signed_in.operator.zone
        seen = look_at_today(visitor.context, zone=zone)
        load = seen.workload
        return pages.answer(
            "today",
            visitor=visitor,
            today=seen,
            figures=_figures(load),
            troubled=[sight_of(each) for each in seen.troubled],
            rows_max=ROWS_MAX,
            late=[sight_of(each) for each in seen.late],
            coming=[sight_of(each) for each in seen.coming],
        )

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
