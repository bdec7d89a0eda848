"""How many deletions begin together, and what two people armed of them, in the store in memory.

Source: ``ports.Transaction``.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from whenever import Instant

from offramp.core.transitions import OffboardingStatus
from offramp.ports import Arming, Offboarding
from offramp.testing.memory_tables import MemoryPart


class MemoryArmingPart(MemoryPart):
    """What waits for two people."""

    def erasures_expected(self, *, until: Instant, without: str, limit: int) -> int:
        """Count the other organizations, up to a limit, whose deletion is to begin until then."""
        return _count(self._expected(until), without=without, limit=limit)

    def erasures_begun(self, *, since: Instant, without: str, limit: int) -> int:
        """Count the other organizations, up to a limit, whose unarmed deletion began since."""
        rows = (
            self.tables.offboardings[step.offboarding]
            for step in self.tables.steps.values()
            if step.is_destructive and step.started_at is not None and step.started_at > since
        )
        return _count((row for row in rows if row.armed is None), without=without, limit=limit)

    def unarmed(self, *, until: Instant) -> tuple[Offboarding, ...]:
        """Give, by id, what is to begin until then."""
        return tuple(sorted(self._expected(until), key=lambda row: row.id))

    def put_arming(self, arming: Arming) -> None:
        """Note what is asked for, or that it was approved."""
        self.tables.armings[arming.id] = arming

    def armings(self) -> tuple[Arming, ...]:
        """List what was asked for and approved, the newest last."""
        return tuple(
            sorted(self.tables.armings.values(), key=lambda each: (each.asked_at, each.id))
        )

    def arm(self, offboardings: Sequence[str], *, arming: str) -> None:
        """Let deletions begin however many there are."""
        for offboarding in offboardings:
            row = self.tables.offboardings[offboarding]
            self.tables.offboardings[offboarding] = replace(row, armed=arming)

    def seen_at(self) -> Instant | None:
        """Give the latest instant that anybody noted."""
        return self.tables.seen_at

    def see(self, at: Instant, *, is_trusted: bool = False) -> None:
        """Note how late it is; an earlier instant than the noted one counts only when trusted."""
        self.tables.seen_at = at if is_trusted else max(at, self.tables.seen_at or at)

    def _expected(self, until: Instant) -> Iterator[Offboarding]:
        begun = {
            step.offboarding
            for step in self.tables.steps.values()
            if step.is_destructive and step.started_at is not None
        }
        for row in self.tables.offboardings.values():
            is_open = row.status is OffboardingStatus.OPEN and row.id not in begun
            if is_open and row.armed is None and row.erases_at and row.erases_at <= until:
                yield row


def _count(rows: Iterable[Offboarding], *, without: str, limit: int) -> int:
    return min(limit, len({row.subject.organization for row in rows} - {without}))
