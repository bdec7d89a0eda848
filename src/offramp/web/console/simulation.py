"""The simulated clock of a demo, moved forward from the console; nothing else ever mounts this.

Sessions end by the same clock, so whoever moves it is let in again on the other side.

Source: docs/index.md, "Watch it"; lesson L6.
"""

from typing import Annotated, Protocol

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response

from offramp.core.operator import OperatorRole
from offramp.engine.operators import invite_again
from offramp.engine.sign_in import Newcomer, enter
from offramp.ports import Passwords
from offramp.web.console.acts import FORM_BYTES_MAX, FieldInvalid
from offramp.web.console.door import ROOT, Admission, Door, Visitor
from offramp.web.console.page import ConsolePages
from offramp.web.console.route import route_class

DAYS_MAX = 120  # of one move


class TimeMachine(Protocol):
    """Moves a simulated clock forward, and lets everything be carried out that falls due."""

    def advance(self, days: int) -> None:
        """Move on by so many days."""

    def advance_to_next(self) -> None:
        """Move on to the next instant at which something happens."""


def simulation_routes(
    door: Door, passwords: Passwords, pages: ConsolePages, machine: TimeMachine
) -> APIRouter:
    """Give the route that moves the clock."""
    routes = APIRouter(prefix=ROOT, route_class=route_class(door, pages))
    admin = Annotated[Visitor, Depends(Admission(door=door, role=OperatorRole.ADMIN))]

    @routes.post("/clock", max_body_size=FORM_BYTES_MAX)
    def advance(request: Request, visitor: admin) -> Response:
        if visitor.said("to") == "next":
            machine.advance_to_next()
        else:
            machine.advance(_days(visitor))
        invited = invite_again(visitor.context, visitor.signed_in.operator.address)
        secret = enter(visitor.context, passwords, invited.secret, Newcomer())
        response = pages.lead(request, ROOT)
        door.let_in(request, response, secret)
        return response

    return routes


def _days(visitor: Visitor) -> int:
    text = visitor.said("days")
    days = int(text) if text.isascii() and text.isdecimal() and len(text) < 4 else 0
    if not 1 <= days <= DAYS_MAX:
        raise FieldInvalid(path="days", problem=f"a number from 1 to {DAYS_MAX} is asked")
    return days
