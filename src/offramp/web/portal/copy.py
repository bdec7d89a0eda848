"""A copy of a member's own data, or of all that is their organization's: asked for, and led to.

It can be told of once more, and taken back. Administrators see whose copies of the organization
there are, and each may take back any.

Source: mission B9; policy language E1; `engine.own_copy`, which does.
"""

from typing import Annotated

from fastapi import APIRouter, Depends
from fastapi.responses import Response

from offramp.core.model import SubjectKind
from offramp.engine.offer import PATH as LINKS
from offramp.engine.own_copy import (
    CopyMissing,
    ask_for_copy,
    ask_for_mail_again,
    find_copy,
    is_ready,
    secret_of_copy,
    take_copy_back,
)
from offramp.web.portal.door import ROOT, Admission, PortalDoor, Visit
from offramp.web.portal.page import PortalAnswers
from offramp.web.portal.route import route_class

FORM_BYTES_MAX = 2048


def copy_routes(door: PortalDoor, answers: PortalAnswers) -> APIRouter:
    """Give what is done about copies; they are downloaded behind their links."""
    routes = APIRouter(prefix=ROOT, route_class=route_class(door, answers))
    _add(routes, door, answers, scope=SubjectKind.MEMBER)
    _add(routes, door, answers, scope=SubjectKind.ORGANIZATION)
    return routes


def _add(
    routes: APIRouter, door: PortalDoor, answers: PortalAnswers, *, scope: SubjectKind
) -> None:
    """Add the routes for copies of one kind."""
    context, is_whole = door.context, scope is SubjectKind.ORGANIZATION
    page = "/organization" if is_whole else ""
    visitor = Annotated[Visit, Depends(Admission(door=door, is_for_managers=is_whole))]

    def done(what: str) -> Response:
        return answers.lead(f"{ROOT}{page}?done={what}")

    @routes.post(f"{page}/copy", max_body_size=FORM_BYTES_MAX)
    def ask(visit: visitor) -> Response:
        actor = "admin" if is_whole else "user"
        ask_for_copy(context, visit.organization, visit.member, scope=scope, actor=actor)
        return done("asked")

    @routes.post(f"{page}/copy/mail", max_body_size=FORM_BYTES_MAX)
    def mail(visit: visitor) -> Response:
        ask_for_mail_again(context, visit.organization, visit.member, scope=scope)
        return done("mailed")

    @routes.post(f"{page}/copy/revoke", max_body_size=FORM_BYTES_MAX)
    def revoke(visit: visitor) -> Response:
        whose = visit.said("member") if is_whole else visit.member
        actor = "admin" if is_whole else "user"
        take_copy_back(context, visit.organization, whose, scope=scope, actor=actor)
        return done("revoked")

    @routes.get(f"{page}/copy")
    def download(visit: visitor) -> Response:
        copy = find_copy(context, visit.organization, visit.member, scope=scope)
        if copy is None or not is_ready(copy, now=context.clock.now()):
            raise CopyMissing
        return answers.lead(f"/{LINKS}/{secret_of_copy(context, copy)}")
