"""What happens on which day, for whoever answers for an organization: done, and to come.

Source: mission A7; `engine.overview`, which works every step out.
"""

from dataclasses import dataclass

from whenever import Date

from offramp.core.dates import civil_date
from offramp.core.policy import Action, Audience
from offramp.engine.overview import Leaving, StepState


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanLine:
    """One step, by the organization's calendar.

    Attributes:
        kind: ``stage``, ``achievements``, ``notice``, ``export`` or ``erase``.
        people: the audiences that it is for, as `Audience` names them.
        last_on: the last day on which it may happen, where that is another one.
    """

    kind: str
    on: Date
    is_done: bool
    stage: str = ""
    people: tuple[str, ...] = ()
    last_on: Date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """The way out of an organization, or of one product of it."""

    product: str | None
    lines: tuple[PlanLine, ...]


def plan_of(leaving: Leaving) -> Plan:
    """Write down one off-boarding in the order of its days."""
    zone = leaving.timeline.zone
    lines = [_line(step, zone=zone) for step in leaving.steps if not _is_of_return(step)]
    lines.sort(key=lambda line: line.on)
    return Plan(product=leaving.offboarding.subject.product, lines=tuple(lines))


def _line(step: StepState, *, zone: str) -> PlanLine:
    planned = step.planned
    at = step.done_at or step.expected_at or planned.due_at
    deadline = planned.deadline_on if not step.is_finished else None
    on = civil_date(at, zone=zone)
    return PlanLine(
        kind=_kind(step),
        on=on,
        is_done=step.is_finished,
        stage=(planned.stage.title or planned.stage.id) if planned.stage else "",
        people=_people(step),
        last_on=deadline if deadline != on else None,
    )


def _kind(step: StepState) -> str:
    planned = step.planned
    if planned.stage is not None:
        return "stage"
    if planned.action in (Action.EXPORT, Action.ERASE):
        return planned.action.value
    return "achievements" if planned.step and planned.step.attach else "notice"


def _people(step: StepState) -> tuple[str, ...]:
    if step.planned.step is None or step.planned.is_destructive:
        return ()
    everybody = {Audience.SUBJECT: Audience.MEMBERS}
    audience = (everybody.get(each, each).value for each in step.planned.step.audience)
    return tuple(dict.fromkeys(audience))


def _is_of_return(step: StepState) -> bool:
    return step.planned.is_of_return
