"""What a snapshot of access is made from, and how it is known that it still holds.

Source: docs/decisions/032-snapshots.md; docs/decisions/034-revisions.md.
"""

from collections.abc import Collection, Mapping
from typing import Protocol

from offramp.core.model import BlockNote, Role
from offramp.ports.record import Offboarding, StepRow


class AccessFacts(Protocol):
    """That part of a transaction which is about who may do what."""

    def roles(self, organization: str) -> Mapping[str, frozenset[Role]]:
        """Give the roles of every member of an organization, by their ids and in that order."""

    def blocked(self, organization: str) -> frozenset[str | None]:
        """Give the members of an organization who are shut out; none stands for all of them."""

    def revisions(self, organizations: Collection[str]) -> Mapping[str, str]:
        """Name the state of several organizations, as `AccessRevisions` does of one."""

    def organizations_of(self, member: str, *, after: str, limit: int) -> tuple[str, ...]:
        """List the organizations that have a member of an id, by their ids and past one of them."""

    def offboardings_about(
        self, organization: str, *, member: str | None
    ) -> tuple[Offboarding, ...]:
        """List the off-boardings of an organization, and of one member of it alone, in order."""

    def note_block(self, note: BlockNote) -> None:
        """Shut a subject out, or let it in again, and keep who did so and why."""

    def block_notes(self, organization: str) -> tuple[BlockNote, ...]:
        """List who shut somebody of an organization out or let them in again, oldest first."""

    def erase_steps(self, organization: str) -> tuple[StepRow, ...]:
        """List the rows of the destructive steps of an organization's off-boardings, by those."""


class AccessRevisions(Protocol):
    """That part of a store which says whether anything changed."""

    def revision(self, organization: str) -> str | None:
        """Name the state of everything that decides who may do what in an organization.

        Another one as soon as a change is committed; none where the organization is unknown or
        erased. Facts that are read later are of this revision or a newer one. Raises
        `StoreVersionDiffers` like `Store.reading`.
        """
