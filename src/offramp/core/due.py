"""A timeline, the receipts so far and the time become a verdict. Every guard is judged here.

The engine asks twice with fresh facts: when it claims work, and again before every destructive
chunk. It never decides anything itself.

Source: policy language T4, T5, T7, S6, N2, D2, D3; docs/decisions/003-guards.md and
020-two-people.md; lessons L2-L4, L6, L10, L13, L18, L25, L26.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeAlias

from whenever import Instant

from offramp.core.dates import (
    Period,
    at_local_time,
    civil_date,
    effect,
    first_at,
    is_within,
    shift,
)
from offramp.core.model import Hold, Outcome, Receipt, Subject
from offramp.core.plan import INSTEAD_SUFFIX, PlannedStep, Timeline, substitute
from offramp.core.policy import Action, Requirement, Step, Unmet

ALARM_HOURS = 14 * 24  # so long before a window closes, somebody can still do something
BULK_LOOK_HOURS = 1  # what waits for two people goes on by itself once few are left of it


class Reason(StrEnum):
    """Why a step does not run now."""

    NOT_DUE = "not due yet"
    EARLIER_STEP = "an earlier step is not finished"
    HOLD = "a hold is in force"
    REST = "a data category is held"
    EXEMPT = "the subject is exempt"
    PAUSED = "everything destructive is paused"
    CLOCK = "the clock went back, and has to catch up first"
    BULK = "more organizations than one person may let go would be deleted within a day"
    CAP = "as many deletions as the cap allows have begun within a day"
    QUIET = "it is late, and begins in the quiet hours only"
    NOTICE_PENDING = "a required notice has not been delivered yet"
    NOTICE_FRESH = "a required notice was delivered too recently"
    NOBODY_REACHED = "a required notice reached nobody and a person has to decide"
    ASK = "a requirement is not met and the policy says to ask"
    BACK_OFF = "an attempt failed and the next one is later"
    ABANDONED = "it was tried as often as allowed"


class Guard(StrEnum):
    """What a step has to get past; the later ones stand before destruction only."""

    DUE = "it is due"
    USE = "it is still of use"
    ATTEMPTS = "it may be tried once more"
    BACK_OFF = "no failed attempt is waited out"
    EXEMPTION = "the subject is not exempt"
    PAUSE = "nothing is paused"
    CLOCK = "the clock runs forward"
    HOLD = "no hold is in force"
    CATEGORIES = "more is left of it than what is held"
    ORDER = "every earlier step is finished"
    REQUIREMENT = "what it requires was delivered long enough ago"
    BULK = "few are deleted within a day, or two people have armed it"
    CAP = "the cap on deletions within a day leaves room"
    QUIET = "these are quiet hours, or it has begun"


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """Carry the step out now."""

    planned: PlannedStep


@dataclass(frozen=True, slots=True, kw_only=True)
class Missed:
    """Record the step as missed: its use has passed (T7)."""

    planned: PlannedStep


@dataclass(frozen=True, slots=True, kw_only=True)
class Wait:
    """Nothing to do before ``until``; without it, before something else has happened."""

    planned: PlannedStep
    reason: Reason
    until: Instant | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """A person's decision stands in the way."""

    planned: PlannedStep
    reason: Reason


