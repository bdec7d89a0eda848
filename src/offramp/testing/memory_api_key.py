"""The keys that programs show in the store in memory.

Source: ``ports.ApiKeys``.
"""

from dataclasses import replace

from offramp.ports import ApiKey
from offramp.testing.memory_tables import MemoryPart


class MemoryApiKeyPart(MemoryPart):
    """Which programs may ask."""

    def add_api_key(self, key: ApiKey) -> bool:
        """Store a new key."""
        if key.name in self.tables.api_keys:
            return False
        self.tables.api_keys[key.name] = key
        return True

    def api_key(self, digest: str) -> ApiKey | None:
        """Find a key by its digest."""
        return next((k for k in self.tables.api_keys.values() if k.digest == digest), None)

    def api_keys(self) -> tuple[ApiKey, ...]:
        """List the keys by name."""
        return tuple(sorted(self.tables.api_keys.values(), key=lambda each: each.name))

    def save_api_key(self, key: ApiKey) -> None:
        """Write when a key was used and revoked."""
        kept = self.tables.api_keys.get(key.name)
        if kept is not None:
            changed = replace(kept, used_on=key.used_on, revoked_at=key.revoked_at)
            self.tables.api_keys[key.name] = changed
