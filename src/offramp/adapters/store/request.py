"""Who asks by nothing but an address, and whose address it is.

Source: ``ports.Transaction``; mission A4.
"""

from sqlalchemy import delete, func, select
from whenever import Instant

from offramp.adapters.store import schema
from offramp.adapters.store.part import Part
from offramp.ports import RequestKind, fold_address

_table, _member = schema.request, schema.member


class RequestPart(Part):
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
        same = select(func.count()).select_from(_table).where(_table.c.kind == kind)
        waiting = self.connection.scalar(same)
        if waiting is None or waiting >= waiting_max:
            return False
        row = {"address": fold_address(address), "kind": kind.value, "asked_at": at}
        return self._create(_table, row)

    def requests(self, *, kind: RequestKind = RequestKind.MESSAGES, limit: int) -> tuple[str, ...]:
        """List the addresses that wait."""
        chosen = select(_table.c.address).where(_table.c.kind == kind)
        ordered = chosen.order_by(_table.c.asked_at, _table.c.address)
        return tuple(self.connection.scalars(ordered.limit(limit)))

    def drop_request(self, address: str, *, kind: RequestKind = RequestKind.MESSAGES) -> None:
        """Forget that an address asked."""
        mine = (_table.c.address == fold_address(address), _table.c.kind == kind)
        self.connection.execute(delete(_table).where(*mine))

    def readers_at(self, address: str) -> tuple[tuple[str, str], ...]:
        """Find everybody who has an address."""
        theirs = func.lower(_member.c.email) == fold_address(address)
        key = (_member.c.organization, _member.c.id)
        rows = self.connection.execute(select(*key).where(theirs).order_by(*key))
        return tuple((row.organization, row.id) for row in rows)
