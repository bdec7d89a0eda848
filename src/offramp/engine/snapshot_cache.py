"""Snapshots of access in the memory of a server: worked out once, good until something changes.

Whether it has is asked of the store with every question, by one small read. So an answer obeys
whatever was committed before the question, by whichever process.

Source: docs/decisions/034-revisions.md; mission A2.
"""

from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass, field
from threading import Lock

from offramp.core.snapshot import AccessSnapshot, Courses
from offramp.engine.context import Context
from offramp.engine.snapshot import snapshot_of
from offramp.ports import OrganizationErased, OrganizationUnknown

ORGANIZATIONS_MAX = 10_000
MEMBERS_MAX = 500_000  # of all organizations together


@dataclass(slots=True, kw_only=True)
class _Held:
    """What is known of one organization at one revision: some of its members, or all.

    Attributes:
        shared: the courses of members, by what they say.
    """

    revision: str
    is_by_product: bool
    is_whole: bool
    members: dict[str, Courses] = field(default_factory=dict)
    shared: dict[Hashable, Courses] = field(default_factory=dict)

    def knows(self, member: str | None) -> bool:
        """Whether nothing is missing to answer about a member, or (none) about everybody."""
        return self.is_whole or member in self.members


class SnapshotCache:
    """Snapshots of the organizations that were asked about last."""

    def __init__(
        self,
        context: Context,
        *,
        organizations_max: int = ORGANIZATIONS_MAX,
        members_max: int = MEMBERS_MAX,
    ) -> None:
        """Begin without any."""
        self._context = context
        self._organizations_max = organizations_max
        self._members_max = members_max
        self._held: OrderedDict[str, _Held] = OrderedDict()
        self._members = 0
        self._turn = Lock()

    def __len__(self) -> int:
        """Count the organizations that are held."""
        return len(self._held)

    def take(self, organization: str, *, member: str | None) -> AccessSnapshot | None:
        """Give a snapshot that holds now, with one member in it at least, or (none) with all.

        None where there is no such organization, or none any more.
        """
        # First the revision, then the facts: they may be newer than what they are kept under, and
        # are thrown away with the next question; they are never older.
        revision = self._context.store.revision(organization)
        if revision is None:
            return None
        held = self._find(organization, revision=revision)
        if held is None or not held.knows(member):
            try:
                taken = snapshot_of(self._context, organization, member=member)
            except (OrganizationUnknown, OrganizationErased):
                return None  # gone since its revision was read
            held = self._keep(taken, revision=revision, is_whole=member is None)
        return AccessSnapshot(
            organization=organization, is_by_product=held.is_by_product, members=held.members
        )

    def _find(self, organization: str, *, revision: str) -> _Held | None:
        with self._turn:
            held = self._held.get(organization)
            if held is None or held.revision != revision:
                return None
            self._held.move_to_end(organization)
            return held

    def _keep(self, taken: AccessSnapshot, *, revision: str, is_whole: bool) -> _Held:
        with self._turn:
            held = self._held.get(taken.organization)
            if held is None or held.revision != revision or is_whole:
                held = _Held(
                    revision=revision, is_by_product=taken.is_by_product, is_whole=is_whole
                )
                self._drop(taken.organization)
                self._held[taken.organization] = held
            elif held.is_whole:
                return held
            before = len(held.members)
            for member, courses in taken.members.items():
                held.members[member] = (
                    courses if is_whole else held.shared.setdefault(_said(courses), courses)
                )
            self._members += len(held.members) - before
            while len(self._held) > self._organizations_max or (
                self._members > self._members_max and len(self._held) > 1
            ):
                self._drop(next(iter(self._held)))
            return held

    def _drop(self, organization: str) -> None:
        dropped = self._held.pop(organization, None)
        self._members -= 0 if dropped is None else len(dropped.members)


def _said(courses: Courses) -> Hashable:
    return tuple(
        (product, surface, course.starts, tuple(tuple(row.items()) for row in course.rows))
        for product, surfaces in courses.items()
        for surface, course in surfaces.items()
    )
