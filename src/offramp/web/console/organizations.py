"""Organizations: looked for by name, by stage and by what stands in the way.

What is searched for travels in the body of a request: a name or an address of somebody has no
place in an address that browsers and proxies keep.

Source: mission A7; `engine.directory`, which finds.
"""

from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response

from offramp.core.operator import OperatorRole
from offramp.engine.directory import PAGE_ROWS, Question, find_organizations, known_stages
from offramp.engine.views import forget_view, list_views, save_view
from offramp.ports import Condition
from offramp.web.console.choice import choices_for
from offramp.web.console.door import ROOT, Admission, Door, Visitor
from offramp.web.console.page import ConsolePages
from offramp.web.console.route import route_class
from offramp.web.console.told import TOLD

FORM_BYTES_MAX = 4096
PATH = f"{ROOT}/organizations"
CONDITIONS = {
    Condition.ANY: "Anywhere",
    Condition.LEAVING: "Leaving",
    Condition.STAYING: "Not leaving",
    Condition.HELD: "Under a hold",
    Condition.STOPPED: "Stopped",
}


def organizations_routes(door: Door, pages: ConsolePages) -> APIRouter:
    """Give the list, and the search in it."""
    routes = APIRouter(prefix=PATH, route_class=route_class(door, pages))
    viewer = Annotated[Visitor, Depends(Admission(door=door, role=OperatorRole.VIEWER))]

    def answer(visitor: Visitor, question: Question, told: str = "") -> Response:
        return pages.answer(
            "organizations",
            visitor=visitor,
            question=question,
            listing=find_organizations(visitor.context, question),
            stages=known_stages(visitor.context),
            conditions=CONDITIONS,
            rows_max=PAGE_ROWS,
            choices=choices_for(visitor),
            views=list_views(visitor.context, visitor.signed_in),
            told=told,
        )

    @routes.get("")
    def look(visitor: viewer, state: str = "", stage: str = "", done: str = "") -> Response:
        question = Question(condition=_condition(state), stage=stage)
        return answer(visitor, question, told=TOLD.get(done, ""))

    @routes.post("")
    def search(visitor: viewer) -> Response:
        return answer(visitor, question_of(visitor))

    return routes


def view_routes(door: Door, pages: ConsolePages) -> APIRouter:
    """Give what keeps a filter under a name, and what forgets it."""
    routes = APIRouter(prefix=f"{ROOT}/views", route_class=route_class(door, pages))
    viewer = Annotated[Visitor, Depends(Admission(door=door, role=OperatorRole.VIEWER))]

    @routes.post("", max_body_size=FORM_BYTES_MAX)
    def save(request: Request, visitor: viewer) -> Response:
        condition, stage = _condition(visitor.said("state")), visitor.said("stage")
        save_view(
            visitor.context,
            visitor.signed_in,
            name=visitor.said("name"),
            condition=condition,
            stage=stage,
        )
        query = urlencode({"state": condition.value, "stage": stage, "done": "view-saved"})
        return pages.lead(request, f"{PATH}?{query}")

    @routes.post("/forget", max_body_size=FORM_BYTES_MAX)
    def forget(request: Request, visitor: viewer) -> Response:
        forget_view(visitor.context, visitor.signed_in, visitor.said("name"))
        return pages.lead(request, f"{PATH}?done=view-forgotten")

    return routes


def question_of(visitor: Visitor) -> Question:
    """Read what somebody searches for."""
    name, organization = visitor.said("after_name"), visitor.said("after")
    return Question(
        text=visitor.said("text"),
        condition=_condition(visitor.said("state")),
        stage=visitor.said("stage"),
        after=(name, organization) if organization else None,
    )


def _condition(text: str) -> Condition:
    return Condition(text) if text in set(Condition) else Condition.ANY
