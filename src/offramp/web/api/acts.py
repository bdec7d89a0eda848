"""What is decided about one organization, each by the same use case that a command calls.

Source: docs/http.md, "Acts"; mission A12, B4.
"""

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Path
from pydantic import Field, StrictBool

from offramp.core.model import Hold, Unlock
from offramp.core.operator import OperatorRole
from offramp.engine import brake, offboarding
from offramp.engine.block import set_block
from offramp.engine.unlock import UNLOCK_HOURS, UNLOCK_HOURS_MAX, grant_unlock, list_unlocks
from offramp.web.api.caller import Caller, Gate, Need
from offramp.web.api.document import Moment, Organization, Owner, Part, Reason, leads_to, time_of
from offramp.web.api.people import End, FollowedDocument, followed_document
from offramp.web.api.repeatable import repeatable


class TermDocument(Part):
    """The end that a term is to have."""

    ends_on: Annotated[End, Field(description="The last day, or an instant.")]
    pool: Annotated[str | None, Field(description="One pool; else those that end last.")] = None


class ComebackDocument(TermDocument):
    """The end of the next term of an organization that comes back, and on whose word."""

    by: Annotated[
        Literal["admin", "owner", "support"],
        Field(description="Who asks for it; the stage has to allow it."),
    ]


class HoldFacts(Part):
    """Why nothing may be deleted, and on whose word."""

    owner: Owner
    reason: Reason
    member: Annotated[str | None, Field(description="Only this member.")] = None
    category: Annotated[str | None, Field(description="Only data of this category.")] = None
    ends_at: Annotated[Moment | None, Field(description="Until when; null for no end.")] = None


class HoldDocument(Part):
    """One hold: nothing of what it covers is deleted, and nobody is let in by it."""

    hold: str
    owner: str
    reason: str
    member: str | None
    category: str | None
    placed_at: str
    ends_at: str | None


class HoldsDocument(Part):
    """The holds that are in force."""

    holds: tuple[HoldDocument, ...]


class UnlockFacts(Part):
    """Who is let in for some hours, and on whose word."""

    owner: Owner
    reason: Reason
    member: Annotated[str | None, Field(description="Only this member.")] = None
    hours: Annotated[int, Field(ge=1, le=UNLOCK_HOURS_MAX, strict=True)] = UNLOCK_HOURS


class UnlockDocument(Part):
    """Access given back for some hours; the stage and its dates stay as they are."""

    owner: str
    reason: str
    member: str | None
    starts_at: str
    ends_at: str


class UnlocksDocument(Part):
    """The unlocks that are in force."""

    unlocks: tuple[UnlockDocument, ...]


class ExemptionDocument(Part):
    """Whether an organization is kept out of all deletion."""

    is_exempt: StrictBool


class BlockFacts(Part):
    """Who is shut out at once, or let in again, and on whose word."""

    owner: Owner
    reason: Reason
    is_blocked: StrictBool
    member: Annotated[str | None, Field(description="Only this member.")] = None


class BlockDocument(Part):
    """Whether somebody is shut out."""

    member: str | None
    is_blocked: bool


class PutBackDocument(Part):
    """What is taken up again."""

    put_back: Annotated[int, Field(description="Steps and off-boardings.")]


