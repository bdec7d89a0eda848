"""Handing messages over, one delivery row per person, so that nobody is written to twice.

A delivery is marked as sending and committed before the mailer is called, and its outcome is
committed right after. One found sending was left by an attempt that died: the mailer is asked
whether it was accepted, and where it cannot tell the message goes again under the same id, which
receivers recognize.

Source: policy language N1, N2; lessons L8, L10, L32, L37; RFC 5322 (Message-ID).
"""

import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial

from whenever import Instant

from offramp.core.errors import OfframpError, Unavailable
from offramp.core.model import Member, Organization, Outcome, Receipt
from offramp.core.notice import NoticeFacts, state_facts
from offramp.core.plan import Timeline
from offramp.core.policy import Audience, Step
from offramp.engine.access import standings_of
from offramp.engine.offer import Offer
from offramp.engine.situation import receipts_of, require_organization, timeline_of
from offramp.engine.work import Heartbeat, Result, Work
from offramp.ports import (
    Attachment,
    Delivery,
    DeliveryStatus,
    MailerUnavailable,
    Message,
    MessageRefused,
    SendOutcomeUnknown,
    Transaction,
)

Attach = Callable[[Member], tuple[Attachment, ...]]

_TO_SEND = frozenset({DeliveryStatus.QUEUED, DeliveryStatus.SENDING, DeliveryStatus.FAILED})


class CameBack(Unavailable):
    """What {step} sent came back before it could be noted as delivered."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Letter:
    """What all the messages of one step have in common."""

    work: Work
    step: Step
    facts: NoticeFacts
    organization: Organization
    about: Member | None  # the one member, where only one is leaving
    attach: Attach
    offer: Offer | None = None  # what it leads to instead


def message_id(delivery: Delivery) -> str:
    """Give the id of a delivery's message: the same at every attempt, and telling nothing.

    One that somebody asked for again is another message, or the reader's program would hide it.
    """
    parts = [delivery.offboarding, delivery.step, delivery.member, delivery.channel]
    if delivery.round > 1:
        parts.append(str(delivery.round))
    return hashlib.sha256("/".join(parts).encode()).hexdigest()[:32]


def no_attachments(member: Member) -> tuple[Attachment, ...]:
    """Attach nothing, whoever the reader is."""
    return ()


def deliver(
    work: Work, *, attach: Attach = no_attachments, offer: Offer | None = None
) -> Result | None:
    """Write to the step's audience, and down its fallback chain while nobody could be reached.

    Returns:
        The outcome when the whole chain reached nobody; otherwise none, and `see_delivered` tells.

    Raises:
        MailerUnavailable, SendOutcomeUnknown: some messages have to be tried again later.
    """
    step = work.planned.step
    assert step is not None, "only a step of the policy has an audience"
    letter = _compose_letter(work, step, attach=attach, offer=offer)
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
        deliveries = _deliveries(work)
        if _delivered(deliveries) is not None:
            return None
        if are_under_way(deliveries):
            raise MailerUnavailable(reason="a message waits for its next try")
    return Result(outcome=Outcome.UNREACHED, proof=_counts(_deliveries(work)))


def deliver_again(work: Work, *, attach: Attach, offer: Offer | None = None) -> None:
    """Send what was queued again of a step that is over, to nobody else.

    Raises:
        MailerUnavailable, SendOutcomeUnknown: some messages have to be tried again later.
    """
    step = work.planned.step
    assert step is not None, "only a step of the policy has an audience"
    letter = _compose_letter(work, step, attach=attach, offer=offer)
    with work.context.mailer.session():
        _send_all(letter)


def _chain(work: Work, step: Step) -> Iterator[tuple[Audience, ...]]:
    yield step.audience
    if work.claimed.subject.member is None and not work.planned.is_destructive:
        for audience in step.fallback:
            yield (audience,)


def _compose_letter(work: Work, step: Step, *, attach: Attach, offer: Offer | None) -> _Letter:
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
        attach=attach,
        offer=offer,
    )


def _standing(transaction: Transaction, work: Work) -> tuple[Timeline, Mapping[str, Receipt]]:
    """Give what a reader's dates follow from: for whoever returned, what holds for them now."""
    if work.planned.is_of_return:
        *_, own = standings_of(transaction, work.claimed.subject)
        return own.timeline, own.receipts
    receipts = receipts_of(transaction.steps(work.claimed.id))
    return timeline_of(transaction, work.claimed), receipts


