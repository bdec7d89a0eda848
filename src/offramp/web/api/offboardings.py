"""Who is leaving, how far they are, what comes when, and what was written to whom.

Source: docs/http.md, "Off-boardings"; mission A4, A7; `engine.pages`.
"""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query, Response
from pydantic import Field, TypeAdapter

from offramp.core.errors import Missing
from offramp.core.model import Cause
from offramp.core.operator import OperatorRole
from offramp.core.plan import Span
from offramp.core.policy import Action
from offramp.core.transitions import OffboardingStatus, StepStatus
from offramp.engine.correspondence import Written
from offramp.engine.overview import Leaving, StepState
from offramp.engine.pages import (
    PAGE_ROWS_MAX,
    certificate_of,
    list_deliveries,
    list_offboardings,
    look_at_offboarding,
)
from offramp.ports import DeliveryStatus, Offboarding
from offramp.web.api.caller import Caller, Gate, Need
from offramp.web.api.document import Limit, Organization, Part, leads_to, time_of
from offramp.web.api.repeatable import repeatable

OffboardingId = Annotated[str, Path(description="The off-boarding's id.")]
After = Annotated[
    str | None, Field(description="Where the next page begins; null where there is none.")
]
Past = Annotated[str | None, Query(description="The `after` of the page before.")]

_PLACE = TypeAdapter(tuple[str, str])  # a step and a member


class PagePlaceUnknown(Missing):
    """No page begins there; where one does, the page before says."""


class OffboardingDocument(Part):
    """One episode of an organization, of one of its products, or of one member."""

    offboarding: str
    member: str | None
    product: str | None
    episode: int
    status: OffboardingStatus
    cause: Cause
    policy: str
    version: int
    ends_on: Annotated[str, Field(description="The last day, or the instant of the end.")]
    opened_at: str
    closed_at: str | None
    next_due_at: str | None


class OffboardingsDocument(Part):
    """One page of off-boardings, by member, product and episode."""

    offboardings: tuple[OffboardingDocument, ...]
    after: After


class StageDocument(Part):
    """One stage, with the days on which it begins and ends."""

    stage: str
    title: str
    starts_at: str | None
    ends_at: str | None


class StepDocument(Part):
    """One step: planned, due, done, or kept from running by its reason."""

    step: str
    action: Action
    due_on: str
    due_at: str
    status: StepStatus
    is_due: bool
    reason: str | None
    until: str | None
    done_at: str | None
    expected_at: Annotated[
        str | None, Field(description="When a deletion is to be expected as things stand.")
    ]
    attempts: int
    trouble: Annotated[str | None, Field(description="What the last attempt met.")]
    deliveries: Annotated[Mapping[str, int], Field(description="Messages by status.")]


class TimelineDocument(OffboardingDocument):
    """One off-boarding with its stages and every step of it."""

    stage: str
    stages: tuple[StageDocument, ...]
    steps: tuple[StepDocument, ...]
    late: Annotated[
        tuple[str, ...], Field(description="Steps that come too late for their window.")
    ]


class ChangeDocument(Part):
    """What became of a message at one time."""

    at: str
    status: DeliveryStatus
    reason: Annotated[str | None, Field(description="What the receiving server answered.")]


class DeliveryDocument(Part):
    """One message to one person."""

    step: str
    member: str
    status: DeliveryStatus
    reason: Annotated[str | None, Field(description="What the receiving server answered.")]
    attempts: int
    accepted_at: str | None
    history: tuple[ChangeDocument, ...]


class DeliveriesDocument(Part):
    """One page of messages, by step and member."""

    deliveries: tuple[DeliveryDocument, ...]
    after: After


