"""What concerns the whole installation: the ledger, the endpoints, the brakes, two people.

Who asks for many deletions and who approves them are named by their keys, so it takes two.

Source: docs/http.md, "The installation"; docs/decisions/020-two-people.md; lesson L26.
"""

from collections.abc import Mapping
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query
from pydantic import Field, StrictBool

from offramp.core.ledger import Detail, Entry
from offramp.core.operator import OperatorRole
from offramp.engine import arming, brake, webhook
from offramp.engine.api_keys import actor_of_key
from offramp.engine.pages import PAGE_ROWS_MAX, list_entries
from offramp.engine.webhook import EndpointView
from offramp.ports import Arming
from offramp.web.api.caller import Caller, Gate, Need
from offramp.web.api.document import Limit, Moment, Part, Reason, time_of
from offramp.web.api.repeatable import repeatable

NUMBER_MAX = 2**53
CAP_MAX = 1_000_000


class EntryDocument(Part):
    """One entry of the ledger; it names nobody."""

    number: int
    kind: str
    at: str
    offboarding: str | None
    episode: int | None
    step: str | None
    actor: str
    detail: Mapping[str, Detail]
    seal: str


class EntriesDocument(Part):
    """One page of the ledger, in its order."""

    events: tuple[EntryDocument, ...]
    after: Annotated[int, Field(description="Where the next page begins, now or later.")]


class EndpointDocument(Part):
    """One endpoint that is told of events, and what there is to bring to it."""

    endpoint: str
    place: str
    events: tuple[str, ...]
    waiting: int
    retried: int
    failed: int
    next_try_at: str | None
    disabled_at: str | None


class EndpointsDocument(Part):
    """Every endpoint of the configuration."""

    endpoints: tuple[EndpointDocument, ...]


class ReplayChoice(Part):
    """What is sent again: one event, or everything since an instant."""

    endpoint: Annotated[str | None, Field(description="Only to this endpoint.")] = None
    event: Annotated[str | None, Field(description="One event, by its id.")] = None
    since: Annotated[Moment | None, Field(description="Everything since then.")] = None


class ReplayedDocument(Part):
    """How many events are sent again."""

    events: int


class BrakeDocument(Part):
    """Whether everything destructive stands still, everywhere."""

    is_paused: StrictBool


class CapDocument(Part):
    """How many deletions may begin within 24 hours; the others wait."""

    erasures_max: Annotated[
        int | None, Field(ge=0, le=CAP_MAX, strict=True, description="None for no cap.")
    ]


class EnabledDocument(Part):
    """An endpoint that is sent everything again."""

    endpoint: str
    was_disabled: bool


class WishDocument(Part):
    """Why so many are to be deleted at once."""

    reason: Reason


class RequestDocument(Part):
    """A deletion of many organizations that one asks for and another one approves."""

    request: str
    owner: str
    reason: str
    asked_at: str
    expires_at: str
    organizations: int
    offboardings: int
    approver: str | None
    approved_at: str | None


class RequestsDocument(Part):
    """What waits for a second person."""

    requests: tuple[RequestDocument, ...]


def installation_routes(gate: Gate) -> APIRouter:
    """Give the routes for the whole installation."""
    routes = APIRouter(route_class=repeatable(gate), tags=["installation"])
    viewer = Annotated[Caller, Depends(Need(gate=gate, role=OperatorRole.VIEWER))]
    admin = Annotated[Caller, Depends(Need(gate=gate, role=OperatorRole.ADMIN))]

    @routes.get("/events")
    def events(
        caller: viewer,
        after: Annotated[
            int, Query(ge=0, le=NUMBER_MAX, description="The `after` of the page before.")
        ] = 0,
        limit: Limit = PAGE_ROWS_MAX,
    ) -> EntriesDocument:
        """List what happened, as the ledger has it: in order, and with nothing left out."""
        page = list_entries(caller.context, after=after, limit=limit)
        return EntriesDocument(
            events=tuple(map(_entry, page.rows)),
            after=page.rows[-1].number if page.rows else after,
        )

    @routes.get("/pause")
    def look_at_pause(caller: viewer) -> BrakeDocument:
        """Say whether everything destructive stands still."""
        return BrakeDocument(is_paused=brake.is_paused(caller.context))

    @routes.put("/pause")
    def pause(caller: admin, asked: BrakeDocument) -> BrakeDocument:
        """Stop everything destructive, everywhere, at the next chunk; or let it go on."""
        brake.set_paused(caller.context, is_paused=asked.is_paused)
        return asked

    @routes.put("/cap")
    def cap(caller: admin, asked: CapDocument) -> CapDocument:
        """Allow so many deletions to begin within 24 hours; the others wait."""
        brake.set_daily_cap(caller.context, asked.erasures_max)
        return asked

    _add_requests(routes, gate)
    _add_webhooks(routes, gate)
    return routes


