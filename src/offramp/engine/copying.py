"""Copies on request, as a worker makes them: written, told of, and gone when their time is over.

A worker takes each request by a claim: of two who have the same one, the older writes nothing. The
file gets its name in the transaction that says so, and a deletion waits for that: no file outlives
what it holds. What is there of a whole organization is issued again, where nobody could change
anything since it was written.

Source: mission B9; policy language E1; lessons L14, L17, L30, L33; docs/decisions/036-portal.md.
"""

import hashlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import BinaryIO

from whenever import Instant

from offramp.core.banner import describe
from offramp.core.errors import OfframpError, Refused, Unavailable, Uncertain
from offramp.core.link import Download, last_day_of, link_ends_at
from offramp.core.model import Member, Organization, SubjectKind
from offramp.core.notice import NoticeFacts, state_nothing
from offramp.core.transitions import OffboardingStatus
from offramp.engine.archive import document_name, read_manifest
from offramp.engine.context import Context, never_stopping
from offramp.engine.entitlement import erasure_of, is_settled, is_still_theirs, readers_of
from offramp.engine.handover import Request, hand_over, is_still_whole, require_whole
from offramp.engine.offer import FILE_NAME, PATH
from offramp.engine.own_copy import (
    NOTICE,
    CopyNotGiven,
    drop_copy,
    event_of,
    is_ready,
    secret_of_copy,
)
from offramp.engine.situation import require_member, require_organization, require_policy
from offramp.engine.work import issue_key
from offramp.ports import OwnCopy, Transaction, VaultFileMissing

NOTICES = {SubjectKind.MEMBER: NOTICE, SubjectKind.ORGANIZATION: "company-copy"}
LEASE_SECONDS = 600
PIECE_BYTES = 256 * 1024  # of a document that are in memory at once


