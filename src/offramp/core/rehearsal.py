"""A policy tried out on sample dates, before anybody is promised anything by it.

Every fault that only dates can show is found here, with the same planner that dates the real
thing: stages out of order, windows that close before they open, guards that come too late.

Source: docs/policy.md, "What is checked"; policy language T1-T5, S1, D2, R1.
"""

from collections import Counter
from collections.abc import Iterator

from whenever import Date, Instant

from offramp.core.dates import Boundary
from offramp.core.fault import Fault, FaultPath, path_of
from offramp.core.model import ANCHOR_OF, Anchor, Cause, Facts, SubjectKind
from offramp.core.plan import AnchorsCircular, PlannedStep, Timeline, causes_of, plan, stage_starts
from offramp.core.policy import Policy

SAMPLE_ENDS = (
    Date(2023, 11, 30),  # three months later is the end of a February
    Date(2024, 2, 29),
    Date(2024, 8, 30),
    Date(2025, 1, 31),
)
SAMPLE_ZONE = "Europe/Dublin"  # has summer time, and is not UTC for half of the year


def sample_facts(policy: Policy, kind: SubjectKind) -> Iterator[Facts]:
    """Give facts to try a policy on: every cause that it tells apart, several end dates."""
    for cause in _causes(policy):
        for end in SAMPLE_ENDS:
            anchors: dict[str, Boundary] = {Anchor.EXPIRY: end, ANCHOR_OF[cause]: end}
            yield Facts(kind=kind, zone=SAMPLE_ZONE, anchors=anchors, cause=cause)


def _causes(policy: Policy) -> Iterator[Cause]:
    """Give the causes that a policy names, by themselves or by the fact that starts them."""
    named = causes_of(policy)
    counted = {name for moment in policy.moments for name in moment.anchors}
    return (cause for cause in Cause if cause in named or ANCHOR_OF[cause] in counted)


def sample_timelines(policy: Policy) -> Iterator[tuple[Facts, Timeline]]:
    """Give the timelines of a policy on the sample dates, with their facts."""
    for kind in policy.applies_to:
        for facts in sample_facts(policy, kind):
            yield facts, plan(policy, facts)


def dated_faults(policy: Policy) -> Iterator[Fault]:
    """Judge what only dates can show, each fault once however many sample dates show it."""
    seen: set[FaultPath] = set()
    try:
        for fault in _faults(policy):
            if fault.path not in seen:
                seen.add(fault.path)
                yield fault
    except AnchorsCircular as error:
        yield Fault(
            path=path_of(policy, error.name),
            problem=f"{error.name} is counted from itself",
            expected="a chain of moments that ends at an anchor such as expiry",
        )


def _faults(policy: Policy) -> Iterator[Fault]:
    for kind in policy.applies_to:
        for facts in sample_facts(policy, kind):
            yield from _order(policy, facts)
    for _, timeline in sample_timelines(policy):
        yield from _destruction(policy, timeline)
        for planned in timeline.steps:
            yield from _window(policy, planned)
            yield from _guards_in_time(policy, timeline, planned)


def _order(policy: Policy, facts: Facts) -> Iterator[Fault]:
    latest, before = Instant.MIN, ""
    for stage, starts_at, _ in stage_starts(policy, facts):
        if starts_at is not None and starts_at < latest:
            yield Fault(
                path=(*path_of(policy, stage.id), "from"),
                problem=f"the stage {stage.id} would begin before {before}, which stands above it",
                expected="stages in the order in which they begin",
            )
        if starts_at is not None and starts_at >= latest:
            latest, before = starts_at, stage.id


def _destruction(policy: Policy, timeline: Timeline) -> Iterator[Fault]:
    erasing = Counter(p.step.id for p in timeline.steps if p.step and p.is_destructive)
    for step_id in list(erasing)[1:]:
        yield Fault(
            path=path_of(policy, step_id),
            problem=f"a second step erases the {timeline.kind.value}",
            expected="one erase step for each kind of subject and each cause",
        )
    for step_id, times in erasing.items():
        if times > 1:
            yield Fault(
                path=(*path_of(policy, step_id), "at"),
                problem="what is erased cannot be erased again",
                expected="one moment",
            )
    if erasing and not any(span.after_step for span in timeline.spans):
        yield Fault(
            path=(*path_of(policy, next(iter(erasing))), "erase"),
            problem=f"no stage begins when the {timeline.kind.value} has been erased",
            expected="a stage counted from this step, such as: {id: erased, from: erase}",
            hint="a stage with a date of its own would be reached even if nothing was erased",
        )
    for span in timeline.spans:
        if span.after_step and span.stage.reactivate:
            yield Fault(
                path=(*path_of(policy, span.stage.id), "reactivate"),
                problem=f"nothing is left to reactivate in the stage {span.stage.id}",
                expected="reactivate on stages before the deletion",
            )


def _window(policy: Policy, planned: PlannedStep) -> Iterator[Fault]:
    if planned.step is None:
        return
    path = path_of(policy, planned.step.id)
    if planned.useful_until is not None and planned.useful_until <= planned.due_at:
        yield Fault(
            path=(*path, "useful_until"),
            problem=f"the use of {planned.step.id} has passed when it is due",
            expected="a moment after the one in at",
        )
    if planned.deadline_at is not None and planned.deadline_at <= planned.due_at:
        yield Fault(
            path=(*path, "no_later_than"),
            problem=f"the window of {planned.step.id} closes before it opens",
            expected="a moment after the one in at",
        )


def _guards_in_time(policy: Policy, timeline: Timeline, planned: PlannedStep) -> Iterator[Fault]:
    """Refuse a guard that only a delivery after the deletion's own date could satisfy."""
    if planned.step is None:
        return
    path = path_of(policy, planned.step.id)
    for position, guard in enumerate(planned.step.requires):
        last_on = planned.deadline_on or planned.due_on
        for required in timeline.occurrences(guard.delivered):
            if required.due_on > last_on:
                yield Fault(
                    path=(*path, "requires", position),
                    problem=f"{guard.delivered} is planned after {planned.key}, which requires it",
                    expected="a required step that comes first",
                )