def _add_requests(routes: APIRouter, gate: Gate) -> None:
    viewer = Annotated[Caller, Depends(Need(gate=gate, role=OperatorRole.VIEWER))]
    operator = Annotated[Caller, Depends(Need(gate=gate, role=OperatorRole.OPERATOR))]
    approver = Annotated[Caller, Depends(Need(gate=gate, role=OperatorRole.APPROVER))]

    @routes.get("/requests")
    def requests(caller: viewer) -> RequestsDocument:
        """List the deletions of many organizations that wait to be approved."""
        found = arming.list_requests(caller.context)
        return RequestsDocument(requests=tuple(map(_request, found)))

    @routes.post("/requests")
    def ask(caller: operator, asked: WishDocument) -> RequestDocument:
        """Ask somebody else to let everything begin that is to be deleted within a day."""
        owner = actor_of_key(caller.name)
        return _request(arming.ask(caller.context, owner=owner, reason=asked.reason))

    @routes.post("/requests/{request}/approve")
    def approve(
        caller: approver, request: Annotated[str, Path(description="The request's id.")]
    ) -> RequestDocument:
        """Approve what another key asked for: what it names is deleted on its date."""
        name = actor_of_key(caller.name)
        return _request(arming.approve(caller.context, request, approver=name))


def _add_webhooks(routes: APIRouter, gate: Gate) -> None:
    viewer = Annotated[Caller, Depends(Need(gate=gate, role=OperatorRole.VIEWER))]
    operator = Annotated[Caller, Depends(Need(gate=gate, role=OperatorRole.OPERATOR))]

    @routes.get("/webhooks")
    def webhooks(caller: viewer) -> EndpointsDocument:
        """List the endpoints that are told of events, and what waits for each."""
        found = webhook.overview(caller.context)
        return EndpointsDocument(endpoints=tuple(map(_endpoint, found)))

    @routes.post("/webhooks/replay")
    def replay(caller: operator, asked: ReplayChoice) -> ReplayedDocument:
        """Send events once more, under the ids that they had, to whoever wants their kind."""
        count = webhook.send_again(
            caller.context, endpoint=asked.endpoint, event=asked.event, since=asked.since
        )
        return ReplayedDocument(events=count)

    @routes.post("/webhooks/{endpoint}/enable")
    def enable(
        caller: operator, endpoint: Annotated[str, Path(description="An endpoint, by its name.")]
    ) -> EnabledDocument:
        """Send an endpoint everything again that answered 410, beginning with what has waited."""
        was_disabled = webhook.enable(caller.context, endpoint)
        return EnabledDocument(endpoint=endpoint, was_disabled=was_disabled)


def _entry(entry: Entry) -> EntryDocument:
    event = entry.event
    return EntryDocument(
        number=entry.number,
        kind=event.kind,
        at=event.at.format_iso(),
        offboarding=event.offboarding,
        episode=event.episode,
        step=event.step,
        actor=event.actor,
        detail=dict(event.detail),
        seal=entry.seal,
    )


def _request(asked: Arming) -> RequestDocument:
    return RequestDocument(
        request=asked.id,
        owner=asked.owner,
        reason=asked.reason,
        asked_at=asked.asked_at.format_iso(),
        expires_at=asked.expires_at.format_iso(),
        organizations=asked.organizations,
        offboardings=asked.offboardings,
        approver=asked.approver,
        approved_at=time_of(asked.approved_at),
    )


def _endpoint(view: EndpointView) -> EndpointDocument:
    load = view.load
    return EndpointDocument(
        endpoint=view.name,
        place=view.place,
        events=tuple(sorted(view.kinds)),
        waiting=load.waiting,
        retried=load.retried,
        failed=load.failed,
        next_try_at=time_of(load.next_try_at),
        disabled_at=time_of(load.disabled_at),
    )
