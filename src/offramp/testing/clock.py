"""A clock that stands still until it is told: the time of tests, of the simulation, of the demo.

Source: lesson L6.
"""

from whenever import Instant

from offramp.core.errors import Refused


class TimeWentBack(Refused):
    """The clock stands at {now} and cannot be set back to {instant}."""


class VirtualClock:
    """A forward-only clock that is moved by hand."""

    def __init__(self, start: Instant) -> None:
        """Stand still at an instant."""
        self._now = start

    def now(self) -> Instant:
        """Give the instant to which the clock was last advanced."""
        return self._now

    def behind_seconds(self) -> float:
        """Say that nothing sets it back."""
        return 0.0

    def advance_to(self, instant: Instant) -> None:
        """Move on to an instant.

        Raises:
            TimeWentBack: it is earlier than the present one.
        """
        if instant < self._now:
            raise TimeWentBack(now=self._now.format_iso(), instant=instant.format_iso())
        self._now = instant
