"""The policies: each drawn and in words, its versions, what differs, and who is leaving by them.

Source: docs/console.md, "Policies"; `engine.policies`.
"""

from typing import Annotated

from fastapi import APIRouter, Depends
from fastapi.responses import Response

from offramp.core.dates import civil_date, parse_boundary
from offramp.core.operator import OperatorRole
from offramp.documents.timeline.drawing import draw_band
from offramp.documents.timeline.rows import timeline_rows
from offramp.engine.policies import SHOWN_MAX, PolicyView, Sample, list_policies, look_at_policy
from offramp.web.console.acts import FieldInvalid
from offramp.web.console.door import ROOT, Admission, Door, Visitor
from offramp.web.console.organization import badge_numbers, picture
from offramp.web.console.page import ConsolePages
from offramp.web.console.route import route_class
from offramp.web.console.told import TOLD

PATH = f"{ROOT}/policies"


def policy_routes(door: Door, pages: ConsolePages) -> APIRouter:
    """Give the list of policies, each of them, and its drawing."""
    routes = APIRouter(prefix=PATH, route_class=route_class(door, pages))
    viewer = Annotated[Visitor, Depends(Admission(door=door, role=OperatorRole.VIEWER))]

    @routes.get("")
    def look(visitor: viewer) -> Response:
        return pages.answer("policies", visitor=visitor, policies=list_policies(visitor.context))

    @routes.get("/{policy}")
    def look_into(
        visitor: viewer,
        policy: str,
        version: str = "",
        against: str = "",
        end: str = "",
        done: str = "",
    ) -> Response:
        view = _look(visitor, policy, version, against, end)
        rows = timeline_rows(view.timeline)
        words = {row.planned.key: row.what for row in rows}
        return pages.answer(
            "policy",
            visitor=visitor,
            view=view,
            rows=rows,
            numbers=badge_numbers(view.timeline),
            moves=[(words.get(move.key, move.key), move) for move in view.moves],
            end=_end(visitor, end),
            shown_max=SHOWN_MAX,
            told=TOLD.get(done, ""),
        )

    @routes.get("/{policy}/drawing.svg")
    def drawing(visitor: viewer, policy: str, version: str = "", end: str = "") -> Response:
        view = _look(visitor, policy, version, "", end)
        return picture(draw_band(view.timeline, now=None))

    return routes


def _look(visitor: Visitor, policy: str, version: str, against: str, end: str) -> PolicyView:
    try:
        sample = Sample(
            ends=parse_boundary(_end(visitor, end)), zone=visitor.signed_in.operator.zone
        )
    except ValueError as error:
        raise FieldInvalid(path="end", problem="a date such as 2031-01-31 is asked") from error
    return look_at_policy(
        visitor.context, policy, version=_number(version), against=_number(against), sample=sample
    )


def _end(visitor: Visitor, text: str) -> str:
    """Give the end that dates are shown for: the present day, if nobody asks for another."""
    zone = visitor.signed_in.operator.zone
    return text or civil_date(visitor.context.clock.now(), zone=zone).format_iso()


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else None
