"""How many deletions begin together, what two people armed of them, and how late it was last.

Everything that counts deletions before they begin lives here.

Source: docs/decisions/020-two-people.md; lessons L6, L26.
"""

from collections.abc import Sequence

from sqlalchemy import ColumnElement, Select, and_, func, not_, or_, select, update
from whenever import Instant

from offramp.adapters.store import schema
from offramp.adapters.store.offboarding import OffboardingPart, offboarding_of
from offramp.adapters.store.operation import OperationPart
from offramp.adapters.store.part import batches
from offramp.core.transitions import OffboardingStatus
from offramp.ports import Arming, Offboarding

_table, _step = schema.offboarding, schema.step
_has_begun = (
    select(_step.c.key)
    .where(_step.c.offboarding == _table.c.id, _step.c.is_destructive)
    .where(_step.c.started_at.is_not(None))
    .exists()
)


class ArmingPart(OffboardingPart, OperationPart):
    """What waits for two people."""

    def erasures_expected(self, *, until: Instant, without: str, limit: int) -> int:
        """Count the other organizations, up to a limit, whose deletion is to begin until then."""
        theirs = select(_table.c.organization).where(_is_expected(until))
        return self._distinct(theirs.where(_table.c.organization != without), limit=limit)

    def erasures_begun(self, *, since: Instant, without: str, limit: int) -> int:
        """Count the other organizations, up to a limit, whose unarmed deletion began since."""
        both = _step.join(_table, _step.c.offboarding == _table.c.id)
        begun = (
            select(_table.c.organization)
            .select_from(both)
            .where(_step.c.is_destructive, _step.c.started_at > since)
            .where(_table.c.armed.is_(None), _table.c.organization != without)
        )
        return self._distinct(begun, limit=limit)

    def unarmed(self, *, until: Instant) -> tuple[Offboarding, ...]:
        """Give, by id, what is to begin until then, and keep it from changing meanwhile."""
        chosen = select(_table).where(_is_expected(until)).order_by(_table.c.id).with_for_update()
        return tuple(offboarding_of(row) for row in self.connection.execute(chosen))

    def put_arming(self, arming: Arming) -> None:
        """Note what is asked for, or that it was approved."""
        columns = (column.name for column in schema.arming.columns)
        self._put(schema.arming, [{name: getattr(arming, name) for name in columns}])

    def armings(self) -> tuple[Arming, ...]:
        """List what was asked for and approved, the newest last."""
        table = schema.arming
        rows = self.connection.execute(select(table).order_by(table.c.asked_at, table.c.id))
        return tuple(Arming(**row._mapping) for row in rows)

    def arm(self, offboardings: Sequence[str], *, arming: str) -> None:
        """Let deletions begin however many there are."""
        for ids in batches(offboardings):
            chosen = update(_table).where(_table.c.id.in_(ids))
            self.connection.execute(chosen.values(armed=arming))

    def seen_at(self) -> Instant | None:
        """Give the latest instant that anybody noted."""
        return self.connection.scalar(select(schema.setting.c.seen_at))

    def see(self, at: Instant, *, is_trusted: bool = False) -> None:
        """Note how late it is; an earlier instant than the noted one counts only when trusted."""
        table = schema.setting
        is_earlier = or_(table.c.seen_at.is_(None), table.c.seen_at < at)
        self._set(where=None if is_trusted else is_earlier, seen_at=at)

    def _distinct(self, organizations: Select[tuple[str]], *, limit: int) -> int:
        some = organizations.distinct().limit(limit).subquery()
        return self.connection.scalar(select(func.count()).select_from(some)) or 0


def _is_expected(until: Instant) -> ColumnElement[bool]:
    is_open = _table.c.status == OffboardingStatus.OPEN
    return and_(is_open, _table.c.erases_at <= until, _table.c.armed.is_(None), not_(_has_begun))
