"""Whom a notice is for, and the facts that it states. Wording and languages are not decided here.

Dates and days are computed from the same timeline that access is decided from, so a message can
never contradict the product.

Source: mission A5, A6, B7, B8, B10; policy language N1, N3; lesson L7.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Self

from whenever import Date, Instant

from offramp.core.dates import civil_date, days_between, last_day_before
from offramp.core.due import expected_erasure
from offramp.core.model import Receipt, Role, SubjectKind
from offramp.core.plan import PlannedStep, Span, Timeline
from offramp.core.policy import Action, Audience, Links

DAY_HOURS = 24
ERASED, WELCOME_BACK = "erased", "welcome-back"  # notices with words of their own
BANNER = "banner"  # the notice that is shown in the product, and no step sends
ROLE_OF: Mapping[Audience, Role | None] = {
    Audience.MEMBERS: None,
    Audience.SUBJECT: None,
    Audience.ADMINS: Role.ADMIN,
    Audience.OWNER: Role.OWNER,
    Audience.BILLING: Role.BILLING,
}
"""The role that an audience asks for; none stands for every member that the subject covers."""

LOOK_AFTER = frozenset({Role.ADMIN, Role.OWNER, Role.BILLING})
"""Who answers for an organization, and is sent its dates and its certificate."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeFacts:
    """The facts that one message or banner states: instants, and their days in one zone.

    A fact is none when nothing is planned, and the end of a stage also when the plan is late.

    Attributes:
        words: the notice whose words are taken where it has none of its own.
        zone: whose days the dates are; `for_reader` gives those of a reader elsewhere.
        is_one_member: whether one member alone leaves, and not the organization.
        issue: which hand-over of the same thing this is; above 1 it was sent before.
        stage_ends_at: from here on another stage is in force than the one at ``stated_at``.
        access_ends_at: from here on nobody has full access.
        exports_at: when the data is next handed over, and ``exports_to`` whom, as in `ROLE_OF`.
        erases_at: when deletion is to be expected as things stand.
        erases_before: until when it is due at the latest.
        days_left: on so many days the stage still holds, today included; these are counted by the
            organization's calendar, whose last day may end within another one elsewhere.
    """

    notice: str
    words: str = "generic"
    issue: int = 1
    product: str | None
    is_one_member: bool = False
    stage: str
    stage_title: str
    zone: str
    stated_at: Instant
    stage_ends_at: Instant | None
    access_ends_at: Instant | None
    exports_at: Instant | None
    exports_to: frozenset[Role | None] = frozenset()
    erases_at: Instant | None
    erases_before: Instant | None
    days_left: int | None
    agreement: str | None
    information: str | None
    support: str | None

    def for_reader(self, roles: frozenset[Role], *, zone: str) -> Self:
        """State the same facts by the calendar of a reader, and only what concerns them (N1)."""
        is_sent_it = None in self.exports_to or bool(self.exports_to & roles)
        return replace(self, zone=zone, exports_at=self.exports_at if is_sent_it else None)

    @property
    def stated_on(self) -> Date:
        """The day on which all this is said."""
        return civil_date(self.stated_at, zone=self.zone)

    @property
    def stage_ends_on(self) -> Date | None:
        """The last day of the stage."""
        return self._last_day(self.stage_ends_at)

    @property
    def access_ends_on(self) -> Date | None:
        """The last day of full access."""
        return self._last_day(self.access_ends_at)

    @property
    def exports_on(self) -> Date | None:
        """The day on which the data is handed over."""
        return self._day(self.exports_at)

    @property
    def erases_on(self) -> Date | None:
        """The day of the deletion, or the first day on which it may happen."""
        return self._day(self.erases_at)

    @property
    def erases_no_later_than(self) -> Date | None:
        """The last day on which the deletion may happen."""
        return self._last_day(self.erases_before)

    @property
    def is_window(self) -> bool:
        """Whether the deletion may be on one of several days."""
        if self.erases_at is None or self.erases_before is None:
            return False
        return self.erases_at.add(hours=DAY_HOURS) < self.erases_before

    def _day(self, moment: Instant | None) -> Date | None:
        return None if moment is None else civil_date(moment, zone=self.zone)

    def _last_day(self, end: Instant | None) -> Date | None:
        return None if end is None else last_day_before(end, zone=self.zone)


