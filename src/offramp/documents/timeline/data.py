"""A timeline as plain data, the shape that `--json` prints and every program may rely on.

Instants are RFC 3339 in UTC, civil dates ISO 8601 in the organization's zone.

Source: docs/policy.md, "The dates as JSON".
"""

from collections.abc import Iterable, Mapping
from typing import Any

from whenever import Date, Instant

from offramp.core.advice import PolicyWarning
from offramp.core.due import erases_at
from offramp.core.model import ANCHOR_OF, Anchor, Facts, Receipt, Role
from offramp.core.plan import PlannedStep, Span, Timeline
from offramp.core.policy import ANY, Capability, Policy, Stage

NOTHING_DONE: Mapping[str, Receipt] = {}


def timeline_data(
    timeline: Timeline, facts: Facts, *, warnings: Iterable[PolicyWarning] = ()
) -> dict[str, Any]:
    """Describe a timeline with the facts that it was planned from."""
    policy = timeline.policy
    ends_at = access_ends_at(timeline)
    counted_from = facts.anchors.get(Anchor.EXPIRY, facts.anchors.get(ANCHOR_OF[facts.cause]))
    return {
        "policy": policy.policy,
        "version": policy.version,
        "title": policy.title,
        "subject": timeline.kind.value,
        "zone": timeline.zone,
        "expiry": _text(counted_from),
        "cause": facts.cause.value,
        "access_ends_at": _text(ends_at),
        "stages": [_stage_data(span) for span in timeline.spans],
        "steps": [_step_data(timeline, planned) for planned in timeline.steps],
        "warnings": [warning_data(warning) for warning in warnings],
    }


def warning_data(warning: PolicyWarning) -> dict[str, Any]:
    """Describe one warning."""
    return {
        "rule": warning.rule,
        "path": list(warning.path),
        "problem": warning.problem,
        "hint": warning.hint,
    }


def access_ends_at(timeline: Timeline) -> Instant | None:
    """Give the instant from which an ordinary member may sign in nowhere, if there is one."""
    shut = (span for span in timeline.spans if not may_sign_in(timeline.policy, span.stage))
    return next((span.starts_at for span in shut), None)


def may_sign_in(policy: Policy, stage: Stage) -> bool:
    """Say whether a stage lets an ordinary member in anywhere."""
    row = stage.access.get(Role.MEMBER, stage.access.get(ANY, "none"))
    levels = [row] if isinstance(row, str) else list(row.values())
    return any(Capability.SIGN_IN in policy.capabilities(level) for level in levels)


def earliest_at(
    timeline: Timeline,
    planned: PlannedStep,
    *,
    receipts: Mapping[str, Receipt] = NOTHING_DONE,
    now: Instant = Instant.MIN,
) -> Instant:
    """Give the first instant at which a step's guards can hold, when every notice is on time."""
    if not planned.is_destructive:
        return planned.due_at
    return erases_at(planned, timeline, receipts=receipts, now=now)


def _stage_data(span: Span) -> dict[str, Any]:
    stage = span.stage
    return {
        "id": stage.id,
        "title": stage.title or stage.id,
        "starts_at": _text(span.starts_at),
        "ends_at": _text(span.ends_at),
        "first_on": _text(span.first_on),
        "last_on": _text(span.last_on),
        "access": dict(stage.access),
        "banner": stage.banner,
        "reached_by": span.after_step,
        "reactivation_by": list(stage.reactivate.by) if stage.reactivate else [],
        "export_on_request": [kind.value for kind in stage.export_on_request],
    }


def _step_data(timeline: Timeline, planned: PlannedStep) -> dict[str, Any]:
    step = planned.step
    return {
        "key": planned.key,
        "action": planned.action.value,
        "due_on": _text(planned.due_on),
        "due_at": _text(planned.due_at),
        "earliest_at": _text(earliest_at(timeline, planned)),
        "useful_until": _text(planned.useful_until),
        "no_later_than": _text(planned.deadline_on),
        "audience": [audience.value for audience in step.audience] if step else [],
        "attach": step.attach if step else None,
        "requires": [
            {"delivered": guard.delivered, "at_least_before": str(guard.at_least_before)}
            for guard in (step.requires if step else ())
        ],
    }


def _text(value: Date | Instant | None) -> str | None:
    return None if value is None else value.format_iso()
