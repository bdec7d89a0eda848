"""What a billing system says of a subscription, and when the pool that it pays for ends.

Only the newest word counts, in whatever order words arrive: each has its place among those of its
subscription. While a subscription renews by itself its pool has no end, so nobody is warned of an
end that does not come (L11).

Source: docs/billing.md; lessons L1, L11.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeAlias

from whenever import Date, Instant

from offramp.core.dates import last_day_before

Place: TypeAlias = tuple[bool, Instant, bool, Instant, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Word:
    """How a subscription stood when something was said of it.

    Attributes:
        event: the id of what was said.
        at: when it was so.
        is_over: whether it can never go on again.
        ends_at: the instant of its end; none while it renews by itself.
    """

    event: str
    at: Instant
    is_over: bool
    ends_at: Instant | None

    @property
    def place(self) -> Place:
        """Where it stands among others: an end for good is last, then the time decides.

        Of two that were said in one second, the one counts that gives access for longer.
        """
        ends_at = self.ends_at or Instant.MAX
        return self.is_over, self.at, self.ends_at is None, ends_at, self.event


def end_of(words: Iterable[Word], *, zone: str) -> Date | None:
    """Give the last day of a pool, of the newest words about each subscription that pays for it.

    One that renews by itself keeps it open. Otherwise it is open through the day on which the last
    one ends, wherever in that day its billing system ends it.
    """
    ends = [word.ends_at for word in words]
    known = [last_day_before(end, zone=zone) for end in ends if end is not None]
    return max(known) if known and len(known) == len(ends) else None
