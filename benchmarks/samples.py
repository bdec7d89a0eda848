"""What was measured: one number of each name for each round, so that ratios stay within a round."""

from collections.abc import Callable
from dataclasses import dataclass, field
from statistics import median
from time import perf_counter
from typing import TypeVar

from benchmarks.meter import Meter

CPU = " cpu"  # what the name of a time is followed by when its processor seconds are meant

Result = TypeVar("Result")


@dataclass(kw_only=True)
class Samples:
    """Numbers by name, in the order of the rounds."""

    meter: Meter = field(default_factory=Meter)
    numbers: dict[str, list[float]] = field(default_factory=dict)

    def note(self, name: str, number: float) -> None:
        """Keep the number of this round."""
        self.numbers.setdefault(name, []).append(number)

    def time(self, name: str, work: Callable[[], Result]) -> Result:
        """Run something, and keep how many seconds it took of time and of processors."""
        used, began = self.meter.seconds(), perf_counter()
        result = work()
        ended = perf_counter()
        self.note(name, ended - began)
        self.note(name + CPU, self.meter.seconds() - used)
        return result

    def sums(self, names: tuple[str, ...]) -> list[float]:
        """Add up several names round by round; a name may be given twice."""
        return [
            sum(numbers) for numbers in zip(*(self.numbers[name] for name in names), strict=True)
        ]

    def middle(self, names: tuple[str, ...]) -> float:
        """Give the median of a sum."""
        return median(self.sums(names))

    def ratio(self, ours: tuple[str, ...], baseline: tuple[str, ...]) -> float:
        """Give the median of what each round says by itself."""
        pairs = zip(self.sums(ours), self.sums(baseline), strict=True)
        return median(mine / theirs for mine, theirs in pairs)

    def knows(self, names: tuple[str, ...]) -> bool:
        """Tell whether all of these were measured."""
        return all(name in self.numbers for name in names)
