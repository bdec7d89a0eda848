"""A timeline as the rows of a table: the date, the local time, what happens, to whom.

Everything that words a step for a person who has not read the policy lives here.

Source: mission A7; docs/policy.md.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from whenever import Date, Instant

from offramp.core.dates import Period
from offramp.core.model import Receipt, SubjectKind
from offramp.core.plan import PlannedStep, Timeline
from offramp.core.policy import ANY, Action, Audience, Stage, Step
from offramp.documents.timeline.data import NOTHING_DONE, earliest_at

_PEOPLE: Mapping[Audience, str] = {
    Audience.MEMBERS: "every user",
    Audience.ADMINS: "every administrator",
    Audience.OWNER: "the owner",
    Audience.BILLING: "the billing contact",
    Audience.SUBJECT: "every user",
}
_METHODS = {"delete": "deleted", "hash-then-delete": "hashed and deleted"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One line of the table; ``note`` is what else a careful reader wants to know.

    ``at`` is when it can happen at the earliest: a guarded step waits for what it requires.
    """

    planned: PlannedStep
    at: Instant
    on: Date
    local_time: str
    what: str
    who: str
    note: str = ""


def timeline_rows(
    timeline: Timeline,
    *,
    receipts: Mapping[str, Receipt] = NOTHING_DONE,
    now: Instant = Instant.MIN,
) -> tuple[Row, ...]:
    """Word a timeline, in the order in which things happen when every notice is on time.

    With the receipts of what was done until now, a notice that was late moves what waits for it.
    """
    rows = [
        _row(timeline, planned, at=earliest_at(timeline, planned, receipts=receipts, now=now))
        for planned in timeline.steps
    ]
    return tuple(sorted(rows, key=lambda row: row.at))


def people(audience: tuple[Audience, ...], *, kind: SubjectKind) -> str:
    """Say whom a message goes to."""
    named = [
        "the user" if kind is SubjectKind.MEMBER and _is_everybody(a) else _PEOPLE[a]
        for a in audience
    ]
    return ", ".join(dict.fromkeys(named))


def _is_everybody(audience: Audience) -> bool:
    return audience in (Audience.MEMBERS, Audience.SUBJECT)


def words(identifier: str) -> str:
    """Write an id as words: ``company-data`` becomes ``Company data``."""
    return identifier.replace("-", " ").capitalize()


def period_words(period: Period) -> str:
    """Write a period in words: ``P12M`` becomes ``12 months``."""
    counted = (
        (period.months, "month"),
        (period.days, "day"),
        (period.business_days, "business day"),
        (period.minutes // 60, "hour"),
        (period.minutes % 60, "minute"),
    )
    told = [f"{n} {unit}{'' if n == 1 else 's'}" for n, unit in counted if n]
    return " and ".join(told) or "any time"


def access_words(stage: Stage) -> str:
    """Say what a stage lets people do, in one line."""
    if stage.levels == {"none"}:
        return "nobody has access"
    parts = []
    for role, row in stage.access.items():
        who = "everybody" if role == ANY else role
        cells = {ANY: row} if isinstance(row, str) else dict(row)
        several = len(cells) > 1
        told = [
            f"{level} {'elsewhere' if several else ''}".strip()
            if surface == ANY
            else f"{level} in {surface}"
            for surface, level in sorted(cells.items(), key=lambda cell: cell[0] == ANY)
        ]
        parts.append(f"{who}: {', '.join(told)}")
    return "; ".join(parts)


def _row(timeline: Timeline, planned: PlannedStep, *, at: Instant) -> Row:
    local = at.to_tz(timeline.zone)
    what, who, note = _worded(timeline, planned)
    return Row(
        planned=planned,
        at=at,
        on=local.date(),
        local_time=local.time().format_iso()[:5],
        what=what,
        who=who,
        note=note,
    )


def _worded(timeline: Timeline, planned: PlannedStep) -> tuple[str, str, str]:
    if planned.stage is not None:
        stage = planned.stage
        return f"Stage: {stage.title or words(stage.id)}", access_words(stage), _stage_note(stage)
    step = planned.step
    assert step is not None, "what is not the change of a stage is a step of the policy"
    who = people(step.audience, kind=timeline.kind)
    match planned.action:
        case Action.ERASE:
            whose = _whose(step.scope, timeline.kind)
            return _titled("Erase", step.id), whose, _erasure_note(timeline, planned, step)
        case Action.EXPORT:
            note = f"the data of {_whose(step.scope, timeline.kind)}"
            return _titled("Export", step.id), who or "kept for download", note
        case _:
            until = _local_day(planned.useful_until, timeline.zone)
            note = f"with the {step.attach}" if step.attach else until and f"only before {until}"
            return _titled("Notice", step.id), who, note


def _titled(kind: str, step_id: str) -> str:
    """Name a step, without saying twice what an id such as ``erase`` says already."""
    return kind if step_id == kind.lower() else f"{kind}: {words(step_id)}"


def _stage_note(stage: Stage) -> str:
    """Say what a stage offers besides access."""
    parts = ["shown in the product"] if stage.banner else []
    if stage.reactivate:
        parts.append(f"can be reactivated by {', '.join(stage.reactivate.by)}")
    if stage.export_on_request:
        parts.append("data can be requested")
    return "; ".join(parts)


def _whose(scope: str, kind: SubjectKind) -> str:
    concerned = kind.value if scope == "subject" else scope
    return "the user" if concerned == SubjectKind.MEMBER else f"the {concerned}"


def _local_day(moment: Instant | None, zone: str) -> str:
    return "" if moment is None else moment.to_tz(zone).date().format_iso()


def _erasure_note(timeline: Timeline, planned: PlannedStep, step: Step) -> str:
    """Say what is done, the last day for it, and what has to be delivered before."""
    parts = [_METHODS[step.method]]
    if planned.deadline_on and planned.deadline_on != planned.due_on:
        parts.append(f"between {planned.due_on} and {planned.deadline_on}")
    parts += [
        f"at least {period_words(guard.at_least_before)} after {guard.delivered} is delivered"
        for guard in step.requires
    ]
    return "; ".join(parts)
