"""A copy of their data for whoever asks, for as long as all of it is there (B9, E1).

It is of what is their own, or, for an administrator, of all that the organization has. Asking notes
it; a worker does the rest, as `engine.copying` says.

Source: mission B9; policy language E1; docs/decisions/036-portal.md.
"""

from collections.abc import Iterator
from dataclasses import replace
from enum import StrEnum

from whenever import Instant

from offramp.core.errors import Refused
from offramp.core.ledger import Detail, Event
from offramp.core.model import SubjectKind
from offramp.engine.archive import own_copy_name
from offramp.engine.context import Context
from offramp.engine.entitlement import is_given
from offramp.engine.offer import digest_of, secret_of
from offramp.engine.situation import require_member, require_organization
from offramp.ports import OwnCopy, Transaction

NOTICE = "own-copy"
REST_MINUTES = 60  # before the same mail is sent once more


class CopyUnderWay(Refused):
    """A copy was asked for already, and is being made."""


class CopyNotGiven(Refused):
    """The policy gives no such copy in this stage, or not to this person."""


class CopyMissing(Refused):
    """There is no copy that could be sent, or its mail went out just now."""


class CopyState(StrEnum):
    """Where a copy stands, for whoever asked for it."""

    ASKED = "asked"
    READY = "ready"
    OVER = "over"  # its time has passed, and the file is gone
    FAILED = "failed"


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


def ask_for_copy(
    context: Context,
    organization: str,
    member: str,
    *,
    scope: SubjectKind = SubjectKind.MEMBER,
    actor: str = "user",
) -> OwnCopy:
    """Note that a member wants a copy of what is theirs; the one before it is gone then.

    Args:
        scope: whether of their own data, or of all that their organization has.

    Raises:
        CopyNotGiven: the policy gives none, or it is deleted.
        CopyUnderWay: one is being made; of a whole organization, for whomever.
        OrganizationUnknown, OrganizationErased, MemberUnknown: nobody is there.
    """
    now = context.clock.now()
    with context.store.transaction() as transaction:
        before = transaction.own_copy(organization, member=member, scope=scope)
        rivals = rivals_of(transaction, organization, member=member, scope=scope)
        if any(each.is_open for each in rivals):
            raise CopyUnderWay
        found = require_organization(transaction, organization)
        person = require_member(transaction, organization, member)
        if not is_given(transaction, found, person, scope, now=now):
            raise CopyNotGiven
        name = context.ids.new()
        copy = OwnCopy(
            id=name,
            organization=organization,
            member=member,
            scope=scope,
            digest="",
            file=own_copy_name(name),
            asked_at=now,
            due_at=now,
        )
        copy = replace(copy, digest=digest_of(secret_of_copy(context, copy)))
        transaction.put_own_copy(copy)
        if before is not None:
            context.vault.delete(before.file)
        transaction.append([event_of("own-copy-asked", copy, at=now, actor=actor)])
    return copy


def find_copy(
    context: Context, organization: str, member: str, *, scope: SubjectKind
) -> OwnCopy | None:
    """Find what a member asked for last."""
    with context.store.reading() as transaction:
        copies = transaction.own_copies(organization, member=member)
    return next((each for each in copies if each.scope is scope), None)


def ask_for_mail_again(
    context: Context,
    organization: str,
    member: str,
    *,
    scope: SubjectKind = SubjectKind.MEMBER,
) -> None:
    """Let the mail that leads to a copy be sent once more, at most once an hour.

    Raises:
        CopyMissing: there is nothing that it could lead to, or it went out just now.
    """
    now = context.clock.now()
    with context.store.transaction() as transaction:
        copy = transaction.own_copy(organization, member=member, scope=scope)
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
        transaction.append([event_of("own-copy-asked", copy, at=now, actor="user")])


def take_copy_back(
    context: Context,
    organization: str,
    member: str,
    *,
    scope: SubjectKind = SubjectKind.MEMBER,
    actor: str = "user",
) -> None:
    """Let the link to a copy lead nowhere from now on, and delete what it led to.

    Raises:
        CopyMissing: there is none.
    """
    now = context.clock.now()
    with context.store.transaction() as transaction:
        copy = transaction.own_copy(organization, member=member, scope=scope)
        if copy is None:
            raise CopyMissing
        drop_copy(context, transaction, copy, at=now, actor=actor)


def ready_copies(
    transaction: Transaction, organization: str, *, member: str | None, now: Instant
) -> tuple[OwnCopy, ...]:
    """List the copies that can be downloaded, of one member or of all."""
    copies = transaction.own_copies(organization, member=member)
    return tuple(copy for copy in copies if is_ready(copy, now=now))


def take_copies_back(
    context: Context, transaction: Transaction, organization: str, *, member: str | None
) -> int:
    """Take every copy back that can be downloaded, of one member or of all; says how many."""
    now = context.clock.now()
    ready = ready_copies(transaction, organization, member=member, now=now)
    for copy in ready:
        drop_copy(context, transaction, copy, at=now, actor=context.actor_or("operator"))
    return len(ready)


def drop_copy(
    context: Context, transaction: Transaction, copy: OwnCopy, *, at: Instant, actor: str
) -> None:
    """Forget a copy together with what it holds."""
    transaction.drop_own_copies(copy.organization, member=copy.member, scope=copy.scope)
    context.vault.delete(copy.file)
    transaction.append([event_of("own-copy-revoked", copy, at=at, actor=actor)])


def note_own_download(transaction: Transaction, copy: OwnCopy, *, at: Instant) -> bool:
    """Count a download that begins; false where the copy is gone by now."""
    count = transaction.count_own_download(copy.digest, at=at)
    if count == 1:
        transaction.append([event_of("own-copy-downloaded", copy, at=at, actor="user")])
    return count > 0


def drop_copies(
    context: Context, transaction: Transaction, organization: str, *, member: str | None
) -> None:
    """Delete the copies of a member, or of everybody, together with what they hold (L30).

    Those of the whole organization hold what is of every member.
    """
    copies = [
        copy
        for copy in transaction.own_copies(organization, member=None)
        if member in (None, copy.member) or copy.scope is SubjectKind.ORGANIZATION
    ]
    # Each waits for one that is being written.
    transaction.drop_own_copies(organization, member=member)
    transaction.drop_own_copies(organization, member=None, scope=SubjectKind.ORGANIZATION)
    for copy in copies:
        context.vault.delete(copy.file)


def rivals_of(
    transaction: Transaction, organization: str, *, member: str, scope: SubjectKind
) -> Iterator[OwnCopy]:
    """Give the copies beside which no other is made: of the whole there is one at a time."""
    whose = member if scope is SubjectKind.MEMBER else None
    copies = transaction.own_copies(organization, member=whose)
    return (each for each in copies if each.scope is scope)


def event_of(kind: str, copy: OwnCopy, *, at: Instant, actor: str, **detail: Detail) -> Event:
    """Put something on record, without a word of whose it is."""
    told = {"copy": copy.id, "scope": copy.scope.value, **detail}
    return Event(kind=kind, at=at, actor=actor, detail=told)


def _may_tell(copy: OwnCopy, *, now: Instant) -> bool:
    """Whether its mail may be sent again: it went out long enough ago, or not at all."""
    if copy.mailed_at is None:
        return copy.reason is not None
    return now >= copy.mailed_at.add(minutes=REST_MINUTES)
