"""Who is signed in to the portal and what they asked for, in the store in memory.

Source: ``ports.Portal``; ``ports.OwnCopies``.
"""

from dataclasses import replace

from whenever import Instant

from offramp.core.model import SubjectKind
from offramp.ports import Delivery, DeliveryStatus, OwnCopy, PortalLink, PortalSession
from offramp.testing.memory_tables import MemoryPart

_LOST = (DeliveryStatus.REFUSED, DeliveryStatus.BOUNCED)


class MemoryPortalPart(MemoryPart):
    """The portal's share."""

    def put_portal_link(self, link: PortalLink) -> bool:
        """Store a link; false where the member is gone."""
        if (link.organization, link.member) not in self.tables.members:
            return False
        self.tables.portal_links[link.digest] = link
        return True

    def portal_link(self, digest: str) -> PortalLink | None:
        """Find a link by the digest of its secret."""
        return self.tables.portal_links.get(digest)

    def spend_portal_link(self, digest: str, *, at: Instant) -> PortalLink | None:
        """Spend a link that nobody has spent yet."""
        found = self.tables.portal_links.get(digest)
        if found is None or found.spent_at is not None:
            return None
        self.tables.portal_links[digest] = spent = replace(found, spent_at=at)
        return spent

    def drop_portal_link(self, digest: str) -> None:
        """Forget a link."""
        self.tables.portal_links.pop(digest, None)

    def portal_links_made(self, organization: str, *, member: str, since: Instant) -> int:
        """Count the links that were made for a member after an instant."""
        links = self.tables.portal_links.values()
        theirs = [
            each for each in links if (each.organization, each.member) == (organization, member)
        ]
        return sum(each.made_at > since for each in theirs)

    def open_portal_session(self, session: PortalSession) -> bool:
        """Store a new session; false where the member is gone."""
        if (session.organization, session.member) not in self.tables.members:
            return False
        self.tables.portal_sessions[session.digest] = session
        return True

    def portal_session(self, digest: str) -> PortalSession | None:
        """Find a session by the digest of its secret."""
        return self.tables.portal_sessions.get(digest)

    def see_portal_session(self, digest: str, *, at: Instant, idle_ends_at: Instant) -> None:
        """Note that a session was used."""
        found = self.tables.portal_sessions.get(digest)
        if found is not None:
            seen = replace(found, seen_at=at, idle_ends_at=idle_ends_at)
            self.tables.portal_sessions[digest] = seen

    def move_portal_session(self, digest: str, *, organization: str, member: str) -> bool:
        """Let a session be that of another member."""
        found = self.tables.portal_sessions.get(digest)
        if found is None or (organization, member) not in self.tables.members:
            return False
        moved = replace(found, organization=organization, member=member)
        self.tables.portal_sessions[digest] = moved
        return True

    def end_portal_session(self, digest: str) -> bool:
        """Forget a session."""
        return self.tables.portal_sessions.pop(digest, None) is not None

    def deliveries_to(self, organization: str, *, member: str, limit: int) -> tuple[Delivery, ...]:
        """List what was written to a member."""
        rows = self.tables.offboardings
        theirs = [
            each
            for _, each in sorted(self.tables.deliveries.items())
            if rows[each.offboarding].subject.organization == organization and each.member == member
        ]
        theirs.sort(key=lambda each: rows[each.offboarding].opened_at, reverse=True)
        return tuple(theirs[:limit])

    def is_unreachable(self, organization: str, *, member: str) -> bool:
        """Whether a server has said that there is no such mailbox."""
        theirs = self.deliveries_to(organization, member=member, limit=len(self.tables.deliveries))
        return any(
            each.status in _LOST and (each.reason or "").startswith("5.1.") for each in theirs
        )

    def tidy_portal(self, *, at: Instant, made_before: Instant) -> None:
        """Forget what is over."""
        sessions, links = self.tables.portal_sessions, self.tables.portal_links
        for digest in [d for d, each in sessions.items() if not each.is_alive(at)]:
            del sessions[digest]
        for digest in [d for d, each in links.items() if each.made_at < made_before]:
            del links[digest]

    def put_own_copy(self, copy: OwnCopy) -> bool:
        """Store a request in place of what its reader asked for before."""
        if (copy.organization, copy.member) not in self.tables.members:
            return False
        self.tables.own_copies[_key(copy)] = copy
        return True

    def own_copy(
        self, organization: str, *, member: str, scope: SubjectKind = SubjectKind.MEMBER
    ) -> OwnCopy | None:
        """Find what a member asked for."""
        return self.tables.own_copies.get((organization, member, scope))

    def own_copies(self, organization: str, *, member: str | None) -> tuple[OwnCopy, ...]:
        """List what the members of an organization asked for, or one of them."""
        return tuple(
            copy
            for (owner, person, _), copy in sorted(self.tables.own_copies.items())
            if owner == organization and member in (None, person)
        )

    def own_copy_behind(self, digest: str) -> OwnCopy | None:
        """Find a copy by the digest of the secret that leads to it."""
        copies = self.tables.own_copies.values()
        return next((each for each in copies if each.digest == digest), None)

    def own_copy_due_at(self) -> Instant | None:
        """Give the earliest instant at which a worker has to look at one."""
        dates = (each.due_at for each in self.tables.own_copies.values())
        return min((date for date in dates if date is not None), default=None)

    def claim_own_copy(self, *, now: Instant, lease_until: Instant) -> OwnCopy | None:
        """Take the one that has been due longest."""
        due = [
            (each.due_at, each.id, each)
            for each in self.tables.own_copies.values()
            if each.due_at is not None and each.due_at <= now
        ]
        if not due:
            return None
        *_, found = min(due)
        taken = replace(
            found, claim=found.claim + 1, attempts=found.attempts + 1, due_at=lease_until
        )
        self.tables.own_copies[_key(found)] = taken
        return taken

    def save_own_copy(self, copy: OwnCopy, *, claim: int) -> bool:
        """Write what became of it, if the claim is still this one."""
        found = self.own_copy(copy.organization, member=copy.member, scope=copy.scope)
        if found is None or (found.id, found.claim) != (copy.id, claim):
            return False
        kept = replace(copy, downloads=found.downloads, downloaded_at=found.downloaded_at)
        self.tables.own_copies[_key(copy)] = kept
        return True

    def count_own_download(self, digest: str, *, at: Instant) -> int:
        """Note that a download begins."""
        found = self.own_copy_behind(digest)
        if found is None:
            return 0
        again = replace(found, downloads=found.downloads + 1, downloaded_at=at)
        self.tables.own_copies[_key(found)] = again
        return again.downloads

    def drop_own_copies(
        self, organization: str, *, member: str | None, scope: SubjectKind | None = None
    ) -> int:
        """Forget what the members of an organization, or one of them, asked for."""
        copies = self.own_copies(organization, member=member)
        theirs = [each for each in copies if scope in (None, each.scope)]
        for each in theirs:
            del self.tables.own_copies[_key(each)]
        return len(theirs)


def _key(copy: OwnCopy) -> tuple[str, str, SubjectKind]:
    return copy.organization, copy.member, copy.scope
