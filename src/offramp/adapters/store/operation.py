"""What operators decided: holds, unlocks, blocks, exemptions, the pause switch, the daily cap.

Every statement on these decisions lives here. A hold and the pause switch wait for the deletions
in flight (``lock.py``).

Source: policy language S6, A3; lessons L25, L26.
"""

from dataclasses import asdict

from sqlalchemy import ColumnElement, delete, select, update
from whenever import Instant

from offramp.adapters.store import schema
from offramp.adapters.store.lock import LockPart
from offramp.adapters.store.part import Row
from offramp.adapters.store.schema_block import block_note
from offramp.core.model import BlockNote, Hold, Unlock
from offramp.ports import OrganizationUnknown

_ONLY_ROW = 1


class OperationPart(LockPart):
    """The decisions of people."""

    def place_hold(self, hold: Hold) -> None:
        """Store a hold, when no deletion of its organization is in flight any more."""
        self.lock_organization(hold.organization, now=hold.placed_at)
        self.connection.execute(
            schema.hold.insert().values(
                id=hold.id,
                organization=hold.organization,
                member=hold.member,
                owner=hold.owner,
                reason=hold.reason,
                placed_at=hold.placed_at,
                ends_at=hold.ends_at,
                category=hold.category,
            )
        )

    def release_hold(self, hold: str, *, at: Instant) -> Hold | None:
        """End an active hold and return it as it was."""
        table = schema.hold
        row = self.connection.execute(
            select(table).where(table.c.id == hold).with_for_update()
        ).one_or_none()
        found = None if row is None else Hold(**row._mapping)
        if found is None or not found.is_active(at):
            return None
        self.connection.execute(update(table).where(table.c.id == hold).values(ends_at=at))
        return found

    def holds(self, organization: str) -> tuple[Hold, ...]:
        """List the holds of an organization, ended ones too."""
        table = schema.hold
        chosen = select(table).where(table.c.organization == organization)
        rows = self.connection.execute(chosen.order_by(table.c.placed_at, table.c.id))
        return tuple(Hold(**row._mapping) for row in rows)

    def grant_unlock(self, unlock: Unlock) -> None:
        """Store a temporary unlock."""
        self.connection.execute(
            schema.unlock.insert().values(
                organization=unlock.organization,
                member=unlock.member,
                owner=unlock.owner,
                reason=unlock.reason,
                starts_at=unlock.starts_at,
                ends_at=unlock.ends_at,
            )
        )
        self.touched.add(unlock.organization)

    def unlocks(self, organization: str) -> tuple[Unlock, ...]:
        """List the unlocks of an organization."""
        table = schema.unlock
        columns = [column for column in table.c if column is not table.c.number]
        chosen = select(*columns).where(table.c.organization == organization)
        rows = self.connection.execute(chosen.order_by(table.c.number))
        return tuple(Unlock(**row._mapping) for row in rows)

    def set_block(self, organization: str, *, member: str | None, is_blocked: bool) -> None:
        """Shut a subject out, or let it in again."""
        table = schema.block
        self.touched.add(organization)
        if is_blocked:
            self._add(table, [{"organization": organization, "member": member}])
            return
        subject = (table.c.organization == organization, table.c.member == member)
        self.connection.execute(delete(table).where(*subject))

    def note_block(self, note: BlockNote) -> None:
        """Shut a subject out, or let it in again, and keep who did so and why."""
        self.set_block(note.organization, member=note.member, is_blocked=note.is_blocked)
        self.connection.execute(block_note.insert().values(asdict(note)))

    def block_notes(self, organization: str) -> tuple[BlockNote, ...]:
        """List who shut somebody of an organization out or let them in again."""
        table = block_note.c
        columns = [column for column in table if column is not table.number]
        chosen = select(*columns).where(table.organization == organization)
        rows = self.connection.execute(chosen.order_by(table.number))
        return tuple(BlockNote(**row._mapping) for row in rows)

    def is_blocked(self, organization: str, *, member: str | None) -> bool:
        """Whether that very subject is shut out."""
        table = schema.block
        subject = (table.c.organization == organization, table.c.member == member)
        return self.connection.scalar(select(table).where(*subject)) is not None

    def blocked(self, organization: str) -> frozenset[str | None]:
        """Give the members of an organization who are shut out."""
        table = schema.block
        chosen = select(table.c.member).where(table.c.organization == organization)
        return frozenset(self.connection.scalars(chosen))

    def set_exempt(self, organization: str, *, is_exempt: bool) -> None:
        """Take an organization out of the process, or put it back."""
        table = schema.organization
        living = update(table).where(table.c.id == organization, table.c.erased_at.is_(None))
        if self.connection.execute(living.values(is_exempt=is_exempt)).rowcount == 0:
            raise OrganizationUnknown(organization=organization)

    def is_exempt(self, organization: str) -> bool:
        """Whether an organization is taken out of the process."""
        table = schema.organization
        chosen = select(table.c.is_exempt).where(table.c.id == organization)
        return bool(self.connection.scalar(chosen))

    def set_paused(self, *, is_paused: bool, now: Instant) -> None:
        """Throw the pause switch, when no deletion is in flight any more."""
        self.lock_pause_switch(now=now)
        self._set(is_paused=is_paused)

    def is_paused(self) -> bool:
        """Whether everything destructive is stopped."""
        return bool(self.connection.scalar(select(schema.setting.c.is_paused)))

    def set_daily_cap(self, erasures_max: int | None) -> None:
        """Allow so many deletions a day."""
        self._set(erasures_max=erasures_max)

    def daily_cap(self) -> int | None:
        """How many deletions a day are allowed."""
        return self.connection.scalar(select(schema.setting.c.erasures_max))

    def erasure_begun(self, *, before: int) -> Instant | None:
        """Say when the destructive step was first started that so many others followed."""
        step = schema.step.c
        begun = select(step.started_at).where(step.is_destructive, step.started_at.is_not(None))
        newest = begun.order_by(step.started_at.desc()).offset(before).limit(1)
        return self.connection.scalar(newest)

    def _set(
        self, *, where: ColumnElement[bool] | None = None, **values: bool | int | Instant | None
    ) -> None:
        row: Row = {"id": _ONLY_ROW, "is_paused": False, **values}
        statement = self._insert(schema.setting).values(row)
        self.connection.execute(
            statement.on_conflict_do_update(index_elements=["id"], set_=values, where=where)
        )
