"""What a sweep would do at this moment, step by step, without doing any of it.

The steps are chosen by the core's own verdicts and described by the actions' own previews, so a dry
run cannot say anything else than what would happen. Nothing is claimed and nothing written.

Source: CONTRIBUTING.md; lesson L27.
"""

from dataclasses import dataclass

from whenever import Instant

from offramp.core.due import Missed, Run, Situation, judge
from offramp.core.model import Subject
from offramp.core.plan import PlannedStep
from offramp.core.transitions import OffboardingStatus, StepStatus
from offramp.engine import aftercare
from offramp.engine.context import Context
from offramp.engine.situation import situation_of
from offramp.engine.steps import ACTIONS
from offramp.engine.work import Work
from offramp.ports import Offboarding, StepRow


@dataclass(frozen=True, slots=True, kw_only=True)
class Intended:
    """One step that would be carried out now, and what that means line by line."""

    subject: Subject
    step: str
    due_at: Instant
    lines: tuple[str, ...]


def intend(context: Context) -> tuple[Intended, ...]:
    """Say what is due now, in due order, and what carrying it out would do.

    Raises:
        DataMapMissing, DataMapIncomplete, SourceUnavailable: a deletion could not be described.
    """
    now = context.clock.now()
    with context.store.transaction() as transaction:
        due = [
            (row, situation_of(context, transaction, row, now=now))
            for row in transaction.offboardings(status=OffboardingStatus.OPEN)
            if row.next_due_at is not None and row.next_due_at <= now
        ]
        completed = [
            (row, row.next_due_at)
            for row in transaction.offboardings(status=OffboardingStatus.COMPLETED)
            if row.next_due_at is not None and row.next_due_at <= now
        ]
    found = [
        intended for row, situation in due for intended in _intend(context, row, situation, now)
    ]
    for row, due_at in completed:
        if lines := aftercare.preview(context, row):
            step = aftercare.RETENTION
            found.append(Intended(subject=row.subject, step=step, due_at=due_at, lines=lines))
    return tuple(sorted(found, key=lambda intended: intended.due_at))


def _intend(
    context: Context, row: Offboarding, situation: Situation, now: Instant
) -> list[Intended]:
    found = []
    for planned in situation.timeline.steps:
        if planned.key in situation.receipts:
            continue
        match judge(planned, situation, now=now):
            case Run():
                lines = _preview(context, row, planned)
            case Missed():
                lines = ("record that its use has passed",)
            case _:
                continue
        found.append(
            Intended(subject=row.subject, step=planned.key, due_at=planned.due_at, lines=lines)
        )
    return found


def _preview(context: Context, row: Offboarding, planned: PlannedStep) -> tuple[str, ...]:
    pending = StepRow(
        offboarding=row.id, key=planned.key, status=StepStatus.PENDING, due_at=planned.due_at
    )
    work = Work(context=context, claimed=row, planned=planned, row=pending)
    lines: tuple[str, ...] = ACTIONS[planned.action].preview(work)
    return lines
