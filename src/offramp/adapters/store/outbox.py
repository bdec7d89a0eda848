"""Events for the outside, kept from the transaction that decided them until they are handed over.

Everything that reads or writes the outbox lives here.

Source: lesson L34.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, false, literal, or_, select, update
from sqlalchemy.engine import Row as Found
from whenever import Instant

from offramp.adapters.store import schema
from offramp.adapters.store.part import Part, Row, batches
from offramp.core.parcel import ParcelStatus
from offramp.ports import OutboxEvent

_table, _parcel = schema.outbox, schema.parcel
_NEW = _table.c.sent_at.is_(None)
_MADE = ("endpoint", "event", "status", "attempts", "next_try_at", "claim")


class OutboxPart(Part):
    """What the vendor's systems are told."""

    def put_events(self, events: Sequence[OutboxEvent]) -> None:
        """Add events; one that is there already is left alone."""
        self._add(
            _table,
            [
                {
                    "id": event.id,
                    "kind": event.kind,
                    "at": event.at,
                    "organization": event.organization,
                    "member": event.member,
                    "detail": dict(event.detail),
                }
                for event in events
            ],
        )

    def events(self, *, limit: int) -> tuple[OutboxEvent, ...]:
        """List the events of the outbox, oldest first."""
        chosen = select(_table).order_by(_table.c.at, _table.c.number).limit(limit)
        return tuple(event_of(row) for row in self.connection.execute(chosen))

    def has_new_events(self) -> bool:
        """Whether there are events that were not handed over yet."""
        return self.connection.scalar(select(literal(1)).where(_NEW).limit(1)) is not None

    def hand_over(
        self, wanted: Mapping[str, Collection[str]], *, at: Instant, limit: int
    ) -> tuple[OutboxEvent, ...]:
        """Make a parcel of each new event for each endpoint that wants its kind, oldest first."""
        oldest = select(_table).where(_NEW).order_by(_table.c.at, _table.c.number).limit(limit)
        found = self.connection.execute(oldest.with_for_update(skip_locked=True)).all()
        self._add(
            _parcel,
            [
                _first(endpoint, row, at=at)
                for row in found
                for endpoint, kinds in wanted.items()
                if row.kind in kinds
            ],
        )
        for ids in batches([row.id for row in found]):
            sent = update(_table).where(self._among(_table.c.id, ids)).values(sent_at=at)
            self.connection.execute(sent)
        return tuple(event_of(row) for row in found)

    def hand_over_again(
        self,
        wanted: Mapping[str, Collection[str]],
        *,
        event: str | None,
        since: Instant,
        at: Instant,
    ) -> int:
        """Let events go to endpoints once more; the claims on what is on its way end."""
        chosen = _table.c.at >= since if event is None else _table.c.id == event
        count = 0
        for endpoint, kinds in wanted.items():
            again = select(
                literal(endpoint),
                _table.c.id,
                literal(ParcelStatus.WAITING.value),
                literal(0),
                literal(at, _parcel.c.next_try_at.type),
                literal(0),
            ).where(chosen, _is_of(kinds))
            # Whoever is emptying the outbox meanwhile is waited for; what is gone is left out.
            statement = self._insert(_parcel).from_select(
                _MADE, again.with_for_update(read=True, key_share=True)
            )
            renewed: Row = {name: statement.excluded[name] for name in _MADE[2:5]}
            renewed |= {"claim": _parcel.c.claim + 1, "lease_until": None, "reason": None}
            both = statement.on_conflict_do_update(
                index_elements=["event", "endpoint"], set_=renewed
            )
            counted = both.execution_options(preserve_rowcount=True)
            count += self.connection.execute(counted).rowcount
        return count


def event_of(row: Found[Any]) -> OutboxEvent:
    """Read an event from its row."""
    return OutboxEvent(
        id=row.id,
        kind=row.kind,
        at=row.at,
        organization=row.organization,
        member=row.member,
        detail=row.detail,
    )


def _first(endpoint: str, row: Found[Any], *, at: Instant) -> Row:
    """Make a parcel that is due since its event happened, so that the older one goes first."""
    return {
        "endpoint": endpoint,
        "event": row.id,
        "status": ParcelStatus.WAITING,
        "attempts": 0,
        "next_try_at": min(row.at, at),
        "claim": 0,
    }


def _is_of(kinds: Collection[str]) -> ColumnElement[bool]:
    return or_(false(), *(_table.c.kind == kind for kind in sorted(kinds)))