Verdict: TypeAlias = Run | Missed | Wait | Held


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What one guard says of a step: without a verdict it lets the step pass.

    ``about`` names the required step, where a guard asks for one.
    """

    guard: Guard
    verdict: Verdict | None
    about: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """What is known about one subject at the moment of judging.

    Shape:
        receipts: step key -> receipt, for finished steps only.
        retries: step key -> the time before which a failed step is not tried again.
        abandoned: keys of the steps that were tried as often as allowed.
        rested: step key -> the categories that were held when all the rest of it was destroyed.
        begun: keys of the steps of which something was tried already.
        clock_until: what the clock has to reach after it went back; none where it did not.
        is_bulk: whether so much would be deleted within a day that two people have to arm it.
        is_capped: whether the cap lets no deletion begin now.
        capped_until: from when it lets one begin again; none if never by itself.
    """

    subject: Subject
    timeline: Timeline
    receipts: Mapping[str, Receipt]
    retries: Mapping[str, Instant] = field(default_factory=dict)
    abandoned: frozenset[str] = frozenset()
    rested: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    begun: frozenset[str] = frozenset()
    holds: tuple[Hold, ...] = ()
    is_exempt: bool = False
    is_paused: bool = False
    clock_until: Instant | None = None
    is_bulk: bool = False
    is_capped: bool = False
    capped_until: Instant | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Agenda:
    """What to do for one subject now, and when to look again.

    ``late`` names the steps whose window is about to close while they may not run (T5).
    """

    act: Run | Missed | None
    look_again_at: Instant | None
    blocked: tuple[Wait | Held, ...] = ()
    late: tuple[str, ...] = ()


def agenda(situation: Situation, *, now: Instant) -> Agenda:
    """Choose the one next thing to do: due steps in due order, past the ones that are blocked."""
    blocked: list[Wait | Held] = []
    later: list[Instant] = []
    for planned in _unfinished(situation, now=now):
        verdict = judge(planned, situation, now=now)
        match verdict:
            case Run() | Missed():
                return Agenda(act=verdict, look_again_at=now, blocked=tuple(blocked))
            case Wait(reason=Reason.NOT_DUE):
                later.append(planned.due_at)
            case Wait() | Held():
                blocked.append(verdict)
                later += [at for at in _changes(verdict) if at > now]
    if any(verdict.reason is Reason.BULK for verdict in blocked):
        later.append(now.add(hours=BULK_LOOK_HOURS))
    later += [h.ends_at for h in situation.holds if h.ends_at is not None and h.ends_at > now]
    late = tuple(v.planned.key for v in blocked if _misses_window(v, now=now))
    return Agenda(
        act=None, look_again_at=min(later, default=None), blocked=tuple(blocked), late=late
    )


def _unfinished(situation: Situation, *, now: Instant) -> Iterator[PlannedStep]:
    """List what has no receipt, and after it the warnings owed for notices that were lost (D2)."""
    steps = [p for p in situation.timeline.steps if p.key not in situation.receipts]
    yield from steps
    for destructive in (p.step for p in steps if p.is_destructive):
        assert destructive is not None, "destruction is always a step of the policy"
        for requirement in destructive.requires:
            if _owes_warning(requirement, destructive, situation):
                yield substitute(situation.timeline, requirement.delivered, now=now)


def _owes_warning(requirement: Requirement, step: Step, situation: Situation) -> bool:
    """Whether a required notice was missed or reached nobody, and nothing stands in for it yet."""
    occurrences = situation.timeline.occurrences(requirement.delivered)
    if step.if_unmet is Unmet.PROCEED or not occurrences:
        return False
    last = occurrences[-1]
    receipt = situation.receipts.get(last.key)
    is_lost = receipt is not None and receipt.outcome is not Outcome.DONE
    is_notice = last.action is Action.NOTIFY
    return is_lost and is_notice and _stand_in(requirement) not in situation.receipts


def _stand_in(requirement: Requirement) -> str:
    return requirement.delivered + INSTEAD_SUFFIX


def _changes(verdict: Wait | Held) -> Iterator[Instant]:
    """Give the instants at which a blocked step is to be looked at again."""
    if isinstance(verdict, Wait) and verdict.until is not None:
        yield verdict.until
    if verdict.planned.deadline_at is not None:
        yield _alarm_at(verdict.planned.deadline_at)


def _alarm_at(closes_at: Instant) -> Instant:
    return closes_at.subtract(hours=ALARM_HOURS)


def _misses_window(verdict: Wait | Held, *, now: Instant) -> bool:
    """Whether a window is about to close on a step that nobody knows will run in time."""
    closes_at = verdict.planned.deadline_at
    if closes_at is None:
        return False
    if isinstance(verdict, Wait) and verdict.until is not None:
        return verdict.until >= closes_at
    return now >= _alarm_at(closes_at)


def judge(planned: PlannedStep, situation: Situation, *, now: Instant) -> Verdict:
    """Decide whether one unfinished step may run at this instant: the first guard that minds says.

    Units:
        now: a step is due when ``now >= due_at`` (closed at the start).
    """
    answers = guards(planned, situation, now=now)
    minds = (answer.verdict for answer in answers if answer.verdict is not None)
    return next(minds, Run(planned=planned))


def guards(planned: PlannedStep, situation: Situation, *, now: Instant) -> Iterator[Answer]:
    """Ask every guard that stands before an unfinished step, one after the other."""
    early = Wait(planned=planned, reason=Reason.NOT_DUE, until=planned.due_at)
    yield Answer(guard=Guard.DUE, verdict=early if now < planned.due_at else None)
    useless = Missed(planned=planned) if planned.is_useless(now=now) else None
    yield Answer(guard=Guard.USE, verdict=useless)
    spent = Held(planned=planned, reason=Reason.ABANDONED)
    yield Answer(
        guard=Guard.ATTEMPTS, verdict=spent if planned.key in situation.abandoned else None
    )
    retry_at = situation.retries.get(planned.key)
    later = Wait(planned=planned, reason=Reason.BACK_OFF, until=retry_at)
    is_early = retry_at is not None and now < retry_at
    yield Answer(guard=Guard.BACK_OFF, verdict=later if is_early else None)
    if planned.is_destructive:
        yield from _guards_of_destruction(planned, situation, now=now)


def _guards_of_destruction(
    planned: PlannedStep, situation: Situation, *, now: Instant
) -> Iterator[Answer]:
    for guard, reason, stands in _stops(situation, now=now):
        stopped = Held(planned=planned, reason=reason)
        yield Answer(guard=guard, verdict=stopped if stands else None)
    back = Wait(planned=planned, reason=Reason.CLOCK, until=situation.clock_until)
    yield Answer(guard=Guard.CLOCK, verdict=back if situation.clock_until else None)
    held = held_categories(situation.holds, situation.subject, now=now)
    rests = Held(planned=planned, reason=Reason.REST)
    is_rest = bool(held) and situation.rested.get(planned.key) == held
    yield Answer(guard=Guard.CATEGORIES, verdict=rests if is_rest else None)
    behind = Wait(planned=planned, reason=Reason.EARLIER_STEP)
    is_behind = _has_unfinished_before(planned, situation)
    yield Answer(guard=Guard.ORDER, verdict=behind if is_behind else None)
    assert planned.step is not None, "destruction is always a step of the policy"
    for requirement in planned.step.requires:
        unmet = _judge_requirement(planned, requirement, situation, now=now)
        yield Answer(guard=Guard.REQUIREMENT, verdict=unmet, about=requirement.delivered)
    bulk = Held(planned=planned, reason=Reason.BULK)
    yield Answer(guard=Guard.BULK, verdict=bulk if situation.is_bulk else None)
    capped = Wait(planned=planned, reason=Reason.CAP, until=situation.capped_until)
    yield Answer(guard=Guard.CAP, verdict=capped if situation.is_capped else None)
    quiet_at = _quiet_at(planned, situation, now=now)
    loud = Wait(planned=planned, reason=Reason.QUIET, until=quiet_at)
    yield Answer(guard=Guard.QUIET, verdict=loud if quiet_at else None)


def _quiet_at(planned: PlannedStep, situation: Situation, *, now: Instant) -> Instant | None:
    """Give the next quiet hour for a deletion that may begin at no other time (T4).

    One that was dated outside of them on purpose may, and so may one whose window closes first.
    """
    policy, zone = situation.timeline.policy, situation.timeline.zone
    begin, end = policy.quiet_hour, policy.quiet_until
    if end is None or planned.key in situation.begun:
        return None
    if is_within(now, begin=begin, end=end, zone=zone):
        return None
    if not is_within(planned.due_at, begin=begin, end=end, zone=zone):
        return None
    quiet_at = first_at(begin, day=civil_date(now, zone=zone), not_before=now, zone=zone)
    closes_at = planned.deadline_at
    is_pressed = closes_at is not None and now < closes_at <= quiet_at
    return None if is_pressed else quiet_at


def _stops(situation: Situation, *, now: Instant) -> Iterator[tuple[Guard, Reason, bool]]:
    holds = in_force(situation.holds, situation.subject, now=now)
    yield Guard.EXEMPTION, Reason.EXEMPT, situation.is_exempt
    yield Guard.PAUSE, Reason.PAUSED, situation.is_paused
    yield Guard.HOLD, Reason.HOLD, any(hold.category is None for hold in holds)


def stop_reason(situation: Situation, *, now: Instant) -> Reason | None:
    """Say what forbids destruction outright at this instant; asked before every chunk as well."""
    return next((reason for _, reason, stands in _stops(situation, now=now) if stands), None)


def held_categories(holds: tuple[Hold, ...], subject: Subject, *, now: Instant) -> tuple[str, ...]:
    """Name the data categories of a subject that are held; everything else of it may go (S6)."""
    named = {hold.category for hold in in_force(holds, subject, now=now)}
    return tuple(sorted(category for category in named if category is not None))


def in_force(holds: tuple[Hold, ...], subject: Subject, *, now: Instant) -> Iterator[Hold]:
    """Give the holds that stand before the destruction of a subject at an instant."""
    return (hold for hold in holds if hold.is_active(now) and hold.covers(subject))


def _has_unfinished_before(planned: PlannedStep, situation: Situation) -> bool:
    """A farewell that has not gone out blocks erasure (L13)."""
    for other in situation.timeline.steps:
        if other.key == planned.key:
            return False
        if other.key not in situation.receipts:
            return True
    return False


def _judge_requirement(
    planned: PlannedStep, requirement: Requirement, situation: Situation, *, now: Instant
) -> Verdict | None:
    """Give none when the requirement holds, otherwise what to do about it."""
    timeline = situation.timeline
    assert planned.step is not None, "requirements belong to a step of the policy"
    occurrences = timeline.occurrences(requirement.delivered)
    if not occurrences or planned.step.if_unmet is Unmet.PROCEED:
        return None  # the path of this cause has no such notice, or the policy does not insist
    receipt = situation.receipts.get(occurrences[-1].key)
    if receipt is None:
        return Wait(planned=planned, reason=Reason.NOTICE_PENDING)
    if receipt.outcome is not Outcome.DONE:
        if occurrences[-1].action is not Action.NOTIFY:
            return Held(planned=planned, reason=Reason.NOBODY_REACHED)
        receipt = situation.receipts.get(_stand_in(requirement))
        if receipt is None:
            return Wait(planned=planned, reason=Reason.NOTICE_PENDING)
        if receipt.outcome is not Outcome.DONE:
            return Held(planned=planned, reason=Reason.NOBODY_REACHED)
    return _judge_interval(planned, requirement, receipt, situation, now=now)


def _judge_interval(
    planned: PlannedStep,
    requirement: Requirement,
    receipt: Receipt,
    situation: Situation,
    *,
    now: Instant,
) -> Verdict | None:
    assert planned.step is not None, "requirements belong to a step of the policy"
    delivered_at = receipt.delivered_at or receipt.done_at
    earliest = allowed_from(delivered_at, requirement.at_least_before, situation.timeline)
    if now >= earliest:
        return None
    if planned.step.if_unmet is Unmet.ASK:
        return Held(planned=planned, reason=Reason.ASK)
    return Wait(planned=planned, reason=Reason.NOTICE_FRESH, until=earliest)


def erases_at(
    planned: PlannedStep, timeline: Timeline, *, receipts: Mapping[str, Receipt], now: Instant
) -> Instant:
    """Give the instant at which a destructive step is to be expected, or was carried out.

    What is required and not delivered yet is taken to be delivered when due, or else now.
    """
    done = receipts.get(planned.key)
    if done is not None:
        return done.done_at
    assert planned.step is not None, "destruction is always a step of the policy"
    expected = max(planned.due_at, now)
    if planned.step.if_unmet is Unmet.PROCEED:
        return expected
    for requirement in planned.step.requires:
        for last in timeline.occurrences(requirement.delivered)[-1:]:
            delivered_at = _delivered_at(last, requirement, receipts) or max(last.due_at, now)
            stood_at = allowed_from(delivered_at, requirement.at_least_before, timeline)
            expected = max(expected, stood_at)
    return expected


def expected_erasure(
    timeline: Timeline, *, receipts: Mapping[str, Receipt], now: Instant
) -> Instant | None:
    """Give the instant at which deletion is to be expected; none where none is planned."""
    erase = next((p for p in timeline.steps if p.action is Action.ERASE), None)
    return None if erase is None else erases_at(erase, timeline, receipts=receipts, now=now)


def begins_at(situation: Situation, *, now: Instant) -> Instant | None:
    """Give the instant at which a deletion will begin by itself; none where nothing is to begin.

    It is asked of everybody, to know how many begin together: what stops all of them at once does
    not count here, what stops this one alone does.
    """
    return min(
        (
            erases_at(planned, situation.timeline, receipts=situation.receipts, now=now)
            for planned in situation.timeline.steps
            if planned.is_destructive
            and planned.key not in situation.receipts
            and planned.key not in situation.begun
            and not _is_stopped_alone(planned, situation, now=now)
        ),
        default=None,
    )


def _is_stopped_alone(planned: PlannedStep, situation: Situation, *, now: Instant) -> bool:
    """Whether a person has to do something first, about it or about what has to come before it."""
    verdicts = (answer.verdict for answer in guards(planned, situation, now=now))
    return bool(situation.abandoned) or any(
        isinstance(v, Held) and v.reason not in _STOPS_ALL for v in verdicts
    )


_STOPS_ALL = frozenset({Reason.PAUSED, Reason.BULK})


def _delivered_at(
    notice: PlannedStep, requirement: Requirement, receipts: Mapping[str, Receipt]
) -> Instant | None:
    for key in (notice.key, requirement.delivered + INSTEAD_SUFFIX):
        receipt = receipts.get(key)
        if receipt is not None and receipt.outcome is Outcome.DONE:
            return receipt.delivered_at or receipt.done_at
    return None


def allowed_from(delivered_at: Instant, interval: Period, timeline: Timeline) -> Instant:
    """Give the first instant at which a notice has stood long enough.

    Civil intervals count civil days from the day of delivery, to the quiet hour of the last; the
    time in which the receiving server may still send the message back counts in any case.
    """
    policy, zone = timeline.policy, timeline.zone
    if interval.is_exact:
        stood = effect(shift(delivered_at, interval, zone=zone), zone=zone)
    else:
        day = shift(
            civil_date(delivered_at, zone=zone), interval, zone=zone, calendar=policy.calendar
        )
        stood = at_local_time(civil_date(day, zone=zone), policy.quiet_hour, zone=zone)
    return max(proven_at(delivered_at, timeline), stood)


def proven_at(delivered_at: Instant, timeline: Timeline) -> Instant:
    """Give the end of the time in which a message that comes back was not delivered (N2)."""
    zone = timeline.zone
    return effect(shift(delivered_at, timeline.policy.bounce_window, zone=zone), zone=zone)
