"""Events for the outside, kept until they have been handed over.

Everything that reads or writes the outbox lives here.

Source: lesson L34.
"""

from collections.abc import Sequence

from sqlalchemy import select, update
from whenever import Instant

from offramp.adapters.store import schema
from offramp.adapters.store.part import Part, batches
from offramp.ports import OutboxEvent

_table = schema.outbox


class OutboxPart(Part):
    """What the vendor's application is told."""

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
        """List events that have not been sent, oldest first."""
        chosen = select(_table).where(_table.c.sent_at.is_(None))
        rows = self.connection.execute(chosen.order_by(_table.c.at, _table.c.number).limit(limit))
        return tuple(
            OutboxEvent(
                id=row.id,
                kind=row.kind,
                at=row.at,
                organization=row.organization,
                member=row.member,
                detail=row.detail,
            )
            for row in rows
        )

    def mark_sent(self, events: Sequence[str], *, at: Instant) -> None:
        """Note that events have been handed over."""
        for ids in batches(events):
            sent = update(_table).where(_table.c.id.in_(ids)).values(sent_at=at)
            self.connection.execute(sent)
