"""Acts on many organizations: asked for, approved, and carried out one organization at a time.

Source: ``ports.BulkActs``.
"""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from sqlalchemy import delete, insert, select, update
from sqlalchemy.engine import Row as Found
from whenever import Instant

from offramp.adapters.store.fact import FactPart
from offramp.adapters.store.schema_bulk import bulk_act, bulk_target
from offramp.core.bulk import BulkAct, BulkKind, BulkTarget, BulkWish, TargetStatus

_act, _target = bulk_act.c, bulk_target.c
_WISH = ("kind", "reason", "until", "days", "held_for")


class BulkPart(FactPart):
    """What many organizations have in common for once."""

    def put_bulk_act(self, act: BulkAct, targets: Sequence[BulkTarget]) -> None:
        """Keep an act with everybody it is about."""
        self.require_organizations(each.organization for each in targets)
        row = asdict(act)
        self.connection.execute(insert(bulk_act), row.pop("wish") | row)
        self.connection.execute(insert(bulk_target), [asdict(each) for each in targets])

    def bulk_act(self, act: str) -> BulkAct | None:
        """Find an act by its id."""
        row = self.connection.execute(select(bulk_act).where(_act.id == act)).first()
        return None if row is None else _act_of(row)

    def bulk_acts(self, *, open_at: Instant | None = None, limit: int) -> tuple[BulkAct, ...]:
        """List acts, the newest first."""
        chosen = select(bulk_act).order_by(_act.asked_at.desc(), _act.id).limit(limit)
        if open_at is not None:
            chosen = chosen.where(_act.approved_at.is_(None), _act.expires_at > open_at)
        return tuple(map(_act_of, self.connection.execute(chosen)))

    def approve_bulk_act(self, act: str, *, approver: str, approver_id: str, at: Instant) -> bool:
        """Let an act be carried out."""
        still_open = update(bulk_act).where(_act.id == act, _act.approved_at.is_(None))
        values = {"approver": approver, "approver_id": approver_id, "approved_at": at}
        return self.connection.execute(still_open.values(values)).rowcount > 0

    def bulk_targets(self, act: str) -> tuple[BulkTarget, ...]:
        """List the organizations of an act."""
        chosen = select(bulk_target).where(_target.act == act).order_by(_target.organization)
        return tuple(map(_target_of, self.connection.execute(chosen)))

    def next_bulk_target(self, act: str | None = None) -> tuple[BulkAct, BulkTarget] | None:
        """Find who waits in an approved act."""
        waiting = (
            select(bulk_target)
            .join(bulk_act, _act.id == _target.act)
            .where(_target.status == TargetStatus.WAITING, _act.approved_at.is_not(None))
            .order_by(_act.approved_at, _target.act, _target.organization)
            .limit(1)
            .with_for_update(of=bulk_target, skip_locked=True)
        )
        if act is not None:
            waiting = waiting.where(_target.act == act)
        row = self.connection.execute(waiting).first()
        if row is None:
            return None
        found = self.bulk_act(row.act)
        assert found is not None, "a target belongs to an act"
        return found, _target_of(row)

    def settle_bulk_target(self, target: BulkTarget) -> bool:
        """Write what became of somebody who waits."""
        mine = (_target.act == target.act, _target.organization == target.organization)
        waiting = update(bulk_target).where(*mine, _target.status == TargetStatus.WAITING)
        return self.connection.execute(waiting.values(asdict(target))).rowcount > 0

    def drop_bulk_acts(self, *, asked_before: Instant) -> int:
        """Forget acts that were asked for before an instant."""
        old = select(_act.id).where(_act.asked_at < asked_before)
        self.connection.execute(delete(bulk_target).where(_target.act.in_(old)))
        gone = delete(bulk_act).where(_act.asked_at < asked_before)
        return self.connection.execute(gone).rowcount


def _act_of(row: Found[Any]) -> BulkAct:
    values = dict(row._mapping)
    wish = {name: values.pop(name) for name in _WISH}
    return BulkAct(wish=BulkWish(**{**wish, "kind": BulkKind(wish["kind"])}), **values)


def _target_of(row: Found[Any]) -> BulkTarget:
    return BulkTarget(**{**row._mapping, "status": TargetStatus(row.status)})
