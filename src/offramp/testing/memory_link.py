"""Links in the store in memory.

Source: ``ports.Transaction``.
"""

from collections.abc import Collection
from dataclasses import replace

from whenever import Instant

from offramp.ports import Link
from offramp.testing.memory_tables import MemoryPart


class MemoryLinkPart(MemoryPart):
    """What messages lead to."""

    def put_link(self, link: Link) -> None:
        """Note a link, or the later mail of one that is there; none of a forgotten delivery."""
        key = (link.offboarding, link.step, link.member)
        if not any(addressed[:3] == key for addressed in self.tables.deliveries):
            return
        known = self.tables.links.get(link.digest, link)
        again = replace(known, mailed_at=link.mailed_at, expires_at=link.expires_at)
        self.tables.links[link.digest] = again

    def find_link(self, digest: str) -> Link | None:
        """Find a link by the digest of its secret."""
        return self.tables.links.get(digest)

    def links(self, offboarding: str) -> tuple[Link, ...]:
        """List the links of an off-boarding, by step, member and round."""
        mine = (each for each in self.tables.links.values() if each.offboarding == offboarding)
        return tuple(sorted(mine, key=lambda each: (each.step, each.member, each.round)))

    def count_download(self, digest: str, *, at: Instant) -> int:
        """Note that a download begins; returns how many have begun, 0 where there is no link."""
        link = self.tables.links.get(digest)
        if link is None:
            return 0
        again = replace(link, downloads=link.downloads + 1, downloaded_at=at)
        self.tables.links[digest] = again
        return again.downloads

    def revoke_links(
        self,
        offboarding: str,
        *,
        steps: Collection[str] | None = None,
        member: str | None = None,
        spared: str | None = None,
        at: Instant,
    ) -> int:
        """Let links lead nowhere from now on, all but one; returns how many still did."""
        chosen = [
            each
            for each in self.links(offboarding)
            if each.revoked_at is None
            and each.expires_at > at
            and (steps is None or each.step in steps)
            and member in (None, each.member)
            and each.digest != spared
        ]
        for each in chosen:
            self.tables.links[each.digest] = replace(each, revoked_at=at)
        return len(chosen)
