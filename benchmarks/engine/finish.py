"""Seeing that so many steps are done, from what the engine reports."""

from collections.abc import Mapping
from threading import Event, Lock

from offramp.core.transitions import StepStatus

WAIT_SECONDS_MAX = 600.0  # then whoever waits counts what there is


class Finish:
    """Counts the steps that were done; it is what a context reports to."""

    def __init__(self, number: int) -> None:
        """Be reached after so many."""
        self._number = number
        self._done = 0
        self._lock = Lock()
        self._reached = Event()

    def __call__(self, event: str, facts: Mapping[str, object]) -> None:
        """Hear what was reported."""
        if event == "step" and facts["status"] == StepStatus.DONE:
            with self._lock:
                self._done += 1
                if self._done == self._number:
                    self._reached.set()

    def is_reached(self) -> bool:
        """Whether all are done."""
        return self._reached.is_set()

    def give_up(self, _served: object) -> None:
        """Let nobody wait any more: whoever did the steps has ended."""
        self._reached.set()

    def wait(self) -> int:
        """Wait until all are done, and give their number."""
        self._reached.wait(WAIT_SECONDS_MAX)
        return self._done
