"""How the engine tells what happens while it happens: one call for each thing, with plain facts.

Facts are ids of ours, counts, codes and names of tables; never a person's data, a value of a row,
or the message of a stranger's error.

Source: docs/operations.md, "What is told".
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Protocol


class Happening(StrEnum):
    """Everything that is told, with the facts that come along.

    Those of ``erase``, ``export``, ``import`` and ``restore`` are progress: ``table``, ``rows`` so
    far, and where they are known ``of`` how many, and ``bytes``.
    """

    SWEEP = "sweep"  # claimed, failed, seconds
    CLAIM = "claim"  # offboarding, attempt: the work on it begins
    STEP = "step"  # at, offboarding, attempt, step, action, status, reason, seconds
    OVERTAKEN = "overtaken"  # offboarding, attempt: another worker has taken the claim over
    VOID = "void"  # offboarding, attempt: its ticket had been overtaken, or came twice
    STOPPED = "stopped"  # offboarding, attempt, reason: an invariant failed
    POSTPONED = "postponed"  # offboarding, attempt, error: something is down or in the way
    UNEXPECTED = "unexpected"  # offboarding (if known), attempt, error, frames
    UNAVAILABLE = "unavailable"  # error, problem: the worker waits for it to come back
    PARCEL = "parcel"  # endpoint, parcel, attempt, status, reason, seconds: an event was sent
    UNPRINTED = "unprinted"  # organization, papers, error: they were sent without their paper
    HEAVY = "heavy"  # offboarding, step, bytes: attached, because no link could be sent
    KEPT_OUT = "kept-out"  # reason: whoever showed elsewhere who they are is not let in here
    LISTENING = "listening"  # address: where metrics and health can be asked for
    ERASE = "erase"
    EXPORT = "export"
    IMPORT = "import"
    RESTORE = "restore"


PROGRESS = frozenset({Happening.ERASE, Happening.EXPORT, Happening.IMPORT, Happening.RESTORE})
"""What is told often, of work that is still going on."""


class Report(Protocol):
    """Hears of everything that happens; it never raises."""

    def __call__(self, event: str, facts: Mapping[str, object], /) -> None:
        """Note one thing that happened."""
