"""A policy and the facts of one subject become a timeline. Every date of every step is set here.

A timeline is a value: the same policy and facts always give the same one, whatever has been done
and whatever the time is. Receipts and the clock meet it in ``core/due.py`` and ``core/access.py``.

Source: policy language T1-T5, S1, S2, N3; docs/decisions/002-one-timeline.md.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from itertools import pairwise

from whenever import Date, Instant

from offramp.core.dates import (
    Boundary,
    Period,
    civil_date,
    days_between,
    effect,
    first_at,
    first_instant,
    last_day_before,
    shift,
)
from offramp.core.errors import Broken
from offramp.core.model import ANCHOR_OF, Anchor, Cause, Facts, Outcome, Receipt, SubjectKind
from offramp.core.moment import Choice, Moment, Special
from offramp.core.policy import ANY, Action, NamedPeriod, Policy, Schedule, Stage, Step

TURNS = 2**32  # places in a window over which deletions are spread
SPARE_DAYS = 14  # before a window closes, in which nobody's turn comes: the alarm is raised then
STAGE_PREFIX = "stage:"
INSTEAD_SUFFIX = ".instead"


class AnchorsCircular(Broken):
    """The policy {policy} counts {name} from itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """One stage on the calendar, half-open: it holds from ``starts_at`` until before ``ends_at``.

    ``first_on`` and ``last_on`` are the civil days for people: the first and last day of it.
    ``after_step`` names the destructive step without whose receipt it is never reached.
    """

    stage: Stage
    starts_at: Instant | None
    ends_at: Instant | None
    first_on: Date | None
    last_on: Date | None
    after_step: str | None = None

    def is_overdue(self, now: Instant) -> bool:
        """Whether its planned end has passed; it lasts until a destructive step is done."""
        return self.ends_at is not None and self.ends_at <= now


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedStep:
    """One dated thing to do; ``key`` is unique in its timeline and stable over replanning."""

    key: str
    action: Action
    due_on: Date
    due_at: Instant
    step: Step | None = None  # none for the change of a stage, which every stage implies
    stage: Stage | None = None
    useful_until: Instant | None = None
    deadline_on: Date | None = None
    deadline_at: Instant | None = None

    def is_useless(self, *, now: Instant) -> bool:
        """Whether the time is over in which it was of use to anybody."""
        return self.useful_until is not None and now >= self.useful_until

    @property
    def is_destructive(self) -> bool:
        """Whether it takes something away for good."""
        return self.action is Action.ERASE

    @property
    def is_of_return(self) -> bool:
        """Whether it is for those who were leaving and stay after all."""
        return self.step is not None and self.step.is_of_return


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeline:
    """Everything that will happen to one subject, in order."""

    policy: Policy
    kind: SubjectKind
    zone: str
    spans: tuple[Span, ...]
    steps: tuple[PlannedStep, ...]
    anchors: Mapping[str, Boundary] = field(default_factory=dict)

    def find(self, key: str) -> PlannedStep | None:
        """Find a step by its key."""
        return next((planned for planned in self.steps if planned.key == key), None)

    def occurrences(self, step_id: str) -> tuple[PlannedStep, ...]:
        """List every planned occurrence of one step of the policy, in due order."""
        return tuple(p for p in self.steps if p.step is not None and p.step.id == step_id)

    def span_at(self, now: Instant, *, receipts: Mapping[str, Receipt]) -> Span:
        """Say which stage the subject is in at an instant (S1).

        A destructive stage is reached by its receipt, never by the calendar; until then no stage
        after it is reached either.
        """
        reached = self.spans[0]
        for before, span in pairwise(self.spans):
            if span.after_step is not None and not _is_done(receipts.get(span.after_step), now):
                break
            is_opened = span.after_step is not None and before.after_step is None
            if is_opened or (span.starts_at is not None and span.starts_at <= now):
                reached = span
        return reached