def state_facts(
    timeline: Timeline,
    planned: PlannedStep | None,
    *,
    product: str | None = None,
    issue: int = 1,
    receipts: Mapping[str, Receipt],
    now: Instant,
) -> NoticeFacts:
    """Work out what a notice says, from the timeline that everything else is decided from.

    Args:
        planned: the step that it is sent for; none for what is shown in the product.
    """
    span = timeline.span_at(now, receipts=receipts)
    erase = next((p for p in timeline.steps if p.action is Action.ERASE), None)
    export = _next_export(timeline, receipts=receipts, now=now)
    links = timeline.policy.links
    facts = NoticeFacts(
        notice=_name_of(planned),
        issue=issue,
        product=product,
        is_one_member=timeline.kind is SubjectKind.MEMBER,
        stage=span.stage.id,
        stage_title=span.stage.title or span.stage.id,
        zone=timeline.zone,
        stated_at=now,
        stage_ends_at=_end_to_come(span, now=now),
        access_ends_at=timeline.spans[0].ends_at,
        exports_at=export.due_at if export else None,
        exports_to=_roles_of(export),
        erases_at=expected_erasure(timeline, receipts=receipts, now=now),
        erases_before=erase.deadline_at if erase else None,
        days_left=_days_left(_end_to_come(span, now=now), now=now, zone=timeline.zone),
        agreement=links.agreement,
        information=links.information,
        support=links.support,
    )
    if planned is None:
        return facts
    if planned.is_of_return:
        return replace(_without_what_follows(facts), words=WELCOME_BACK)
    if planned.is_destructive:
        return replace(_without_what_follows(facts), words=ERASED, access_ends_at=None)
    return facts


def state_nothing(notice: str, *, zone: str, links: Links, now: Instant) -> NoticeFacts:
    """Give the facts of a message that tells nothing of anybody's stage."""
    return NoticeFacts(
        notice=notice,
        product=None,
        stage="",
        stage_title="",
        zone=zone,
        stated_at=now,
        stage_ends_at=None,
        access_ends_at=None,
        exports_at=None,
        erases_at=None,
        erases_before=None,
        days_left=None,
        agreement=links.agreement,
        information=links.information,
        support=links.support,
    )


def _without_what_follows(facts: NoticeFacts) -> NoticeFacts:
    """Leave out what is over, or so far ahead that it is no news."""
    return replace(
        facts,
        stage_ends_at=None,
        days_left=None,
        exports_at=None,
        erases_at=None,
        erases_before=None,
    )


def _name_of(planned: PlannedStep | None) -> str:
    if planned is None:
        return BANNER
    return planned.step.id if planned.step else planned.key


def _next_export(
    timeline: Timeline, *, receipts: Mapping[str, Receipt], now: Instant
) -> PlannedStep | None:
    exports = (p for p in timeline.steps if p.action is Action.EXPORT and p.key not in receipts)
    return next((planned for planned in exports if planned.due_at > now), None)


def _roles_of(planned: PlannedStep | None) -> frozenset[Role | None]:
    audience = planned.step.audience if planned is not None and planned.step is not None else ()
    return frozenset(ROLE_OF[each] for each in audience)


def _end_to_come(span: Span, *, now: Instant) -> Instant | None:
    return None if span.is_overdue(now) else span.ends_at


def _days_left(end: Instant | None, *, now: Instant, zone: str) -> int | None:
    if end is None:
        return None
    return days_between(civil_date(now, zone=zone), last_day_before(end, zone=zone)) + 1
