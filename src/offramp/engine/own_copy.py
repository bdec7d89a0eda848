"""A copy of what is their own, for whoever asks, for as long as all of it is there (B9).

Asking notes it. A worker writes the document, and tells its reader by a mail with a link of their
own; once that is over, the file is deleted. A worker takes each request by a claim: of two who have
the same one, the older writes nothing. The file gets its name in the transaction that says so, and
a deletion waits for that: no file outlives what it holds.

Source: mission B9; policy language E1; lessons L14, L17, L30; docs/decisions/036-portal.md.
"""

import hashlib
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, replace
from enum import StrEnum

from whenever import Instant

from offramp.core.banner import Reader, describe, may_request_own
from offramp.core.due import expected_erasure
from offramp.core.errors import OfframpError, Refused, Unavailable, Uncertain
from offramp.core.ledger import Detail, Event
from offramp.core.link import Download, last_day_of, link_ends_at
from offramp.core.model import Member, Organization
from offramp.core.notice import NoticeFacts, state_nothing
from offramp.core.policy import ANY
from offramp.core.transitions import OffboardingStatus
from offramp.engine.access import reader_of
from offramp.engine.archive import own_copy_name
from offramp.engine.context import Context
from offramp.engine.handover import Request, hand_over, is_still_whole
from offramp.engine.offer import FILE_NAME, PATH, digest_of, secret_of
from offramp.engine.situation import (
    receipts_of,
    require_member,
    require_organization,
    require_policy,
    timeline_of,
)
from offramp.ports import OwnCopy, Transaction

NOTICE = "own-copy"
LEASE_SECONDS = 600
REST_MINUTES = 60  # before the same mail is sent once more


class CopyUnderWay(Refused):
    """A copy was asked for already, and is being made."""


class CopyNotGiven(Refused):
    """The policy gives nobody a copy of their own data in this stage."""


class CopyMissing(Refused):
    """There is no copy that could be sent, or its mail went out just now."""


class CopyOvertaken(Refused):
    """Another worker or another request took over; nothing was written."""


class CopyState(StrEnum):
    """Where a copy stands, for whoever asked for it."""

    ASKED = "asked"
    READY = "ready"
    OVER = "over"  # its time has passed, and the file is gone
    FAILED = "failed"


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


def state_of_copy(copy: OwnCopy, *, now: Instant) -> CopyState:
    """Say where a copy stands."""
    if copy.is_open:
        return CopyState.ASKED
    if copy.written_at is None:
        return CopyState.FAILED
    return CopyState.READY if is_ready(copy, now=now) else CopyState.OVER


def is_ready(copy: OwnCopy, *, now: Instant) -> bool:
    """Whether it can be downloaded."""
    return copy.size_bytes is not None and copy.expires_at is not None and now < copy.expires_at


def secret_of_copy(context: Context, copy: OwnCopy) -> str:
    """Work out the secret part of the address that leads to a copy."""
    return secret_of(context.keys, copy.organization, f"{NOTICE}/{copy.id}")


def readers_of(
    transaction: Transaction, organization: Organization, member: Member
) -> tuple[Reader, ...]:
    """Give what has a say about a member: once for each product that has a clock of its own."""
    products: set[str | None] = {None}
    if require_policy(transaction, organization.policy).clock == "product":
        pools = transaction.pools(organization.id)
        products = {pool.product for pool in pools if pool.id in member.pools}
        products = products or {pool.product for pool in pools}
    return tuple(
        reader_of(transaction, organization, member, surface=ANY, product=product)
        for product in sorted(products, key=lambda product: product or "")
    )


def ask_for_copy(context: Context, organization: str, member: str) -> OwnCopy:
    """Note that a member wants a copy of what is theirs; the one before it is gone then.

    Raises:
        CopyNotGiven: the policy gives none, or it is deleted.
        CopyUnderWay: one is being made.
        OrganizationUnknown, OrganizationErased, MemberUnknown: nobody is there.
    """
    now = context.clock.now()
    with context.store.transaction() as transaction:
        before = transaction.own_copy(organization, member=member)
        if before is not None and before.is_open:
            raise CopyUnderWay
        found = require_organization(transaction, organization)
        person = require_member(transaction, organization, member)
        readers = readers_of(transaction, found, person)
        if not any(may_request_own(reader, now=now) for reader in readers):
            raise CopyNotGiven
        name = context.ids.new()
        copy = OwnCopy(
            id=name,
            organization=organization,
            member=member,
            digest="",
            file=own_copy_name(name),
            asked_at=now,
            due_at=now,
        )
        copy = replace(copy, digest=digest_of(secret_of_copy(context, copy)))
        transaction.put_own_copy(copy)
        if before is not None:
            context.vault.delete(before.file)
        transaction.append([_event("own-copy-asked", copy, at=now, actor="user")])
    return copy


