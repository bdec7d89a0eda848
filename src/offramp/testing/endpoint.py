"""An endpoint in memory that takes every event, keeps it, and fails exactly as it is told.

Source: ``ports.Endpoint``.
"""

import json
from collections import deque
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any

from whenever import Instant

from offramp.core.event_kind import EventKind
from offramp.core.parcel import Reply

YES = Reply(status=204, reason="204")


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """What arrived once."""

    id: str
    at: Instant
    body: dict[str, Any]
    reply: Reply


class MemoryEndpoint:
    """Takes events.

    Attributes:
        arrived: everything that reached it, in order, whatever it answered.
    """

    place = "memory"

    def __init__(self, kinds: Collection[str] = tuple(EventKind)) -> None:
        """Say yes until told otherwise."""
        self.kinds = frozenset(kinds)
        self.arrived: list[Taken] = []
        self.meanwhile: Callable[[], object] = lambda: None
        self._next: deque[Reply] = deque()

    @property
    def taken(self) -> list[str]:
        """The ids to which it said yes."""
        return [each.id for each in self.arrived if each.reply.is_yes]

    def then(self, *replies: Reply) -> None:
        """Script the coming replies, in order."""
        self._next.extend(replies)

    def recover(self) -> None:
        """Say yes again."""
        self._next.clear()

    def close(self) -> None:
        """Let go of nothing: there is no connection."""

    def post(self, body: str, *, event: str, at: Instant) -> Reply:
        """Keep what arrives, and answer as scripted."""
        self.meanwhile()
        reply = self._next.popleft() if self._next else YES
        self.arrived.append(Taken(id=event, at=at, body=json.loads(body), reply=reply))
        return reply
