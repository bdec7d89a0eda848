"""How much there is to do, counted by the database in a few statements, however many are leaving.

Source: ``ports.Workload``; docs/architecture.md.
"""

from sqlalchemy import and_, case, func, select
from whenever import Instant

from offramp.adapters.store import schema
from offramp.adapters.store.offboarding import HAS_WORK, is_due
from offramp.adapters.store.part import Part, written
from offramp.core.transitions import OffboardingStatus, StepStatus
from offramp.ports import Workload

_table, _step = schema.offboarding.c, schema.step.c
_TROUBLED = (StepStatus.FAILED, StepStatus.HELD, StepStatus.ABANDONED)


class WorkloadPart(Part):
    """What a person who watches wants to know first."""

    def workload(self, *, now: Instant, until: Instant) -> Workload:
        """Count what is due, taken, and coming up to an instant, and troubled steps."""
        due, is_taken = is_due(now), _table.lease_until > now
        is_coming = and_(_table.next_due_at > now, _table.next_due_at <= until)
        counted = select(
            func.count().filter(due).label("due"),
            func.count().filter(due, _table.lease_until.is_not(None)).label("lost"),
            func.count().filter(is_taken).label("running"),
            func.min(case((due, _table.next_due_at))).label("oldest_due_at"),
            func.count().filter(is_coming).label("coming"),
        ).where(HAS_WORK, _table.next_due_at <= until)
        found = self.connection.execute(counted).one()
        crowded = (
            select(_table.next_due_at, func.count().label("number"))
            .where(HAS_WORK, is_coming)
            .group_by(_table.next_due_at)
            .order_by(func.count().desc(), _table.next_due_at)
        )
        busiest = self.connection.execute(crowded.limit(1)).first()
        steps = self._troubled_steps()
        return Workload(
            due=found.due,
            lost=found.lost,
            running=found.running,
            stopped=self._stopped(),
            oldest_due_at=found.oldest_due_at,
            coming=found.coming,
            busiest=(busiest.next_due_at, busiest.number) if busiest else None,
            failed=steps.get(StepStatus.FAILED, 0),
            held=steps.get(StepStatus.HELD, 0),
            abandoned=steps.get(StepStatus.ABANDONED, 0),
        )

    def _stopped(self) -> int:
        stopped = select(func.count()).where(_table.status == written(OffboardingStatus.STOPPED))
        return self.connection.scalar(stopped) or 0

    def _troubled_steps(self) -> dict[StepStatus, int]:
        both = schema.step.join(schema.offboarding, _step.offboarding == _table.id)
        counted = (
            select(_step.status, func.count())
            .select_from(both)
            .where(
                _step.status.in_([written(status) for status in _TROUBLED]),
                _table.status == OffboardingStatus.OPEN,
            )
            .group_by(_step.status)
        )
        return {StepStatus(status): number for status, number in self.connection.execute(counted)}
