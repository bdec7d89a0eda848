"""Who is written to and what their messages carry, looked up for a few turns of a step at once.

A turn marks few messages, so that a crash leaves few in doubt; what is only read may be read for
more of them. Nothing here outlives five seconds: whoever changes their address meanwhile is written
to where they were, as those are whose message waits for a connection.

Source: docs/decisions/028-mail-side-by-side.md.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from whenever import Instant

from offramp.core.model import Member
from offramp.engine.work import Work
from offramp.ports import Attachment, Delivery, Transaction

READERS_AT_ONCE = 128
SECONDS_MAX = 5.0

Attach = Callable[[Member], tuple[Attachment, ...]]
AttachAll = Callable[[Sequence[Member]], Attach]
"""Looks up for a few readers at once what their messages carry."""


def no_attachments(readers: Sequence[Member]) -> Attach:
    """Attach nothing, whoever the readers are."""
    return lambda member: ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Addressed:
    """One message that is in hand, and its reader, unless they are gone."""

    delivery: Delivery
    member: Member | None
    attach: Attach


@dataclass(slots=True, kw_only=True)
class Readers:
    """The readers of one step whose turn it is, and those who come next."""

    work: Work
    attach_all: AttachAll
    _asked: frozenset[str] = frozenset()
    _found: Mapping[str, Member] = field(default_factory=dict)
    _attach: Attach | None = None  # none until what they carry was looked up
    _since: float = 0.0  # in seconds of the forward clock

    def look_up(self, transaction: Transaction, taken: Sequence[Delivery], *, now: Instant) -> None:
        """Read who is written to by these messages, and by the next ones if it has to be read."""
        ids = frozenset(delivery.member for delivery in taken)
        elapsed = self.work.context.elapsed()
        if ids <= self._asked and elapsed - self._since <= SECONDS_MAX:
            return
        claimed, step = self.work.claimed, self.work.delivery_key
        room = READERS_AT_ONCE - len(ids)
        to_come = transaction.awaited(
            claimed.id, step=step, now=now, limit=room, after=taken[-1].member
        )
        self._asked, self._since, self._attach = ids.union(to_come), elapsed, None
        found = transaction.members(claimed.subject.organization, among=self._asked)
        self._found = {member.id: member for member in found}

    def address(self, taken: Sequence[Delivery]) -> list[Addressed]:
        """Give each message its reader; what those carry is looked up outside of a transaction."""
        if self._attach is None:
            self._attach = self.attach_all(tuple(self._found.values()))
        return [
            Addressed(delivery=each, member=self._found.get(each.member), attach=self._attach)
            for each in taken
        ]
