"""Whether everything works: the workers, what waits, the mail, the endpoints, the brakes, the disk.

Source: docs/console.md, "Health"; `engine.checkup`, which judges.
"""

from typing import Annotated

from fastapi import APIRouter, Depends
from fastapi.responses import Response

from offramp.core.operator import OperatorRole
from offramp.engine.checkup import State, check_up
from offramp.web.console.door import ROOT, Admission, Door, Visitor
from offramp.web.console.page import ConsolePages
from offramp.web.console.route import route_class

PATH = f"{ROOT}/health"
_KINDS = {State.WELL: "green", State.WATCH: "amber", State.ILL: "red"}


def health_routes(door: Door, pages: ConsolePages) -> APIRouter:
    """Give the page."""
    routes = APIRouter(prefix=PATH, route_class=route_class(door, pages))
    viewer = Annotated[Visitor, Depends(Admission(door=door, role=OperatorRole.VIEWER))]

    @routes.get("")
    def look(visitor: viewer) -> Response:
        checkup = check_up(visitor.context)
        return pages.answer("health", visitor=visitor, checkup=checkup, kinds=_KINDS)

    return routes
