"""Handing messages over, one delivery row per person, so that nobody is written to twice.

A delivery is marked as sending and committed before the mailer is called, and its outcome is
committed soon after (`mailbag.py`). One found sending was left by an attempt that died: the mailer
is asked whether it was accepted, and where it cannot tell the message goes again under the same
id, which receivers recognize; such repeats are counted.

Source: policy language N1, N2; lessons L8, L10, L32, L37; RFC 5322 (Message-ID).
"""

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

from whenever import Instant

from offramp.core.errors import OfframpError, Unavailable
from offramp.core.model import Member, Organization, Outcome, Receipt
from offramp.core.notice import NoticeFacts, state_facts
from offramp.core.plan import Timeline
from offramp.core.policy import Audience, Step
from offramp.engine.access import standings_of
from offramp.engine.mailbag import Sent, hand_over
from offramp.engine.offer import Offer
from offramp.engine.optional import heed_wishes
from offramp.engine.readers import Addressed, AttachAll, no_attachments
from offramp.engine.situation import receipts_of, require_organization, timeline_of
from offramp.engine.work import Heartbeat, Result, Work
from offramp.ports import (
    Attachment,
    Delivery,
    DeliveryStatus,
    DeliveryTally,
    MailerUnavailable,
    Message,
    MessageRefused,
    SendOutcomeUnknown,
    Transaction,
)


class CameBack(Unavailable):
    """What {step} sent came back before it could be noted as delivered."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Enclosure:
    """What the messages of a step bring: files, or a link to what is too large for a mail."""

    attach: AttachAll = no_attachments
    offer: Offer | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Letter:
    """What all the messages of one step have in common."""

    work: Work
    step: Step
    facts: NoticeFacts
    organization: Organization
    about: Member | None  # the one member, where only one is leaving
    enclosure: Enclosure
    heartbeat: Heartbeat


def message_id(delivery: Delivery) -> str:
    """Give the id of a delivery's message: the same at every attempt, and telling nothing.

    One that somebody asked for again is another message, or the reader's program would hide it.
    """
    parts = [delivery.offboarding, delivery.step, delivery.member, delivery.channel]
    if delivery.round > 1:
        parts.append(str(delivery.round))
    return hashlib.sha256("/".join(parts).encode()).hexdigest()[:32]


def deliver(work: Work, enclosure: Enclosure) -> Result | None:
    """Write to the step's audience, and down its fallback chain while nobody could be reached.

    Returns:
        The outcome when the whole chain reached nobody; otherwise none, and `see_delivered` tells.

    Raises:
        MailerUnavailable, SendOutcomeUnknown: some messages have to be tried again later.
    """
    step = work.planned.step
    assert step is not None, "only a step of the policy has an audience"
    letter = _compose_letter(work, step, enclosure)
    for audiences in _chain(work, step):
        with work.context.store.transaction() as transaction:
            for audience in audiences:
                transaction.fan_out(
                    work.claimed,
                    step=work.delivery_key,
                    audience=audience,
                    is_for_told=step.is_of_return,
                )
        work.context.probe("fanned out")
        with work.context.mailer.session():
            _send_all(letter)
        tally = tally_of(work)
        if _delivered(tally) is not None:
            return None
        if tally.under_way:
            raise MailerUnavailable(reason="a message waits for its next try")
    return Result(outcome=Outcome.UNREACHED, proof=_counts(tally_of(work)))


def deliver_again(work: Work, enclosure: Enclosure) -> None:
    """Send what was queued again of a step that is over, to nobody else.

    Raises:
        MailerUnavailable, SendOutcomeUnknown: some messages have to be tried again later.
    """
    step = work.planned.step
    assert step is not None, "only a step of the policy has an audience"
    letter = _compose_letter(work, step, enclosure)
    with work.context.mailer.session():
        _send_all(letter)


def _chain(work: Work, step: Step) -> Iterator[tuple[Audience, ...]]:
    yield step.audience
    if work.claimed.subject.member is None and not work.planned.is_destructive:
        for audience in step.fallback:
            yield (audience,)


def _compose_letter(work: Work, step: Step, enclosure: Enclosure) -> _Letter:
    now = work.context.clock.now()
    subject = work.claimed.subject
    with work.context.store.transaction() as transaction:
        timeline, receipts = _standing(transaction, work)
        facts = state_facts(
            timeline,
            work.planned,
            product=subject.product,
            issue=work.row.issue,
            receipts=receipts,
            now=now,
        )
        organization = require_organization(transaction, subject.organization)
        about = (
            None
            if subject.member is None
            else transaction.member(subject.organization, subject.member)
        )
    return _Letter(
        work=work,
        step=step,
        facts=facts,
        organization=organization,
        about=about,
        enclosure=enclosure,
        heartbeat=Heartbeat(context=work.context, claimed=work.claimed),
    )


def _standing(transaction: Transaction, work: Work) -> tuple[Timeline, Mapping[str, Receipt]]:
    """Give what a reader's dates follow from: for whoever returned, what holds for them now."""
    if work.planned.is_of_return:
        *_, own = standings_of(transaction, work.claimed.subject)
        return own.timeline, own.receipts
    receipts = receipts_of(transaction.steps(work.claimed.id))
    return timeline_of(transaction, work.claimed), receipts


def _send_all(letter: _Letter) -> None:
    """Send whatever is to be sent; what could not be is tried again in a later attempt."""

    def prepare(messages: Sequence[Addressed]) -> Iterator[Callable[[], Sent]]:
        declined = _declined(letter, messages)
        return (
            partial(_send, letter, each, is_declined=each.delivery.member in declined)
            for each in messages
        )

    hand_over(letter.work, prepare=prepare, attach_all=letter.enclosure.attach)


