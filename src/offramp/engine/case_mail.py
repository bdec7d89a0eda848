"""Cases by mail: a letter opens one or adds to it, and what support says goes out as a mail.

A letter can claim to be from anybody. So it shows nobody anything: what it says is kept for
support, and answers go to the address of the roster. The address of an answer names its case, and
a letter to it is kept there, if it is from the address that the answer went to.

A worker takes each answer by a lease, and sends it under the same id however often it tries.

Source: mission A12; lessons L12, L31; docs/decisions/039-cases-by-mail.md.
"""

from collections.abc import Callable, Sequence
from enum import StrEnum
from hashlib import sha256

from offramp.core.case import Case, CaseState, Complaint, Letter
from offramp.core.errors import OfframpError, Refused, Unavailable, Uncertain
from offramp.core.ledger import Detail, Event
from offramp.core.notice import state_nothing
from offramp.engine.cases import (
    WORDS_MAX,
    CasesWaiting,
    CaseUnknown,
    LetterKnown,
    add_note,
    open_case,
    require_room,
)
from offramp.engine.context import Context
from offramp.engine.situation import require_member, require_organization, require_policy
from offramp.ports import CaseLetter, Message

NOTICE = "case-answer"
LEASE_SECONDS = 300
_KINDS = frozenset(Complaint)


class WriterUnreachable(Refused):
    """Mail to whoever this case is about comes back."""


class Received(StrEnum):
    """What became of a letter."""

    OPENED = "opened"
    ADDED = "added"
    KNOWN = "known"
    NOBODYS = "nobodys"
    WAITING = "waiting"  # too many of this person wait already


def receive_letter(context: Context, letter: Letter) -> Received:
    """Keep what somebody wrote: with the case that the letter answers, or as a new one."""
    words = letter.text[:WORDS_MAX]
    with context.store.transaction() as transaction:
        answered = transaction.case(letter.about)
        writer = _writer(transaction.readers_at(letter.sender), answered)
    if writer is None:
        return Received.NOBODYS
    try:
        if answered is not None and _is_open_to(answered, writer):
            add_note(context, answered.id, words, actor="user", letter=letter.key)
            return Received.ADDED
        require_room(context, *writer)
        organization, member = writer
        open_case(
            context,
            organization,
            Complaint(letter.about) if letter.about in _KINDS else Complaint.OTHER,
            member=member,
            words=words,
            actor="user",
            letter=letter.key,
        )
    except LetterKnown:
        return Received.KNOWN
    except CasesWaiting:
        return Received.WAITING
    return Received.OPENED


def send_answers(context: Context, *, is_stopping: Callable[[], bool]) -> int:
    """Mail what support has said since the last time; says how many mails were tried."""
    tried = 0
    while not is_stopping():
        now = context.clock.now()
        with context.store.reading() as transaction:
            due_at = transaction.case_letter_due_at()
        if due_at is None or due_at > now:
            return tried
        with context.store.transaction() as transaction:
            until = now.add(seconds=LEASE_SECONDS)
            letter = transaction.claim_case_letter(now=now, lease_until=until)
        if letter is None:
            return tried
        tried += 1
        _answer(context, letter)
    return tried


def _writer(readers: Sequence[tuple[str, str]], case: Case | None) -> tuple[str, str] | None:
    """Choose among the members who have an address: whoever the case is about, if it is theirs."""
    if case is not None and (case.organization, case.member) in readers:
        return case.organization, case.member or ""
    return next(iter(readers), None)


def _is_open_to(case: Case, writer: tuple[str, str]) -> bool:
    return (case.organization, case.member) == writer and case.state is not CaseState.CLOSED


def _answer(context: Context, letter: CaseLetter) -> None:
    limits, now, reason = context.limits, context.clock.now(), None
    retry_at = None
    try:
        context.mailer.send(_compose(context, letter), at=now)
    except OfframpError as error:
        reason = error.code
        if isinstance(error, Unavailable | Uncertain) and letter.attempts < limits.attempts_max:
            retry_at = now.add(minutes=limits.back_off(letter.attempts))
    context.probe("answer mailed")
    with context.store.transaction() as transaction:
        transaction.put_off_case_letter(letter.number, mail_at=retry_at)
        if retry_at is None:
            transaction.append([_event(letter, reason, context=context)])


def _compose(context: Context, letter: CaseLetter) -> Message:
    with context.store.transaction() as transaction:
        case = transaction.case(letter.note.case)
        if case is None:
            raise CaseUnknown(case=letter.note.case)  # it went since this was claimed
        organization = require_organization(transaction, case.organization)
        member = require_member(transaction, case.organization, case.member or "")
        links = require_policy(transaction, organization.policy).links
        if transaction.is_unreachable(case.organization, member=member.id):
            raise WriterUnreachable
    facts = state_nothing(NOTICE, zone=organization.zone, links=links, now=context.clock.now())
    return context.composer.compose(
        facts,
        message_id=sha256(f"{NOTICE}/{case.id}/{letter.number}".encode()).hexdigest()[:32],
        member=member,
        organization=organization,
        answer=letter.note.text,
        reply_to=address_of(context, case),
    )


def address_of(context: Context, case: Case) -> str | None:
    """Give the address to which letters about a case go, where letters are taken in."""
    if context.case_address is None:
        return None
    mailbox, _, domain = context.case_address.rpartition("@")
    return f"{mailbox}+{case.id}@{domain}"


def _event(letter: CaseLetter, reason: str | None, *, context: Context) -> Event:
    detail: dict[str, Detail] = {"case": letter.note.case}
    if reason is not None:
        detail["reason"] = reason
    kind = "case-mailed" if reason is None else "case-unreached"
    return Event(kind=kind, at=context.clock.now(), actor="system", detail=detail)
