"""Messages that a person wants once more, by way of a program of the vendor that knows them.

Asking queues them; a worker sends them to the address that the roster has, and to no other.

Source: docs/http.md, "Messages that did not arrive"; mission A4.
"""

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query
from pydantic import BaseModel, Field

from offramp.core.operator import OperatorRole
from offramp.engine.resending import ask_for_own
from offramp.web.api.caller import Caller, Gate, Need
from offramp.web.api.repeatable import repeatable


class Queued(BaseModel):
    """What was asked for."""

    messages: int = Field(description="How many messages are on their way again.")


def again_routes(gate: Gate) -> APIRouter:
    """Give the one route."""
    routes = APIRouter(route_class=repeatable(gate), tags=["messages"])
    support = Annotated[Caller, Depends(Need(gate=gate, role=OperatorRole.SUPPORT))]

    @routes.post(
        "/organizations/{organization}/members/{member}/messages/resend",
        status_code=HTTPStatus.ACCEPTED,
    )
    def resend(
        caller: support,
        organization: Annotated[str, Path(description="The organization's id.")],
        member: Annotated[str, Path(description="The id of whoever did not get them.")],
        step: Annotated[
            str | None, Query(description="Only what this step sent; else all that is theirs.")
        ] = None,
    ) -> Queued:
        """Send a member once more what is theirs: their achievements, and data for them."""
        return Queued(messages=ask_for_own(caller.context, organization, member, step=step))

    return routes
