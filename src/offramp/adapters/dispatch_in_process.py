"""The simplest dispatcher: what is handed over is carried out here, in order, on this thread.

A claim whose transaction was rolled back after it was handed over is harmless: its attempt number
was rolled back with it, so whatever it tries to save is refused as stale.
"""

from collections import deque
from collections.abc import Callable, Sequence

from offramp.ports import Offboarding, Transaction


class InProcessDispatcher:
    """Carries claims out one after another; what has not been begun outlives an error."""

    def __init__(self) -> None:
        """Begin with nothing handed over."""
        self._waiting: deque[Offboarding] = deque()

    def enqueue(self, claims: Sequence[Offboarding], *, transaction: Transaction) -> None:
        """Hand over claims, in the transaction that claimed them."""
        self._waiting.extend(claims)

    def run(self, handler: Callable[[Offboarding], None]) -> int:
        """Carry out what was handed over; returns how many were carried out."""
        carried_out = 0
        while self._waiting:
            handler(self._waiting.popleft())
            carried_out += 1
        return carried_out
