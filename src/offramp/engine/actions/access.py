"""Announce that a stage has begun. Access itself is derived and waits for nobody.

The decision about every request is a function of the time (`core/access.py`), so nothing has to
be switched off here: this step closes sessions that are rows of the vendor's database, tells other
systems to end theirs, and leaves proof.

Source: mission A2; policy language S1; lessons L34, L40.
"""

from collections.abc import Collection

from offramp.core.event_kind import EventKind
from offramp.core.plan import PlannedStep
from offramp.core.policy import Capability, Policy, Stage
from offramp.engine.announcement import announce
from offramp.engine.sessions import are_closed, close_sessions
from offramp.engine.work import Result, Work


def preview(work: Work) -> tuple[str, ...]:
    """Say what the step would do."""
    stage = _stage(work.planned)
    lines = [f"announce the stage {stage.id}"]
    if _ends_sessions(work, stage):
        lines.append("end every open session")
    return tuple(lines)


def perform(work: Work) -> None:
    """Close sessions; the announcement is left to the receipt, and written together with it."""
    if _ends_sessions(work, _stage(work.planned)):
        close_sessions(work)


def verify(work: Work) -> Result | None:
    """Give the receipt, with the events that are written together with it."""
    stage = _stage(work.planned)
    kinds = [EventKind.STAGE_CHANGED]
    if _ends_sessions(work, stage):
        if not are_closed(work):
            return None
        kinds.append(EventKind.SESSIONS_REVOKED)
    events = tuple(
        announce(
            work.claimed,
            kind,
            key=work.planned.key,
            at=work.planned.due_at,
            detail={"stage": stage.id},
        )
        for kind in kinds
    )
    return Result(
        proof={"stage": stage.id, "sessions": "revoked" if len(kinds) > 1 else "kept"},
        events=events,
    )


def _stage(planned: PlannedStep) -> Stage:
    assert planned.stage is not None, "an access step is the change to a stage"
    return planned.stage


def _ends_sessions(work: Work, stage: Stage) -> bool:
    """Whether somebody may sign in nowhere any more, by their role."""
    with work.context.store.transaction() as transaction:
        policy = transaction.policy(work.claimed.policy, work.claimed.policy_version)
    assert policy is not None, "an off-boarding's policy version is never removed"
    return any(
        not any(_may_sign_in(policy, level) for level in levels) for levels in _levels(stage)
    )


def _levels(stage: Stage) -> list[Collection[str]]:
    """Give the levels of each role, wherever it may be."""
    rows = stage.access.values()
    return [[row] if isinstance(row, str) else row.values() for row in rows]


def _may_sign_in(policy: Policy, level: str) -> bool:
    return Capability.SIGN_IN in policy.capabilities(level)