def _send_all(letter: _Letter) -> None:
    """Send batch after batch; whoever could not be written to is tried again in a later attempt."""
    work = letter.work
    trouble: OfframpError | None = None
    heartbeat = Heartbeat(context=work.context, claimed=work.claimed)
    while batch := _take(work):
        for delivery, member in batch:
            heartbeat.beat()  # whoever slept past the lease hands nothing more over
            outcome, error = _send(letter, delivery, member)
            with work.context.store.transaction() as transaction:
                transaction.save_deliveries([outcome], at=work.context.clock.now())
            work.context.probe("delivery saved")
            trouble = error or trouble
    if trouble is not None:
        raise trouble


def _take(work: Work) -> list[tuple[Delivery, Member | None]]:
    limits = work.context.limits
    now = work.context.clock.now()
    with work.context.store.transaction() as transaction:
        transaction.extend_lease(work.claimed, lease_until=now.add(seconds=limits.lease_seconds))
        batch = transaction.take_deliveries(
            work.claimed.id, step=work.delivery_key, now=now, limit=limits.mails_per_batch
        )
        organization = work.claimed.subject.organization
        pairs = [(d, transaction.member(organization, d.member)) for d in batch]
    work.context.probe("sending")
    return pairs


def _send(
    letter: _Letter, delivery: Delivery, member: Member | None
) -> tuple[Delivery, OfframpError | None]:
    """Hand over one message; the answer is its new row, and what went wrong for a while."""
    context = letter.work.context
    now = context.clock.now()
    message = message_id(delivery)
    tried = replace(delivery, attempts=delivery.attempts + 1, next_try_at=None, message=message)
    if member is None:
        return replace(tried, status=DeliveryStatus.REFUSED, reason="gone"), None
    was_sending = delivery.status is DeliveryStatus.SENDING
    if was_sending and context.mailer.was_accepted(message):
        return _taken(letter, tried, at=now), None
    try:
        context.mailer.send(_message(letter, delivery, member, now=now), at=now)
    except MessageRefused as error:
        return replace(tried, status=DeliveryStatus.REFUSED, reason=error.reply), None
    except (MailerUnavailable, SendOutcomeUnknown) as error:
        if _is_to_be_given_up(letter.work, tried):
            return replace(tried, status=DeliveryStatus.REFUSED, reason="unavailable"), None
        return _again(letter.work, tried, error, now=now), error
    context.probe("mail accepted")
    # From when we know of it: whoever slept meanwhile could have been told nothing of its return.
    return _taken(letter, tried, at=context.clock.now()), None


def _message(letter: _Letter, delivery: Delivery, member: Member, *, now: Instant) -> Message:
    message, download = message_id(delivery), None
    if letter.offer is not None:
        download = letter.offer.make(
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
        attachments=letter.attach(member),
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
    return work.is_over or any(d.accepted_at is not None for d in _deliveries(work))


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
    if letter.offer is not None:
        letter.offer.replace_earlier(delivery, at=at)
    return replace(delivery, status=DeliveryStatus.ACCEPTED, accepted_at=at, reason=None)


def _deliveries(work: Work) -> tuple[Delivery, ...]:
    with work.context.store.transaction() as transaction:
        return transaction.deliveries(work.claimed.id, step=work.delivery_key)


def _counts(deliveries: tuple[Delivery, ...]) -> dict[str, int]:
    accepted = sum(delivery.accepted_at is not None for delivery in deliveries)
    return {
        "deliveries": len(deliveries),
        "accepted": accepted,
        "refused": len(deliveries) - accepted,
    }


def see_delivered(work: Work) -> Result | None:
    """Say when a step was delivered; none while a message has no outcome or none was accepted.

    A notice counts as delivered when the last accepted message was accepted (N2).
    """
    seen = _delivered(_deliveries(work))
    return None if seen is None else replace(seen, conclude=partial(_require_delivered, work))


def _require_delivered(work: Work, transaction: Transaction) -> None:
    """Look once more where no message can come back any more before the receipt is written.

    Raises:
        CameBack: nobody has the message by now.
    """
    if _delivered(transaction.deliveries(work.claimed.id, step=work.delivery_key)) is None:
        raise CameBack(step=work.planned.key)


def _delivered(deliveries: tuple[Delivery, ...]) -> Result | None:
    accepted = [d.accepted_at for d in deliveries if d.accepted_at is not None]
    if not accepted or are_under_way(deliveries):
        return None
    return Result(delivered_at=max(accepted), proof=_counts(deliveries))


def are_under_way(deliveries: tuple[Delivery, ...]) -> bool:
    """Whether one of them has no outcome yet."""
    return any(delivery.status in _TO_SEND for delivery in deliveries)
