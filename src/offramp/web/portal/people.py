"""The people of an organization, for its administrators: ends, at once or later, and the way back.

Source: mission B11; `engine.portal_people`, which does it.
"""

from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Depends
from fastapi.responses import Response
from whenever import Date

from offramp.engine.portal_people import (
    Deed,
    NobodyChosen,
    change_colleagues,
    list_colleagues,
)
from offramp.web.portal.door import ROOT, Admission, PortalDoor, Visit
from offramp.web.portal.page import PortalAnswers
from offramp.web.portal.route import route_class

FORM_BYTES_MAX = 16 * 1024


def people_routes(door: PortalDoor, answers: PortalAnswers) -> APIRouter:
    """Give the page, and what it sends."""
    routes = APIRouter(prefix=ROOT, route_class=route_class(door, answers))
    administrator = Annotated[Visit, Depends(Admission(door=door, is_for_managers=True))]
    context = door.context

    @routes.get("/people")
    def look(visit: administrator, after: str = "", done: str = "") -> Response:
        found = list_colleagues(context, visit.guest, after=after)
        return answers.own(
            "people",
            visit,
            done="changed" if done == "changed" else "",
            company_zone=visit.guest.organization.zone,
            rows=found.rows,
            after=after,
            further=urlencode({"after": found.after}) if found.after is not None else "",
        )

    @routes.post("/people", max_body_size=FORM_BYTES_MAX)
    def change(visit: administrator) -> Response:
        until = _until(visit)
        change_colleagues(context, visit.guest, visit.chose("member"), _deed(visit), until=until)
        shown = urlencode({"after": visit.said("after"), "done": "changed"})
        return answers.lead(f"{ROOT}/people?{shown}")

    return routes


def _deed(visit: Visit) -> Deed:
    try:
        return Deed(visit.said("do"))
    except ValueError as error:
        raise NobodyChosen from error


def _until(visit: Visit) -> Date | None:
    try:
        return visit.day("until")
    except ValueError as error:
        raise NobodyChosen from error
