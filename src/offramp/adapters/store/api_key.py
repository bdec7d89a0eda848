"""The keys that programs show.

Source: ``ports.ApiKeys``.
"""

from dataclasses import asdict
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.engine import Row as Found

from offramp.adapters.store.part import Part
from offramp.adapters.store.schema_api_key import api_key
from offramp.core.operator import OperatorRole
from offramp.ports import ApiKey


class ApiKeyPart(Part):
    """Which programs may ask."""

    def add_api_key(self, key: ApiKey) -> bool:
        """Store a new key."""
        return self._create(api_key, asdict(key))

    def api_key(self, digest: str) -> ApiKey | None:
        """Find a key by its digest."""
        row = self.connection.execute(select(api_key).where(api_key.c.digest == digest)).first()
        return None if row is None else _of(row)

    def api_keys(self) -> tuple[ApiKey, ...]:
        """List the keys by name."""
        return tuple(map(_of, self.connection.execute(select(api_key).order_by(api_key.c.name))))

    def save_api_key(self, key: ApiKey) -> None:
        """Write when a key was used and revoked."""
        values = {"used_on": key.used_on, "revoked_at": key.revoked_at}
        mine = api_key.c.name == key.name
        self.connection.execute(update(api_key).where(mine).values(values))


def _of(row: Found[Any]) -> ApiKey:
    return ApiKey(**{**row._mapping, "role": OperatorRole(row.role)})
