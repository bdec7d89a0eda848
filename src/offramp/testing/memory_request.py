"""Who asks by nothing but an address, in the store in memory.

Source: ``ports.Transaction``.
"""

from whenever import Instant

from offramp.ports import fold_address
from offramp.testing.memory_tables import MemoryPart


class MemoryRequestPart(MemoryPart):
    """What people ask for who have no account."""

    def put_request(self, address: str, *, at: Instant, waiting_max: int) -> bool:
        """Note that an address asks for what was sent to it."""
        requests, folded = self.tables.requests, fold_address(address)
        if folded in requests or len(requests) >= waiting_max:
            return False
        requests[folded] = at
        return True

    def requests(self, *, limit: int) -> tuple[str, ...]:
        """List the addresses that wait."""
        waiting = sorted((at, address) for address, at in self.tables.requests.items())
        return tuple(address for _, address in waiting[:limit])

    def drop_request(self, address: str) -> None:
        """Forget that an address asked."""
        self.tables.requests.pop(fold_address(address), None)

    def readers_at(self, address: str) -> tuple[tuple[str, str], ...]:
        """Find everybody who has an address."""
        folded = fold_address(address)
        members = sorted(self.tables.members.items())
        return tuple(key for key, each in members if fold_address(each.email) == folded)
