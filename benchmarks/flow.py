"""How a round is made: flows of steps, each flow on a fresh copy of the database.

A step leaves numbers; a row of the table asks for numbers. Only the steps run whose numbers are
asked for, and those that they need, so that a single row can be measured in seconds. No step is
begun on a copy that a step of another flow has touched.
"""

from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, Protocol, TypeVar

from benchmarks.samples import Samples

Ground = TypeVar("Ground")


class SidesDiffer(AssertionError):
    """The two sides did not do the same work, so that their times say nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a round takes its copies from, and where it may write.

    Attributes:
        base_url: PostgreSQL's maintenance database, which also holds the fence.
        server: the number of its process.
        template: the name of the database that was filled.
        folder: on the same disk as the server's.
        samples: where the numbers go.
        phase_seconds: how long others are watched at least in each phase.
        owned: how many rows of each table the large organization has.
    """

    base_url: str
    server: int
    template: str
    folder: Path
    samples: Samples
    owned: Mapping[str, int]
    phase_seconds: float

    def expect(self, rows: Mapping[str, int], what: str) -> None:
        """Stop where somebody did less, or more, than all rows of the large organization.

        Args:
            rows: by table, of which Offramp puts the source in front.
            what: was done to them.
        """
        by_table = {name.rpartition(".")[2]: number for name, number in rows.items()}
        if by_table != self.owned:
            raise SidesDiffer(f"of {self.owned} {what}: {by_table}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Step(Generic[Ground]):
    """One piece of work.

    Attributes:
        gives: the names of the numbers that it leaves.
        needs: numbers whose steps have to run before it, on the same ground.
    """

    run: Callable[[Ground], None]
    gives: tuple[str, ...]
    needs: tuple[str, ...] = ()


class Runnable(Protocol):
    """A flow, whatever its ground is."""

    def run(self, place: Place, *, wanted: frozenset[str]) -> None:
        """Do what is needed for the numbers that are wanted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Flow(Generic[Ground]):
    """Steps that follow one another on one ground, which is made and thrown away around them."""

    ground: Callable[[Place], AbstractContextManager[Ground]]
    steps: tuple[Step[Ground], ...]

    def run(self, place: Place, *, wanted: frozenset[str]) -> None:
        """Do what is needed for the numbers that are wanted; nothing, if none is."""
        names = self._closed(wanted)
        chosen = [step for step in self.steps if names.intersection(step.gives)]
        if chosen:
            with self.ground(place) as ground:
                for step in chosen:
                    step.run(ground)

    def _closed(self, wanted: frozenset[str]) -> frozenset[str]:
        """Add what the wanted steps need, from the last step to the first."""
        names = wanted
        for step in reversed(self.steps):
            if names.intersection(step.gives):
                names |= frozenset(step.needs)
        return names


def run_round(
    flows: Iterable[Runnable], place: Place, *, wanted: frozenset[str], number: int
) -> None:
    """Measure everything once; which side begins changes from round to round.

    The second one meets a warmer machine.
    """
    in_order = list(flows)
    for flow in in_order if number % 2 else reversed(in_order):
        flow.run(place, wanted=wanted)
