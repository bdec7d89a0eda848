"""Acts on many organizations, as they are asked for, approved and carried out one by one.

Source: docs/decisions/040-acts-on-many.md.
"""

from collections.abc import Sequence
from typing import Protocol

from whenever import Instant

from offramp.core.bulk import BulkAct, BulkTarget


class BulkActs(Protocol):
    """The share of a transaction that is about them."""

    def put_bulk_act(self, act: BulkAct, targets: Sequence[BulkTarget]) -> None:
        """Keep an act with everybody it is about (`OrganizationUnknown`, `OrganizationErased`)."""

    def bulk_act(self, act: str) -> BulkAct | None:
        """Find an act by its id."""

    def bulk_acts(self, *, open_at: Instant | None = None, limit: int) -> tuple[BulkAct, ...]:
        """List acts, the newest first; with an instant those that can be approved then."""

    def approve_bulk_act(self, act: str, *, approver: str, approver_id: str, at: Instant) -> bool:
        """Let an act be carried out; false when somebody did so before."""

    def bulk_targets(self, act: str) -> tuple[BulkTarget, ...]:
        """List the organizations of an act by id, as far as they are not erased."""

    def next_bulk_target(self, act: str | None = None) -> tuple[BulkAct, BulkTarget] | None:
        """Find who waits in an approved act, the one approved first; or in this act.

        Nobody else finds them until the transaction ends.
        """

    def settle_bulk_target(self, target: BulkTarget) -> bool:
        """Write what became of somebody who waits; false where it is known already."""

    def drop_bulk_acts(self, *, asked_before: Instant) -> int:
        """Forget acts that were asked for before an instant, and say how many."""
