"""Who asks by nothing but an address, in the store in memory.

Source: ``ports.Transaction``.
"""

from whenever import Instant

from offramp.ports import RequestKind, fold_address
from offramp.testing.memory_tables import MemoryPart


class MemoryRequestPart(MemoryPart):
    """What people ask for who have no account."""

    def put_request(
        self,
        address: str,
        *,
        kind: RequestKind = RequestKind.MESSAGES,
        at: Instant,
        waiting_max: int,
    ) -> bool:
        """Note that an address asks for something."""
        requests, key = self.tables.requests, (fold_address(address), kind)
        if key in requests or sum(each is kind for _, each in requests) >= waiting_max:
            return False
        requests[key] = at
        return True

    def requests(self, *, kind: RequestKind = RequestKind.MESSAGES, limit: int) -> tuple[str, ...]:
        """List the addresses that wait."""
        requests = self.tables.requests.items()
        waiting = sorted((at, address) for (address, each), at in requests if each is kind)
        return tuple(address for _, address in waiting[:limit])

    def drop_request(self, address: str, *, kind: RequestKind = RequestKind.MESSAGES) -> None:
        """Forget that an address asked."""
        self.tables.requests.pop((fold_address(address), kind), None)

    def readers_at(self, address: str) -> tuple[tuple[str, str], ...]:
        """Find everybody who has an address."""
        folded = fold_address(address)
        members = sorted(self.tables.members.items())
        return tuple(key for key, each in members if fold_address(each.email) == folded)
