"""Who asks by nothing but an address, and whose address it is.

Source: ``ports.Transaction``; mission A4.
"""

from sqlalchemy import delete, func, select
from whenever import Instant

from offramp.adapters.store import schema
from offramp.adapters.store.part import Part
from offramp.ports import fold_address

_table, _member = schema.request, schema.member


class RequestPart(Part):
    """What people ask for who have no account."""

    def put_request(self, address: str, *, at: Instant, waiting_max: int) -> bool:
        """Note that an address asks for what was sent to it."""
        waiting = self.connection.scalar(select(func.count()).select_from(_table))
        if waiting is None or waiting >= waiting_max:
            return False
        return self._create(_table, {"address": fold_address(address), "asked_at": at})

    def requests(self, *, limit: int) -> tuple[str, ...]:
        """List the addresses that wait."""
        chosen = select(_table.c.address).order_by(_table.c.asked_at, _table.c.address)
        return tuple(self.connection.scalars(chosen.limit(limit)))

    def drop_request(self, address: str) -> None:
        """Forget that an address asked."""
        mine = _table.c.address == fold_address(address)
        self.connection.execute(delete(_table).where(mine))

    def readers_at(self, address: str) -> tuple[tuple[str, str], ...]:
        """Find everybody who has an address."""
        theirs = func.lower(_member.c.email) == fold_address(address)
        key = (_member.c.organization, _member.c.id)
        rows = self.connection.execute(select(*key).where(theirs).order_by(*key))
        return tuple((row.organization, row.id) for row in rows)
