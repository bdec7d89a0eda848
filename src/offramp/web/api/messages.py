"""Messages and links of a whole organization: sent again, listed, taken back.

Source: docs/http.md, "Messages and links"; mission A4, A8; `engine.link`, `engine.resending`.
"""

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Depends, Query
from pydantic import Field, StrictBool

from offramp.core.link import LinkState
from offramp.core.model import SubjectKind
from offramp.core.operator import OperatorRole
from offramp.engine.link import Listed, list_copies, list_links, reissue, revoke
from offramp.engine.resending import ask_again
from offramp.ports import OwnCopy
from offramp.web.api.again import Queued
from offramp.web.api.caller import Caller, Gate, Need
from offramp.web.api.document import Organization, Part, time_of
from offramp.web.api.repeatable import repeatable


class LinkChoice(Part):
    """Which links are meant; all of them, unless something is said."""

    member: Annotated[str | None, Field(description="Only those of this member.")] = None
    step: Annotated[str | None, Field(description="Only those to the data of this step.")] = None


class MessageChoice(LinkChoice):
    """Which messages are meant; all that were sent, unless something is said."""

    is_lost: Annotated[
        StrictBool, Field(description="Only those that were refused or came back.")
    ] = False


class LinkDocument(Part):
    """One link to data that was too large for a mail."""

    offboarding: str
    step: str
    member: str
    state: LinkState
    mailed_at: str
    expires_at: str
    downloads: int
    downloaded_at: str | None
    revoked_at: str | None


class CopyDocument(Part):
    """One copy of data that a person asked for, and that can be downloaded."""

    scope: Annotated[SubjectKind, Field(description="Their own data, or all of the organization.")]
    member: str
    asked_at: str
    mailed_at: str | None
    expires_at: str | None
    downloads: int
    downloaded_at: str | None


class LinksDocument(Part):
    """The links of an organization, and the copies that people asked for."""

    links: tuple[LinkDocument, ...]
    copies: tuple[CopyDocument, ...]


class RevokedDocument(Part):
    """How many links lead nowhere now."""

    revoked: int


def message_routes(gate: Gate) -> APIRouter:
    """Give the routes for messages and links."""
    routes = APIRouter(
        route_class=repeatable(gate), prefix="/organizations/{organization}", tags=["messages"]
    )
    viewer = Annotated[Caller, Depends(Need(gate=gate, role=OperatorRole.VIEWER))]
    support = Annotated[Caller, Depends(Need(gate=gate, role=OperatorRole.SUPPORT))]

    @routes.post("/messages/resend", status_code=HTTPStatus.ACCEPTED)
    def resend(caller: support, organization: Organization, asked: MessageChoice) -> Queued:
        """Send messages again that are still of use."""
        count = ask_again(
            caller.context,
            organization,
            step=asked.step,
            member=asked.member,
            is_lost=asked.is_lost,
        )
        return Queued(messages=count)

    @routes.get("/links")
    def links(
        caller: viewer,
        organization: Organization,
        member: Annotated[str | None, Query(description="Only those of this member.")] = None,
    ) -> LinksDocument:
        """List the links to data of an organization, whether they work, and how often they did."""
        found = list_links(caller.context, organization, member=member)
        copies = list_copies(caller.context, organization, member=member)
        return LinksDocument(links=tuple(map(_link, found)), copies=tuple(map(_copy, copies)))

    @routes.post("/links/reissue", status_code=HTTPStatus.ACCEPTED)
    def reissue_links(caller: support, organization: Organization, asked: LinkChoice) -> Queued:
        """Send data again that was sent before; a new link ends the old one of its reader."""
        count = reissue(caller.context, organization, member=asked.member, step=asked.step)
        return Queued(messages=count)

    @routes.post("/links/revoke")
    def revoke_links(
        caller: support, organization: Organization, asked: LinkChoice
    ) -> RevokedDocument:
        """Let links to data of an organization lead nowhere, from now on."""
        count = revoke(caller.context, organization, member=asked.member, step=asked.step)
        return RevokedDocument(revoked=count)

    return routes


def _link(listed: Listed) -> LinkDocument:
    link = listed.link
    return LinkDocument(
        offboarding=link.offboarding,
        step=link.step,
        member=link.member,
        state=listed.state,
        mailed_at=link.mailed_at.format_iso(),
        expires_at=link.expires_at.format_iso(),
        downloads=link.downloads,
        downloaded_at=time_of(link.downloaded_at),
        revoked_at=time_of(link.revoked_at),
    )


def _copy(copy: OwnCopy) -> CopyDocument:
    return CopyDocument(
        scope=copy.scope,
        member=copy.member,
        asked_at=copy.asked_at.format_iso(),
        mailed_at=time_of(copy.mailed_at),
        expires_at=time_of(copy.expires_at),
        downloads=copy.downloads,
        downloaded_at=time_of(copy.downloaded_at),
    )
