"""What an erasure kept: how many rows of which table, why, until when, and (sealed) which.

Everything that reads or writes the kept parts lives here.

Source: mission A11; docs/decisions/009-kept-rows.md.
"""

from collections.abc import Sequence

from sqlalchemy import delete, func, select, update
from whenever import Instant

from offramp.adapters.store import schema
from offramp.adapters.store.part import Part
from offramp.core.transitions import OffboardingStatus
from offramp.ports import KeptGroup, KeptPart, Offboarding

_table = schema.kept
_WRITTEN = tuple(column.name for column in _table.c if column.name != "number")


class RetentionPart(Part):
    """What outlives its organization."""

    def keep(self, parts: Sequence[KeptPart]) -> None:
        """Note rows that stay after their organization."""
        if parts:
            rows = [{name: getattr(part, name) for name in _WRITTEN} for part in parts]
            self.connection.execute(_table.insert(), rows)

    def kept(self, offboarding: str | None = None) -> tuple[KeptGroup, ...]:
        """Count what is kept."""
        by = [_table.c[n] for n in ("offboarding", "table", "basis", "until", "ends_at", "reason")]
        total = func.sum(_table.c.rows).label("rows")
        chosen = select(*by, total).group_by(*by).order_by(*by[:2], _table.c.ends_at, *by[2:])
        if offboarding is not None:
            chosen = chosen.where(_table.c.offboarding == offboarding)
        found = self.connection.execute(chosen).mappings()
        return tuple(KeptGroup(**{**row, "rows": int(row["rows"])}) for row in found)

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
        chosen = select(_table).where(_table.c.offboarding == offboarding, _table.c.number > after)
        if table is not None:
            chosen = chosen.where(_table.c.table == table)
        if due_at is not None:
            chosen = chosen.where(_table.c.ends_at <= due_at)
        rows = self.connection.execute(chosen.order_by(_table.c.number).limit(limit)).mappings()
        return tuple(KeptPart(**row) for row in rows)

    def save_kept(self, part: KeptPart) -> None:
        """Write what is left of a part, or forget it."""
        mine = _table.c.number == part.number
        if part.rows == 0:
            self.connection.execute(delete(_table).where(mine))
            return
        values = {name: getattr(part, name) for name in _WRITTEN}
        self.connection.execute(update(_table).where(mine).values(values))

    def adopt_kept(self, offboarding: Offboarding) -> int:
        """Take over what earlier episodes of a subject kept and did not finish."""
        episode, subject = schema.offboarding, offboarding.subject
        ended = [episode.c.organization == subject.organization]
        ended += [episode.c.status == OffboardingStatus.CANCELED]
        if subject.member is not None:
            ended.append(episode.c.member == subject.member)
        theirs = _table.c.offboarding.in_(select(episode.c.id).where(*ended))
        adopted = update(_table).where(theirs).values(offboarding=offboarding.id)
        return self.connection.execute(adopted).rowcount
