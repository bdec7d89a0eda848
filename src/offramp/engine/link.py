"""Links to what was handed over: looked up, used, listed, sent again, taken back.

Whoever has a link may use it; whoever has none learns nothing: unknown, expired, revoked and erased
are one and the same to them.

Source: policy language E1; mission A8, B9; lessons L14, L30; docs/decisions/026-links.md.
"""

from collections.abc import Generator
from dataclasses import dataclass

from whenever import Date, Instant

from offramp.core.due import expected_erasure
from offramp.core.errors import Missing, Refused
from offramp.core.ledger import Event
from offramp.core.link import LinkState, last_day_of, state_of
from offramp.core.model import Subject, SubjectKind
from offramp.core.policy import Action
from offramp.core.transitions import OffboardingStatus
from offramp.engine.context import Context
from offramp.engine.entitlement import erasure_of, is_still_theirs
from offramp.engine.offer import digest_of
from offramp.engine.own_copy import is_ready, note_own_download, ready_copies, take_copies_back
from offramp.engine.resending import NothingToResend, ask_again
from offramp.engine.situation import (
    receipts_of,
    require_known,
    require_policy,
    timeline_of,
)
from offramp.engine.work import issue_key
from offramp.ports import Link, Offboarding, OwnCopy, Transaction

PIECE_BYTES = 256 * 1024  # of a file that are in memory at once


class LinkDead(Missing):
    """This link leads nowhere, or not any more."""


class NoLinks(Refused):
    """No link to data of {organization} fits that leads anywhere."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What a link leads to, as its reader may be told.

    Attributes:
        organization: the name of whose data it is.
        until_on: the last day on which the reader can be sure of it, in their zone.
        zone: that zone, where it is not the organization's.
        locale: in which the reader is told.
    """

    link: Link | OwnCopy
    subject: Subject
    size_bytes: int
    organization: str
    until_on: Date
    zone: str | None
    locale: str
    support: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """One link as an operator sees it."""

    link: Link
    state: LinkState


def look_up(context: Context, secret: str) -> Found:
    """Find out what a link leads to; looking changes nothing and counts for nothing.

    Raises:
        LinkDead: it leads nowhere.
    """
    now = context.clock.now()
    with context.store.reading() as transaction:
        link = transaction.find_link(digest_of(secret))
        if link is None:
            return _look_up_copy(context, transaction, digest_of(secret), now=now)
        row = transaction.offboarding(link.offboarding)
        size_bytes = context.vault.size(link.file)
        if row is None or size_bytes is None:
            raise LinkDead
        if _state(link, has_file=True, now=now) is not LinkState.ALIVE:
            raise LinkDead
        organization = transaction.organization(row.subject.organization)
        member = transaction.member(row.subject.organization, link.member)
        if organization is None or member is None:
            raise LinkDead
        zone = member.zone or organization.zone
        erases_at, support = _plans(transaction, row, now=now)
    return Found(
        link=link,
        subject=row.subject,
        size_bytes=size_bytes,
        organization=organization.name or organization.id,
        until_on=last_day_of(link.expires_at, erases_at=erases_at, zone=zone, now=now),
        zone=zone if zone != organization.zone else None,
        locale=member.locale or organization.locale,
        support=support,
    )


def _look_up_copy(
    context: Context, transaction: Transaction, digest: str, *, now: Instant
) -> Found:
    """Find out what a link leads to that its reader asked for."""
    copy = transaction.own_copy_behind(digest)
    if copy is None or not is_ready(copy, now=now):
        raise LinkDead
    size_bytes = context.vault.size(copy.file)
    organization = transaction.organization(copy.organization)
    member = transaction.member(copy.organization, copy.member)
    if size_bytes is None or organization is None or member is None:
        raise LinkDead
    if not is_still_theirs(transaction, organization, member, copy.scope, now=now):
        raise LinkDead
    assert copy.expires_at is not None, "what can be downloaded has an end"
    zone = member.zone or organization.zone
    policy = require_policy(transaction, organization.policy)
    return Found(
        link=copy,
        subject=Subject(
            organization=organization.id,
            member=member.id if copy.scope is SubjectKind.MEMBER else None,
        ),
        size_bytes=size_bytes,
        organization=organization.name or organization.id,
        until_on=last_day_of(
            copy.expires_at,
            erases_at=erasure_of(transaction, organization, member, now=now),
            zone=zone,
            now=now,
        ),
        zone=zone if zone != organization.zone else None,
        locale=member.locale or organization.locale,
        support=policy.links.support,
    )


def note_download(context: Context, link: Link | OwnCopy) -> None:
    """Count a download that begins; the first one of a link is put on record.

    Raises:
        LinkDead: it was forgotten at this very moment.
    """
    now = context.clock.now()
    with context.store.transaction() as transaction:
        if isinstance(link, OwnCopy):
            if not note_own_download(transaction, link, at=now):
                raise LinkDead
            return
        count = transaction.count_download(link.digest, at=now)
        row = transaction.offboarding(link.offboarding)
        if not count or row is None:
            raise LinkDead
        if count == 1:
            transaction.append([_event("export-downloaded", row, actor="user", at=now)])


