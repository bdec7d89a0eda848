"""The sealed chain of what happened, one entry after the other without a gap.

Everything that reads or extends the ledger in the store lives here; sealing is the core's.

Source: ``core/ledger.py``; lesson L41.
"""

from collections.abc import Collection, Sequence
from dataclasses import replace

from sqlalchemy import select

from offramp.adapters.store import schema
from offramp.adapters.store.lock import LockPart
from offramp.adapters.store.part import Row
from offramp.core.ledger import GENESIS, Entry, Event, seal

_table = schema.ledger


class LedgerPart(LockPart):
    """Proof of what was done."""

    ledger_key: bytes
    unsealed: list[Event]

    def append(self, events: Sequence[Event]) -> None:
        """Add events to the end of the ledger when the transaction ends."""
        self.unsealed.extend(events)

    def seal_events(self) -> None:
        """Seal what was appended.

        This is left to the end of a transaction, because the end of the ledger is the one lock
        that everybody wants: whoever has it waits for nothing else and soon lets go.
        """
        if not self.unsealed:
            return
        self.lock_ledger()
        number, previous = self._last()
        rows = []
        for event in self.unsealed:
            # What is sealed has to be what is read back: databases keep microseconds.
            kept = replace(event, at=event.at.round("microsecond", mode="floor"))
            entry = seal(kept, number=number + 1, previous=previous, key=self.ledger_key)
            number, previous = entry.number, entry.seal
            rows.append(_row(entry))
        self.connection.execute(_table.insert(), rows)
        self.unsealed.clear()

    def ledger(
        self, *, after: int = 0, limit: int | None = None, about: Collection[str] | None = None
    ) -> tuple[Entry, ...]:
        """Read the ledger in order."""
        self.seal_events()
        chosen = select(_table).where(_table.c.number > after).order_by(_table.c.number)
        if about is not None:
            chosen = chosen.where(_table.c.offboarding.in_(about))
        entries = []
        for row in self.connection.execute(chosen.limit(limit)):
            event = Event(
                kind=row.kind,
                at=row.at,
                offboarding=row.offboarding,
                episode=row.episode,
                step=row.step,
                actor=row.actor,
                detail=row.detail,
            )
            entries.append(
                Entry(number=row.number, event=event, previous=row.previous, seal=row.seal)
            )
        return tuple(entries)

    def ledger_head(self) -> tuple[int, str]:
        """Give number and seal of the last entry."""
        self.seal_events()
        return self._last()

    def _last(self) -> tuple[int, str]:
        chosen = select(_table.c.number, _table.c.seal).order_by(_table.c.number.desc()).limit(1)
        row = self.connection.execute(chosen).first()
        return (0, GENESIS) if row is None else (row.number, row.seal)


def _row(entry: Entry) -> Row:
    event = entry.event
    return {
        "number": entry.number,
        "kind": event.kind,
        "at": event.at,
        "offboarding": event.offboarding,
        "episode": event.episode,
        "step": event.step,
        "actor": event.actor,
        "detail": dict(event.detail),
        "previous": entry.previous,
        "seal": entry.seal,
    }
