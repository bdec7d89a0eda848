"""Claims: who works on what is due, and for how long it is theirs.

Everything that makes a claim, keeps it or gives it back lives here. What ends the claim of somebody
else (another end, another version) lies beside the facts, in ``offboarding.py``.

Source: docs/decisions/019-workers.md; lessons L2, L18, L31, L33.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Select, Table, Update, literal, select, tuple_, update
from sqlalchemy.engine import Row
from whenever import Instant

from offramp.adapters.store import schema
from offramp.adapters.store.column_type import MomentInTime
from offramp.adapters.store.lock import stale
from offramp.adapters.store.offboarding import HAS_WORK, earlier, is_due, offboarding_of
from offramp.adapters.store.part import Part, batches
from offramp.ports import Offboarding, Ticket

SHARES = 8  # of a batch; no organization gets more than one of them while others are due
LOOKS_MAX = 100  # for others, each at one organization on one date

_table = schema.offboarding
_order = (_table.c.next_due_at, _table.c.organization, _table.c.id)  # as in the index
_Returned = Table | ColumnElement[Any]


class ClaimPart(Part):
    """The lease on an off-boarding, and the attempt that fences it."""

    def claim_due(
        self, *, now: Instant, lease_until: Instant, limit: int
    ) -> tuple[Offboarding, ...]:
        """Claim due off-boardings whose lease is free, and leave room for everybody."""
        claimed = self._claim(_table, now=now, lease_until=lease_until, limit=limit)
        return tuple(offboarding_of(row) for row in sorted(claimed, key=_place))

    def claim_tickets(
        self, *, now: Instant, lease_until: Instant, limit: int
    ) -> tuple[Ticket, ...]:
        """Claim them in the same way, and read no more than travels."""
        columns = (_table.c.id, _table.c.attempt)
        claimed = self._claim(*columns, now=now, lease_until=lease_until, limit=limit)
        return tuple(Ticket(offboarding=row.id, attempt=row.attempt) for row in claimed)

    def _claim(
        self, *columns: _Returned, now: Instant, lease_until: Instant, limit: int
    ) -> Sequence[Row[Any]]:
        oldest = self.connection.execute(_free(now).limit(limit)).all()
        chosen = [row.id for row in self._shared_out(oldest, now=now, limit=limit)]
        values = {"attempt": _table.c.attempt + 1, "lease_until": lease_until, "woken_at": None}
        claimed: list[Row[Any]] = []
        for some in batches(chosen):
            statement = update(_table).where(self._among(_table.c.id, some)).values(values)
            claimed += self.connection.execute(statement.returning(*columns)).all()
        return claimed

    def _shared_out(
        self, oldest: Sequence[Row[Any]], *, now: Instant, limit: int
    ) -> Sequence[Row[Any]]:
        """Put others in the place of a crowd: it has been due for longest, and will be for long."""
        share = max(1, limit // SHARES)
        crowd = max(Counter(row.organization for row in oldest).values(), default=0)
        if len(oldest) < limit or crowd <= share:
            return oldest
        chosen: dict[str, Row[Any]] = {}
        for organization, first in self._first_dates(now).items():
            theirs = _free(now).where(
                _table.c.next_due_at == first, _table.c.organization == organization
            )
            chosen |= {row.id: row for row in self.connection.execute(theirs.limit(share))}
        chosen |= {row.id: row for row in oldest if row.id not in chosen}
        return list(chosen.values())[:limit]

    def _first_dates(self, now: Instant) -> Mapping[str, Instant]:
        """Find organizations that are due, each with its first date.

        One step of the index leads past everybody of one organization on one date.
        """
        place = _order[:2]
        ahead = select(*place).where(HAS_WORK, is_due(now)).order_by(*place).limit(1)
        found: dict[str, Instant] = {}
        look = self.connection.execute(ahead).first()
        for _ in range(LOOKS_MAX):
            if look is None or len(found) == SHARES:
                break
            found.setdefault(look.organization, look.next_due_at)
            here = literal(look.next_due_at, MomentInTime), literal(look.organization)
            look = self.connection.execute(ahead.where(tuple_(*place) > tuple_(*here))).first()
        return found

    def take_up(self, ticket: Ticket, *, lease_until: Instant) -> Offboarding | None:
        """Begin the work of a ticket as the next attempt."""
        mine = (_table.c.id == ticket.offboarding, _table.c.attempt == ticket.attempt)
        begun = (
            update(_table)
            .where(*mine, HAS_WORK, _table.c.lease_until.is_not(None))
            .values(attempt=_table.c.attempt + 1, lease_until=lease_until)
            .returning(_table)
        )
        row = self.connection.execute(begun).one_or_none()
        return None if row is None else offboarding_of(row)

    def renew(self, tickets: Sequence[Ticket], *, before: Instant, lease_until: Instant) -> int:
        """Keep the claims of tickets whose lease ends before an instant."""
        key, is_ending = tuple_(_table.c.id, _table.c.attempt), _table.c.lease_until < before
        kept = 0
        for some in batches(tickets):
            mine = key.in_([(ticket.offboarding, ticket.attempt) for ticket in some])
            # Those that keep leases must not wait for each other, nor for a chunk that runs.
            chosen = select(_table.c.id).where(mine, is_ending).with_for_update(skip_locked=True)
            # A common table expression, because PostgreSQL may run a plain subquery again.
            ending = chosen.cte("ending")
            renewed = update(_table).where(_table.c.id.in_(select(ending.c.id)))
            written = renewed.values(lease_until=lease_until).returning(_table.c.id)
            kept += len(self.connection.execute(written).all())
        return kept

    def extend_lease(self, claimed: Offboarding, *, lease_until: Instant) -> None:
        """Keep a claim for longer."""
        kept = _current(claimed).values(lease_until=lease_until)
        if self.connection.execute(kept).rowcount == 0:
            raise stale(claimed)

    def settle(
        self,
        claimed: Offboarding,
        *,
        next_due_at: Instant | None,
        erases_at: Instant | None = None,
    ) -> bool:
        """Give a claim back with its next date, or the earlier one that was set meanwhile."""
        given_back = _current(claimed).values(
            next_due_at=earlier(_table.c.woken_at, next_due_at),
            erases_at=erases_at,
            lease_until=None,
            woken_at=None,
        )
        return self.connection.execute(given_back).rowcount == 1


def _free(now: Instant) -> Select[Any]:
    """Choose what is due and nobody has, the oldest first, and lock it."""
    chosen = select(_table.c.id, _table.c.organization).where(HAS_WORK, is_due(now))
    return chosen.order_by(*_order).with_for_update(skip_locked=True)


def _current(claimed: Offboarding) -> Update:
    row = (_table.c.id == claimed.id, _table.c.attempt == claimed.attempt)
    is_as_claimed = _table.c.status == claimed.status
    return update(_table).where(*row, _table.c.episode == claimed.episode, is_as_claimed)


def _place(row: Row[Any]) -> tuple[Instant, str, str]:
    return row.next_due_at, row.organization, row.id
