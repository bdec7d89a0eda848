"""What a billing system says of a subscription, and when the pool that it pays for ends.

Only the newest word counts, in whatever order words arrive: each has its place among those of its
subscription. While a subscription renews by itself its pool has no end, so nobody is warned of an
end that does not come (L11).

What is owed is owed since the first time after the last payment. All that decides so is kept, and
no order of words makes another thing of it.

Source: docs/billing.md; lessons L1, L11.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from whenever import Date, Instant

from offramp.core.dates import days_after, last_day_before

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Payment:
    """What a word says of payments: since when something is owed; none where all is paid."""

    owed_since: Instant | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Payments:
    """All that words have said of the payments for a subscription, as far as it still matters.

    Attributes:
        paid_at: when all was paid, the last time that it was said to be.
        debts: since when something is owed -> when that was last said, later than that.
    """

    paid_at: Instant | None = None
    debts: Mapping[Instant, Instant] = field(default_factory=dict)

    @property
    def owed_since(self) -> Instant | None:
        """Since when something is owed, if anything is."""
        return min(self.debts, default=None)

    def heard(self, payment: Payment, *, at: Instant) -> "Payments":
        """Take in what was said at an instant; again is once, and the order is all one."""
        paid_at, debts, since = self.paid_at, dict(self.debts), payment.owed_since
        if since is None:
            paid_at = max(at, paid_at or at)
        else:
            debts[since] = max(at, debts.get(since, at))
        left = {since: at for since, at in debts.items() if paid_at is None or at > paid_at}
        return Payments(paid_at=paid_at, debts=left)


def end_of(
    told: Iterable[tuple[Word, Payments]], *, zone: str, unpaid_days: int | None
) -> Date | None:
    """Give the last day of a pool, of what is known of each subscription that pays for it.

    One that renews by itself keeps it open. Otherwise it is open through the day on which the last
    one ends, wherever in that day its billing system ends it.

    Args:
        told: the newest word about each, and what was said of its payments.
        unpaid_days: so many days after the last paid one it ends; none: it does not.
    """
    ends = [_last_day(*each, zone=zone, unpaid_days=unpaid_days) for each in told]
    known = [end for end in ends if end is not None]
    return max(known) if known and len(known) == len(ends) else None


def _last_day(word: Word, payments: Payments, *, zone: str, unpaid_days: int | None) -> Date | None:
    """Give the last day of one subscription: whatever comes first ends it."""
    days = [] if word.ends_at is None else [last_day_before(word.ends_at, zone=zone)]
    if unpaid_days is not None and payments.owed_since is not None:
        paid = last_day_before(payments.owed_since, zone=zone)
        days.append(days_after(paid, unpaid_days))
    return min(days, default=None)
