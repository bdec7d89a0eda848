"""The page of an organization, for whoever answers for it: ends, dates, documents, the way back.

Source: mission A7, B4, B5; `engine.portal_view`, which knows.
"""

from typing import Annotated

from fastapi import APIRouter, Depends
from fastapi.responses import Response
from whenever import Instant

from offramp.core.dates import effect, last_day_before
from offramp.core.seats import SeatCount
from offramp.engine.calendar import FILE, write_dates
from offramp.engine.portal_view import look_at_company
from offramp.web.portal.door import ROOT, Admission, PortalDoor, Visit
from offramp.web.portal.own import copy_row, letter_row
from offramp.web.portal.page import PortalAnswers
from offramp.web.portal.plan import plan_of
from offramp.web.portal.route import route_class

DONE = ("asked", "mailed", "revoked")  # what the page may be told to say


def company_routes(door: PortalDoor, answers: PortalAnswers) -> APIRouter:
    """Give the page, and the dates as a file."""
    routes = APIRouter(prefix=ROOT, route_class=route_class(door, answers))
    administrator = Annotated[Visit, Depends(Admission(door=door, is_for_company=True))]
    context = door.context

    @routes.get("/organization")
    def look(visit: administrator, done: str = "") -> Response:
        view = look_at_company(context, visit.guest)
        zone = visit.guest.organization.zone
        return answers.own(
            "company",
            visit,
            done=done if done in DONE else "",
            company_zone=zone,
            words=view.words,
            may_renew=view.may_renew,
            renewal=answers.renewal if view.may_renew else None,
            seats=[_row(each, zone=zone) for each in view.seats],
            plans=[plan_of(each) for each in view.leaving],
            documents=[letter_row(each, visit) for each in view.documents],
            copies=[
                {
                    **copy_row(each.copy, visit, erases_at=view.erases_at, now=view.at),
                    "member": each.member.id,
                    "name": each.member.name or each.member.id,
                    "is_mine": each.member.id == visit.member,
                }
                for each in view.copies
            ],
            may_request=view.may_request,
            is_gone=view.is_gone,
        )

    @routes.get(f"/{FILE}")
    def dates(visit: administrator) -> Response:
        member, organization = visit.guest.member, visit.guest.organization
        content = write_dates(
            context,
            organization.id,
            is_canceled=False,
            locale=member.locale or organization.locale,
        )
        headers = {"Content-Disposition": f'attachment; filename="{FILE}"'}
        return Response(content, media_type="text/calendar; charset=utf-8", headers=headers)

    return routes


def _row(count: SeatCount, *, zone: str) -> dict[str, object]:
    pool = count.pool
    ends_at: Instant | None = None if pool.ends is None else effect(pool.ends, zone=zone)
    return {
        "product": pool.product,
        "kind": pool.kind,
        "taken": count.taken,
        "seats": pool.seats,
        "is_over": count.is_over,
        "ends_at": ends_at,
        "last_on": None if ends_at is None else last_day_before(ends_at, zone=zone),
    }
