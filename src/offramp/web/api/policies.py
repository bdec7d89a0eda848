"""Policies, by way of a program of the vendor: looked at, tried, published.

Source: docs/http.md, "Policies"; docs/policy.md, "A new version"; policy language S4.
"""

from typing import Annotated, Any

from fastapi import APIRouter, Body, Depends, Path, Query
from pydantic import Field
from whenever import Date

from offramp.core.compare import Shift
from offramp.core.operator import OperatorRole
from offramp.core.policy import Action, Policy
from offramp.core.publication import Fate, StepEffect
from offramp.documents.policy import parse_policy
from offramp.engine.publication import (
    Publication,
    find_published,
    list_published,
    preview,
    publish,
)
from offramp.web.api.caller import Caller, Gate, Need
from offramp.web.api.document import Part
from offramp.web.api.repeatable import repeatable

PolicyId = Annotated[str, Path(description="The policy's id.")]


class PolicySummary(Part):
    """The newest version of a policy."""

    policy: str
    version: int
    title: str


class PoliciesDocument(Part):
    """Every policy, in its newest version."""

    policies: tuple[PolicySummary, ...]


class StepEffectDocument(Part):
    """What a version does to one step, over all who are leaving."""

    step: str
    action: Action
    earlier: int
    later: int
    added: int
    removed: int
    first_on: Annotated[str | None, Field(description="The earliest of the new dates.")]
    spared: Annotated[int, Field(description="Who keep a date that would come sooner or be new.")]


class PublicationDocument(Part):
    """A version, and what it does to everybody who is leaving by another one."""

    policy: str
    version: int
    is_new: bool
    is_published: bool
    in_flight: Annotated[int, Field(description="So many are leaving by another version.")]
    takes_over: Annotated[int, Field(description="Were told nothing yet, and take it over.")]
    told: Annotated[int, Field(description="Were told dates already, and keep their version.")]
    unfit: Annotated[int, Field(description="Have a contract that it does not allow.")]
    steps: tuple[StepEffectDocument, ...]


def policy_routes(gate: Gate) -> APIRouter:
    """Give the routes for policies."""
    routes = APIRouter(route_class=repeatable(gate), prefix="/policies", tags=["policies"])
    viewer = Annotated[Caller, Depends(Need(gate=gate, role=OperatorRole.VIEWER))]
    admin = Annotated[Caller, Depends(Need(gate=gate, role=OperatorRole.ADMIN))]

    @routes.get("")
    def list_them(caller: viewer) -> PoliciesDocument:
        """List the policies in their newest versions."""
        found = list_published(caller.context)
        return PoliciesDocument(policies=tuple(map(_summary, found)))

    @routes.get("/{policy}")
    def look(
        caller: viewer,
        policy: PolicyId,
        version: Annotated[int | None, Query(ge=1, le=2**31 - 1, description="Not the newest.")] = (
            None
        ),
    ) -> dict[str, Any]:
        """Look at a policy as it was published; what it leaves to us is left out."""
        found = find_published(caller.context, policy, version=version)
        return found.model_dump(mode="json", by_alias=True, exclude_defaults=True)

    @routes.post("")
    def tell(
        caller: admin,
        document: Annotated[
            dict[str, Any], Body(description="A policy, as its file would hold it.")
        ],
        dry_run: Annotated[bool, Query(description="Say what it would do; publish nothing.")] = (
            False
        ),
    ) -> PublicationDocument:
        """Publish a version of a policy; what was not announced yet takes it over."""
        policy = parse_policy(document)
        carry_out = preview if dry_run else publish
        return _publication(carry_out(caller.context, policy), is_dry=dry_run)

    return routes


def _summary(policy: Policy) -> PolicySummary:
    return PolicySummary(policy=policy.policy, version=policy.version, title=policy.title)


def _publication(publication: Publication, *, is_dry: bool) -> PublicationDocument:
    effect = publication.effect
    return PublicationDocument(
        policy=publication.policy.policy,
        version=publication.policy.version,
        is_new=publication.is_new,
        is_published=publication.is_new and not is_dry,
        in_flight=effect.in_flight,
        takes_over=effect.fates[Fate.TAKES_OVER],
        told=effect.fates[Fate.TOLD],
        unfit=effect.fates[Fate.UNFIT],
        steps=tuple(map(_step, effect.steps())),
    )


def _step(step: StepEffect) -> StepEffectDocument:
    return StepEffectDocument(
        step=step.key,
        action=step.action,
        earlier=step.moves[Shift.EARLIER],
        later=step.moves[Shift.LATER],
        added=step.moves[Shift.ADDED],
        removed=step.moves[Shift.REMOVED],
        first_on=_day(step.first_on),
        spared=step.spared,
    )


def _day(day: Date | None) -> str | None:
    return day and day.format_iso()
