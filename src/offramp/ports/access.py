"""What a snapshot of access is made from, read for all members of an organization at once.

Source: docs/decisions/032-snapshots.md.
"""

from collections.abc import Mapping
from typing import Protocol

from offramp.core.model import Role
from offramp.ports.record import StepRow


class AccessFacts(Protocol):
    """That part of a transaction which says it of everybody."""

    def roles(self, organization: str) -> Mapping[str, frozenset[Role]]:
        """Give the roles of every member of an organization, by their ids and in that order."""

    def blocked(self, organization: str) -> frozenset[str | None]:
        """Give the members of an organization who are shut out; none stands for all of them."""

    def erase_steps(self, organization: str) -> tuple[StepRow, ...]:
        """List the rows of the destructive steps of an organization's off-boardings, by those."""
