"""Going through the mailbox to which reports of failure and complaints come.

What was noted is put away, and only then; so whoever dies in between finds it known already. What
is of nobody here stays: it may be of another installation, or of a message whose outcome is not
written down yet.

Source: mission A4; docs/returned-mail.md; docs/decisions/029-returned-mail.md.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from offramp.engine.bounces import Taken, take_back
from offramp.engine.context import Context
from offramp.ports import DeletionInFlight, Fate, Mailbox, Returned


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """How many letters there were of each kind.

    Attributes:
        waiting: reports that cannot be noted while a deletion is in flight.
        other: letters that are no report.
    """

    noted: int
    known: int
    nobodys: int
    waiting: int
    other: int


def fetch(context: Context, mailbox: Mailbox, *, is_stopping: Callable[[], bool]) -> Fetched:
    """Take in every report of a mailbox.

    Raises:
        MailboxUnavailable, StoreUnavailable: the reports that are left stay where they are.
    """
    seen: Counter[Taken] = Counter()
    waiting = 0

    def take(returned: Returned) -> Fate:
        nonlocal waiting
        try:
            taken = take_back(context, returned)
        except DeletionInFlight:
            waiting += 1
            return Fate.COMES_AGAIN
        seen[taken] += 1
        context.probe("returned noted")
        return Fate.STAYS if taken is Taken.NOBODYS else Fate.PUT_AWAY

    other = mailbox.visit(take, is_stopping=is_stopping)
    return Fetched(
        noted=seen[Taken.NOTED],
        known=seen[Taken.KNOWN],
        nobodys=seen[Taken.NOBODYS],
        waiting=waiting,
        other=other,
    )
