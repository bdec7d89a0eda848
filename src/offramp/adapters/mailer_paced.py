"""Mail at a measured pace: so many a minute in all, and so many to any one receiving domain.

Receiving servers judge a sender by how it behaves; a thousand farewells in one minute look like
nothing else. Whoever sends too early waits for the next free turn, each process for itself.

Source: RFC 5321, section 4.5.4.1 (a sender's own queue limits its pace); the turns are those of a
generic cell rate algorithm without a burst.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager
from threading import Lock

from whenever import Instant

from offramp.ports import HeldBack, Mailer, Message

REMEMBERED_MAX = 10_000  # domains; those whose turn is long past are forgotten first
_ANYBODY = ""


class PacedMailer:
    """Hands messages to another mailer, each in its turn."""

    def __init__(
        self,
        mailer: Mailer,
        *,
        per_minute: int | None,
        per_minute_to_domain: int | None,
        elapsed: Callable[[], float],
        pause: Callable[[float], None],
    ) -> None:
        """Keep a pace; without a number there is no limit.

        Args:
            elapsed: seconds on a clock that only goes forward.
            pause: waits for so many seconds.
        """
        self._mailer = mailer
        self._elapsed, self._pause = elapsed, pause
        self._seconds = _interval(per_minute)
        self._seconds_to_domain = _interval(per_minute_to_domain)
        self._lock = Lock()
        self._free_at: dict[str, float] = {}

    def session(self) -> AbstractContextManager[None]:
        """Keep what the other mailer keeps between the messages of a block."""
        return self._mailer.session()

    def send(self, message: Message, *, at: Instant) -> None:
        """Hand over one message when it is its turn; raises what the other mailer does."""
        wait_seconds = self._take_turn(message.to.rpartition("@")[2].casefold())
        if wait_seconds > 0:
            self._pause(wait_seconds)
        self._mailer.send(message, at=at)

    def was_accepted(self, message_id: str) -> bool | None:
        """Say what the other mailer knows."""
        return self._mailer.was_accepted(message_id)

    def held_back(self) -> HeldBack:
        """Say what waits for its turn: a turn that is further off than the next one is taken."""
        with self._lock:
            now = self._elapsed()
            waits = {each: at - now - self._interval_of(each) for each, at in self._free_at.items()}
        domains = sum(seconds > 0 for each, seconds in waits.items() if each != _ANYBODY)
        return HeldBack(seconds=max(0.0, *waits.values()) if waits else 0.0, domains=domains)

    def _interval_of(self, domain: str) -> float:
        return self._seconds if domain == _ANYBODY else self._seconds_to_domain

    def _take_turn(self, domain: str) -> float:
        """Reserve the first turn that is free for all and for the domain; gives how far it is."""
        with self._lock:
            now = self._elapsed()
            self._forget_the_past(now)
            intervals = {_ANYBODY: self._seconds, domain: self._seconds_to_domain}
            turn = max(now, *(self._free_at.get(each, now) for each in intervals))
            for each, seconds in intervals.items():
                if seconds:
                    self._free_at[each] = turn + seconds
        return turn - now

    def _forget_the_past(self, now: float) -> None:
        if len(self._free_at) > REMEMBERED_MAX:
            self._free_at = {each: at for each, at in self._free_at.items() if at > now}


def _interval(per_minute: int | None) -> float:
    return 60 / per_minute if per_minute else 0.0
