"""How an operator gets in and out: by password, by a link that works once, and by signing out.

Source: docs/console.md; `engine.sign_in`, which decides.
"""

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response

from offramp.core.errors import Invalid, Refused
from offramp.core.operator import OperatorRole
from offramp.engine.sign_in import (
    Newcomer,
    SignInRefused,
    Wishes,
    change_account,
    enter,
    look_at_link,
    sign_in,
    sign_out,
)
from offramp.ports import Passwords
from offramp.web.api.form import Body, field_of
from offramp.web.console.door import ROOT, Admission, Door, Visitor, safe_path
from offramp.web.console.page import ConsolePages
from offramp.web.console.route import route_class

FORM_BYTES_MAX = 4096
REFUSED = (
    "That address and that password do not belong together, or there were too many tries. "
    "After 15 minutes you can try again."
)
NOT_YOURS = "That is not your present password, or there were too many tries."


def stranger_routes(door: Door, pages: ConsolePages) -> APIRouter:
    """Give the page that everybody is led to who is not signed in."""
    routes = APIRouter(prefix=ROOT, route_class=route_class(door, pages))

    @routes.get("/sign-in")
    def ask(request: Request, to: str = ROOT) -> Response:
        if door.find(request) is not None:
            return pages.lead(request, safe_path(to))
        return pages.answer("sign-in", to=safe_path(to), address="", told=None)

    return routes


def password_routes(door: Door, passwords: Passwords, pages: ConsolePages) -> APIRouter:
    """Give the ways in by a password, and by a link with which one is chosen."""
    routes = APIRouter(prefix=ROOT, route_class=route_class(door, pages))
    context = door.context

    @routes.post("/sign-in", max_body_size=FORM_BYTES_MAX)
    def answer(request: Request, body: Body) -> Response:
        door.require_own_page(request)
        address, to = field_of(body, "address"), safe_path(field_of(body, "to"))
        try:
            secret = sign_in(
                context, passwords, address=address, password=field_of(body, "password")
            )
        except SignInRefused:
            return pages.answer(
                "sign-in",
                to=to,
                address=address,
                told=REFUSED,
                status=HTTPStatus.UNPROCESSABLE_ENTITY,
            )
        return let_in(door, pages, request, secret, to=to)

    @routes.get("/enter/{secret}")
    def look(secret: str) -> Response:
        entrance = look_at_link(context, secret)
        return pages.answer("enter", entrance=entrance, newcomer=Newcomer(), told=None)

    @routes.post("/enter/{secret}", max_body_size=FORM_BYTES_MAX)
    def come_in(request: Request, secret: str, body: Body) -> Response:
        door.require_own_page(request)
        newcomer = Newcomer(
            name=field_of(body, "name"),
            address=field_of(body, "address"),
            password=field_of(body, "password"),
            zone=field_of(body, "zone"),
        )
        try:
            opened = enter(context, passwords, secret, newcomer)
        except (Invalid, Refused) as error:
            entrance = look_at_link(context, secret)
            status = HTTPStatus.UNPROCESSABLE_ENTITY
            told = str(error)
            return pages.answer(
                "enter", entrance=entrance, newcomer=newcomer, told=told, status=status
            )
        return let_in(door, pages, request, opened, to=ROOT)

    return routes


def account_routes(door: Door, passwords: Passwords, pages: ConsolePages) -> APIRouter:
    """Give the pages on which operators look after themselves."""
    routes = APIRouter(prefix=ROOT, route_class=route_class(door, pages))
    anybody = Annotated[Visitor, Depends(Admission(door=door, role=OperatorRole.VIEWER))]

    @routes.post("/sign-out", max_body_size=FORM_BYTES_MAX)
    def leave(request: Request, visitor: anybody) -> Response:
        sign_out(visitor.context, visitor.signed_in)
        response = pages.lead(request, f"{ROOT}/sign-in")
        door.let_out(response)
        return response

    @routes.get("/account")
    def look(visitor: anybody, done: str = "") -> Response:
        return pages.answer("account", visitor=visitor, done=done, told=None)

    @routes.post("/account", max_body_size=FORM_BYTES_MAX)
    def change(request: Request, visitor: anybody) -> Response:
        wishes = Wishes(
            zone=visitor.said("zone"),
            password=field_of(visitor.body, "password") if pages.has_passwords else "",
            present=field_of(visitor.body, "present"),
        )
        try:
            change_account(visitor.context, passwords, visitor.signed_in, wishes)
        except (Invalid, SignInRefused) as error:
            told = NOT_YOURS if isinstance(error, SignInRefused) else str(error)
            status = HTTPStatus.UNPROCESSABLE_ENTITY
            return pages.answer("account", visitor=visitor, done="", told=told, status=status)
        return pages.lead(request, f"{ROOT}/account?done=saved")

    return routes


def let_in(door: Door, pages: ConsolePages, request: Request, secret: str, *, to: str) -> Response:
    """Lead a browser on with a session of its own."""
    response = pages.lead(request, to)
    door.let_in(request, response, secret)
    return response
