"""What a new version of a policy does to everybody who is leaving by an older one.

A date that was announced is never moved: whoever was told something keeps the version that they
were told. The others take the new one over, and everything that it moves is counted beforehand.

Source: policy language S3, S4; mission, "what would this change do to everyone now in flight".
"""

from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum

from whenever import Date, Instant

from offramp.core.compare import Move, Shift, moves_between
from offramp.core.lint import override_faults
from offramp.core.model import Facts
from offramp.core.plan import Timeline, plan
from offramp.core.policy import Action, Policy


class Fate(StrEnum):
    """What becomes of one off-boarding when a new version is published."""

    TAKES_OVER = "nothing was announced, so it takes the version over"
    TOLD = "something was announced, so it keeps the version that was told"
    UNFIT = "the contract sets a period that the version does not allow, so it keeps its own"


@dataclass(frozen=True, slots=True, kw_only=True)
class Passage:
    """One way from a version to the next: what it moves, and when each of them begins.

    ``is_fit`` says whether the contract may be dated by the new version.
    """

    moves: tuple[Move, ...]
    began_at: Instant | None
    begins_at: Instant | None
    is_fit: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class StepEffect:
    """What a version does to one step over all who are leaving.

    Attributes:
        moves: how many of those who take the version over are moved, and which way.
        first_on: the earliest of their new dates.
        spared: how many keep a date, as they were told, that would come sooner or be new.
    """

    key: str
    action: Action
    moves: dict[Shift, int]
    first_on: Date | None
    spared: int


@dataclass(slots=True, kw_only=True)
class Effect:
    """What a version does, counted one off-boarding after the other."""

    fates: Counter[Fate] = field(default_factory=Counter)
    moved: Counter[tuple[str, Shift]] = field(default_factory=Counter)
    spared: Counter[str] = field(default_factory=Counter)
    actions: dict[str, Action] = field(default_factory=dict)
    first_on: dict[str, Date] = field(default_factory=dict)

    @property
    def in_flight(self) -> int:
        """How many are leaving by another version."""
        return self.fates.total()

    def count(self, passage: Passage, fate: Fate) -> None:
        """Add one off-boarding."""
        self.fates[fate] += 1
        for move in passage.moves:
            self.actions[move.key] = move.action
            if fate is Fate.TAKES_OVER:
                self._move(move)
            elif move.shift in (Shift.EARLIER, Shift.ADDED):
                self.spared[move.key] += 1

    def _move(self, move: Move) -> None:
        self.moved[move.key, move.shift] += 1
        if move.becomes_on is not None:
            known = self.first_on.get(move.key, move.becomes_on)
            self.first_on[move.key] = min(known, move.becomes_on)

    def steps(self) -> tuple[StepEffect, ...]:
        """Give what was counted by step, the earliest new date first."""
        found = [
            StepEffect(
                key=key,
                action=action,
                moves={shift: self.moved[key, shift] for shift in Shift},
                first_on=self.first_on.get(key),
                spared=self.spared[key],
            )
            for key, action in self.actions.items()
        ]
        touched = [step for step in found if step.spared or any(step.moves.values())]
        return tuple(sorted(touched, key=lambda step: (step.first_on or Date.MAX, step.key)))


def passage(old: Policy, new: Policy, facts: Facts) -> Passage:
    """Work out what a new version means for one set of facts, whoever has them."""
    before, after = plan(old, facts), plan(new, facts)
    return Passage(
        moves=moves_between(before, after),
        began_at=_first_due(before),
        begins_at=_first_due(after),
        is_fit=not override_faults(new, facts.overrides),
    )


def _first_due(timeline: Timeline) -> Instant | None:
    return min((planned.due_at for planned in timeline.steps), default=None)


def fate_of(passage: Passage, *, has_begun: bool, now: Instant) -> Fate:
    """Decide whether one off-boarding takes a new version over.

    A first date that has passed counts as announced even if nothing was carried out yet: access
    and banner follow the timeline whether or not a worker runs.
    """
    if has_begun or (passage.began_at is not None and passage.began_at <= now):
        return Fate.TOLD
    return Fate.TAKES_OVER if passage.is_fit else Fate.UNFIT


def scope_changes(old: Policy, new: Policy) -> tuple[str, ...]:
    """Name what decides who leaves and when their end is, where a new version says otherwise.

    These are read whenever facts change, and by the newest version; so they would reach those who
    were told something else as well.
    """
    changed = [name for name in ("clock", "expiry") if getattr(old, name) != getattr(new, name)]
    if set(old.applies_to) - set(new.applies_to):
        changed.append("applies_to")
    return tuple(changed)
