"""Who may do something in an organization, and in which organizations somebody may: page by page.

Source: docs/access-api.md; OpenID AuthZEN Authorization API 1.0, section 8.
"""

from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from whenever import Instant

from offramp.core.policy import Capability
from offramp.core.snapshot import AccessSnapshot
from offramp.engine.context import Context
from offramp.engine.snapshot_cache import SnapshotCache

LOOKS_MAX = 1000  # organizations that one page looks at


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessSearch:
    """What has to be allowed, and which page is wanted.

    Attributes:
        after: the id past which to look.
        limit: the ids on a page.
    """

    capability: Capability
    now: Instant
    surface: str
    product: str | None
    after: str
    limit: int

    def allows(self, snapshot: AccessSnapshot | None, member: str) -> bool:
        """Whether a member may do it, as far as a snapshot knows."""
        if snapshot is None:
            return False
        answer = snapshot.decide(
            member, self.capability, now=self.now, surface=self.surface, product=self.product
        )
        return answer.is_allowed


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundIds:
    """One page, and the id past which the next one begins; none where there is no more."""

    ids: tuple[str, ...] = ()
    last: str | None = None


def find_members(snapshots: SnapshotCache, organization: str, search: AccessSearch) -> FoundIds:
    """Find the members of an organization who may do something there."""
    snapshot = snapshots.take(organization, member=None)
    if snapshot is None:
        return FoundIds()
    ids = sorted(snapshot.members)
    left = ids[bisect_right(ids, search.after) :]
    return _page(left, partial(search.allows, snapshot), search)


def find_organizations(
    context: Context, snapshots: SnapshotCache, member: str, search: AccessSearch
) -> FoundIds:
    """Find the organizations in which a member of an id may do something."""
    with context.store.reading() as transaction:
        ids = transaction.organizations_of(member, after=search.after, limit=LOOKS_MAX)

    def is_allowed(organization: str) -> bool:
        return search.allows(snapshots.take(organization, member=member), member)

    found = _page(ids, is_allowed, search)
    if found.last is None and len(ids) == LOOKS_MAX:
        return FoundIds(ids=found.ids, last=ids[-1])
    return found


def _page(ids: Sequence[str], is_allowed: Callable[[str], bool], search: AccessSearch) -> FoundIds:
    found: list[str] = []
    after = search.after
    for each in ids:
        if len(found) == search.limit:
            return FoundIds(ids=tuple(found), last=after)
        if is_allowed(each):
            found.append(each)
        after = each
    return FoundIds(ids=tuple(found))