def act_routes(gate: Gate) -> APIRouter:
    """Give a route for each act."""
    routes = APIRouter(
        route_class=repeatable(gate), prefix="/organizations/{organization}", tags=["acts"]
    )
    operator = Annotated[Caller, Depends(Need(gate=gate, role=OperatorRole.OPERATOR))]

    @routes.post("/renew")
    def renew(
        caller: operator, organization: Organization, asked: TermDocument
    ) -> FollowedDocument:
        """Begin a new term: everything pending is canceled, and the next term warns again."""
        followed = offboarding.renew(
            caller.context, organization, until=asked.ends_on, pool=asked.pool
        )
        return followed_document(followed)

    @routes.post("/extend")
    def extend(
        caller: operator, organization: Organization, asked: TermDocument
    ) -> FollowedDocument:
        """Move the end of the present term: what is done stays, the rest is re-dated."""
        followed = offboarding.extend(
            caller.context, organization, until=asked.ends_on, pool=asked.pool
        )
        return followed_document(followed)

    @routes.post("/reactivate")
    def reactivate(
        caller: operator, organization: Organization, asked: ComebackDocument
    ) -> FollowedDocument:
        """Bring an organization back with everything it has, until it has been deleted."""
        followed = offboarding.reactivate(
            caller.context, organization, until=asked.ends_on, by=asked.by, pool=asked.pool
        )
        return followed_document(followed)

    @routes.post("/retry")
    def retry(caller: operator, organization: Organization) -> PutBackDocument:
        """Put back what was abandoned or stopped, once its cause has been mended."""
        return PutBackDocument(put_back=offboarding.retry(caller.context, organization))

    @routes.put("/exemption")
    def exempt(
        caller: operator, organization: Organization, asked: ExemptionDocument
    ) -> ExemptionDocument:
        """Keep an organization from all deletion, or put it back."""
        brake.set_exempt(caller.context, organization, is_exempt=asked.is_exempt)
        return asked

    @routes.put("/block")
    def block(caller: operator, organization: Organization, asked: BlockFacts) -> BlockDocument:
        """Shut somebody out at once, or let them in again; nothing is deleted, no date moves."""
        set_block(
            caller.context,
            organization,
            member=asked.member,
            is_blocked=asked.is_blocked,
            owner=asked.owner,
            reason=asked.reason,
        )
        return BlockDocument(member=asked.member, is_blocked=asked.is_blocked)

    _add_holds(routes, gate)
    _add_unlocks(routes, gate)
    return routes


def _add_holds(routes: APIRouter, gate: Gate) -> None:
    viewer = Annotated[Caller, Depends(Need(gate=gate, role=OperatorRole.VIEWER))]
    operator = Annotated[Caller, Depends(Need(gate=gate, role=OperatorRole.OPERATOR))]

    @routes.get("/holds")
    def holds(caller: viewer, organization: Organization) -> HoldsDocument:
        """List the holds that are in force."""
        found = brake.list_holds(caller.context, organization)
        return HoldsDocument(holds=tuple(map(_hold, found)))

    @routes.post("/holds", responses=leads_to("release-hold", hold="$response.body#/hold"))
    def hold(caller: operator, organization: Organization, asked: HoldFacts) -> HoldDocument:
        """Stop deletion, and nothing else, until the hold ends or is released."""
        placed = brake.place_hold(
            caller.context,
            organization,
            owner=asked.owner,
            reason=asked.reason,
            member=asked.member,
            category=asked.category,
            ends_at=asked.ends_at,
        )
        return _hold(placed)

    @routes.delete("/holds/{hold}", operation_id="release-hold")
    def release(
        caller: operator,
        organization: Organization,
        hold: Annotated[str, Path(description="The hold's id.")],
    ) -> HoldDocument:
        """End a hold; what it stopped is taken up again by the next sweep."""
        return _hold(brake.release_hold(caller.context, hold, organization=organization))


def _add_unlocks(routes: APIRouter, gate: Gate) -> None:
    viewer = Annotated[Caller, Depends(Need(gate=gate, role=OperatorRole.VIEWER))]
    support = Annotated[Caller, Depends(Need(gate=gate, role=OperatorRole.SUPPORT))]

    @routes.get("/unlocks")
    def unlocks(caller: viewer, organization: Organization) -> UnlocksDocument:
        """List the unlocks that are in force."""
        found = list_unlocks(caller.context, organization)
        return UnlocksDocument(unlocks=tuple(map(_unlock, found)))

    @routes.post("/unlocks")
    def unlock(caller: support, organization: Organization, asked: UnlockFacts) -> UnlockDocument:
        """Give access back for some hours; the stage and its dates stay as they are."""
        granted = grant_unlock(
            caller.context,
            organization,
            owner=asked.owner,
            reason=asked.reason,
            hours=asked.hours,
            member=asked.member,
        )
        return _unlock(granted)


def _hold(hold: Hold) -> HoldDocument:
    return HoldDocument(
        hold=hold.id,
        owner=hold.owner,
        reason=hold.reason,
        member=hold.member,
        category=hold.category,
        placed_at=hold.placed_at.format_iso(),
        ends_at=time_of(hold.ends_at),
    )


def _unlock(unlock: Unlock) -> UnlockDocument:
    return UnlockDocument(
        owner=unlock.owner,
        reason=unlock.reason,
        member=unlock.member,
        starts_at=unlock.starts_at.format_iso(),
        ends_at=unlock.ends_at.format_iso(),
    )
