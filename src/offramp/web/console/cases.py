"""What people say went wrong: who waits for an answer, what is known, and what mends it.

Source: mission A12; docs/cases.md; `engine.cases`, which looks and mends.
"""

from collections.abc import Mapping
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response
from whenever import Date

from offramp.core.case import Complaint, Repair
from offramp.core.dates import parse_boundary
from offramp.core.operator import OperatorRole
from offramp.engine.cases import (
    add_note,
    add_private_note,
    close_case,
    list_cases,
    open_case,
    read_case,
    repair_case,
)
from offramp.web.console.acts import FORM_BYTES_MAX, FieldInvalid
from offramp.web.console.door import ROOT, Admission, Door, Visitor
from offramp.web.console.organizations import PATH as ORGANIZATIONS
from offramp.web.console.page import ConsolePages
from offramp.web.console.route import route_class
from offramp.web.console.told import TOLD

PATH = f"{ROOT}/cases"
COMPLAINTS: Mapping[Complaint, str] = {
    Complaint.NO_ACHIEVEMENTS: "The achievements did not come",
    Complaint.NO_EXPORT: "The data did not come",
    Complaint.NO_ACCESS: "Access ended too early",
    Complaint.OTHER: "Something else",
}
REPAIRS: Mapping[Repair, str] = {
    Repair.RESEND: "Send the achievements again",
    Repair.REISSUE: "Send the data again, or make a copy",
    Repair.UNLOCK: "Give access back for a day",
}


def case_routes(door: Door, pages: ConsolePages) -> APIRouter:
    """Give the list of cases, each of them, and what is done about it."""
    routes = APIRouter(route_class=route_class(door, pages))
    viewer = Annotated[Visitor, Depends(Admission(door=door, role=OperatorRole.VIEWER))]
    support = Annotated[Visitor, Depends(Admission(door=door, role=OperatorRole.SUPPORT))]

    @routes.get(PATH)
    def look(visitor: viewer, closed: bool = False) -> Response:
        return pages.answer(
            "cases",
            visitor=visitor,
            cases=list_cases(visitor.context, is_closed=closed),
            is_closed=closed,
            complaints=COMPLAINTS,
            now=visitor.context.clock.now(),
        )

    @routes.get(f"{PATH}/{{case}}")
    def look_into(visitor: viewer, case: str, done: str = "") -> Response:
        found = read_case(visitor.context, case)
        return pages.answer(
            "case",
            visitor=visitor,
            found=found,
            complaints=COMPLAINTS,
            repair=REPAIRS[found.repair] if found.repair else "",
            told=TOLD.get(done, ""),
            now=visitor.context.clock.now(),
        )

    @routes.post(f"{ORGANIZATIONS}/{{organization}}/cases", max_body_size=FORM_BYTES_MAX * 2)
    def complain(request: Request, visitor: support, organization: str) -> Response:
        opened = open_case(
            visitor.context,
            organization,
            _complaint(visitor),
            member=visitor.said("member") or None,
            about=_about(visitor),
            words=visitor.said("words"),
        )
        return pages.lead(request, _path(opened.id))

    @routes.post(f"{PATH}/{{case}}/note", max_body_size=FORM_BYTES_MAX * 2)
    def note(request: Request, visitor: support, case: str) -> Response:
        if not visitor.said("words"):
            raise FieldInvalid(path="answer", problem="some words are asked")
        is_private = bool(visitor.said("private"))
        keep = add_private_note if is_private else add_note
        keep(visitor.context, case, visitor.said("words"))
        done = "case-noted-privately" if is_private else "case-noted"
        return pages.lead(request, f"{_path(case)}?done={done}")

    @routes.post(f"{PATH}/{{case}}/repair", max_body_size=FORM_BYTES_MAX)
    def repair(request: Request, visitor: support, case: str) -> Response:
        repair_case(visitor.context, case)
        return pages.lead(request, f"{_path(case)}?done=case-repaired")

    @routes.post(f"{PATH}/{{case}}/close", max_body_size=FORM_BYTES_MAX)
    def close(request: Request, visitor: support, case: str) -> Response:
        close_case(visitor.context, case)
        return pages.lead(request, f"{_path(case)}?done=case-closed")

    return routes


def _path(case: str) -> str:
    return f"{PATH}/{quote(case, safe='')}"


def _complaint(visitor: Visitor) -> Complaint:
    said = visitor.said("complaint")
    if said not in set(Complaint):
        raise FieldInvalid(path="complaint", problem="one of those in the list is asked")
    return Complaint(said)


def _about(visitor: Visitor) -> Date | None:
    said = visitor.said("about")
    try:
        day = parse_boundary(said) if said else None
    except ValueError as error:
        raise FieldInvalid(path="day", problem="a date such as 2031-01-31 is asked") from error
    if day is not None and not isinstance(day, Date):
        raise FieldInvalid(path="day", problem="a date such as 2031-01-31 is asked")
    return day
