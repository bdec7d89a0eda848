"""What a billing system says of subscriptions, in the store in memory.

Source: ``ports.Subscriptions``.
"""

from offramp.ports import Subscription
from offramp.testing.memory_tables import MemoryPart


class MemorySubscriptionPart(MemoryPart):
    """Who pays for what, and until when."""

    def hold_subscription(self, subscription: str) -> Subscription:
        """Find a subscription, or begin to know it."""
        return self.tables.subscriptions.setdefault(subscription, Subscription(id=subscription))

    def save_subscription(self, subscription: Subscription) -> None:
        """Write what is known of a subscription now."""
        self.tables.subscriptions[subscription.id] = subscription

    def subscriptions_of(self, organization: str, pool: str) -> tuple[Subscription, ...]:
        """List what pays for a pool."""
        return tuple(
            each
            for each in self._subscriptions()
            if (each.organization, each.pool) == (organization, pool) and each.word
        )

    def kept_subscriptions(self, *, after: str, limit: int) -> tuple[Subscription, ...]:
        """List those with a pool that something keeps from counting."""
        past = (each for each in self._subscriptions() if each.id > after)
        return tuple(each for each in past if each.problem and each.pool)[:limit]

    def subscriptions_from(self, *, after: str, limit: int) -> tuple[Subscription, ...]:
        """List subscriptions past one of them."""
        return tuple(each for each in self._subscriptions() if each.id > after)[:limit]

    def _subscriptions(self) -> list[Subscription]:
        return sorted(self.tables.subscriptions.values(), key=lambda each: each.id)
