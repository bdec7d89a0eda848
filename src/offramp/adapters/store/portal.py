"""Who is signed in to the portal, by which links, and what they asked for.

Source: ``ports.Portal``; ``ports.OwnCopies``.
"""

from dataclasses import asdict, replace
from typing import Any

from sqlalchemy import ColumnElement, Row, delete, exists, func, or_, select, update
from whenever import Instant

from offramp.adapters.store import schema
from offramp.adapters.store import schema_portal as own
from offramp.adapters.store.delivery import delivery_of
from offramp.adapters.store.part import Part
from offramp.core.model import SubjectKind
from offramp.ports import Delivery, DeliveryStatus, OwnCopy, PortalLink, PortalSession

_link, _session, _copy, _member = own.portal_link, own.portal_session, own.own_copy, schema.member
_delivery, _row = schema.delivery, schema.offboarding
_NO_MAILBOX = "5.1.%"  # RFC 3463, section 3.2: addressing status
_LOST = (DeliveryStatus.REFUSED, DeliveryStatus.BOUNCED)
_COUNTED = frozenset({"downloads", "downloaded_at"})


class PortalPart(Part):
    """The portal's share."""

    def put_portal_link(self, link: PortalLink) -> bool:
        """Store a link; false where the member is gone."""
        if not self._keep_member(link.organization, link.member):
            return False
        self.connection.execute(_link.insert(), asdict(link))
        return True

    def portal_link(self, digest: str) -> PortalLink | None:
        """Find a link by the digest of its secret."""
        row = self.connection.execute(select(_link).where(_link.c.digest == digest)).first()
        return None if row is None else PortalLink(**row._mapping)

    def spend_portal_link(self, digest: str, *, at: Instant) -> PortalLink | None:
        """Spend a link that nobody has spent yet, in one statement."""
        unspent = (_link.c.digest == digest, _link.c.spent_at.is_(None))
        spent = update(_link).where(*unspent).values(spent_at=at).returning(*_link.c)
        row = self.connection.execute(spent).first()
        return None if row is None else PortalLink(**row._mapping)

    def drop_portal_link(self, digest: str) -> None:
        """Forget a link."""
        self.connection.execute(delete(_link).where(_link.c.digest == digest))

    def portal_links_made(self, organization: str, *, member: str, since: Instant) -> int:
        """Count the links that were made for a member after an instant."""
        theirs = (_link.c.organization == organization, _link.c.member == member)
        chosen = select(func.count()).select_from(_link).where(*theirs, _link.c.made_at > since)
        return self.connection.scalar(chosen) or 0

    def open_portal_session(self, session: PortalSession) -> bool:
        """Store a new session; false where the member is gone."""
        if not self._keep_member(session.organization, session.member):
            return False
        self.connection.execute(_session.insert(), asdict(session))
        return True

    def portal_session(self, digest: str) -> PortalSession | None:
        """Find a session by the digest of its secret."""
        row = self.connection.execute(select(_session).where(_session.c.digest == digest)).first()
        return None if row is None else PortalSession(**row._mapping)

    def see_portal_session(self, digest: str, *, at: Instant, idle_ends_at: Instant) -> None:
        """Note that a session was used."""
        values = {"seen_at": at, "idle_ends_at": idle_ends_at}
        mine = _session.c.digest == digest
        self.connection.execute(update(_session).where(mine).values(values))

    def move_portal_session(self, digest: str, *, organization: str, member: str) -> bool:
        """Let a session be that of another member."""
        if not self._keep_member(organization, member):
            return False
        moved = update(_session).where(_session.c.digest == digest)
        values = {"organization": organization, "member": member}
        return self.connection.execute(moved.values(values)).rowcount > 0

    def end_portal_session(self, digest: str) -> bool:
        """Forget a session."""
        ended = delete(_session).where(_session.c.digest == digest)
        return self.connection.execute(ended).rowcount > 0

    def deliveries_to(self, organization: str, *, member: str, limit: int) -> tuple[Delivery, ...]:
        """List what was written to a member."""
        chosen = select(_delivery).join(_row, _row.c.id == _delivery.c.offboarding)
        ordered = chosen.where(*_to(organization, member)).order_by(
            _row.c.opened_at.desc(), _row.c.id, _delivery.c.step, _delivery.c.channel
        )
        return tuple(map(delivery_of, self.connection.execute(ordered.limit(limit))))

    def is_unreachable(self, organization: str, *, member: str) -> bool:
        """Whether a server has said that there is no such mailbox."""
        lost = (_delivery.c.status.in_(_LOST), _delivery.c.reason.like(_NO_MAILBOX))
        there = exists().where(_row.c.id == _delivery.c.offboarding, *_to(organization, member))
        return self.connection.scalar(select(there.where(*lost))) is True

    def tidy_portal(self, *, at: Instant, made_before: Instant) -> None:
        """Forget what is over."""
        is_over = or_(_session.c.ends_at <= at, _session.c.idle_ends_at <= at)
        self.connection.execute(delete(_session).where(is_over))
        self.connection.execute(delete(_link).where(_link.c.made_at < made_before))

    def put_own_copy(self, copy: OwnCopy) -> bool:
        """Store a request in place of what its reader asked for before."""
        if not self._keep_member(copy.organization, copy.member):
            return False
        self._put(_copy, [_row_of(copy)])
        return True

    def own_copy(
        self, organization: str, *, member: str, scope: SubjectKind = SubjectKind.MEMBER
    ) -> OwnCopy | None:
        """Find what a member asked for; nobody else changes it until the transaction ends."""
        theirs = (_copy.c.organization == organization, _copy.c.member == member)
        chosen = select(_copy).where(*theirs, _copy.c.scope == scope)
        row = self.connection.execute(chosen.with_for_update()).first()
        return None if row is None else _copy_of(row)

    def own_copies(self, organization: str, *, member: str | None) -> tuple[OwnCopy, ...]:
        """List what the members of an organization asked for, or one of them."""
        chosen = select(_copy).where(_copy.c.organization == organization)
        if member is not None:
            chosen = chosen.where(_copy.c.member == member)
        rows = self.connection.execute(chosen.order_by(_copy.c.member, _copy.c.scope))
        return tuple(_copy_of(row) for row in rows)

    def own_copy_behind(self, digest: str) -> OwnCopy | None:
        """Find a copy by the digest of the secret that leads to it."""
        row = self.connection.execute(select(_copy).where(_copy.c.digest == digest)).first()
        return None if row is None else _copy_of(row)

    def own_copy_due_at(self) -> Instant | None:
        """Give the earliest instant at which a worker has to look at one."""
        due_at: Instant | None = self.connection.scalar(select(func.min(_copy.c.due_at)))
        return due_at

    def claim_own_copy(self, *, now: Instant, lease_until: Instant) -> OwnCopy | None:
        """Take the one that has been due longest."""
        ordered = select(_copy).where(_copy.c.due_at <= now).order_by(_copy.c.due_at, _copy.c.id)
        free = ordered.limit(1).with_for_update(skip_locked=True)
        row = self.connection.execute(free).first()
        if row is None:
            return None
        found = _copy_of(row)
        taken = replace(
            found, claim=found.claim + 1, attempts=found.attempts + 1, due_at=lease_until
        )
        return taken if self.save_own_copy(taken, claim=found.claim) else None

    def save_own_copy(self, copy: OwnCopy, *, claim: int) -> bool:
        """Write what became of it, if the claim is still this one."""
        theirs = (_copy.c.organization == copy.organization, _copy.c.member == copy.member)
        mine = (*theirs, _copy.c.scope == copy.scope)
        current = (_copy.c.id == copy.id, _copy.c.claim == claim)
        values = {name: value for name, value in _row_of(copy).items() if name not in _COUNTED}
        written = update(_copy).where(*mine, *current).values(values)
        return self.connection.execute(written).rowcount > 0

    def count_own_download(self, digest: str, *, at: Instant) -> int:
        """Note that a download begins."""
        one_more = {"downloads": _copy.c.downloads + 1, "downloaded_at": at}
        counted = update(_copy).where(_copy.c.digest == digest).values(one_more)
        return self.connection.scalar(counted.returning(_copy.c.downloads)) or 0

    def drop_own_copies(
        self, organization: str, *, member: str | None, scope: SubjectKind | None = None
    ) -> int:
        """Forget what the members of an organization, or one of them, asked for."""
        theirs = delete(_copy).where(_copy.c.organization == organization)
        if member is not None:
            theirs = theirs.where(_copy.c.member == member)
        if scope is not None:
            theirs = theirs.where(_copy.c.scope == scope)
        return self.connection.execute(theirs).rowcount

    def _keep_member(self, organization: str, member: str) -> bool:
        """Whether a member is there; nobody forgets them until the transaction ends."""
        theirs = (_member.c.organization == organization, _member.c.id == member)
        chosen = select(_member.c.id).where(*theirs).with_for_update(read=True)
        return self.connection.execute(chosen).first() is not None


def _to(organization: str, member: str) -> tuple[ColumnElement[bool], ...]:
    return _row.c.organization == organization, _delivery.c.member == member


def _copy_of(row: Row[Any]) -> OwnCopy:
    return OwnCopy(**{**row._mapping, "scope": SubjectKind(row.scope)})


def _row_of(copy: OwnCopy) -> dict[str, Any]:
    return {**asdict(copy), "scope": copy.scope.value}
