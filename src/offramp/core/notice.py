"""Whom a notice is for, and the facts that it states. Wording and languages are not decided here.

Dates and days are computed from the same timeline that access is decided from, so a message can
never contradict the product.

Source: mission A5, A6, B7, B8, B10; policy language N1, N3; lesson L7.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from whenever import Date, Instant

from offramp.core.dates import civil_date, days_between
from offramp.core.due import erases_at
from offramp.core.model import Receipt, Role
from offramp.core.plan import PlannedStep, Span, Timeline
from offramp.core.policy import Action, Audience

ROLE_OF: Mapping[Audience, Role | None] = {
    Audience.MEMBERS: None,
    Audience.SUBJECT: None,
    Audience.ADMINS: Role.ADMIN,
    Audience.OWNER: Role.OWNER,
    Audience.BILLING: Role.BILLING,
}
"""The role that an audience asks for; none stands for every member that the subject covers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Banner:
    """What a page shows while a stage lasts (B7)."""

    stage: str
    title: str
    until_on: Date | None
    days_left: int | None
    agreement: str | None
    information: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeFacts:
    """The facts that one message states, the same for every reader of it.

    ``stage_ends_on`` is the last day of the stage that is in force when it is sent, none when
    nothing is planned or the plan is late; ``erases_on`` is the date to be expected as things
    stand; ``dates`` gives the planned date of every step and the first day of every stage.
    """

    notice: str
    product: str | None
    stage: str
    stage_title: str
    stage_ends_on: Date | None
    days_left: int | None
    access_ends_on: Date | None
    erases_on: Date | None
    erases_no_later_than: Date | None
    dates: Mapping[str, Date]
    agreement: str | None
    information: str | None
    support: str | None


def state_facts(
    timeline: Timeline,
    planned: PlannedStep,
    *,
    product: str | None = None,
    receipts: Mapping[str, Receipt],
    now: Instant,
) -> NoticeFacts:
    """Work out what a notice says, from the timeline that everything else is decided from."""
    span = timeline.span_at(now, receipts=receipts)
    erase = next((p for p in timeline.steps if p.action is Action.ERASE), None)
    erases_on = _erases_on(timeline, erase, receipts=receipts, now=now) if erase else None
    links = timeline.policy.links
    return NoticeFacts(
        notice=planned.step.id if planned.step else planned.key,
        product=product,
        stage=span.stage.id,
        stage_title=span.stage.title or span.stage.id,
        stage_ends_on=_last_day(span, now=now),
        days_left=_days_left(timeline, span, now=now),
        access_ends_on=timeline.spans[0].last_on,
        erases_on=erases_on,
        erases_no_later_than=erase.deadline_on if erase else None,
        dates=_dates(timeline),
        agreement=links.agreement,
        information=links.information,
        support=links.support,
    )


def _dates(timeline: Timeline) -> dict[str, Date]:
    stages = {s.stage.id: s.first_on for s in timeline.spans if s.first_on is not None}
    return stages | {planned.key: planned.due_on for planned in timeline.steps}


def _erases_on(
    timeline: Timeline, erase: PlannedStep, *, receipts: Mapping[str, Receipt], now: Instant
) -> Date:
    """Give the new date when a late notice has moved it, and the real one when it is done (D2)."""
    return civil_date(erases_at(erase, timeline, receipts=receipts, now=now), zone=timeline.zone)


def _last_day(span: Span, *, now: Instant) -> Date | None:
    return None if span.is_overdue(now) else span.last_on


def _days_left(timeline: Timeline, span: Span, *, now: Instant) -> int | None:
    """Count the days on which the stage still holds, today included."""
    last_day = _last_day(span, now=now)
    if last_day is None:
        return None
    return days_between(civil_date(now, zone=timeline.zone), last_day) + 1


def banner(timeline: Timeline, *, receipts: Mapping[str, Receipt], now: Instant) -> Banner | None:
    """Give the banner of the stage in force, if that stage has one."""
    span = timeline.span_at(now, receipts=receipts)
    if not span.stage.banner:
        return None
    links = timeline.policy.links
    return Banner(
        stage=span.stage.id,
        title=span.stage.title or span.stage.id,
        until_on=_last_day(span, now=now),
        days_left=_days_left(timeline, span, now=now),
        agreement=links.agreement,
        information=links.information,
    )
