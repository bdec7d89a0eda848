"""The time by which an application decides. Everything in the SDK that reads it lives here.

Source: lesson L6.
"""

from whenever import Instant


class ForwardClock:
    """The time of the machine, which never goes back: what has ended stays over."""

    def __init__(self) -> None:
        """Begin with no answer given."""
        self._latest = Instant.MIN

    def __call__(self) -> Instant:
        """Give the present instant, or the latest answer while the machine is behind it."""
        now = Instant.now()
        if now < self._latest:
            return self._latest
        self._latest = now
        return now
