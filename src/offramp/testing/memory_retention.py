"""What an erasure kept, in the store in memory.

Source: ``ports.Transaction``.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from whenever import Instant

from offramp.core.transitions import OffboardingStatus
from offramp.ports import KeptGroup, KeptPart, Offboarding
from offramp.testing.memory_tables import MemoryPart


class MemoryRetentionPart(MemoryPart):
    """What outlives its organization."""

    def keep(self, parts: Sequence[KeptPart]) -> None:
        """Note rows that stay after their organization."""
        for part in parts:
            self.tables.kept_made += 1
            self.tables.kept[self.tables.kept_made] = replace(part, number=self.tables.kept_made)

    def kept(self, offboarding: str | None = None) -> tuple[KeptGroup, ...]:
        """Count what is kept."""
        rows: Counter[KeptGroup] = Counter()
        for part in self.tables.kept.values():
            if offboarding in (None, part.offboarding):
                rows[_group(part)] += part.rows
        groups = (replace(group, rows=count) for group, count in rows.items())
        return tuple(sorted(groups, key=lambda each: (each.offboarding, each.table, _end(each))))

    def kept_parts(
        self,
        offboarding: str,
        *,
        after: int = 0,
        table: str | None = None,
        due_at: Instant | None = None,
        limit: int,
    ) -> tuple[KeptPart, ...]:
        """List parts by number."""
        found = [
            part
            for number, part in sorted(self.tables.kept.items())
            if part.offboarding == offboarding and number > after and table in (None, part.table)
            if due_at is None or (part.ends_at is not None and part.ends_at <= due_at)
        ]
        return tuple(found[:limit])

    def save_kept(self, part: KeptPart) -> None:
        """Write what is left of a part, or forget it."""
        if part.rows == 0:
            self.tables.kept.pop(part.number, None)
        elif part.number in self.tables.kept:
            self.tables.kept[part.number] = part

    def adopt_kept(self, offboarding: Offboarding) -> int:
        """Take over what earlier episodes of a subject kept and did not finish."""
        subject = offboarding.subject
        ended = {
            row.id
            for row in self.tables.offboardings.values()
            if row.status is OffboardingStatus.CANCELED
            and row.subject.organization == subject.organization
            and subject.member in (None, row.subject.member)
        }
        theirs = [part for part in self.tables.kept.values() if part.offboarding in ended]
        for part in theirs:
            self.tables.kept[part.number] = replace(part, offboarding=offboarding.id)
        return len(theirs)


def _group(part: KeptPart) -> KeptGroup:
    return KeptGroup(
        offboarding=part.offboarding,
        table=part.table,
        basis=part.basis,
        until=part.until,
        ends_at=part.ends_at,
        reason=part.reason,
        rows=0,
    )


def _end(group: KeptGroup) -> str:
    return group.ends_at.format_iso() if group.ends_at else ""
