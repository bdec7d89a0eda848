"""The data map: what each table gets, drawn, and the problems that were found when somebody looked.

Source: docs/console.md, "The data map"; `engine.coverage`.
"""

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response

from offramp.core.operator import OperatorRole
from offramp.data.outline import Fate
from offramp.documents.datamap_drawing import draw_datamap
from offramp.engine.coverage import Surveyor
from offramp.web.console.acts import FORM_BYTES_MAX
from offramp.web.console.door import ROOT, Admission, Door, Visitor
from offramp.web.console.organization import picture
from offramp.web.console.page import ConsolePages
from offramp.web.console.route import route_class
from offramp.web.console.told import TOLD

PATH = f"{ROOT}/data-map"
_KINDS = {Fate.DELETED: "", Fate.KEPT: "amber", Fate.SHARED: "blue"}


def data_map_routes(door: Door, pages: ConsolePages) -> APIRouter:
    """Give the page, its drawing, and the look at the databases."""
    routes = APIRouter(prefix=PATH, route_class=route_class(door, pages))
    viewer = Annotated[Visitor, Depends(Admission(door=door, role=OperatorRole.VIEWER))]
    support = Annotated[Visitor, Depends(Admission(door=door, role=OperatorRole.SUPPORT))]
    surveyor = Surveyor()

    @routes.get("")
    def look(visitor: viewer, done: str = "") -> Response:
        return pages.answer(
            "data-map",
            visitor=visitor,
            coverage=surveyor.coverage(visitor.context),
            kinds=_KINDS,
            told=TOLD.get(done, ""),
        )

    @routes.post("", max_body_size=FORM_BYTES_MAX)
    def look_now(request: Request, visitor: support) -> Response:
        surveyor.look(visitor.context)
        return pages.lead(request, f"{PATH}?done=map-read")

    @routes.get("/drawing.svg")
    def drawing(visitor: viewer) -> Response:
        coverage = surveyor.coverage(visitor.context)
        if coverage is None or coverage.fit is None or not coverage.fit.tables:
            return Response(status_code=HTTPStatus.NOT_FOUND)
        return picture(draw_datamap(coverage.fit.tables))

    return routes
