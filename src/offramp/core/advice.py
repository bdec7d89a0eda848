"""What a policy may say and should think about again. Every warning and its rule live here.

A warning never stops a policy: it names a floor, a law or a habit, and its author decides.

Source: docs/policy.md, "Warnings"; Regulation (EU) 2023/2854 (Data Act), Article 25(2)(g) and (h);
lessons on chained periods, on notices to somebody who has left, and on postponing without end.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from offramp.core.dates import days_between
from offramp.core.due import allowed_from
from offramp.core.fault import FaultPath
from offramp.core.model import Cause
from offramp.core.plan import PlannedStep, Timeline
from offramp.core.policy import Action, Capability, Policy, Schedule, Stage, Step, Unmet
from offramp.core.rehearsal import sample_timelines

RETRIEVAL_DAYS_MIN = 30  # calendar days, Data Act Article 25(2)(g)


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyWarning:
    """One thing to think about again; ``rule`` is its stable name in docs/policy.md."""

    rule: str
    path: FaultPath
    problem: str
    hint: str


def warnings(policy: Policy) -> tuple[PolicyWarning, ...]:
    """List what a policy without faults should think about again, each thing once."""
    found: dict[tuple[str, FaultPath], PolicyWarning] = {}
    for warning in (*_written(policy), *_dated(policy)):
        found.setdefault((warning.rule, warning.path), warning)
    return tuple(sorted(found.values(), key=lambda warning: warning.rule))


def _dated(policy: Policy) -> Iterator[PolicyWarning]:
    for facts, timeline in sample_timelines(policy):
        if facts.cause is Cause.DELETION_REQUESTED:
            continue  # who asks for it does not want to wait for it
        for planned in timeline.steps:
            if planned.is_destructive:
                yield from _short_retrieval(timeline, planned)
                yield from _guards(timeline, planned)


def _short_retrieval(timeline: Timeline, erase: PlannedStep) -> Iterator[PolicyWarning]:
    days = retrieval_days(timeline, erase)
    if days < RETRIEVAL_DAYS_MIN:
        yield PolicyWarning(
            rule="W1",
            path=_path(timeline.policy, erase.step),
            problem=f"data can be retrieved for {days} days before it is erased, "
            f"fewer than the {RETRIEVAL_DAYS_MIN} of the EU Data Act, Article 25(2)(g)",
            hint="hand the export over earlier, allow it on request, or erase later",
        )


def retrieval_days(timeline: Timeline, erase: PlannedStep) -> int:
    """Count the days after the end in which the data can be had before it is erased.

    An export that is handed over counts from its date; a stage that lets people export, or gives
    the data on request, counts from its first day on, as long as such stages follow one another.
    """
    handed = [
        days_between(planned.due_on, erase.due_on)
        for planned in timeline.steps
        if planned.action is Action.EXPORT and planned.due_at < erase.due_at
    ]
    open_days = 0
    for span in timeline.spans[1:]:
        if span.after_step or span.first_on is None or span.last_on is None:
            break
        if may_retrieve(timeline.policy, span.stage):
            open_days += days_between(span.first_on, min(span.last_on.next_day(), erase.due_on))
    return max([*handed, open_days])


def may_retrieve(policy: Policy, stage: Stage) -> bool:
    """Say whether a stage lets somebody export, or gives the data on request."""
    may_export = any(Capability.EXPORT in policy.capabilities(level) for level in stage.levels)
    return may_export or bool(stage.export_on_request)


def _guards(timeline: Timeline, erase: PlannedStep) -> Iterator[PolicyWarning]:
    assert erase.step is not None, "destruction is always a step of the policy"
    path = _path(timeline.policy, erase.step)
    for position, guard in enumerate(erase.step.requires):
        planned = timeline.occurrences(guard.delivered)
        place = (*path, "requires", position)
        if not planned:
            yield PolicyWarning(
                rule="W6",
                path=place,
                problem=f"on one of the paths {guard.delivered} is not planned, so nothing has "
                "to be delivered before that deletion",
                hint="give the notice a moment for every cause",
            )
        elif erase.deadline_at is None or erase.deadline_on == erase.due_on:
            stood_at = allowed_from(planned[-1].due_at, guard.at_least_before, timeline)
            if stood_at > erase.due_at:
                yield PolicyWarning(
                    rule="W7",
                    path=place,
                    problem=f"even when {guard.delivered} is delivered on time, the deletion "
                    "has to wait past its own date",
                    hint="plan the notice earlier, or the deletion later",
                )


def _written(policy: Policy) -> Iterator[PolicyWarning]:
    for number, step in enumerate(policy.steps):
        path: FaultPath = ("steps", number)
        if step.is_destructive:
            yield from _unguarded(step, path)
        if step.audience and set(step.fallback) <= set(step.audience):
            yield PolicyWarning(
                rule="W3",
                path=path,
                problem=f"nobody else is written to when {step.id} reaches nobody",
                hint="name somebody in fallback who is not in the audience",
            )
        yield from _chained(policy, step.at, (*path, "at"), is_kept=step.is_destructive)
    for number, stage in enumerate(policy.stages):
        yield from _chained(policy, stage.starts or {}, ("stages", number, "from"), is_kept=True)
    yield from _unused(policy)


def _unguarded(step: Step, path: FaultPath) -> Iterator[PolicyWarning]:
    if not step.requires:
        yield PolicyWarning(
            rule="W2",
            path=path,
            problem=f"{step.id} does not wait for anything to be delivered first",
            hint="add requires with the notice and the export that were promised",
        )
    if step.requires and step.if_unmet is not Unmet.PROCEED and step.no_later_than is None:
        yield PolicyWarning(
            rule="W5",
            path=path,
            problem=f"{step.id} can be put off without end, and no alarm is raised",
            hint="add no_later_than: the alarm is raised before that day has passed",
        )


def _chained(
    policy: Policy, schedule: Schedule, path: FaultPath, *, is_kept: bool
) -> Iterator[PolicyWarning]:
    """Warn where a period is added to a stage that is itself a period away from its anchor."""
    apart = {
        stage.id
        for stage in policy.stages
        for moments in (stage.starts or {}).values()
        for moment in moments
        if moment.length is not None
    }
    for moments in schedule.values():
        for moment in moments:
            if is_kept and moment.length is not None and apart & set(moment.anchors):
                yield PolicyWarning(
                    rule="W4",
                    path=path,
                    problem=f"{moment} adds a period to another one: "
                    "90 days and then 9 months is not 12 months",
                    hint="count from expiry",
                )


def _unused(policy: Policy) -> Iterator[PolicyWarning]:
    for name in policy.periods:
        if not any(moment.length == name for moment in policy.moments):
            yield PolicyWarning(
                rule="W8",
                path=("periods", name),
                problem=f"no moment uses the period {name}",
                hint="remove it, or count something with it",
            )


def _path(policy: Policy, step: Step | None) -> FaultPath:
    assert step is not None, "destruction is always a step of the policy"
    return ("steps", policy.steps.index(step))
