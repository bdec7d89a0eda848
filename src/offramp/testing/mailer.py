"""A mailer that hands nothing over, keeps everything, and fails exactly as it is told."""

from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from whenever import Instant

from offramp.core.errors import OfframpError
from offramp.ports import HeldBack, Message, SendOutcomeUnknown


@dataclass(frozen=True, slots=True, kw_only=True)
class SentMessage:
    """One accepted message, and the instant at which it was handed over."""

    message: Message
    at: Instant


class MemoryMailer:
    """A mail server in memory that knows what it has accepted.

    Attributes:
        sent: what was accepted, in order; a repeated id stands there twice.
        held: what waits for its turn.
        can_tell: whether it says of a message that it was accepted before, as few servers do.
    """

    def __init__(self) -> None:
        """Accept everything until told otherwise."""
        self.can_tell = True
        self.held = HeldBack()
        self.sent: list[SentMessage] = []
        self._next: deque[OfframpError | None] = deque()
        self._by_address: dict[str, OfframpError] = {}
        self._lost_after_accepting = False

    def then(self, *outcomes: OfframpError | None) -> None:
        """Script the coming messages in order: an error to raise, or none to accept."""
        self._next.extend(outcomes)

    def fail(self, address: str, error: OfframpError) -> None:
        """Raise an error for every message to an address from now on."""
        self._by_address[address] = error

    def recover(self, address: str) -> None:
        """Accept messages to an address again."""
        self._by_address.pop(address, None)

    def recover_wholly(self) -> None:
        """Forget every trouble that was to come."""
        self._next.clear()
        self._by_address.clear()
        self._lost_after_accepting = False

    def lose_next_answer(self) -> None:
        """Accept the next message, but break the connection before saying so."""
        self._lost_after_accepting = True

    def send(self, message: Message, *, at: Instant) -> None:
        """Accept one message, or raise what was scripted for it."""
        scripted = self._next.popleft() if self._next else None
        if error := scripted or self._by_address.get(message.to):
            raise error
        self.sent.append(SentMessage(message=message, at=at))
        if self._lost_after_accepting:
            self._lost_after_accepting = False
            raise SendOutcomeUnknown

    @contextmanager
    def session(self) -> Iterator[None]:
        """Keep nothing open: there is no connection."""
        yield

    def held_back(self) -> HeldBack:
        """Say what was scripted."""
        return self.held

    def was_accepted(self, message_id: str) -> bool | None:
        """Say whether a message was accepted before; none when this mailer cannot tell."""
        if not self.can_tell:
            return None
        return any(sent.message.id == message_id for sent in self.sent)
