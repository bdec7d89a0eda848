"""Going through the mailboxes to which reports of failure come, and letters about cases.

What was noted is put away, and only then; so whoever dies in between finds it known already. What
is of nobody here stays: it may be of another installation, or of a message whose outcome is not
written down yet, or it is for a person to read.

Source: mission A4, A12; docs/returned-mail.md; docs/cases.md, "By mail"; docs/decisions/029,
docs/decisions/039.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from offramp.core.case import Letter
from offramp.core.errors import Missing, Refused
from offramp.engine.bounces import Taken, take_back
from offramp.engine.case_mail import Received, receive_letter
from offramp.engine.context import Context
from offramp.ports import DeletionInFlight, Fate, Mailbox, Returned

_TAKEN_IN = frozenset({Received.OPENED, Received.ADDED, Received.KNOWN})


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


def fetch(
    context: Context, mailbox: Mailbox[Returned], *, is_stopping: Callable[[], bool]
) -> Fetched:
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


def collect(
    context: Context, mailbox: Mailbox[Letter], *, is_stopping: Callable[[], bool]
) -> Counter[Received]:
    """Take in every letter about a case, and count what became of them.

    Raises:
        MailboxUnavailable, StoreUnavailable: the letters that are left stay where they are.
    """
    seen: Counter[Received] = Counter()

    def take(letter: Letter) -> Fate:
        try:
            received = receive_letter(context, letter)
        except DeletionInFlight:
            return Fate.COMES_AGAIN
        except (Refused, Missing):
            return Fate.STAYS  # whoever wrote it, or their case, has gone meanwhile
        seen[received] += 1
        context.probe("letter taken in")
        return Fate.PUT_AWAY if received in _TAKEN_IN else Fate.STAYS

    mailbox.visit(take, is_stopping=is_stopping)
    return seen
