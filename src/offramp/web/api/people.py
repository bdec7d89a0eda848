"""What administrators do with their people, by way of a program of the vendor: ends and seats.

Every request is all or nothing; a refusal names each member with whom something is wrong.

Source: docs/http.md, "People and seats"; mission B11.
"""

from typing import Annotated, Literal

from fastapi import APIRouter, Depends
from pydantic import Field, PlainValidator, WithJsonSchema

from offramp.core.dates import Boundary, parse_boundary
from offramp.core.operator import OperatorRole
from offramp.core.seats import SeatCount
from offramp.engine.following import Followed
from offramp.engine.people import (
    Move,
    Person,
    end_members,
    expire_members,
    move_members,
    reactivate_members,
    remove_members,
    seats_of,
)
from offramp.web.api.caller import Caller, Gate, Need
from offramp.web.api.document import Organization, Part
from offramp.web.api.repeatable import repeatable

MEMBERS_MAX = 1_000  # of one request


_YEARS = "^(19|2[0-3])[0-9]{2}-|^2400-"  # as `core.dates` takes them


def _boundary(value: object) -> Boundary:
    """Read an end; a mistake is told without what was said."""
    try:
        return parse_boundary(value if isinstance(value, str) else "")
    except ValueError as error:
        raise ValueError("neither a date nor an instant with its offset") from error


End = Annotated[
    Boundary,
    PlainValidator(_boundary),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "string", "format": "date", "pattern": _YEARS},
                {"type": "string", "format": "date-time", "pattern": _YEARS},
            ],
            "description": "2024-08-30, or 2024-08-30T12:00:00Z.",
        }
    ),
]


class NamedDocument(Part):
    """One member."""

    member: Annotated[str, Field(description="The member's id.")]


class PersonDocument(NamedDocument):
    """One member, wholly or in one product."""

    product: Annotated[str | None, Field(description="This product alone.")] = None


class EndDocument(PersonDocument):
    """One member with the end that they are to have."""

    ends_on: Annotated[End | None, Field(description="The last day, or null for none.")]


class ReturnDocument(PersonDocument):
    """One member who comes back."""

    ends_on: Annotated[End | None, Field(description="Their next last day, if any.")] = None


class MoveDocument(NamedDocument):
    """One member who gets a seat."""

    target: Annotated[str, Field(alias="to", description="The pool of the seat.")]
    source: Annotated[
        str | None, Field(alias="from", description="The pool in which they give theirs back.")
    ] = None


_Many = Field(min_length=1, max_length=MEMBERS_MAX)


class EndsDocument(Part):
    """Who is to have which end."""

    members: Annotated[tuple[EndDocument, ...], _Many]


class PeopleDocument(Part):
    """Who is meant."""

    members: Annotated[tuple[PersonDocument, ...], _Many]


class NamesDocument(Part):
    """Who is meant, wholly."""

    members: Annotated[tuple[NamedDocument, ...], _Many]


class ReturnsDocument(Part):
    """Who comes back, and on whose word."""

    members: Annotated[tuple[ReturnDocument, ...], _Many]
    by: Annotated[
        Literal["admin", "owner", "support"],
        Field(description="Who asks for it; the stage has to allow it."),
    ] = "admin"


class MovesDocument(Part):
    """Who moves."""

    members: Annotated[tuple[MoveDocument, ...], _Many]


class FollowedDocument(Part):
    """What became of the off-boardings."""

    opened: int
    moved: int
    ended: int


class SeatsDocument(Part):
    """How the seats of one pool are taken; in one that is over nobody takes any."""

    pool: str
    product: str
    kind: str
    ends_on: Annotated[str | None, Field(description="The last day, or null for none.")]
    is_over: bool
    seats: Annotated[int, Field(description="How many were bought.")]
    taken: Annotated[int, Field(description="By members who have not expired.")]
    free: int
    missing: int


class PoolsDocument(Part):
    """Every pool of an organization."""

    pools: tuple[SeatsDocument, ...]


def people_routes(gate: Gate) -> APIRouter:
    """Give the routes for members and seats."""
    routes = APIRouter(
        route_class=repeatable(gate), prefix="/organizations/{organization}", tags=["people"]
    )
    viewer = Annotated[Caller, Depends(Need(gate=gate, role=OperatorRole.VIEWER))]
    operator = Annotated[Caller, Depends(Need(gate=gate, role=OperatorRole.OPERATOR))]

    @routes.post("/members/end")
    def end(caller: operator, organization: Organization, asked: EndsDocument) -> FollowedDocument:
        """Give members an end date of their own, or take it away before it comes."""
        people = [
            Person(member=each.member, product=each.product, ends=each.ends_on)
            for each in asked.members
        ]
        return followed_document(end_members(caller.context, organization, people))

    @routes.post("/members/expire")
    def expire(
        caller: operator, organization: Organization, asked: PeopleDocument
    ) -> FollowedDocument:
        """Expire members at once: their own term is over, and they take no seat."""
        people = [Person(member=each.member, product=each.product) for each in asked.members]
        return followed_document(expire_members(caller.context, organization, people))

    @routes.post("/members/remove")
    def remove(
        caller: operator, organization: Organization, asked: NamesDocument
    ) -> FollowedDocument:
        """Remove members from the organization at once."""
        people = [Person(member=each.member) for each in asked.members]
        return followed_document(remove_members(caller.context, organization, people))

    @routes.post("/members/reactivate")
    def reactivate(
        caller: operator, organization: Organization, asked: ReturnsDocument
    ) -> FollowedDocument:
        """Take members back who have expired or were removed, with everything they have."""
        people = [
            Person(member=each.member, product=each.product, ends=each.ends_on)
            for each in asked.members
        ]
        return followed_document(
            reactivate_members(caller.context, organization, people, by=asked.by)
        )

    @routes.post("/members/move")
    def move(
        caller: operator, organization: Organization, asked: MovesDocument
    ) -> FollowedDocument:
        """Move members from one pool to another, or give them a seat in one more."""
        moves = [
            Move(member=each.member, source=each.source, target=each.target)
            for each in asked.members
        ]
        return followed_document(move_members(caller.context, organization, moves))

    @routes.get("/pools")
    def pools(caller: viewer, organization: Organization) -> PoolsDocument:
        """Count the seats of every pool: bought, taken, free, and missing."""
        counts = seats_of(caller.context, organization)
        return PoolsDocument(pools=tuple(_seats(each) for each in counts))

    return routes


def followed_document(followed: Followed) -> FollowedDocument:
    """Write down what became of the off-boardings."""
    return FollowedDocument(opened=followed.opened, moved=followed.moved, ended=followed.ended)


def _seats(count: SeatCount) -> SeatsDocument:
    pool = count.pool
    return SeatsDocument(
        pool=pool.id,
        product=pool.product,
        kind=pool.kind,
        ends_on=str(pool.ends) if pool.ends else None,
        is_over=count.is_over,
        seats=pool.seats,
        taken=count.taken,
        free=count.free,
        missing=count.missing,
    )
