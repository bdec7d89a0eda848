"""How often each key may ask one server: a bucket that fills all the time and empties by requests.

Source: docs/http.md, "How often"; RFC 6585, section 4 (429); RFC 9110, section 10.2.3
(Retry-After); draft-ietf-httpapi-ratelimit-headers-10.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from math import ceil
from threading import Lock

from offramp.core.errors import Unavailable

MINUTE_SECONDS = 60.0
POLICY = "key"  # what the limit is called in headers


class AskedTooOften(Unavailable):
    """This key has asked more often than {per_minute} times in a minute."""

    http_status = 429

    @property
    def headers(self) -> Mapping[str, str]:
        """What tells programs when to come again."""
        seconds = ceil(self.wait_seconds)
        limit = {"RateLimit-Policy": _policy(self.per_minute)}
        return {"Retry-After": str(seconds), "RateLimit": f'"{POLICY}";r=0;t={seconds}', **limit}


@dataclass(slots=True, kw_only=True)
class Pace:
    """Counts what each key asks; with no limit everybody may ask as they like.

    Attributes:
        elapsed: seconds on a clock that only runs forward.
    """

    per_minute: int | None
    elapsed: Callable[[], float]
    _levels: dict[str, tuple[float, float]] = field(default_factory=dict)  # and when it was so
    _turn: Lock = field(default_factory=Lock)

    def take(self, key: str) -> Mapping[str, str]:
        """Count one request, and give the headers that say how many may follow at once.

        Raises:
            AskedTooOften: the bucket is empty.
        """
        if self.per_minute is None:
            return {}
        most = float(self.per_minute)
        each_seconds = MINUTE_SECONDS / most
        with self._turn:
            now = self.elapsed()
            level, at = self._levels.get(key, (most, now))
            level = min(most, level + (now - at) / each_seconds)
            if level < 1:
                self._levels[key] = level, now
                wait_seconds = (1 - level) * each_seconds
                raise AskedTooOften(per_minute=self.per_minute, wait_seconds=wait_seconds)
            self._levels[key] = level - 1, now
        left, full_in = int(level - 1), ceil((most - level + 1) * each_seconds)
        told = f'"{POLICY}";r={left};t={full_in}'
        return {"RateLimit-Policy": _policy(self.per_minute), "RateLimit": told}


def _policy(per_minute: int) -> str:
    return f'"{POLICY}";q={per_minute};w={int(MINUTE_SECONDS)}'
