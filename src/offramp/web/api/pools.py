"""What was bought, by way of a program of the vendor: one pool, its seats and its end.

Source: docs/http.md, "Pools"; mission A1, A2, A7.
"""

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Response
from pydantic import Field

from offramp.core.model import Pool
from offramp.core.operator import OperatorRole
from offramp.documents.roster import pool_of
from offramp.engine.directory import look_up_pool, pool_in
from offramp.engine.offboarding import register
from offramp.ports import Transaction
from offramp.web.api.caller import Caller, Gate, Need
from offramp.web.api.document import IfMatch, Organization, Part, require_version, versioned
from offramp.web.api.people import End
from offramp.web.api.repeatable import repeatable

SEATS_MAX = 999_999_999

PoolId = Annotated[str, Path(description="The pool's id.")]


class PoolFacts(Part):
    """What is told of a pool, as a row of a roster tells it."""

    product: str
    kind: str
    seats: Annotated[int, Field(ge=0, le=SEATS_MAX, strict=True)]
    ends_on: Annotated[End | None, Field(description="The last day of access, or null.")] = None


class PoolDocument(Part):
    """One pool, as it was told."""

    pool: str
    product: str
    kind: str
    seats: int
    ends_on: Annotated[str | None, Field(description="The last day of access, or null.")]


def pool_routes(gate: Gate) -> APIRouter:
    """Give the routes for one pool."""
    routes = APIRouter(
        route_class=repeatable(gate),
        prefix="/organizations/{organization}/pools/{pool}",
        tags=["organizations"],
    )
    viewer = Annotated[Caller, Depends(Need(gate=gate, role=OperatorRole.VIEWER))]
    operator = Annotated[Caller, Depends(Need(gate=gate, role=OperatorRole.OPERATOR))]

    @routes.get("")
    def look_at_pool(
        caller: viewer, organization: Organization, pool: PoolId, response: Response
    ) -> PoolDocument:
        """Look at one pool."""
        return versioned(_document(look_up_pool(caller.context, organization, pool)), response)

    @routes.put("")
    def tell_of_pool(
        caller: operator,
        organization: Organization,
        pool: PoolId,
        told: PoolFacts,
        response: Response,
        if_match: IfMatch = None,
    ) -> PoolDocument:
        """Tell of a new pool, or change its seats or its end; repeating it changes nothing."""
        bought = pool_of(_cells(organization, pool, told))

        def judge(transaction: Transaction) -> None:
            present = pool_in(transaction, organization, pool)
            require_version(_document(present) if present else None, if_match=if_match)

        register(caller.context, pools=[bought], judge=judge)
        return versioned(_document(bought), response)

    return routes


def _document(pool: Pool) -> PoolDocument:
    return PoolDocument(
        pool=pool.id,
        product=pool.product,
        kind=pool.kind,
        seats=pool.seats,
        ends_on=str(pool.ends) if pool.ends else None,
    )


def _cells(organization: str, pool: str, told: PoolFacts) -> dict[str, str]:
    return {
        "organization": organization,
        "pool": pool,
        "product": told.product,
        "kind": told.kind,
        "seats": str(told.seats),
        "ends_on": str(told.ends_on or ""),
    }