def _declined(letter: _Letter, messages: Sequence[Addressed]) -> frozenset[str]:
    """Name the readers who do not want this message; what is not optional is for everybody."""
    if not letter.step.optional:
        return frozenset()
    return heed_wishes(letter.work, {message_id(each.delivery): each.delivery for each in messages})


def _send(letter: _Letter, addressed: Addressed, *, is_declined: bool) -> Sent:
    """Hand over one message; the answer is its new row, and what went wrong for a while."""
    context, delivery, member = letter.work.context, addressed.delivery, addressed.member
    now = context.clock.now()
    message = message_id(delivery)
    tried = replace(delivery, attempts=delivery.attempts + 1, next_try_at=None, message=message)
    if member is None:
        return replace(tried, status=DeliveryStatus.REFUSED, reason="gone"), None
    if delivery.status is DeliveryStatus.SENDING:
        was_accepted = context.mailer.was_accepted(message)
        if was_accepted:
            return _taken(letter, tried, at=now), None
        if was_accepted is None:
            tried = replace(tried, repeats=tried.repeats + 1)
    if is_declined:
        unsent = replace(delivery, status=DeliveryStatus.DECLINED, next_try_at=None, reason=None)
        return unsent, None
    composed = _message(letter, delivery, member, addressed.attach(member), now=now)
    letter.heartbeat.beat()  # whoever slept past the lease hands nothing more over
    try:
        context.mailer.send(composed, at=now)
    except MessageRefused as error:
        return replace(tried, status=DeliveryStatus.REFUSED, reason=error.reply), None
    except (MailerUnavailable, SendOutcomeUnknown) as error:
        if _is_to_be_given_up(letter.work, tried):
            return replace(tried, status=DeliveryStatus.REFUSED, reason="unavailable"), None
        return _again(letter.work, tried, error, now=now), error
    context.probe("mail accepted")
    # From when we know of it: whoever slept meanwhile could have been told nothing of its return.
    return _taken(letter, tried, at=context.clock.now()), None


def _message(
    letter: _Letter,
    delivery: Delivery,
    member: Member,
    attachments: tuple[Attachment, ...],
    *,
    now: Instant,
) -> Message:
    message, offer, download = message_id(delivery), letter.enclosure.offer, None
    if offer is not None:
        download = offer.make(
            delivery,
            message=message,
            zone=member.zone or letter.organization.zone,
            erases_at=letter.facts.erases_at,
            now=now,
        )
    return letter.work.context.composer.compose(
        letter.facts,
        message_id=message,
        member=member,
        organization=letter.organization,
        about=letter.about,
        attachments=attachments,
        download=download,
        is_optional=letter.step.optional,
    )


def _is_to_be_given_up(work: Work, tried: Delivery) -> bool:
    """Whether to try one reader no more: while nobody was reached, the mail server is to blame.

    What confirms a deletion does not hold its end up for long.
    """
    limits = work.context.limits
    if work.planned.is_destructive:
        return tried.attempts >= limits.confirmations_max
    if tried.attempts < limits.attempts_max:
        return False
    return work.is_over or tally_of(work).accepted > 0


def _again(work: Work, tried: Delivery, error: OfframpError, *, now: Instant) -> Delivery:
    """Put a message back: one that may have been accepted stays marked, to be verified first.

    A step that is under way has a back-off of its own; one that is over has not.
    """
    minutes = work.context.limits.back_off(tried.attempts) if work.is_over else 1
    next_try_at = now.add(minutes=minutes)
    if isinstance(error, SendOutcomeUnknown):
        return replace(tried, status=DeliveryStatus.SENDING, next_try_at=next_try_at)
    return replace(
        tried, status=DeliveryStatus.FAILED, next_try_at=next_try_at, reason="unavailable"
    )


def _taken(letter: _Letter, delivery: Delivery, *, at: Instant) -> Delivery:
    """Note that a message was accepted; its reader needs no earlier link any more."""
    offer = letter.enclosure.offer
    if offer is not None:
        offer.replace_earlier(delivery, at=at)
    return replace(delivery, status=DeliveryStatus.ACCEPTED, accepted_at=at, reason=None)


def tally_of(work: Work) -> DeliveryTally:
    """Count the messages of a step by what became of them."""
    with work.context.store.transaction() as transaction:
        return transaction.tally_deliveries(work.claimed.id, step=work.delivery_key)


def _counts(tally: DeliveryTally) -> dict[str, int]:
    declined = {"declined": tally.declined} if tally.declined else {}
    return {
        "deliveries": tally.deliveries,
        "accepted": tally.accepted,
        "refused": tally.deliveries - tally.accepted - tally.declined,
        **declined,
        "repeats": tally.repeats,
    }


def see_delivered(work: Work) -> Result | None:
    """Say when a step was delivered; none while a message has no outcome or none was accepted.

    A notice counts as delivered when the last accepted message was accepted (N2). One that all its
    readers have declined is done as well, for nothing can wait for an optional one.
    """
    seen = _delivered(tally_of(work))
    return None if seen is None else replace(seen, conclude=partial(_require_delivered, work))


def _require_delivered(work: Work, transaction: Transaction) -> None:
    """Look once more where no message can come back any more before the receipt is written.

    Raises:
        CameBack: nobody has the message by now.
    """
    if _delivered(transaction.tally_deliveries(work.claimed.id, step=work.delivery_key)) is None:
        raise CameBack(step=work.planned.key)


def _delivered(tally: DeliveryTally) -> Result | None:
    is_wanted_by_nobody = 0 < tally.deliveries == tally.declined
    if tally.under_way or (tally.delivered_at is None and not is_wanted_by_nobody):
        return None
    return Result(delivered_at=tally.delivered_at, proof=_counts(tally))