def offboarding_routes(gate: Gate) -> APIRouter:
    """Give the routes for off-boardings."""
    routes = APIRouter(
        route_class=repeatable(gate),
        prefix="/organizations/{organization}/offboardings",
        tags=["off-boardings"],
    )
    viewer = Annotated[Caller, Depends(Need(gate=gate, role=OperatorRole.VIEWER))]

    first = "$response.body#/offboardings/0/offboarding"

    @routes.get("", responses=leads_to("look-at-offboarding", offboarding=first))
    def list_them(
        caller: viewer,
        organization: Organization,
        after: Past = None,
        limit: Limit = PAGE_ROWS_MAX,
    ) -> OffboardingsDocument:
        """List every episode of an organization and its members; what is erased has one as well."""
        page = list_offboardings(caller.context, organization, after=after, limit=limit)
        return OffboardingsDocument(
            offboardings=tuple(
                OffboardingDocument.model_validate(_row(each)) for each in page.rows
            ),
            after=page.rows[-1].id if page.has_more else None,
        )

    same = "$response.body#/offboarding"

    @routes.get(
        "/{offboarding}",
        operation_id="look-at-offboarding",
        responses=leads_to("list-deliveries", offboarding=same),
    )
    def look(
        caller: viewer, organization: Organization, offboarding: OffboardingId
    ) -> TimelineDocument:
        """Look at one off-boarding: its stages, every step, and what is in the way."""
        return _timeline(look_at_offboarding(caller.context, organization, offboarding))

    @routes.get("/{offboarding}/deliveries", operation_id="list-deliveries")
    def deliveries(
        caller: viewer,
        organization: Organization,
        offboarding: OffboardingId,
        after: Past = None,
        limit: Limit = PAGE_ROWS_MAX,
    ) -> DeliveriesDocument:
        """List what was written to whom, with its history."""
        page = list_deliveries(
            caller.context, organization, offboarding, after=_read_place(after), limit=limit
        )
        return DeliveriesDocument(
            deliveries=tuple(map(_delivery, page.rows)),
            after=_place(page.rows[-1]) if page.has_more else None,
        )

    _add_certificate(routes, gate)
    return routes


def _add_certificate(routes: APIRouter, gate: Gate) -> None:
    viewer = Annotated[Caller, Depends(Need(gate=gate, role=OperatorRole.VIEWER))]

    @routes.get(
        "/{offboarding}/certificate",
        response_class=Response,
        responses={
            HTTPStatus.OK: {
                "description": "The certificate, as it was signed.",
                "content": {"application/json": {"schema": {"type": "object"}}},
            }
        },
    )
    def certificate(
        caller: viewer, organization: Organization, offboarding: OffboardingId
    ) -> Response:
        """Give the certificate of a deletion; `offramp certificate verify` checks it."""
        signed = certificate_of(caller.context, organization, offboarding)
        return Response(signed, media_type="application/json")


def _row(row: Offboarding) -> dict[str, object]:
    return {
        "offboarding": row.id,
        "member": row.subject.member,
        "product": row.subject.product,
        "episode": row.episode,
        "status": row.status,
        "cause": row.cause,
        "policy": row.policy,
        "version": row.policy_version,
        "ends_on": str(row.ends),
        "opened_at": row.opened_at.format_iso(),
        "closed_at": time_of(row.closed_at),
        "next_due_at": time_of(row.next_due_at),
    }


def _timeline(leaving: Leaving) -> TimelineDocument:
    return TimelineDocument.model_validate(
        {
            **_row(leaving.offboarding),
            "stage": leaving.stage.stage.id,
            "stages": tuple(map(_stage, leaving.timeline.spans)),
            "steps": tuple(map(_step, leaving.steps)),
            "late": leaving.late,
        }
    )


def _stage(span: Span) -> StageDocument:
    return StageDocument(
        stage=span.stage.id,
        title=span.stage.title or span.stage.id,
        starts_at=time_of(span.starts_at),
        ends_at=time_of(span.ends_at),
    )


def _step(step: StepState) -> StepDocument:
    return StepDocument(
        step=step.planned.key,
        action=step.planned.action,
        due_on=str(step.planned.due_on),
        due_at=step.planned.due_at.format_iso(),
        status=step.status,
        is_due=step.is_due,
        reason=step.reason.value if step.reason else None,
        until=time_of(step.until),
        done_at=time_of(step.done_at),
        expected_at=time_of(step.expected_at),
        attempts=step.attempts,
        trouble=step.trouble,
        deliveries={status.value: count for status, count in step.deliveries.items()},
    )


def _delivery(written: Written) -> DeliveryDocument:
    delivery = written.delivery
    return DeliveryDocument(
        step=delivery.step,
        member=delivery.member,
        status=delivery.status,
        reason=delivery.reason,
        attempts=delivery.attempts,
        accepted_at=time_of(delivery.accepted_at),
        history=tuple(
            ChangeDocument(at=note.at.format_iso(), status=note.status, reason=note.reason)
            for note in written.notes
        ),
    )


def _place(written: Written) -> str:
    """Write down where a page ends: two ids, which may hold any character."""
    place = json.dumps([written.delivery.step, written.delivery.member])
    return urlsafe_b64encode(place.encode()).decode().rstrip("=")


def _read_place(text: str | None) -> tuple[str, str]:
    if text is None:
        return "", ""
    try:
        return _PLACE.validate_json(urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    except ValueError as error:
        raise PagePlaceUnknown from error
