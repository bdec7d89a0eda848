"""A copy of a member's own data: asked for, led to, and told of once more.

Source: mission B9; `engine.own_copy`, which does.
"""

from typing import Annotated

from fastapi import APIRouter, Depends
from fastapi.responses import Response

from offramp.engine.offer import PATH as LINKS
from offramp.engine.own_copy import (
    CopyMissing,
    ask_for_copy,
    ask_for_mail_again,
    is_ready,
    secret_of_copy,
)
from offramp.engine.portal_view import look_at_own
from offramp.web.portal.door import ROOT, Admission, PortalDoor, Visit
from offramp.web.portal.page import PortalAnswers
from offramp.web.portal.route import route_class

FORM_BYTES_MAX = 2048


def copy_routes(door: PortalDoor, answers: PortalAnswers) -> APIRouter:
    """Give what is done about a copy; it is downloaded behind its link."""
    routes = APIRouter(prefix=ROOT, route_class=route_class(door, answers))
    anybody = Annotated[Visit, Depends(Admission(door=door))]
    context = door.context

    @routes.post("/copy", max_body_size=FORM_BYTES_MAX)
    def ask(visit: anybody) -> Response:
        ask_for_copy(context, visit.organization, visit.member)
        return answers.lead(f"{ROOT}?done=asked")

    @routes.post("/copy/mail", max_body_size=FORM_BYTES_MAX)
    def mail(visit: anybody) -> Response:
        ask_for_mail_again(context, visit.organization, visit.member)
        return answers.lead(f"{ROOT}?done=mailed")

    @routes.get("/copy")
    def download(visit: anybody) -> Response:
        copy = look_at_own(context, visit.guest).copy
        if copy is None or not is_ready(copy, now=context.clock.now()):
            raise CopyMissing
        return answers.lead(f"/{LINKS}/{secret_of_copy(context, copy)}")

    return routes
