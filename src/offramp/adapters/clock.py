"""The system's clock. Everything that reads the present time lives here.

Source: lesson L6.
"""

from collections.abc import Callable
from threading import Lock

from whenever import Instant


class SystemClock:
    """The time of the machine, which never goes back even when the machine is set back."""

    def __init__(self, read: Callable[[], Instant] = Instant.now) -> None:
        """Begin with no answer given."""
        self._read = read
        self._latest = Instant.MIN
        self._lock = Lock()

    def now(self) -> Instant:
        """Give the present instant, or the latest answer while the machine is behind it."""
        with self._lock:
            self._latest = max(self._latest, self._read())
            return self._latest

    def behind_seconds(self) -> float:
        """Say how far the machine is behind the latest answer."""
        with self._lock:
            return max(0.0, (self._latest - self._read()).total("seconds"))