def _is_done(receipt: Receipt | None, now: Instant) -> bool:
    return receipt is not None and receipt.outcome is Outcome.DONE and receipt.done_at <= now


def plan(policy: Policy, facts: Facts) -> Timeline:
    """Date every stage and every step of a policy for one subject.

    Stages and steps whose anchor is not known (an organization without an end date) or whose
    cause is another one are left out.

    Raises:
        AnchorsCircular: two names are counted from each other; `core/lint.py` refuses such files.
    """
    calendar = _Calendar(policy, facts)
    spans = _spans(calendar)
    steps = [
        planned for step in policy.steps_for(facts.kind) for planned in _occurrences(calendar, step)
    ]
    changes = [_stage_change(span, zone=facts.zone) for span in spans[1:] if _is_dated(span)]
    return Timeline(
        policy=policy,
        kind=facts.kind,
        zone=facts.zone,
        spans=spans,
        steps=tuple(sorted([*changes, *steps], key=lambda planned: planned.due_at)),
        anchors=calendar.anchors,
    )


def turn_of(organization: str) -> int:
    """Give an organization its place in every spread window: always the same, and even (T5)."""
    return int.from_bytes(sha256(organization.encode()).digest()[:4], "big")


def substitute(timeline: Timeline, required: str, *, now: Instant) -> PlannedStep:
    """Plan the notice that replaces a required one that was missed or reached nobody (D2)."""
    missed = timeline.policy.step(required)
    named = next(
        (s.instead for s in timeline.policy.steps if s.instead and _requires(s, required)), None
    )
    step = timeline.policy.step(named) if named else None
    fallback = missed.fallback if missed else Step.model_fields["fallback"].default
    return PlannedStep(
        key=required + INSTEAD_SUFFIX,
        action=Action.NOTIFY,
        due_on=civil_date(now, zone=timeline.zone),
        due_at=now,
        step=step
        or Step.model_validate(
            {
                "id": "deletion-warning",
                "at": "immediately",
                "notify": tuple(dict.fromkeys(("admins", *fallback))),
                "fallback": fallback,
            }
        ),
    )


def _requires(step: Step, required: str) -> bool:
    return any(requirement.delivered == required for requirement in step.requires)


@dataclass(frozen=True, slots=True)
class _Calendar:
    """Names to boundaries, each worked out once, always from its own anchor."""

    policy: Policy
    facts: Facts
    known: dict[str, Boundary | None] = field(default_factory=dict)
    pending: set[str] = field(default_factory=set)

    @property
    def anchors(self) -> dict[str, Boundary]:
        return {name: end for name, end in self.facts.anchors.items() if end is not None}

    def chosen(self, schedule: Schedule) -> tuple[Moment, ...]:
        return schedule.get(self.facts.cause, schedule.get(ANY, ()))

    def boundary(self, name: str) -> Boundary | None:
        if name in self.known:
            return self.known[name]
        if name in self.pending:
            raise AnchorsCircular(policy=self.policy.policy, name=name)
        self.pending.add(name)
        self.known[name] = self._find(name)
        self.pending.discard(name)
        return self.known[name]

    def _find(self, name: str) -> Boundary | None:
        if name in self.facts.anchors:
            return self.facts.anchors[name]
        if stage := next((s for s in self.policy.stages if s.id == name), None):
            moments = self.chosen(stage.starts) if stage.starts else ()
            return self.resolve(moments[0]) if moments else None
        steps = self.policy.steps_for(self.facts.kind)
        if name == Anchor.DELETION:
            name = next((step.id for step in steps if step.is_destructive), name)
        if step := next((s for s in steps if s.id == name), None):
            return min((planned.due_on for planned in _occurrences(self, step)), default=None)
        return None

    def anchor_of(self, moment: Moment) -> Boundary | None:
        """Give the boundary a moment counts from; unknown anchors do not take part."""
        if moment.special is Special.IMMEDIATELY:
            names: tuple[str, ...] = (ANCHOR_OF[self.facts.cause], Anchor.EXPIRY)
            return next((end for name in names if (end := self.boundary(name))), None)
        found = [end for name in moment.anchors if (end := self.boundary(name)) is not None]
        if not found:
            return None
        choose = max if moment.choice is Choice.LATEST else min
        return choose(found, key=lambda end: effect(end, zone=self.facts.zone))

    def length_of(self, moment: Moment) -> Period | Special | None:
        """Give the period of a moment; a named one may be overridden by the contract."""
        if not isinstance(moment.length, str):
            return moment.length
        value = self.facts.overrides.get(moment.length)
        named = self.policy.periods.get(moment.length, NamedPeriod(value="never"))
        chosen = named.value if value is None else value
        if isinstance(chosen, Period):
            return chosen
        return Special(chosen) if chosen in set(Special) else Period.parse(chosen)

    def resolve(self, moment: Moment) -> Boundary | None:
        length = self.length_of(moment)
        anchor = self.anchor_of(moment)
        if anchor is None or Special.NEVER in (moment.special, length):
            return None
        if not isinstance(length, Period):
            return anchor
        return shift(
            anchor,
            length,
            zone=self.facts.zone,
            backwards=moment.backwards,
            calendar=self.policy.calendar,
        )


