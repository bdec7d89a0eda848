"""Who the customers are, by way of a program of the vendor: listed, looked at, told.

A name that is searched for travels in a body: an address is kept by what lies on the way.

Source: docs/http.md, "Organizations"; mission A1, A7.
"""

from collections.abc import Mapping
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Response
from pydantic import Field

from offramp.core.model import Member, Role
from offramp.core.model import Organization as Customer
from offramp.core.operator import OperatorRole
from offramp.documents.roster import organization_of
from offramp.engine.directory import (
    Listed,
    Question,
    find_organizations,
    look_up,
    place_of,
)
from offramp.engine.offboarding import register
from offramp.engine.pages import PAGE_ROWS_MAX, list_members
from offramp.ports import Condition, Transaction
from offramp.web.api.caller import Caller, Gate, Need
from offramp.web.api.document import (
    IfMatch,
    Limit,
    Organization,
    Part,
    require_version,
    time_of,
    versioned,
)
from offramp.web.api.repeatable import repeatable

TEXT_CHARACTERS_MAX = 254


class CustomerFacts(Part):
    """What is told of an organization, as a row of a roster tells it."""

    name: str
    zone: Annotated[str, Field(description="Its time zone: Europe/Dublin.")]
    locale: Annotated[str, Field(description="Its language: en, de, fr-CA.")]
    policy: Annotated[str, Field(description="The policy that it was promised.")]
    overrides: Annotated[
        Mapping[str, str], Field(description="Periods that its contract sets: grace, P60D.")
    ] = {}


class CustomerDocument(CustomerFacts):
    """One organization, as it was told."""

    organization: str


class StandingDocument(Part):
    """An organization, or one product of it, in its stage."""

    product: str | None
    stage: str
    ends_on: Annotated[str | None, Field(description="The last day, or null for none.")]
    next_due_at: str | None
    is_stopped: bool


class ListedDocument(Part):
    """One organization in a list."""

    organization: str
    name: str
    zone: str
    policy: str
    is_held: bool
    is_exempt: bool
    parts: tuple[StandingDocument, ...]


class ListingDocument(Part):
    """One page of organizations, by name."""

    organizations: tuple[ListedDocument, ...]
    after: Annotated[
        str | None, Field(description="Where the next page begins; null where there is none.")
    ]


class SearchDocument(Part):
    """Which organizations are looked for."""

    text: Annotated[
        str,
        Field(
            max_length=TEXT_CHARACTERS_MAX,
            description="What the name begins with, an id, or the address of one of its people.",
        ),
    ]
    state: Condition = Condition.ANY
    stage: Annotated[str, Field(description="The id of a stage.")] = ""
    after: Annotated[str | None, Field(description="The `after` of the page before.")] = None


class MemberDocument(Part):
    """One member."""

    member: str
    email: str
    name: str
    roles: tuple[Role, ...]
    locale: str
    zone: str
    pools: tuple[str, ...]
    ends_on: str | None
    removed_at: str | None


class MembersDocument(Part):
    """One page of members, by id."""

    members: tuple[MemberDocument, ...]
    after: Annotated[
        str | None, Field(description="Where the next page begins; null where there is none.")
    ]


def organization_routes(gate: Gate) -> APIRouter:
    """Give the routes for organizations."""
    routes = APIRouter(route_class=repeatable(gate), tags=["organizations"])
    viewer = Annotated[Caller, Depends(Need(gate=gate, role=OperatorRole.VIEWER))]
    operator = Annotated[Caller, Depends(Need(gate=gate, role=OperatorRole.OPERATOR))]

    @routes.get("/organizations")
    def list_them(
        caller: viewer,
        state: Annotated[Condition, Query(description="Where they stand.")] = Condition.ANY,
        stage: Annotated[str, Query(description="The id of the stage that they are in.")] = "",
        after: Annotated[str | None, Query(description="The `after` of the page before.")] = None,
    ) -> ListingDocument:
        """List organizations by name, 25 on a page; one of a stage may hold fewer and lead on."""
        return _listing(caller, SearchDocument(text="", state=state, stage=stage, after=after))

    @routes.post("/search/organizations")
    def search(caller: viewer, asked: SearchDocument) -> ListingDocument:
        """Look for organizations by name, by id, or by the address of one of their people."""
        return _listing(caller, asked)

    @routes.get("/organizations/{organization}")
    def look(caller: viewer, organization: Organization, response: Response) -> CustomerDocument:
        """Look at one organization."""
        return versioned(_document(look_up(caller.context, organization)), response)

    @routes.put("/organizations/{organization}")
    def tell(
        caller: operator,
        organization: Organization,
        told: CustomerFacts,
        response: Response,
        if_match: IfMatch = None,
    ) -> CustomerDocument:
        """Tell of a new organization, or change one; repeating it changes nothing."""
        customer = organization_of(_cells(organization, told))

        def judge(transaction: Transaction) -> None:
            present = transaction.organization(organization)
            require_version(_document(present) if present else None, if_match=if_match)

        register(caller.context, organizations=[customer], judge=judge)
        return versioned(_document(customer), response)

    @routes.get("/organizations/{organization}/members")
    def members(
        caller: viewer,
        organization: Organization,
        after: Annotated[str, Query(description="The `after` of the page before.")] = "",
        limit: Limit = PAGE_ROWS_MAX,
    ) -> MembersDocument:
        """List the members of an organization."""
        page = list_members(caller.context, organization, after=after, limit=limit)
        last = page.rows[-1].id if page.has_more else None
        return MembersDocument(members=tuple(map(_member, page.rows)), after=last)

    return routes


def _listing(caller: Caller, asked: SearchDocument) -> ListingDocument:
    after = None if asked.after is None else place_of(caller.context, asked.after)
    question = Question(text=asked.text, condition=asked.state, stage=asked.stage, after=after)
    listing = find_organizations(caller.context, question)
    return ListingDocument(
        organizations=tuple(map(_listed, listing.rows)),
        after=listing.after[1] if listing.after else None,
    )


def _listed(listed: Listed) -> ListedDocument:
    customer = listed.organization
    return ListedDocument(
        organization=customer.id,
        name=customer.name,
        zone=customer.zone,
        policy=customer.policy,
        is_held=listed.is_held,
        is_exempt=listed.is_exempt,
        parts=tuple(
            StandingDocument(
                product=part.product,
                stage=part.stage.id,
                ends_on=str(part.ends) if part.ends else None,
                next_due_at=time_of(part.next_due_at),
                is_stopped=part.is_stopped,
            )
            for part in listed.parts
        ),
    )


def _document(customer: Customer) -> CustomerDocument:
    return CustomerDocument(
        organization=customer.id,
        name=customer.name,
        zone=customer.zone,
        locale=customer.locale,
        policy=customer.policy,
        overrides=dict(sorted(customer.overrides.items())),
    )


def _cells(organization: str, told: CustomerFacts) -> dict[str, str]:
    overrides = ";".join(f"{name}={value}" for name, value in told.overrides.items())
    return {
        "organization": organization,
        "name": told.name,
        "zone": told.zone,
        "locale": told.locale,
        "policy": told.policy,
        "overrides": overrides,
    }


def _member(member: Member) -> MemberDocument:
    return MemberDocument(
        member=member.id,
        email=member.email,
        name=member.name,
        roles=tuple(sorted(member.roles)),
        locale=member.locale,
        zone=member.zone,
        pools=tuple(sorted(member.pools)),
        ends_on=str(member.ends) if member.ends else None,
        removed_at=time_of(member.removed_at),
    )
