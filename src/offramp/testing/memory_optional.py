"""Optional messages, and who has declined them, in the store in memory.

Source: ``ports.Transaction``.
"""

from collections.abc import Collection, Sequence

from whenever import Instant

from offramp.ports import OptionalMessage
from offramp.testing.memory_tables import MemoryPart


class MemoryOptionalPart(MemoryPart):
    """What a reader may decline."""

    def put_optional(self, messages: Sequence[OptionalMessage]) -> None:
        """Note optional messages, each once; none of a forgotten delivery."""
        known = {addressed[:3] for addressed in self.tables.deliveries}
        for each in messages:
            if (each.offboarding, each.step, each.member) in known:
                self.tables.optional_messages.setdefault(each.message, each)

    def find_optional(self, message: str) -> OptionalMessage | None:
        """Find an optional message by its id."""
        return self.tables.optional_messages.get(message)

    def decline(self, organization: str, *, member: str, at: Instant) -> bool:
        """Send a member no optional message any more, until they are forgotten."""
        is_new = (organization, member) not in self.tables.declined
        self.tables.declined.setdefault((organization, member), at)
        return is_new

    def want_again(self, organization: str, *, member: str) -> bool:
        """Send a member optional messages again; false when they had not declined."""
        return self.tables.declined.pop((organization, member), None) is not None

    def declined(self, organization: str, *, among: Collection[str]) -> frozenset[str]:
        """Name those of some members who have declined."""
        return frozenset(each for each in among if (organization, each) in self.tables.declined)