def stage_starts(policy: Policy, facts: Facts) -> list[tuple[Stage, Instant | None, str | None]]:
    """Date each stage for itself, wherever the stages above it fall; lint compares the two.

    Shape:
        rows: the stage, when it begins (the first one has always been), and the key of the
            destructive step that opens it, if one does. Stages without a date are left out.
    """
    return _stage_starts(_Calendar(policy, facts))


def _stage_starts(calendar: _Calendar) -> list[tuple[Stage, Instant | None, str | None]]:
    rows: list[tuple[Stage, Instant | None, str | None]] = []
    for stage in calendar.policy.stages:
        if stage.starts is None:
            rows.append((stage, None, None))
            continue
        moments = calendar.chosen(stage.starts)
        boundary = calendar.resolve(moments[0]) if moments else None
        if boundary is None:
            continue
        opening = _destroying(calendar, moments[0])
        starts_at = opening.due_at if opening else effect(boundary, zone=calendar.facts.zone)
        rows.append((stage, starts_at, opening.key if opening else None))
    return rows


def _spans(calendar: _Calendar) -> tuple[Span, ...]:
    """Place the stages; a stage never begins before the one above it."""
    zone = calendar.facts.zone
    placed: list[tuple[Stage, Instant | None, str | None]] = []
    latest: Instant | None = None
    destroying: str | None = None
    for stage, starts_at, opened_by in _stage_starts(calendar):
        if starts_at is not None:
            latest = starts_at if latest is None else max(latest, starts_at)
        destroying = destroying or opened_by
        placed.append((stage, latest, destroying))
    ends = [starts_at for _, starts_at, _ in placed[1:]] + [None]
    return tuple(
        Span(
            stage=stage,
            starts_at=starts_at,
            ends_at=ends_at,
            first_on=None if starts_at is None else civil_date(starts_at, zone=zone),
            last_on=None if ends_at is None else last_day_before(ends_at, zone=zone),
            after_step=after_step,
        )
        for (stage, starts_at, after_step), ends_at in zip(placed, ends, strict=True)
    )


def _destroying(calendar: _Calendar, moment: Moment) -> PlannedStep | None:
    """Find the destructive step whose receipt opens a stage, if it is one.

    A stage counted some time after a destructive step has a date of its own.
    """
    if moment.length is not None:
        return None
    for step in calendar.policy.steps_for(calendar.facts.kind):
        if step.is_destructive and {step.id, Anchor.DELETION} & moment.names:
            return next(iter(_occurrences(calendar, step)), None)
    return None


def _is_dated(span: Span) -> bool:
    return span.starts_at is not None and span.after_step is None


