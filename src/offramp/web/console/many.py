"""Acts on many organizations: looked at, asked for, approved by somebody else, and what came of it.

What was looked at comes back with the form that asks for it: whom it is about, and the digest of
what was seen of them. Nothing of it is kept before.

Source: docs/console.md, "Many organizations at once"; `engine.bulk`.
"""

import json
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response

from offramp.core.bulk import BulkAct, BulkKind, BulkTarget, BulkWish, TargetStatus
from offramp.core.operator import OperatorRole
from offramp.engine.bulk import approve, ask, find_all, foresee, list_acts, look_at_act
from offramp.engine.bulk_work import carry_out_acts
from offramp.web.api.form import values_of
from offramp.web.console.acts import (
    FORM_BYTES_MAX,
    REASON_CHARACTERS_MAX,
    FieldInvalid,
    reason_of,
    require_typed,
    until_of,
)
from offramp.web.console.choice import CHOICES
from offramp.web.console.door import ROOT, Admission, Door, RoleTooLow, Visitor
from offramp.web.console.organizations import question_of
from offramp.web.console.page import ConsolePages
from offramp.web.console.route import route_class
from offramp.web.console.told import TOLD

PATH = f"{ROOT}/many"
CHOSEN_BYTES_MAX = 262_144  # with the ids of everybody
DAYS_MAX = 3660


def many_routes(door: Door, pages: ConsolePages) -> APIRouter:
    """Give the pages of acts on many, and what they send."""
    routes = APIRouter(prefix=PATH, route_class=route_class(door, pages))
    viewer = Annotated[Visitor, Depends(Admission(door=door, role=OperatorRole.VIEWER))]
    support = Annotated[Visitor, Depends(Admission(door=door, role=OperatorRole.SUPPORT))]
    approver = Annotated[Visitor, Depends(Admission(door=door, role=OperatorRole.APPROVER))]

    @routes.get("")
    def look(visitor: viewer) -> Response:
        now = visitor.context.clock.now()
        acts = [
            (each, *_state(each, (), is_open=each.is_open(now)))
            for each in list_acts(visitor.context)
        ]
        return pages.answer("many", visitor=visitor, acts=acts, choices=CHOICES)

    @routes.post("/look", max_body_size=CHOSEN_BYTES_MAX)
    def look_ahead(visitor: support) -> Response:
        wish = _wish(visitor)
        prospect = foresee(visitor.context, wish, _chosen(visitor))
        return pages.answer(
            "many-look",
            visitor=visitor,
            prospect=prospect,
            choice=CHOICES[wish.kind],
            chosen=json.dumps([each.organization for each in prospect.changed]),
            alone_max=visitor.context.limits.acts_alone_max,
        )

    @routes.post("", max_body_size=CHOSEN_BYTES_MAX)
    def ask_for(request: Request, visitor: support) -> Response:
        by, seen = visitor.signed_in.operator, visitor.said("digest")
        asked = ask(visitor.context, _wish(visitor), _sent_back(visitor), seen=seen, by=by)
        if asked.approved_at is None:
            return pages.lead(request, f"{PATH}/{quote(asked.id)}?done=many-asked")
        carry_out_acts(visitor.context, act=asked.id)
        return pages.lead(request, f"{PATH}/{quote(asked.id)}?done=many-begun")

    @routes.get("/{act}")
    def look_into(visitor: viewer, act: str, done: str = "") -> Response:
        view = look_at_act(visitor.context, act)
        is_open = view.act.is_open(visitor.context.clock.now())
        state, kind = _state(view.act, view.targets, is_open=is_open)
        return pages.answer(
            "many-act",
            visitor=visitor,
            view=view,
            choice=CHOICES[view.act.wish.kind],
            is_open=is_open,
            is_mine=view.act.owner_id == visitor.signed_in.operator.id,
            state=state,
            kind=kind,
            left=sum(each.status is TargetStatus.WAITING for each in view.targets),
            told=TOLD.get(done, ""),
        )

    @routes.post("/{act}/approve", max_body_size=FORM_BYTES_MAX)
    def let_begin(request: Request, visitor: approver, act: str) -> Response:
        asked = look_at_act(visitor.context, act).act
        require_typed(visitor, str(asked.organizations))
        approve(visitor.context, act, by=visitor.signed_in.operator)
        return pages.lead(request, f"{PATH}/{quote(act)}?done=many-approved")

    return routes


def _wish(visitor: Visitor) -> BulkWish:
    """Read what shall be done, with as many values as that needs.

    Raises:
        FieldInvalid: a value is missing, or is none.
        RoleTooLow: whoever asks may not do so to a single one.
    """
    name = visitor.said("act")
    if name not in set(BulkKind):
        raise FieldInvalid(path="act", problem="one of those in the list is asked")
    kind = BulkKind(name)
    role = CHOICES[kind].role
    if not visitor.may(role):
        mine = visitor.signed_in.operator.role.value
        raise RoleTooLow(needed=role.value, role=mine)
    days = _days(visitor) if kind is BulkKind.EXTEND else None
    moves = kind in (BulkKind.EXTEND, BulkKind.RENEW)
    return BulkWish(
        kind=kind,
        reason=reason_of(visitor),
        until=until_of(visitor) if moves and days is None else None,
        days=days,
        held_for=_held_for(visitor) if kind is BulkKind.RELEASE else "",
    )


def _days(visitor: Visitor) -> int | None:
    text = visitor.said("days")
    if not text:
        return None
    days = int(text) if text.isascii() and text.isdecimal() and len(text) < 5 else 0
    if not 1 <= days <= DAYS_MAX or visitor.said("until"):
        problem = f"a number from 1 to {DAYS_MAX} is asked, or else a last day"
        raise FieldInvalid(path="days", problem=problem)
    return days


def _held_for(visitor: Visitor) -> str:
    reason = visitor.said("held_for")
    if not 0 < len(reason) <= REASON_CHARACTERS_MAX:
        raise FieldInvalid(path="reason of the holds", problem="the whole of it is asked")
    return reason


def _chosen(visitor: Visitor) -> tuple[str, ...]:
    if visitor.said("all"):
        return find_all(visitor.context, question_of(visitor))
    return tuple(values_of(visitor.body, "chosen"))


def _sent_back(visitor: Visitor) -> tuple[str, ...]:
    """Read whom an act was looked at for."""
    try:
        found = json.loads(visitor.said("organizations"))
    except ValueError as error:
        raise FieldInvalid(path="organizations", problem="they cannot be read") from error
    if not isinstance(found, list) or not all(isinstance(each, str) for each in found):
        raise FieldInvalid(path="organizations", problem="they cannot be read")
    return tuple(found)


def _state(act: BulkAct, targets: tuple[BulkTarget, ...], *, is_open: bool) -> tuple[str, str]:
    """Say how far an act is in a word or two, and in which color."""
    if is_open:
        return "waits for approval", "amber"
    if act.approved_at is None:
        return "not approved in time", ""
    if any(each.status is TargetStatus.WAITING for each in targets):
        return "being done", "blue"
    return ("done" if targets else "approved"), "green"
