"""A message that comes back: it was not delivered, whatever the receiving server said first (N2).

Within the time that the policy names, a notice that nobody has any more is sent down its fallback
chain, and what had to wait for it waits again. Later the fact is only shown, for a person to
send the message again: dates that were promised do not move for ever.

Whoever does not want an optional message, or complains of one, is sent no other one, until they
want them again (L12).

Source: mission A4; policy language N1-N3; RFC 3464, 5965, 8058; lessons L10, L12, L32.
"""

from dataclasses import replace
from enum import StrEnum

from whenever import Instant

from offramp.core.due import proven_at
from offramp.core.event_kind import EventKind
from offramp.core.ledger import Detail, Event
from offramp.core.model import Outcome, Receipt
from offramp.core.transitions import OffboardingStatus
from offramp.engine.announcement import announce
from offramp.engine.context import Context
from offramp.engine.exclusive import exclusively
from offramp.engine.situation import timeline_of
from offramp.engine.steps import put_back
from offramp.engine.work import issue_key
from offramp.ports import (
    Delivery,
    DeliveryStatus,
    Offboarding,
    Return,
    Returned,
    Transaction,
)


class Taken(StrEnum):
    """What word of a message was, once it was looked at; none of them says whose it is."""

    NOTED = "noted"  # news of a message of ours
    KNOWN = "known"  # of one of ours, and nothing new: word of the same one may come often
    NOBODYS = "nobodys"  # there is no such message here, or no longer


def take_back(context: Context, returned: Returned) -> Taken:
    """Note that a message came back, that its reader complained of it, or wants no more like it.

    Raises:
        DeletionInFlight: a worker is frozen in the middle of a chunk; try again.
    """
    if returned.why is Return.BOUNCED:
        return _note_return(context, returned)
    declined = note_wish(context, returned.message, is_wanted=False)
    if returned.why is Return.DECLINED:
        return declined
    outcomes = (declined, _note_return(context, returned))
    return min(outcomes, key=list(Taken).index)  # whatever is news of it


def note_wish(context: Context, message: str, *, is_wanted: bool) -> Taken:
    """Send the reader of an optional message further ones, or none; it stops no step.

    Any that was ever sent will do.
    """
    now = context.clock.now()
    with context.store.transaction() as transaction:
        sent = transaction.find_optional(message)
        row = transaction.offboarding(sent.offboarding) if sent else None
        if sent is None or row is None:
            return Taken.NOBODYS
        organization = row.subject.organization
        if is_wanted:
            kind = EventKind.MESSAGES_WANTED
            is_news = transaction.want_again(organization, member=sent.member)
        else:
            kind = EventKind.MESSAGE_DECLINED
            is_news = transaction.decline(organization, member=sent.member, at=now)
        if not is_news:
            return Taken.KNOWN
        event = Event(
            kind=kind,
            at=now,
            offboarding=row.id,
            episode=row.episode,
            step=sent.step,
            actor="user",
        )
        transaction.append([event])
        told = {"step": sent.step, "recipient": sent.member}
        key = f"{message}:{now.timestamp(unit='nanosecond')}"  # it may be said again and again
        transaction.put_events([announce(row, kind, key=key, at=now, detail=told)])
        return Taken.NOTED


def _note_return(context: Context, returned: Returned) -> Taken:
    """Write down what became of a message that was accepted."""

    def write(transaction: Transaction, now: Instant) -> Taken:
        sent = transaction.find_message(returned.message)
        if sent is None:
            return Taken.NOBODYS
        row = transaction.lock(sent.offboarding, now=now)
        sent = transaction.find_message(returned.message)
        if sent is None:
            return Taken.NOBODYS
        if sent.status not in _NEWS_OF[returned.why]:
            return Taken.KNOWN
        changed = replace(sent, status=DeliveryStatus(returned.why.value), reason=returned.reason)
        if returned.why is Return.BOUNCED:
            changed = replace(changed, accepted_at=None)
        transaction.save_deliveries([changed], at=now)
        if returned.why is Return.BOUNCED:
            _let_it_not_count(transaction, row, sent, now=now)
        _tell(transaction, row, changed, at=now)
        return Taken.NOTED

    return exclusively(context, write)


_NEWS_OF = {
    Return.BOUNCED: frozenset({DeliveryStatus.ACCEPTED, DeliveryStatus.COMPLAINED}),
    Return.COMPLAINED: frozenset({DeliveryStatus.ACCEPTED}),
}


def _let_it_not_count(
    transaction: Transaction, row: Offboarding, sent: Delivery, *, now: Instant
) -> None:
    """Put its step back, where it was the last message that the step's receipt counted."""
    assert sent.accepted_at is not None, "what was taken has its instant"
    if row.status is not OffboardingStatus.OPEN:
        return
    if now > proven_at(sent.accepted_at, timeline_of(transaction, row)):
        return
    deliveries = transaction.deliveries(row.id, step=sent.step)
    if any(each.accepted_at is not None for each in deliveries):
        return
    for step in transaction.steps(row.id):
        if issue_key(step.key, step.issue) == sent.step and _counts(step.receipt, sent):
            put_back(transaction, step)
            transaction.wake(row.subject.organization, at=now)


def _counts(receipt: Receipt | None, sent: Delivery) -> bool:
    """Whether a receipt says that a notice was delivered by this message: not by an earlier one."""
    if receipt is None or receipt.outcome is not Outcome.DONE or sent.accepted_at is None:
        return False
    return sent.accepted_at <= receipt.done_at


def _tell(transaction: Transaction, row: Offboarding, sent: Delivery, *, at: Instant) -> None:
    event = Event(
        kind=f"message-{sent.status.value}",
        at=at,
        offboarding=row.id,
        episode=row.episode,
        step=sent.step,
        detail={"reason": sent.reason},
    )
    transaction.append([event])
    told: dict[str, Detail] = {"step": sent.step, "recipient": sent.member}
    if sent.status is DeliveryStatus.BOUNCED:
        kind, told = EventKind.MESSAGE_BOUNCED, told | {"reason": sent.reason}
    else:
        kind = EventKind.MESSAGE_COMPLAINED
    assert sent.message is not None, "it was found by its message"
    transaction.put_events([announce(row, kind, key=sent.message, at=at, detail=told)])
