"""One off-boarding in a line: who, what is next or in the way, in words and with a color.

Source: `documents.timeline.rows`, which words every step; docs/console.md.
"""

from dataclasses import dataclass

from whenever import Instant

from offramp.core.transitions import StepStatus
from offramp.documents.timeline.rows import timeline_rows
from offramp.engine.overview import Leaving, StepState
from offramp.engine.today import Expected


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """One line of a list; ``kind`` is the color of its state, and ``zone`` the organization's."""

    organization: str
    name: str
    part: str
    zone: str
    at: Instant | None
    what: str
    why: str
    state: str
    kind: str


def sight_of(expected: Expected, *, is_trouble: bool = False) -> Sight:
    """Write the line of one off-boarding: when it goes on, or since when trouble was due."""
    row, leaving, step = expected.offboarding, expected.leaving, expected.step
    state, kind = _state(expected)
    return Sight(
        organization=expected.organization,
        name=expected.name,
        part=" · ".join(filter(None, (row.subject.product, row.subject.member))),
        zone=leaving.timeline.zone if leaving else "",
        at=step.planned.due_at if step and is_trouble else row.next_due_at,
        what=step_text(leaving, step) if leaving and step else _without_step(expected),
        why=why_text(step) if step else "",
        state=state,
        kind=kind,
    )


def step_text(leaving: Leaving, step: StepState) -> str:
    """Word a step as its row in the timeline does."""
    found = (row for row in timeline_rows(leaving.timeline) if row.planned.key == step.planned.key)
    row = next(found, None)
    return row.what if row else f"Notice: {step.planned.key}"


def why_text(step: StepState) -> str:
    """Say why a step does not run, and what its last attempt met; nothing where it just waits."""
    parts = [step.reason.value] if step.reason else []
    if step.trouble:
        parts.append(f"{step.trouble} at attempt {step.attempts}")
    return "; ".join(parts)


def _without_step(expected: Expected) -> str:
    if expected.is_stopped:
        return "An invariant failed. Nothing goes on before a person has looked at it."
    if expected.leaving is None:
        return "Looks after what was kept, and for rows that came late"
    return "Is looked at again"


def _state(expected: Expected) -> tuple[str, str]:
    if expected.is_stopped:
        return "stopped", "red"
    return state_of_step(expected.step) if expected.step else ("planned", "")


def state_of_step(step: StepState) -> tuple[str, str]:
    """Say where a step stands in a word, and in which color."""
    if step.is_finished:
        return step.status.value, "green" if step.status is StepStatus.DONE else "amber"
    match step.status:
        case StepStatus.ABANDONED:
            return "given up", "red"
        case StepStatus.FAILED:
            return "failing", "amber"
        case StepStatus.HELD:
            return "held", "amber"
        case _ if step.is_blocked:
            return "waits", "amber"
        case _ if step.is_due:
            return "due", "blue"
        case _ if step.planned.is_destructive:
            return "deletion", "red"
        case _:
            return "planned", ""
