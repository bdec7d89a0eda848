"""The system's clock. Everything that reads the present time lives here.

Source: lesson L6.
"""

from threading import Lock

from whenever import Instant


class SystemClock:
    """The time of the machine, which never goes back even when the machine is set back."""

    def __init__(self) -> None:
        """Begin with no answer given."""
        self._latest = Instant.MIN
        self._lock = Lock()

    def now(self) -> Instant:
        """Give the present instant, or the latest answer while the machine is behind it."""
        with self._lock:
            self._latest = max(self._latest, Instant.now())
            return self._latest
