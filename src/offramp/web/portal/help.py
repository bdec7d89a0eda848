"""What went wrong for whoever is signed in: told here, answered here.

A case is always of the member who tells: what mends it goes to them alone.

Source: mission A12; docs/cases.md; `engine.cases`, which looks and mends.
"""

from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Depends
from fastapi.responses import Response
from whenever import Date, Instant

from offramp.core.case import Case, Complaint
from offramp.core.dates import civil_date
from offramp.core.errors import Invalid
from offramp.engine.cases import (
    WORDS_MAX,
    add_note,
    list_own_cases,
    open_case,
    read_own_case,
    require_room,
)
from offramp.web.portal.door import ROOT, Admission, PortalDoor, Visit
from offramp.web.portal.page import PortalAnswers
from offramp.web.portal.route import route_class

FORM_BYTES_MAX = 4 * 4 * WORDS_MAX  # each character of four bytes, each of them written in three


class WordsMissing(Invalid):
    """Nothing was said, or no day was meant."""


def help_routes(door: PortalDoor, answers: PortalAnswers) -> APIRouter:
    """Give the page, and one for each case."""
    routes = APIRouter(prefix=ROOT, route_class=route_class(door, answers))
    anybody = Annotated[Visit, Depends(Admission(door=door))]
    context = door.context

    @routes.get("/help")
    def look(visit: anybody) -> Response:
        cases = list_own_cases(context, visit.organization, visit.member)
        return answers.own("help", visit, done="", cases=[_row(each, visit) for each in cases])

    @routes.post("/cases", max_body_size=FORM_BYTES_MAX)
    def tell(visit: anybody) -> Response:
        complaint, about, words = _complaint(visit), _about(visit), visit.said("words")
        require_room(context, visit.organization, visit.member)
        if complaint is Complaint.OTHER and not words:
            raise WordsMissing
        opened = open_case(
            context,
            visit.organization,
            complaint,
            member=visit.member,
            about=about,
            words=words,
            actor="user",
        )
        return answers.lead(f"{_path(opened.id)}?done=noted")

    @routes.get("/cases/{case}")
    def look_into(visit: anybody, case: str, done: str = "") -> Response:
        found, notes = read_own_case(context, visit.organization, visit.member, case)
        said = [
            {"is_mine": each.actor == "user", "on": _day(each.at, visit), "text": each.text}
            for each in notes
        ]
        told = "noted" if done == "noted" else ""
        return answers.own("case", visit, done=told, case=_row(found, visit), notes=said)

    @routes.post("/cases/{case}", max_body_size=FORM_BYTES_MAX)
    def add(visit: anybody, case: str) -> Response:
        read_own_case(context, visit.organization, visit.member, case)
        if not visit.said("words"):
            raise WordsMissing
        add_note(context, case, visit.said("words"), actor="user")
        return answers.lead(f"{_path(case)}?done=noted")

    return routes


def _path(case: str) -> str:
    return f"{ROOT}/cases/{quote(case, safe='')}"


def _row(case: Case, visit: Visit) -> dict[str, object]:
    repaired = case.repaired_at
    return {
        "id": case.id,
        "complaint": case.complaint.value,
        "state": case.state.value,
        "on": _day(case.opened_at, visit),
        "answer_on": _day(case.answer_by, visit),
        "repaired_on": None if repaired is None else _day(repaired, visit),
    }


def _day(moment: Instant, visit: Visit) -> Date:
    return civil_date(moment, zone=visit.zone)


def _complaint(visit: Visit) -> Complaint:
    said = visit.said("complaint")
    if said not in set(Complaint):
        raise WordsMissing
    return Complaint(said)


def _about(visit: Visit) -> Date | None:
    try:
        return visit.day("about")
    except ValueError as error:
        raise WordsMissing from error