def _stage_change(span: Span, *, zone: str) -> PlannedStep:
    assert span.starts_at is not None, "only dated spans change on a date"
    return PlannedStep(
        key=STAGE_PREFIX + span.stage.id,
        action=Action.ACCESS,
        due_on=civil_date(span.starts_at, zone=zone),
        due_at=span.starts_at,
        stage=span.stage,
    )


def _occurrences(calendar: _Calendar, step: Step) -> list[PlannedStep]:
    moments = calendar.chosen(step.at)
    dated = [(moment, calendar.resolve(moment)) for moment in moments]
    useful_until = calendar.resolve(step.useful_until) if step.useful_until else None
    deadline = calendar.resolve(step.no_later_than) if step.no_later_than else None
    zone = calendar.facts.zone
    planned = []
    for number, (moment, opens) in enumerate(dated, start=1):
        if opens is None:
            continue
        boundary = _spread(calendar, step, opens, deadline)
        due_at = _due_at(calendar, step, moment, boundary)
        planned.append(
            PlannedStep(
                key=step.id if len(moments) == 1 else f"{step.id}#{number}",
                action=step.action,
                due_on=civil_date(due_at, zone=zone),
                due_at=due_at,
                step=step,
                useful_until=None if useful_until is None else effect(useful_until, zone=zone),
                deadline_on=None if deadline is None else civil_date(deadline, zone=zone),
                deadline_at=None if deadline is None else effect(deadline, zone=zone),
            )
        )
    return planned


def _spread(
    calendar: _Calendar, step: Step, opens: Boundary, deadline: Boundary | None
) -> Boundary:
    """Move a deletion to its turn inside its window, which leaves time before the window closes.

    Counted as a share of the days, so that a later end never gives an earlier turn (T8).
    """
    if step.spread_over is None or deadline is None:
        return opens
    zone = calendar.facts.zone
    closes = shift(opens, step.spread_over, zone=zone, calendar=calendar.policy.calendar)
    first = civil_date(opens, zone=zone)
    last = min(
        civil_date(closes, zone=zone), civil_date(deadline, zone=zone).subtract(days=SPARE_DAYS)
    )
    days = max(0, days_between(first, last)) * calendar.facts.turn // TURNS
    return shift(opens, Period(days=days), zone=zone)


def _due_at(calendar: _Calendar, step: Step, moment: Moment, boundary: Boundary) -> Instant:
    """Give the instant of a step: its local hour on its date, never before its anchor (T4).

    A step counted forwards waits until its anchor has taken effect; one that is immediate, as the
    word of a return is, or counted in exact hours, is due at that instant.
    """
    zone = calendar.facts.zone
    length = calendar.length_of(moment)
    is_word_of_return = length is None and Anchor.RETURN in moment.anchors
    if Special.IMMEDIATELY in (moment.special, length) or is_word_of_return:
        return effect(boundary, zone=zone)
    if isinstance(length, Period) and length.is_exact:
        return effect(boundary, zone=zone)
    policy = calendar.policy
    day = civil_date(boundary, zone=zone)
    not_before = first_instant(day, zone)
    if not moment.backwards:
        anchor = calendar.anchor_of(moment)
        reached = boundary if isinstance(boundary, Instant) else anchor
        assert reached is not None, "a resolved moment has an anchor"
        not_before = max(not_before, effect(reached, zone=zone))
    hour = policy.quiet_hour if step.is_destructive else policy.send_at
    return first_at(hour, day=day, not_before=not_before, zone=zone)


def causes_of(policy: Policy) -> tuple[Cause, ...]:
    """List the causes that a policy tells apart, the plain end of a licence first."""
    named = {
        cause
        for schedule in [
            *(s.starts for s in policy.stages if s.starts),
            *(s.at for s in policy.steps),
        ]
        for cause in schedule
        if cause != ANY
    }
    return tuple(cause for cause in Cause if cause is Cause.EXPIRED or cause in named)
