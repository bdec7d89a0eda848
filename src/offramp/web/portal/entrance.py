"""How somebody gets in and out: an address is asked for, a link comes by mail, a button spends it.

The answer is one and the same for everybody. Asking for the page of a link changes nothing, for
programs look at the links in a mail before its reader does.

Source: docs/portal.md; `engine.portal_entry`, which decides.
"""

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response

from offramp.engine.portal_entry import (
    LINK_MINUTES,
    EntranceDead,
    ask_for_entrance,
    enter,
    go_to,
    leave,
    look_at_entrance,
)
from offramp.web.api.form import Body, field_of
from offramp.web.portal.door import ROOT, Admission, PageMissing, PortalDoor, Visit
from offramp.web.portal.page import PortalAnswers
from offramp.web.portal.route import route_class

FORM_BYTES_MAX = 2048


def stranger_routes(door: PortalDoor, answers: PortalAnswers) -> APIRouter:
    """Give the pages for whoever is not signed in."""
    routes = APIRouter(prefix=ROOT, route_class=route_class(door, answers))
    context = door.context

    def page_of(request: Request, *, is_done: bool) -> Response:
        wanted = request.headers.get("accept-language", "")
        return answers.strange("sign-in", wanted=wanted, is_done=is_done, minutes=LINK_MINUTES)

    def dead(request: Request) -> Response:
        wanted, status = request.headers.get("accept-language", ""), HTTPStatus.NOT_FOUND
        return answers.strange("enter", wanted=wanted, status=status, is_alive=False)

    @routes.get("/sign-in")
    def ask(request: Request) -> Response:
        return page_of(request, is_done=False)

    @routes.post("/sign-in", max_body_size=FORM_BYTES_MAX)
    def send(request: Request, body: Body) -> Response:
        door.require_own_page(request)
        ask_for_entrance(context, field_of(body, "address"))
        return page_of(request, is_done=True)

    @routes.get("/enter/{secret}")
    def look(request: Request, secret: str) -> Response:
        try:
            look_at_entrance(context, secret)
        except EntranceDead:
            return dead(request)
        wanted = request.headers.get("accept-language", "")
        return answers.strange("enter", wanted=wanted, is_alive=True)

    @routes.post("/enter/{secret}", max_body_size=FORM_BYTES_MAX)
    def come_in(request: Request, secret: str) -> Response:
        door.require_own_page(request)
        try:
            opened = enter(context, secret)
        except EntranceDead:
            return dead(request)
        response = answers.lead(ROOT)
        door.let_in(request, response, opened)
        return response

    return routes


def guest_routes(door: PortalDoor, answers: PortalAnswers) -> APIRouter:
    """Give the ways out, and from one organization to another."""
    routes = APIRouter(prefix=ROOT, route_class=route_class(door, answers))
    anybody = Annotated[Visit, Depends(Admission(door=door))]

    @routes.post("/sign-out", max_body_size=FORM_BYTES_MAX)
    def go(visit: anybody) -> Response:
        leave(door.context, visit.guest)
        response = answers.lead(f"{ROOT}/sign-in")
        door.cookie.take(response)
        return response

    @routes.post("/place", max_body_size=FORM_BYTES_MAX)
    def change(visit: anybody) -> Response:
        if not go_to(door.context, visit.guest, visit.said("organization"), visit.said("member")):
            raise PageMissing
        return answers.lead(ROOT)

    return routes
