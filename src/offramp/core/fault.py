"""One thing that is wrong in a policy: where it is, what is wrong, what would be right.

Everything that words a fault or finds its place in the file lives here.

Source: docs/policy.md, "What is checked".
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeAlias

from offramp.core.model import Anchor
from offramp.core.policy import Policy
from offramp.core.spelling import did_you_mean

FaultPath: TypeAlias = tuple[str | int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One thing that is wrong, where it is, and what would be right.

    Shape:
        path: keys and positions from the top of the file.
    """

    path: FaultPath
    problem: str
    expected: str
    hint: str | None = None


def unknown(path: FaultPath, noun: str, name: str, known: Iterable[str]) -> Fault:
    """Word the fault of a name that nothing has, with the nearest one that exists."""
    words = list(known)
    return Fault(
        path=path,
        problem=f"there is no {noun} {name}",
        expected="one of " + ", ".join(words) if words else f"a {noun} that the policy defines",
        hint=did_you_mean(name, words),
    )


def path_of(policy: Policy, name: str) -> FaultPath:
    """Find where a stage or step stands in the file."""
    for number, stage in enumerate(policy.stages):
        if stage.id == name:
            return ("stages", number)
    for number, step in enumerate(policy.steps):
        if step.id == name or (name == Anchor.DELETION and step.is_destructive):
            return ("steps", number)
    return ()