def note_document(context: Context, offboarding: str) -> None:
    """Put on record that a document was handed to whoever it had been sent to."""
    now = context.clock.now()
    with context.store.transaction() as transaction:
        row = transaction.offboarding(offboarding)
        if row is not None:
            transaction.append([_event("export-downloaded", row, actor="user", at=now)])


def pieces(context: Context, file: str, *, start: int, stop: int) -> Generator[bytes, None, None]:
    """Read a part of a file piece by piece, for as long as there is such a file.

    An erasure ends a download that is under way: what is being read would outlive it otherwise.
    """
    with context.vault.read(file) as source:
        source.seek(start)
        while start < stop and context.vault.size(file) is not None:
            piece = source.read(min(PIECE_BYTES, stop - start))
            if not piece:
                return
            start += len(piece)
            yield piece


def list_links(
    context: Context, organization: str, *, member: str | None = None
) -> tuple[Listed, ...]:
    """List every link to data of an organization.

    Raises:
        OrganizationUnknown, OrganizationErased, MemberUnknown: there is nobody to ask about.
    """
    now = context.clock.now()
    with context.store.transaction() as transaction:
        require_known(transaction, organization, member=member)
        return tuple(
            Listed(link=link, state=_state(link, has_file=_has_file(context, link), now=now))
            for row in transaction.offboardings(organization)
            for link in transaction.links(row.id)
            if member in (None, link.member)
        )


def list_copies(
    context: Context, organization: str, *, member: str | None = None
) -> tuple[OwnCopy, ...]:
    """List the copies on request that a link leads to.

    Raises:
        OrganizationUnknown, OrganizationErased, MemberUnknown: there is nobody to ask about.
    """
    now = context.clock.now()
    with context.store.reading() as transaction:
        require_known(transaction, organization, member=member)
        return ready_copies(transaction, organization, member=member, now=now)


def revoke(
    context: Context, organization: str, *, member: str | None = None, step: str | None = None
) -> int:
    """Let links to data of an organization lead nowhere, from now on; copies on request too.

    Returns:
        How many.

    Raises:
        NoLinks: there is none that still leads anywhere.
        OrganizationUnknown, OrganizationErased, MemberUnknown: there is nobody to ask about.
    """
    now, count = context.clock.now(), 0
    with context.store.transaction() as transaction:
        require_known(transaction, organization, member=member)
        for row in transaction.offboardings(organization):
            steps = None if step is None else _issues(transaction, row, step)
            revoked = transaction.revoke_links(row.id, steps=steps, member=member, at=now)
            if revoked:
                event = _event(
                    "links-revoked",
                    row,
                    actor=context.actor_or("operator"),
                    at=now,
                    links=revoked,
                )
                transaction.append([event])
            count += revoked
        if step is None:
            count += take_copies_back(context, transaction, organization, member=member)
    if not count:
        raise _none(organization)
    return count


def reissue(
    context: Context, organization: str, *, member: str | None = None, step: str | None = None
) -> int:
    """Let the data be sent again with the next sweep; new links end those of the same readers.

    Returns:
        To how many people.

    Raises:
        NoLinks: nobody was sent any data, or its use has passed.
        OrganizationUnknown, OrganizationErased, MemberUnknown: there is nobody to write to.
    """
    try:
        return ask_again(context, organization, step=step, member=member, action=Action.EXPORT)
    except NothingToResend as error:
        raise _none(organization) from error


def _none(organization: str) -> NoLinks:
    return NoLinks(
        organization=organization, hint=f"offramp link list {organization} shows what there is"
    )


def _issues(transaction: Transaction, row: Offboarding, step: str) -> frozenset[str]:
    """Name the issues of a step that links lead to: what was handed over again has its own."""
    issued = {each.key: each.issue for each in transaction.steps(row.id)}.get(step, 0)
    return frozenset(issue_key(step, issue) for issue in range(1, issued + 1))


def _has_file(context: Context, link: Link) -> bool:
    return context.vault.size(link.file) is not None


def _state(link: Link, *, has_file: bool, now: Instant) -> LinkState:
    return state_of(
        expires_at=link.expires_at, revoked_at=link.revoked_at, has_file=has_file, now=now
    )


def _plans(
    transaction: Transaction, row: Offboarding, *, now: Instant
) -> tuple[Instant | None, str | None]:
    """Say when the data is to be deleted, while it is to be, and where there is support."""
    timeline = timeline_of(transaction, row)
    receipts = receipts_of(transaction.steps(row.id))
    is_open = row.status is OffboardingStatus.OPEN
    erases_at = expected_erasure(timeline, receipts=receipts, now=now) if is_open else None
    return erases_at, timeline.policy.links.support


def _event(kind: str, row: Offboarding, *, actor: str, at: Instant, **detail: int) -> Event:
    return Event(
        kind=kind, at=at, offboarding=row.id, episode=row.episode, actor=actor, detail=detail
    )
