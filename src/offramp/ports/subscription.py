"""Subscriptions of a billing system, and the pools that they pay for.

Source: docs/billing.md.
"""

from dataclasses import dataclass, field
from typing import Protocol

from offramp.core.subscription import Payments, Word


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscription:
    """One subscription, with the newest word about it.

    Attributes:
        organization, pool: what it pays for, as far as anybody has said.
        is_assigned: whether a person has said so, which what the billing system says leaves alone.
        payments: what was said of its payments, all words together.
        problem: the code of what keeps it from counting; none where it counts.
    """

    id: str
    organization: str | None = None
    pool: str | None = None
    is_assigned: bool = False
    word: Word | None = None
    payments: Payments = field(default_factory=Payments)
    problem: str | None = None


class Subscriptions(Protocol):
    """The share of a transaction that is about them."""

    def hold_subscription(self, subscription: str) -> Subscription:
        """Find a subscription, or begin to know it; nobody else does until the transaction ends."""

    def save_subscription(self, subscription: Subscription) -> None:
        """Write what is known of a subscription now."""

    def subscriptions_of(self, organization: str, pool: str) -> tuple[Subscription, ...]:
        """List by id what pays for a pool, as far as anything was said of it."""

    def kept_subscriptions(self, *, after: str, limit: int) -> tuple[Subscription, ...]:
        """List by id those with a pool that something keeps from counting, past one of them."""

    def subscriptions_from(self, *, after: str, limit: int) -> tuple[Subscription, ...]:
        """List subscriptions by id, past one of them."""
