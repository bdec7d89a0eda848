"""Ids that a person can read in a failed test, the same in every run."""

from itertools import count


class CountingIds:
    """``id-0001``, ``id-0002``, and so on."""

    def __init__(self) -> None:
        """Begin at one."""
        self._numbers = count(1)

    def new(self) -> str:
        """Give an id that was never given before."""
        return f"id-{next(self._numbers):04}"
