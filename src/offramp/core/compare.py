"""Two versions of a policy side by side: which dates of one subject would move, and which way.

A date that takes something away may be moved later by a new version; earlier only by an explicit
act, with fresh notice.

Source: policy language S4; mission, "what would this change do to everyone now in flight".
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from whenever import Date, Instant

from offramp.core.model import Facts
from offramp.core.plan import PlannedStep, Timeline, plan
from offramp.core.policy import Action, Policy


class Shift(StrEnum):
    """What a new version does to one date."""

    EARLIER = "earlier"
    LATER = "later"
    ADDED = "added"
    REMOVED = "removed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """One date that a new version moves.

    ``needs_act``: it takes something away sooner than was announced.
    """

    key: str
    action: Action
    shift: Shift
    was_on: Date | None
    was_at: Instant | None
    becomes_on: Date | None
    becomes_at: Instant | None
    needs_act: bool


def compare(old: Policy, new: Policy, facts: Facts) -> tuple[Move, ...]:
    """List the dates of one subject that differ between two versions, in the order of time."""
    return moves_between(plan(old, facts), plan(new, facts))


def moves_between(old: Timeline, new: Timeline) -> tuple[Move, ...]:
    """List the dates that differ between two timelines of one subject, in the order of time."""
    before, after = _by_key(old), _by_key(new)
    keys = dict.fromkeys((*before, *after))
    moves = [_move(before.get(key), after.get(key)) for key in keys]
    found = [move for move in moves if move is not None]
    return tuple(sorted(found, key=lambda move: move.becomes_at or move.was_at or Instant.MIN))


def _by_key(timeline: Timeline) -> Mapping[str, PlannedStep]:
    return {planned.key: planned for planned in timeline.steps}


def _move(was: PlannedStep | None, becomes: PlannedStep | None) -> Move | None:
    shift = _shift(was, becomes)
    planned = becomes or was
    if shift is None or planned is None:
        return None
    takes_away = planned.action in (Action.ACCESS, Action.ERASE)
    return Move(
        key=planned.key,
        action=planned.action,
        shift=shift,
        was_on=was.due_on if was else None,
        was_at=was.due_at if was else None,
        becomes_on=becomes.due_on if becomes else None,
        becomes_at=becomes.due_at if becomes else None,
        needs_act=takes_away and shift in (Shift.EARLIER, Shift.ADDED),
    )


def _shift(was: PlannedStep | None, becomes: PlannedStep | None) -> Shift | None:
    if was is None or becomes is None:
        return Shift.ADDED if was is None else Shift.REMOVED
    if was.due_at == becomes.due_at:
        return None
    return Shift.EARLIER if becomes.due_at < was.due_at else Shift.LATER
