"""What a snapshot of access is made from, read for all members of an organization at once.

Source: docs/decisions/032-snapshots.md.
"""

from typing import Protocol

from offramp.ports.record import StepRow


class AccessFacts(Protocol):
    """That part of a transaction which says it of everybody."""

    def blocked(self, organization: str) -> frozenset[str | None]:
        """Give the members of an organization who are shut out; none stands for all of them."""

    def erase_steps(self, organization: str) -> tuple[StepRow, ...]:
        """List the rows of the destructive steps of an organization's off-boardings, by those."""
