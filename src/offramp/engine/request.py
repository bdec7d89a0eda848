"""What a person asks for who has no account, and shows nothing but an address (A4).

Asking notes the address and looks for nobody, so that it takes the same time whoever asks. A
worker looks whose it is, in every organization, and queues what is theirs as if a program of the
vendor had asked; it goes to the address that the roster has, never to the one that was written.

Source: mission A4; docs/decisions/031-asking-again.md; lesson L30.
"""

import re
from contextlib import suppress

from offramp.core.errors import Missing, Refused
from offramp.engine.context import Context
from offramp.engine.resending import ask_for_own
from offramp.ports import RequestKind

PATH = "again"  # below the public address
WAITING_MAX = 1000  # requests; what is more is not noted
ANSWERED_MAX = 100  # in one round
_ADDRESS = re.compile(r"(?=.{3,254}$)\S+@\S+")  # RFC 5321, section 4.5.3.1.3


def note_request(
    context: Context, address: str, *, kind: RequestKind = RequestKind.MESSAGES
) -> None:
    """Remember an address until a worker has looked at it, where it may be one."""
    address = address.strip()
    if not _ADDRESS.fullmatch(address) or not address.isprintable():
        return
    with context.store.transaction() as transaction:
        now = context.clock.now()
        transaction.put_request(address, kind=kind, at=now, waiting_max=WAITING_MAX)


def answer_requests(context: Context) -> int:
    """Queue what is theirs for everybody who asked, and forget that they did.

    Returns:
        How many addresses there were.
    """
    with context.store.transaction() as transaction:
        addresses = transaction.requests(limit=ANSWERED_MAX)
    for address in addresses:
        _answer(context, address)
    return len(addresses)


def _answer(context: Context, address: str) -> None:
    """Queue what belongs to the readers at one address.

    Whoever dies here leaves the request to the next one; asked twice, a message is queued once.
    """
    with context.store.transaction() as transaction:
        readers = transaction.readers_at(address)
    try:
        for organization, member in readers:
            with suppress(Refused, Missing):  # there may be nothing, or it was asked for just now
                ask_for_own(context, organization, member)
    finally:
        # Also what cannot be answered: it would be in the way of all others.
        with context.store.transaction() as transaction:
            transaction.drop_request(address)
