"""What becomes of an event on its way to one endpoint, after each attempt at bringing it there.

Ten attempts in three days, so that a weekend without anybody loses nothing: the waits grow, an
endpoint that says when to come back is heard, and what failed together does not come back
together. Any status of the 2xx is a yes, 410 is the wish never to be written to again, and
everything else, a redirect too, is a no.

Source: Standard Webhooks 1.0.0, "Deliverability and reliability"; lesson L35.
"""

from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256

from whenever import Instant

WAITS_SECONDS = (5, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000, 86_400)  # 75 h 35 min
ATTEMPTS_MAX = len(WAITS_SECONDS) + 1
SPREAD = 0.2  # of a wait: from a tenth less to a tenth more
RETRY_AFTER_SECONDS_MAX = 86_400  # whoever asks for more is asked again after a day
GONE = 410
_CHANCES = 2**32


class ParcelStatus(StrEnum):
    """Where one event for one endpoint stands."""

    WAITING = "waiting"  # never sent, or to be tried again
    DELIVERED = "delivered"  # the endpoint said yes
    FAILED = "failed"  # tried as often as allowed


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What an endpoint answered, as far as anybody keeps it: never its body.

    Attributes:
        reason: the status as text, or the code of the error for which there is none.
        retry_after_seconds: when to come back, where it said so.
    """

    status: int | None
    reason: str
    retry_after_seconds: int | None = None

    @property
    def is_yes(self) -> bool:
        """Whether the event has arrived."""
        return self.status is not None and 200 <= self.status < 300

    @property
    def is_gone(self) -> bool:
        """Whether the endpoint wants nothing more."""
        return self.status == GONE


@dataclass(frozen=True, slots=True, kw_only=True)
class Fate:
    """What follows from a reply; an event for who wants nothing more waits for a person."""

    status: ParcelStatus
    attempts: int
    next_try_at: Instant


def judge(reply: Reply, *, attempts: int, now: Instant, chance: float) -> Fate:
    """Decide what becomes of an event after one more attempt.

    Args:
        attempts: how often it was tried before.
        chance: of this attempt alone, from 0 up to 1.
    """
    if reply.is_gone:
        return Fate(status=ParcelStatus.WAITING, attempts=attempts, next_try_at=now)
    made = attempts + 1
    if reply.is_yes or made >= ATTEMPTS_MAX:
        status = ParcelStatus.DELIVERED if reply.is_yes else ParcelStatus.FAILED
        return Fate(status=status, attempts=made, next_try_at=now)
    wait = WAITS_SECONDS[attempts] * (1 - SPREAD / 2 + SPREAD * chance)
    asked = min(reply.retry_after_seconds or 0, RETRY_AFTER_SECONDS_MAX)
    return Fate(
        status=ParcelStatus.WAITING,
        attempts=made,
        next_try_at=now.add(seconds=round(max(wait, asked), 3)),
    )


def chance_of(endpoint: str, event: str, attempts: int) -> float:
    """Draw the chance of an attempt from its names: spread like dice, and the same when repeated.

    So nobody has to be asked for chance, and a test or a second process draws the same.
    """
    drawn = sha256(f"{endpoint}\0{event}\0{attempts}".encode()).digest()[:4]
    return int.from_bytes(drawn) / _CHANCES
