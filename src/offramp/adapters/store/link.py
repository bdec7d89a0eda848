"""Links to what was handed over, each known by a digest alone.

Source: ``ports.Transaction``; lesson L14.
"""

from collections.abc import Collection
from dataclasses import asdict
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.engine import Row as Found
from whenever import Instant

from offramp.adapters.store import schema
from offramp.adapters.store.part import Part
from offramp.ports import Link

_table = schema.link


class LinkPart(Part):
    """What messages lead to."""

    def put_link(self, link: Link) -> None:
        """Note a link, or the later mail of one that is there; none of a forgotten delivery."""
        sent = schema.delivery
        mine = (sent.c.offboarding == link.offboarding, sent.c.step == link.step)
        delivery = select(sent.c.round).where(*mine, sent.c.member == link.member)
        # An erasure waits for this lock, or this one finds nothing after it.
        if self.connection.execute(delivery.with_for_update(read=True)).first() is None:
            return
        statement = self._insert(_table)
        later = {name: statement.excluded[name] for name in ("mailed_at", "expires_at")}
        self.connection.execute(
            statement.on_conflict_do_update(index_elements=["digest"], set_=later), asdict(link)
        )

    def find_link(self, digest: str) -> Link | None:
        """Find a link by the digest of its secret."""
        row = self.connection.execute(select(_table).where(_table.c.digest == digest)).first()
        return None if row is None else _link(row)

    def links(self, offboarding: str) -> tuple[Link, ...]:
        """List the links of an off-boarding, by step, member and round."""
        chosen = select(_table).where(_table.c.offboarding == offboarding)
        ordered = chosen.order_by(_table.c.step, _table.c.member, _table.c.round)
        return tuple(_link(row) for row in self.connection.execute(ordered))

    def count_download(self, digest: str, *, at: Instant) -> int:
        """Note that a download begins; returns how many have begun, 0 where there is no link."""
        one_more = {"downloads": _table.c.downloads + 1, "downloaded_at": at}
        counted = update(_table).where(_table.c.digest == digest).values(one_more)
        return self.connection.scalar(counted.returning(_table.c.downloads)) or 0

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
        mine = [
            _table.c.offboarding == offboarding,
            _table.c.revoked_at.is_(None),
            _table.c.expires_at > at,
        ]
        if steps is not None:
            mine.append(_table.c.step.in_(steps))
        if member is not None:
            mine.append(_table.c.member == member)
        if spared is not None:
            mine.append(_table.c.digest != spared)
        return self.connection.execute(update(_table).where(*mine).values(revoked_at=at)).rowcount


def _link(row: Found[Any]) -> Link:
    return Link(**row._mapping)
