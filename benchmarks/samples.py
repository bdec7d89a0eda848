"""What was measured: one number of each name for each round, so that ratios stay within a round."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from statistics import median
from time import perf_counter
from typing import TypeVar

Result = TypeVar("Result")


@dataclass(kw_only=True)
class Samples:
    """Numbers by name, in the order of the rounds."""

    numbers: dict[str, list[float]] = field(default_factory=dict)

    def note(self, name: str, number: float) -> None:
        """Keep the number of this round."""
        self.numbers.setdefault(name, []).append(number)

    def time(self, name: str, work: Callable[[], Result]) -> Result:
        """Run something and keep how many seconds it took."""
        with self.timing(name):
            return work()

    @contextmanager
    def timing(self, name: str) -> Iterator[None]:
        """Keep how many seconds the block took."""
        began = perf_counter()
        yield
        self.note(name, perf_counter() - began)

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
