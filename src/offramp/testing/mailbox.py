"""A mailbox that lives in memory.

Source: ``ports.Mailbox``; tests/contract/mailbox_contract.py.
"""

from collections.abc import Callable
from typing import Generic, TypeVar

from offramp.ports import Fate, MailboxUnavailable

Shown = TypeVar("Shown")


class MemoryMailbox(Generic[Shown]):
    """Letters in one folder, and those that were put away.

    Attributes:
        letters: what is there, as it came.
        done: what was put away.
        is_down: whether nobody can reach it.
    """

    def __init__(self, *, read: Callable[[bytes], Shown | None]) -> None:
        """Begin empty."""
        self.letters: list[bytes] = []
        self.done: list[bytes] = []
        self.is_down = False
        self._read = read

    def visit(self, take: Callable[[Shown], Fate], *, is_stopping: Callable[[], bool]) -> int:
        """Show every letter of the kind to ``take``, which says what becomes of it."""
        if self.is_down:
            raise MailboxUnavailable(reason="it was taken away")
        other = 0
        for letter in tuple(self.letters):
            if is_stopping():
                break
            shown = self._read(letter)
            if shown is None:
                other += 1
            elif take(shown) is Fate.PUT_AWAY:
                self.letters.remove(letter)
                self.done.append(letter)
        return other
