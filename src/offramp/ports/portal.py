"""Who is signed in to the portal, and by which links they get in.

No secret and no address is in the store: of a session and of a link there is a digest, and beside
it a proof of the address, which nobody can check without the secret.

Source: docs/portal.md; docs/decisions/036-portal.md.
"""

from dataclasses import dataclass
from typing import Protocol

from whenever import Instant

from offramp.ports.record import Delivery


@dataclass(frozen=True, slots=True, kw_only=True)
class PortalLink:
    """An address that lets one member in once; it stays for a while, so that they are counted."""

    digest: str
    proof: str
    organization: str
    member: str
    made_at: Instant
    expires_at: Instant
    spent_at: Instant | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PortalSession:
    """One browser in which a member is signed in, until the earlier of two ends."""

    digest: str
    proof: str
    organization: str
    member: str
    opened_at: Instant
    seen_at: Instant
    idle_ends_at: Instant
    ends_at: Instant

    def is_alive(self, now: Instant) -> bool:
        """Whether it opens anything at this instant."""
        return now < self.idle_ends_at and now < self.ends_at


class Portal(Protocol):
    """The share of a transaction that is about them."""

    def put_portal_link(self, link: PortalLink) -> bool:
        """Store a link; false where the member is gone."""

    def portal_link(self, digest: str) -> PortalLink | None:
        """Find a link by the digest of its secret, a spent one too."""

    def spend_portal_link(self, digest: str, *, at: Instant) -> PortalLink | None:
        """Spend a link that nobody has spent yet; whoever else tries finds none."""

    def drop_portal_link(self, digest: str) -> None:
        """Forget a link."""

    def portal_links_made(self, organization: str, *, member: str, since: Instant) -> int:
        """Count the links that were made for a member after an instant."""

    def open_portal_session(self, session: PortalSession) -> bool:
        """Store a new session; false where the member is gone."""

    def portal_session(self, digest: str) -> PortalSession | None:
        """Find a session by the digest of its secret."""

    def see_portal_session(self, digest: str, *, at: Instant, idle_ends_at: Instant) -> None:
        """Note that a session was used."""

    def move_portal_session(self, digest: str, *, organization: str, member: str) -> bool:
        """Let a session be that of another member; false where they, or the session, are gone."""

    def end_portal_session(self, digest: str) -> bool:
        """Forget a session; false where there is none."""

    def deliveries_to(self, organization: str, *, member: str, limit: int) -> tuple[Delivery, ...]:
        """List what was written to a member, the newest off-boarding and step first."""

    def is_unreachable(self, organization: str, *, member: str) -> bool:
        """Whether a server has said that there is no such mailbox (5.1.x), and took no mail since.

        What is sent again and taken makes somebody reachable.
        """

    def tidy_portal(self, *, at: Instant, made_before: Instant) -> None:
        """Forget sessions that are over at an instant, and links that were made before another."""
