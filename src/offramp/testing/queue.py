"""A queue of work in memory, whose tickets are given out when a test says so.

Source: ``ports.WorkQueue``.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from whenever import Instant

from offramp.ports import Ticket, Transaction


@dataclass(kw_only=True)
class MemoryQueue:
    """Keeps tickets as the real one does: waiting, begun, finished, each with its instant."""

    now: Callable[[], Instant]
    _waiting: list[Ticket] = field(default_factory=list)
    _begun: dict[Ticket, Instant] = field(default_factory=dict)
    _finished: dict[Ticket, Instant] = field(default_factory=dict)
    _handler: Callable[[Ticket], None] | None = None

    def enqueue(self, tickets: Sequence[Ticket], *, transaction: Transaction) -> None:
        """Hand over tickets."""
        self._waiting.extend(tickets)

    @contextmanager
    def serving(self, handler: Callable[[Ticket], None]) -> Iterator[None]:
        """Give tickets to a handler while the block lasts, one for each call of `give`."""
        self._handler = handler
        try:
            yield
        finally:
            self._handler = None

    def give(self) -> Ticket:
        """Let the handler carry out the ticket that has waited for longest."""
        assert self._handler is not None, "somebody has to serve"
        ticket = self.lose()
        self._handler(ticket)
        del self._begun[ticket]
        self._finished[ticket] = self.now()
        return ticket

    def lose(self) -> Ticket:
        """Give the ticket that has waited for longest to a process that dies of it."""
        ticket = self._waiting.pop(0)
        self._begun[ticket] = self.now()
        return ticket

    def waiting(self, *, limit: int) -> tuple[Ticket, ...]:
        """List tickets that no process has been given yet, oldest first."""
        return tuple(self._waiting[:limit])

    def begun(self, *, before: Instant, limit: int) -> tuple[Ticket, ...]:
        """List tickets that a process was given before an instant, and has not finished."""
        return _earlier(self._begun, before=before, limit=limit)

    def finished(self, *, before: Instant, limit: int) -> tuple[Ticket, ...]:
        """List tickets that were finished before an instant and are still remembered."""
        return _earlier(self._finished, before=before, limit=limit)

    def forget(self, tickets: Sequence[Ticket]) -> None:
        """Remember tickets no longer."""
        for ticket in tickets:
            self._begun.pop(ticket, None)
            self._finished.pop(ticket, None)


def _earlier(tickets: dict[Ticket, Instant], *, before: Instant, limit: int) -> tuple[Ticket, ...]:
    return tuple(ticket for ticket, at in tickets.items() if at < before)[:limit]
