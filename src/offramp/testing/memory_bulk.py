"""Acts on many organizations, in the store in memory.

Source: ``ports.BulkActs``.
"""

from collections.abc import Sequence
from dataclasses import replace

from whenever import Instant

from offramp.core.bulk import BulkAct, BulkTarget, TargetStatus
from offramp.testing.memory_tables import MemoryPart


class MemoryBulkPart(MemoryPart):
    """What many organizations have in common for once."""

    def put_bulk_act(self, act: BulkAct, targets: Sequence[BulkTarget]) -> None:
        """Keep an act with everybody it is about."""
        self.require_organizations(each.organization for each in targets)
        self.tables.bulk_acts[act.id] = act
        self.tables.bulk_targets |= {(each.organization, each.act): each for each in targets}

    def bulk_act(self, act: str) -> BulkAct | None:
        """Find an act by its id."""
        return self.tables.bulk_acts.get(act)

    def bulk_acts(self, *, open_at: Instant | None = None, limit: int) -> tuple[BulkAct, ...]:
        """List acts, the newest first."""
        by_id = sorted(self.tables.bulk_acts.values(), key=lambda each: each.id)
        newest = sorted(by_id, key=lambda each: each.asked_at, reverse=True)
        return tuple(each for each in newest if open_at is None or each.is_open(open_at))[:limit]

    def approve_bulk_act(self, act: str, *, approver: str, approver_id: str, at: Instant) -> bool:
        """Let an act be carried out."""
        found = self.tables.bulk_acts.get(act)
        if found is None or found.approved_at is not None:
            return False
        approved = replace(found, approver=approver, approver_id=approver_id, approved_at=at)
        self.tables.bulk_acts[act] = approved
        return True

    def bulk_targets(self, act: str) -> tuple[BulkTarget, ...]:
        """List the organizations of an act."""
        found = (each for each in self.tables.bulk_targets.values() if each.act == act)
        return tuple(sorted(found, key=lambda each: each.organization))

    def next_bulk_target(self, act: str | None = None) -> tuple[BulkAct, BulkTarget] | None:
        """Find who waits in an approved act."""
        waiting = [
            (owner.approved_at, owner.id, each.organization)
            for each in self.tables.bulk_targets.values()
            for owner in [self.tables.bulk_acts[each.act]]
            if each.status is TargetStatus.WAITING and act in (None, each.act)
            if owner.approved_at is not None
        ]
        if not waiting:
            return None
        _, found, organization = min(waiting)
        return self.tables.bulk_acts[found], self.tables.bulk_targets[organization, found]

    def settle_bulk_target(self, target: BulkTarget) -> bool:
        """Write what became of somebody who waits."""
        key = (target.organization, target.act)
        found = self.tables.bulk_targets.get(key)
        if found is None or found.status is not TargetStatus.WAITING:
            return False
        self.tables.bulk_targets[key] = target
        return True

    def drop_bulk_acts(self, *, asked_before: Instant) -> int:
        """Forget acts that were asked for before an instant."""
        old = {key for key, each in self.tables.bulk_acts.items() if each.asked_at < asked_before}
        for owned in [owned for owned in self.tables.bulk_targets if owned[1] in old]:
            del self.tables.bulk_targets[owned]
        for key in old:
            del self.tables.bulk_acts[key]
        return len(old)
