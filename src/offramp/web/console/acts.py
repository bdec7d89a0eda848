"""What operators do with one organization, each by the same use case that a command calls.

What lets a deletion go on is confirmed by typing the organization's id. Whoever acts is on record.

Source: mission A12, B4; docs/console.md.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response

from offramp.core.dates import Boundary, parse_boundary
from offramp.core.errors import Invalid
from offramp.core.operator import OperatorRole
from offramp.engine import brake, link, offboarding, people
from offramp.engine.block import set_block
from offramp.engine.resending import ask_again
from offramp.engine.unlock import grant_unlock
from offramp.web.console.door import Admission, Door, Visitor
from offramp.web.console.organizations import PATH
from offramp.web.console.page import ConsolePages
from offramp.web.console.route import route_class

FORM_BYTES_MAX = 8192
REASON_CHARACTERS_MAX = 500
UNLOCK_HOURS_MAX = 168
BY = "support"  # for whom a stage has to allow it that somebody comes back


class FieldInvalid(Invalid):
    """The field {path} is wrong: {problem}."""


class ConfirmationMissing(Invalid):
    """Nothing was done: what had to be typed was {expected}."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """One thing that can be done: who may, and what the page says afterwards (``told.py``).

    Attributes:
        is_grave: whether a deletion may go on because of it; then the id has to be typed.
    """

    name: str
    role: OperatorRole
    done: str
    carry_out: Callable[[Visitor, str], object]
    is_grave: bool = False


def act_routes(door: Door, pages: ConsolePages) -> APIRouter:
    """Give a route for each act."""
    routes = APIRouter(prefix=f"{PATH}/{{organization}}", route_class=route_class(door, pages))
    for act in ACTS:
        _add(routes, door, pages, act)
    return routes


def _add(routes: APIRouter, door: Door, pages: ConsolePages, act: Act) -> None:
    admitted = Annotated[Visitor, Depends(Admission(door=door, role=act.role))]

    @routes.post(f"/{act.name}", max_body_size=FORM_BYTES_MAX)
    def carry_out(request: Request, visitor: admitted, organization: str) -> Response:
        if act.is_grave:
            require_typed(visitor, organization)
        act.carry_out(visitor, organization)
        return pages.lead(request, f"{PATH}/{quote(organization, safe='')}?done={act.done}")


def require_typed(visitor: Visitor, wanted: str) -> None:
    """Refuse what was not confirmed by typing a text.

    Raises:
        ConfirmationMissing: something else was typed.
    """
    if visitor.said("typed") != wanted:
        raise ConfirmationMissing(expected=wanted)


def reason_of(visitor: Visitor) -> str:
    """Read why somebody does something.

    Raises:
        FieldInvalid: they do not say.
    """
    reason = visitor.said("reason")
    if not 0 < len(reason) <= REASON_CHARACTERS_MAX or not reason.isprintable():
        raise FieldInvalid(path="reason", problem=f"1 to {REASON_CHARACTERS_MAX} letters are asked")
    return reason


def _hours(visitor: Visitor) -> int:
    text = visitor.said("hours")
    hours = int(text) if text.isascii() and text.isdecimal() and len(text) < 4 else 0
    if not 1 <= hours <= UNLOCK_HOURS_MAX:
        raise FieldInvalid(path="hours", problem=f"a number from 1 to {UNLOCK_HOURS_MAX} is asked")
    return hours


def until_of(visitor: Visitor) -> Boundary:
    """Read a last day.

    Raises:
        FieldInvalid: it is none.
    """
    try:
        return parse_boundary(visitor.said("until"))
    except ValueError as error:
        raise FieldInvalid(path="last day", problem="a date such as 2031-01-31 is asked") from error


def _member(visitor: Visitor) -> str | None:
    """Give the one member who is meant, or none for all of them."""
    return visitor.said("member") or None


def _person(visitor: Visitor, *, ends: Boundary | None = None) -> list[people.Person]:
    member = _member(visitor)
    if member is None:
        raise FieldInvalid(path="member", problem="the id of a member is asked")
    product = visitor.said("product") or None
    return [people.Person(member=member, product=product, ends=ends)]


def _unlock(visitor: Visitor, organization: str) -> None:
    grant_unlock(
        visitor.context,
        organization,
        owner=visitor.signed_in.operator.name,
        reason=reason_of(visitor),
        hours=_hours(visitor),
        member=_member(visitor),
    )


def _resend(visitor: Visitor, organization: str) -> None:
    is_lost = visitor.said("which") != "all"
    ask_again(visitor.context, organization, member=_member(visitor), is_lost=is_lost)


def _send_data_again(visitor: Visitor, organization: str) -> None:
    link.reissue(visitor.context, organization, member=_member(visitor))


def _take_links_back(visitor: Visitor, organization: str) -> None:
    link.revoke(visitor.context, organization, member=_member(visitor))


def _block(visitor: Visitor, organization: str, *, is_blocked: bool = True) -> None:
    set_block(
        visitor.context,
        organization,
        member=_member(visitor),
        is_blocked=is_blocked,
        owner=visitor.signed_in.operator.name,
        reason=reason_of(visitor),
    )


def _unblock(visitor: Visitor, organization: str) -> None:
    _block(visitor, organization, is_blocked=False)


def _end_member(visitor: Visitor, organization: str) -> None:
    people.end_members(visitor.context, organization, _person(visitor, ends=until_of(visitor)))


def _expire_member(visitor: Visitor, organization: str) -> None:
    people.expire_members(visitor.context, organization, _person(visitor))


def _take_member_back(visitor: Visitor, organization: str) -> None:
    ends = until_of(visitor) if visitor.said("until") else None
    people.reactivate_members(visitor.context, organization, _person(visitor, ends=ends), by=BY)


def _hold(visitor: Visitor, organization: str) -> None:
    owner = visitor.signed_in.operator.name
    brake.place_hold(
        visitor.context,
        organization,
        owner=owner,
        reason=reason_of(visitor),
        member=_member(visitor),
        category=visitor.said("category") or None,
    )


def _release(visitor: Visitor, organization: str) -> None:
    brake.release_hold(visitor.context, visitor.said("hold"), organization=organization)


def _renew(visitor: Visitor, organization: str) -> None:
    offboarding.renew(visitor.context, organization, until=until_of(visitor))


def _extend(visitor: Visitor, organization: str) -> None:
    offboarding.extend(visitor.context, organization, until=until_of(visitor))


def _reactivate(visitor: Visitor, organization: str) -> None:
    offboarding.reactivate(visitor.context, organization, until=until_of(visitor), by=BY)


def _retry(visitor: Visitor, organization: str) -> None:
    offboarding.retry(visitor.context, organization)


def _exempt(visitor: Visitor, organization: str) -> None:
    brake.set_exempt(visitor.context, organization, is_exempt=True)


def _put_back(visitor: Visitor, organization: str) -> None:
    brake.set_exempt(visitor.context, organization, is_exempt=False)


def _act(
    role: OperatorRole,
    name: str,
    done: str,
    carry_out: Callable[[Visitor, str], object],
    *,
    is_grave: bool = False,
) -> Act:
    return Act(name=name, role=role, done=done, carry_out=carry_out, is_grave=is_grave)


_S, _O = OperatorRole.SUPPORT, OperatorRole.OPERATOR
ACTS = (
    _act(_S, "unlock", "unlocked", _unlock),
    _act(_S, "resend", "resent", _resend),
    _act(_S, "reissue", "reissued", _send_data_again),
    _act(_S, "revoke", "revoked", _take_links_back),
    _act(_O, "block", "blocked", _block),
    _act(_O, "unblock", "unblocked", _unblock),
    _act(_O, "member-end", "member-ended", _end_member),
    _act(_O, "member-expire", "member-expired", _expire_member),
    _act(_O, "member-back", "member-back", _take_member_back),
    _act(_O, "hold", "held", _hold),
    _act(_O, "release", "released", _release, is_grave=True),
    _act(_O, "renew", "renewed", _renew),
    _act(_O, "extend", "extended", _extend),
    _act(_O, "reactivate", "reactivated", _reactivate),
    _act(_O, "retry", "retried", _retry, is_grave=True),
    _act(_O, "exempt", "exempted", _exempt),
    _act(_O, "put-back", "put-back", _put_back, is_grave=True),
)
