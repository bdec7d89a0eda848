"""A mailbox for what comes back that lives in memory.

Source: ``ports.Mailbox``; tests/contract/mailbox_contract.py.
"""

from collections.abc import Callable

from offramp.ports import Fate, MailboxUnavailable, Returned


class MemoryMailbox:
    """Letters in one folder, and those that were put away.

    Attributes:
        letters: what is there, as it came.
        done: what was put away.
        is_down: whether nobody can reach it.
    """

    def __init__(self, *, read: Callable[[bytes], Returned | None]) -> None:
        """Begin empty."""
        self.letters: list[bytes] = []
        self.done: list[bytes] = []
        self.is_down = False
        self._read = read

    def visit(self, take: Callable[[Returned], Fate], *, is_stopping: Callable[[], bool]) -> int:
        """Show every report to ``take``, which says what becomes of it."""
        if self.is_down:
            raise MailboxUnavailable(reason="it was taken away")
        other = 0
        for letter in tuple(self.letters):
            if is_stopping():
                break
            returned = self._read(letter)
            if returned is None:
                other += 1
            elif take(returned) is Fate.PUT_AWAY:
                self.letters.remove(letter)
                self.done.append(letter)
        return other