class CopyOvertaken(Refused):
    """Another worker or another request took over; nothing was written."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Reader:
    """Whose copy it is, as they are now."""

    organization: Organization
    member: Member
    facts: NoticeFacts
    erases_at: Instant | None

    @property
    def zone(self) -> str:
        return self.member.zone or self.organization.zone


def tend_copies(context: Context, *, is_stopping: Callable[[], bool] = never_stopping) -> int:
    """Write the copies that were asked for, tell their readers, delete those whose time is over.

    Returns:
        How many there were to look at.
    """
    count = 0
    while not is_stopping():
        copy = _claim(context)
        if copy is None:
            break
        _tend(context, copy)
        count += 1
    return count


def _claim(context: Context) -> OwnCopy | None:
    now = context.clock.now()
    with context.store.reading() as transaction:
        due_at = transaction.own_copy_due_at()
    if due_at is None or due_at > now:
        return None
    with context.store.transaction() as transaction:
        return transaction.claim_own_copy(now=now, lease_until=_lease(now))


def _lease(now: Instant) -> Instant:
    return now.add(seconds=LEASE_SECONDS)


def _tend(context: Context, copy: OwnCopy) -> None:
    """Do for one copy what is due; whatever goes wrong with it stays with it (L33)."""
    try:
        if copy.written_at is None:
            copy = _write(context, copy)
        if is_ready(copy, now=context.clock.now()):
            if copy.mailed_at is None:
                _tell(context, copy)
                return
        else:
            context.vault.delete(copy.file)
            copy = replace(copy, size_bytes=None)
        _save(context, replace(copy, due_at=copy.expires_at if copy.size_bytes else None))
    except CopyOvertaken:
        return
    except CopyNotGiven:
        _withdraw(context, copy)
    except OfframpError as error:
        _put_off(context, copy, error)


def _write(context: Context, copy: OwnCopy) -> OwnCopy:
    """Write the document, whole or not at all."""
    beat = _Heartbeat(context=context, copy=copy, beaten_at=context.elapsed())
    now = context.clock.now()
    with context.store.reading() as transaction:
        _reader_of(context, transaction, copy, now=now)
        same = _find_same(context, transaction, copy, now=now)
    with ExitStack() as stack:
        sink = stack.enter_context(context.vault.write(copy.file))
        if same is None or not _is_issued_again(context, same, sink, beat=beat):
            hand_over(context, _request(copy), sink, actor="user", beat=beat)
        sink.flush()
        now = context.clock.now()
        with context.store.transaction() as transaction:
            zone = _reader_of(context, transaction, copy, now=now).zone
            if same is not None:
                require_whole(transaction, _request(copy))
            written = replace(
                copy,
                written_at=now,
                size_bytes=sink.tell(),
                expires_at=link_ends_at(now, days=context.limits.link_days, zone=zone),
                attempts=0,
                due_at=_lease(now),
            )
            if not transaction.save_own_copy(written, claim=copy.claim):
                raise CopyOvertaken
            stack.close()  # now the file has its name, and whoever deletes it waits for us
    context.probe("copy written")
    return written


def _tell(context: Context, copy: OwnCopy) -> None:
    """Send the mail that leads to a copy; its link lives for so long from now on."""
    now, message = context.clock.now(), copy_message_id(copy.id, round_=copy.round)
    if context.public_address is None or not is_still_whole(context, _request(copy)):
        _save(context, replace(copy, due_at=copy.expires_at))
        return
    with context.store.reading() as transaction:
        reader = _reader_of(context, transaction, copy, now=now)
    ends_at = link_ends_at(now, days=context.limits.link_days, zone=reader.zone)
    told = replace(copy, mailed_at=now, expires_at=ends_at, due_at=ends_at, attempts=0)
    assert copy.size_bytes is not None, "what is told of was written"
    composed = context.composer.compose(
        reader.facts,
        message_id=message,
        member=reader.member,
        organization=reader.organization,
        download=Download(
            address=f"{context.public_address}/{PATH}/{secret_of_copy(context, copy)}",
            name=FILE_NAME,
            size_bytes=copy.size_bytes,
            until_on=last_day_of(ends_at, erases_at=reader.erases_at, zone=reader.zone, now=now),
        ),
    )
    if not context.mailer.was_accepted(message):
        context.mailer.send(composed, at=now)
    context.probe("copy told")
    _save(context, told)


def copy_message_id(copy: str, *, round_: int) -> str:
    """Give the id of the mail that leads to a copy, the same at every attempt, telling nothing."""
    return hashlib.sha256(f"{NOTICE}/{copy}/{round_}".encode()).hexdigest()[:32]


def _reader_of(
    context: Context, transaction: Transaction, copy: OwnCopy, *, now: Instant
) -> _Reader:
    organization = require_organization(transaction, copy.organization)
    member = require_member(transaction, copy.organization, copy.member)
    if not is_still_theirs(transaction, organization, member, copy.scope, now=now):
        raise CopyNotGiven
    described = (
        describe(reader, now=now) for reader in readers_of(transaction, organization, member)
    )
    banner = next((each for each in described if each is not None), None)
    links = require_policy(transaction, organization.policy).links
    notice = NOTICES[copy.scope]
    facts = (
        state_nothing(notice, zone=organization.zone, links=links, now=now)
        if banner is None
        else replace(banner.facts, notice=notice, product=None)
    )
    erases_at = erasure_of(transaction, organization, member, now=now)
    return _Reader(organization=organization, member=member, facts=facts, erases_at=erases_at)


def _request(copy: OwnCopy) -> Request:
    member = copy.member if copy.scope is SubjectKind.MEMBER else None
    return Request(organization=copy.organization, member=member)


def _find_same(
    context: Context, transaction: Transaction, copy: OwnCopy, *, now: Instant
) -> str | None:
    """Name a document of all the same data, where nobody could change any since it was written."""
    if copy.scope is SubjectKind.MEMBER:
        return None
    organization = require_organization(transaction, copy.organization)
    documents = sorted(_documents(context, transaction, copy, now=now), reverse=True)
    return next(
        (
            file
            for taken_at, file in documents
            if is_settled(transaction, organization, since=taken_at, now=now)
        ),
        None,
    )


def _documents(
    context: Context, transaction: Transaction, copy: OwnCopy, *, now: Instant
) -> Iterator[tuple[Instant, str]]:
    """Give the documents of all the data that are there, and when each was begun."""
    for other in transaction.own_copies(copy.organization, member=None):
        is_of_all = other.scope is SubjectKind.ORGANIZATION and other.id != copy.id
        if is_of_all and is_ready(other, now=now):
            yield other.asked_at, other.file
    for row in transaction.offboardings(copy.organization, status=OffboardingStatus.OPEN):
        if row.subject.member is None and row.subject.product is None:
            for step in transaction.steps(row.id):
                issued = issue_key(step.key, step.issue)
                manifest = read_manifest(context.vault, row.id, issued)
                if manifest is not None:
                    yield manifest.taken_at, document_name(row.id, issued)


def _is_issued_again(
    context: Context, file: str, sink: BinaryIO, *, beat: Callable[[], None]
) -> bool:
    """Write a document once more; false where somebody has deleted it meanwhile."""
    try:
        with context.vault.read(file) as source:
            while piece := source.read(PIECE_BYTES):
                sink.write(piece)
                beat()
    except VaultFileMissing:
        return False
    return True


def _withdraw(context: Context, copy: OwnCopy) -> None:
    """Take back what is not its reader's any more, unless somebody else has it in hand."""
    now = context.clock.now()
    with context.store.transaction() as transaction:
        if transaction.save_own_copy(copy, claim=copy.claim):
            drop_copy(context, transaction, copy, at=now, actor="system")


def _put_off(context: Context, copy: OwnCopy, error: OfframpError) -> None:
    """Try again later, or leave it; what is written can be had without a mail as well."""
    limits, now = context.limits, context.clock.now()
    later = replace(copy, due_at=copy.expires_at, reason=error.code)  # none where it is not written
    if isinstance(error, Unavailable | Uncertain) and copy.attempts < limits.attempts_max:
        later = replace(later, due_at=now.add(minutes=limits.back_off(max(1, copy.attempts))))
    with context.store.transaction() as transaction:
        if transaction.save_own_copy(later, claim=copy.claim) and later.due_at is None:
            event = event_of("own-copy-failed", copy, at=now, actor="system", reason=error.code)
            transaction.append([event])


def _save(context: Context, copy: OwnCopy) -> None:
    with context.store.transaction() as transaction:
        transaction.save_own_copy(copy, claim=copy.claim)


@dataclass(slots=True, kw_only=True)
class _Heartbeat:
    """Keeps the claim of a copy that takes long to write."""

    context: Context
    copy: OwnCopy
    beaten_at: float  # seconds on the context's forward clock

    def __call__(self) -> None:
        """Extend the claim when a good part of it may have passed.

        Raises:
            CopyOvertaken: somebody else has it, or it is not wanted any more.
        """
        elapsed = self.context.elapsed()
        if elapsed - self.beaten_at < LEASE_SECONDS / 4:
            return
        self.beaten_at = elapsed
        kept = replace(self.copy, due_at=_lease(self.context.clock.now()))
        with self.context.store.transaction() as transaction:
            if not transaction.save_own_copy(kept, claim=self.copy.claim):
                raise CopyOvertaken
