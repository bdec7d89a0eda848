"""A member's own page: how they stand, what is theirs, and what was written to them.

Source: mission A4, B9; `engine.portal_view`, which knows.
"""

from typing import Annotated

from fastapi import APIRouter, Depends
from fastapi.responses import Response
from whenever import Date, Instant

from offramp.core.dates import civil_date
from offramp.core.link import last_day_of
from offramp.engine.own_copy import state_of_copy
from offramp.engine.portal_view import Letter, look_at_own
from offramp.ports import OwnCopy
from offramp.web.portal.door import ROOT, Admission, PortalDoor, Visit
from offramp.web.portal.page import PortalAnswers
from offramp.web.portal.route import route_class

DONE = ("asked", "mailed", "sent", "revoked")  # what the page may be told to say


def own_routes(door: PortalDoor, answers: PortalAnswers) -> APIRouter:
    """Give the page."""
    routes = APIRouter(prefix=ROOT, route_class=route_class(door, answers))
    anybody = Annotated[Visit, Depends(Admission(door=door))]
    context = door.context

    @routes.get("")
    def look(visit: anybody, done: str = "") -> Response:
        view = look_at_own(context, visit.guest)
        copy = view.copy
        return answers.own(
            "own",
            visit,
            done=done if done in DONE else "",
            name=visit.guest.member.name,
            standpoints=[
                {
                    "product": each.product,
                    "words": each.words,
                    "facts": each.banner.facts.for_reader(
                        visit.guest.member.roles, zone=visit.zone
                    ),
                }
                for each in view.standpoints
            ],
            is_gone=view.is_gone,
            copy=copy and copy_row(copy, visit, erases_at=view.erases_at, now=view.at),
            may_request=view.may_request,
            has_achievements=view.has_achievements,
            letters=[letter_row(each, visit) for each in view.letters],
            places=[
                {
                    "name": where.name or where.id,
                    "organization": where.id,
                    "member": person.id,
                    "is_here": (where.id, person.id) == (visit.organization, visit.member),
                }
                for where, person in visit.guest.places
            ],
        )

    return routes


def copy_row(
    copy: OwnCopy, visit: Visit, *, erases_at: Instant | None, now: Instant
) -> dict[str, object]:
    """Give what a page says of a copy."""
    return {
        "state": state_of_copy(copy, now=now).value,
        "asked_on": _day(copy.asked_at, visit),
        "written_on": _day(copy.written_at, visit),
        "until_on": _until(copy.expires_at, erases_at, visit, now),
        "size_bytes": copy.size_bytes,
    }


def letter_row(letter: Letter, visit: Visit) -> dict[str, object]:
    """Give what a page says of a message."""
    sent = letter.delivery
    return {
        "kind": letter.kind.value,
        "status": sent.status.value,
        "on": _day(sent.accepted_at, visit),
        "offboarding": sent.offboarding,
        "issue": sent.step,
        "step": letter.step,
        "size_bytes": letter.size_bytes if letter.is_own or visit.answers else None,
        "may_ask": letter.may_ask and (letter.is_own or visit.answers),
    }


def _day(moment: Instant | None, visit: Visit) -> Date | None:
    return None if moment is None else civil_date(moment, zone=visit.zone)


def _until(
    ends_at: Instant | None, erases_at: Instant | None, visit: Visit, now: Instant
) -> Date | None:
    if ends_at is None:
        return None
    return last_day_of(ends_at, erases_at=erases_at, zone=visit.zone, now=now)
