"""What would become of every step of one subject, if its end or its policy were another one.

A step that is done stays done, unless a new term begins: then the same step comes again. What
would be due by now is named, as nobody expects a date to move into the past.

Source: mission A7, "what would this change do"; policy language T7, T8; lesson L9.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from whenever import Instant

from offramp.core.compare import Move, Shift, moves_between
from offramp.core.due import erases_at
from offramp.core.model import Receipt
from offramp.core.plan import PlannedStep, Timeline


class Fate(StrEnum):
    """What would become of one step."""

    DONE = "done"  # and stays so
    STAYS = "stays"
    EARLIER = "earlier"
    LATER = "later"
    ADDED = "added"
    REMOVED = "canceled"
    AGAIN = "again"  # it was done, and a new term begins
    AT_ONCE = "due at once"
    USELESS = "left out"  # the time is over in which it was of use


_SHIFTED: Mapping[Shift | None, Fate] = {
    Shift.EARLIER: Fate.EARLIER,
    Shift.LATER: Fate.LATER,
    Shift.ADDED: Fate.ADDED,
    Shift.REMOVED: Fate.REMOVED,
    None: Fate.STAYS,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Prospect:
    """One step as it is planned and as it would be; one of both may be missing."""

    fate: Fate
    was: PlannedStep | None
    becomes: PlannedStep | None
    was_at: Instant | None
    becomes_at: Instant | None

    @property
    def planned(self) -> PlannedStep:
        """The step as it would be, or else as it is."""
        found = self.becomes or self.was
        assert found is not None, "a step is in one of the two timelines"
        return found


def prospects(
    old: Timeline | None,
    new: Timeline | None,
    *,
    receipts: Mapping[str, Receipt],
    is_new_term: bool,
    now: Instant,
) -> tuple[Prospect, ...]:
    """Say what would become of every step, in the order of time.

    Args:
        old: what is planned; none where nothing has an end.
        new: what would be; none where nothing would have one.
        receipts: of what was done by the old one.
        is_new_term: whether everything would be announced again.
    """
    before, after = _by_key(old), _by_key(new)
    moves = {} if old is None or new is None else {m.key: m for m in moves_between(old, new)}
    kept = {} if is_new_term else receipts
    found = []
    for key in dict.fromkeys((*before, *after)):
        was, becomes = before.get(key), after.get(key)
        found.append(
            Prospect(
                fate=_fate(was, becomes, moves.get(key), receipts=receipts, kept=kept, now=now),
                was=was,
                becomes=becomes,
                was_at=_expected_at(was, old, receipts=receipts, now=now),
                becomes_at=_expected_at(becomes, new, receipts=kept, now=now),
            )
        )
    return tuple(sorted(found, key=lambda each: each.becomes_at or each.was_at or Instant.MIN))


def _by_key(timeline: Timeline | None) -> Mapping[str, PlannedStep]:
    return {} if timeline is None else {planned.key: planned for planned in timeline.steps}


def _fate(
    was: PlannedStep | None,
    becomes: PlannedStep | None,
    move: Move | None,
    *,
    receipts: Mapping[str, Receipt],
    kept: Mapping[str, Receipt],
    now: Instant,
) -> Fate:
    if was is not None and (was.key in kept or (becomes is None and was.key in receipts)):
        return Fate.DONE
    if becomes is None:
        return Fate.REMOVED
    if becomes.is_useless(now=now):
        return Fate.USELESS
    if becomes.due_at <= now:
        return Fate.AT_ONCE
    if becomes.key in receipts:
        return Fate.AGAIN
    return Fate.ADDED if was is None else _SHIFTED[move.shift if move else None]


def _expected_at(
    planned: PlannedStep | None,
    timeline: Timeline | None,
    *,
    receipts: Mapping[str, Receipt],
    now: Instant,
) -> Instant | None:
    """Give when a step was done, or is to be expected: a late notice moves a deletion."""
    if planned is None or timeline is None:
        return None
    if planned.key in receipts:
        return receipts[planned.key].done_at
    if not planned.is_destructive:
        return planned.due_at
    return erases_at(planned, timeline, receipts=receipts, now=now)