def ask_for_mail_again(context: Context, organization: str, member: str) -> None:
    """Let the mail that leads to a copy be sent once more, at most once an hour.

    Raises:
        CopyMissing: there is nothing that it could lead to, or it went out just now.
    """
    now = context.clock.now()
    with context.store.transaction() as transaction:
        copy = transaction.own_copy(organization, member=member)
        if copy is None or not is_ready(copy, now=now) or not _may_tell(copy, now=now):
            raise CopyMissing
        again = replace(
            copy,
            round=copy.round + 1,
            claim=copy.claim + 1,
            attempts=0,
            mailed_at=None,
            due_at=now,
            reason=None,
        )
        transaction.save_own_copy(again, claim=copy.claim)
        transaction.append([_event("own-copy-asked", copy, at=now, actor="user")])


def _may_tell(copy: OwnCopy, *, now: Instant) -> bool:
    """Whether its mail may be sent again: it went out long enough ago, or not at all."""
    if copy.mailed_at is None:
        return copy.reason is not None
    return now >= copy.mailed_at.add(minutes=REST_MINUTES)


def note_own_download(transaction: Transaction, copy: OwnCopy, *, at: Instant) -> bool:
    """Count a download that begins; false where the copy is gone by now."""
    count = transaction.count_own_download(copy.digest, at=at)
    if count == 1:
        transaction.append([_event("own-copy-downloaded", copy, at=at, actor="user")])
    return count > 0


def drop_copies(
    context: Context, transaction: Transaction, organization: str, *, member: str | None
) -> None:
    """Delete the copies of a member, or of everybody, together with what they hold (L30)."""
    copies = transaction.own_copies(organization, member=member)
    transaction.drop_own_copies(organization, member=member)  # waits for one that is being written
    for copy in copies:
        context.vault.delete(copy.file)


def erasure_of(
    transaction: Transaction, organization: Organization, member: Member, *, now: Instant
) -> Instant | None:
    """Say when the data of a member is to be deleted, as far as that is planned."""
    rows = transaction.offboardings_about(organization.id, member=member.id)
    dates = (
        expected_erasure(
            timeline_of(transaction, row), receipts=receipts_of(transaction.steps(row.id)), now=now
        )
        for row in rows
        if row.status is OffboardingStatus.OPEN
    )
    return min((date for date in dates if date is not None), default=None)


def tend_copies(context: Context, *, is_stopping: Callable[[], bool] = lambda: False) -> int:
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
    except OfframpError as error:
        _put_off(context, copy, error)


def _write(context: Context, copy: OwnCopy) -> OwnCopy:
    """Write the document, whole or not at all."""
    request = Request(organization=copy.organization, member=copy.member)
    beat = _Heartbeat(context=context, copy=copy, beaten_at=context.elapsed())
    with ExitStack() as stack:
        sink = stack.enter_context(context.vault.write(copy.file))
        hand_over(context, request, sink, actor="user", beat=beat)
        sink.flush()
        now = context.clock.now()
        with context.store.transaction() as transaction:
            zone = _reader_of(context, transaction, copy, now=now).zone
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
    now, message = context.clock.now(), _message_id(copy)
    request = Request(organization=copy.organization, member=copy.member)
    if context.public_address is None or not is_still_whole(context, request):
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


def _message_id(copy: OwnCopy) -> str:
    """Give the id of the mail, the same at every attempt, and telling nothing."""
    return hashlib.sha256(f"{NOTICE}/{copy.id}/{copy.round}".encode()).hexdigest()[:32]


def _reader_of(
    context: Context, transaction: Transaction, copy: OwnCopy, *, now: Instant
) -> _Reader:
    organization = require_organization(transaction, copy.organization)
    member = require_member(transaction, copy.organization, copy.member)
    described = (
        describe(reader, now=now) for reader in readers_of(transaction, organization, member)
    )
    banner = next((each for each in described if each is not None), None)
    links = require_policy(transaction, organization.policy).links
    facts = (
        state_nothing(NOTICE, zone=organization.zone, links=links, now=now)
        if banner is None
        else replace(banner.facts, notice=NOTICE, product=None)
    )
    erases_at = erasure_of(transaction, organization, member, now=now)
    return _Reader(organization=organization, member=member, facts=facts, erases_at=erases_at)


def _put_off(context: Context, copy: OwnCopy, error: OfframpError) -> None:
    """Try again later, or leave it; what is written can be had without a mail as well."""
    limits, now = context.limits, context.clock.now()
    later = replace(copy, due_at=copy.expires_at, reason=error.code)  # none where it is not written
    if isinstance(error, Unavailable | Uncertain) and copy.attempts < limits.attempts_max:
        later = replace(later, due_at=now.add(minutes=limits.back_off(max(1, copy.attempts))))
    with context.store.transaction() as transaction:
        if transaction.save_own_copy(later, claim=copy.claim) and later.due_at is None:
            event = _event("own-copy-failed", copy, at=now, actor="system", reason=error.code)
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


def _event(kind: str, copy: OwnCopy, *, at: Instant, actor: str, **detail: Detail) -> Event:
    """Put something on record, without a word of whose it is."""
    return Event(kind=kind, at=at, actor=actor, detail={"copy": copy.id, **detail})
