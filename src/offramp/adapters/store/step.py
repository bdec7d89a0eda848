"""Steps and their receipts, changed by compare-and-set alone.

Everything that reads or writes a step's row lives here.

Source: docs/decisions/004-step-protocol.md; lessons L18, L32.
"""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.engine import Row as Found
from whenever import Instant

from offramp.adapters.store import schema
from offramp.adapters.store.lock import LockPart, stale
from offramp.adapters.store.part import Row
from offramp.core.model import Outcome, Receipt
from offramp.core.transitions import STEP, StepStatus, move
from offramp.ports import Offboarding, OffboardingUnknown, StaleOffboarding, StepRow


class StepPart(LockPart):
    """What is due or done."""

    def steps(self, offboarding: str) -> tuple[StepRow, ...]:
        """List the step rows of an off-boarding."""
        table = schema.step
        chosen = select(table).where(table.c.offboarding == offboarding)
        rows = self.connection.execute(chosen.order_by(table.c.due_at, table.c.key))
        return tuple(_step(row) for row in rows)

    def erase_steps(self, organization: str) -> tuple[StepRow, ...]:
        """List the rows of the destructive steps of an organization's off-boardings."""
        table, whose = schema.step, schema.offboarding
        chosen = (
            select(table)
            .join(whose, table.c.offboarding == whose.c.id)
            .where(whose.c.organization == organization, table.c.is_destructive)
            .order_by(table.c.offboarding, table.c.key)
        )
        return tuple(_step(row) for row in self.connection.execute(chosen))

    def save_step(
        self, row: StepRow, *, claimed: Offboarding | None, expected: StepStatus | None
    ) -> None:
        """Create or change a row, if its status is the expected one and the claim is current."""
        if claimed is not None:
            assert claimed.id == row.offboarding, "a claim covers the steps of one off-boarding"
            self.require_current(claimed)
            organization = claimed.subject.organization
        else:
            organization = self._require_offboarding(row.offboarding)
        if expected is not None or row.status is not StepStatus.PENDING:
            move(STEP, expected or StepStatus.PENDING, row.status)
        if not self._write(row, expected=expected):
            raise stale(claimed) if claimed else StaleOffboarding(offboarding=row.offboarding)
        if row.is_destructive:
            self.touched.add(organization)

    def _write(self, row: StepRow, *, expected: StepStatus | None) -> bool:
        table = schema.step
        if expected is None:
            return self._create(table, _row(row))
        mine = (table.c.offboarding == row.offboarding, table.c.key == row.key)
        changed = update(table).where(*mine, table.c.status == expected).values(_row(row))
        return self.connection.execute(changed).rowcount == 1

    def _require_offboarding(self, offboarding: str) -> str:
        """Keep an off-boarding as it is, and say whose it is."""
        table = schema.offboarding
        chosen = select(table.c.organization).where(table.c.id == offboarding)
        organization: str | None = self.connection.scalar(chosen.with_for_update(read=True))
        if organization is None:
            raise OffboardingUnknown(offboarding=offboarding)
        return organization


def _row(step: StepRow) -> Row:
    return {
        "offboarding": step.offboarding,
        "key": step.key,
        "status": step.status,
        "due_at": step.due_at,
        "issue": step.issue,
        "attempts": step.attempts,
        "next_try_at": step.next_try_at,
        "started_at": step.started_at,
        "reason": step.reason,
        "is_destructive": step.is_destructive,
        "receipt": None if step.receipt is None else _receipt_fields(step.receipt),
    }


def _step(row: Found[Any]) -> StepRow:
    return StepRow(
        offboarding=row.offboarding,
        key=row.key,
        status=StepStatus(row.status),
        due_at=row.due_at,
        issue=row.issue,
        attempts=row.attempts,
        next_try_at=row.next_try_at,
        started_at=row.started_at,
        reason=row.reason,
        is_destructive=row.is_destructive,
        receipt=None if row.receipt is None else _receipt(row.receipt),
    )


def _receipt_fields(receipt: Receipt) -> Row:
    delivered_at = receipt.delivered_at
    return {
        "step": receipt.step,
        "outcome": receipt.outcome.value,
        "due_at": receipt.due_at.format_iso(),
        "done_at": receipt.done_at.format_iso(),
        "delivered_at": None if delivered_at is None else delivered_at.format_iso(),
        "proof": dict(receipt.proof),
    }


def _receipt(fields: Mapping[str, Any]) -> Receipt:
    delivered_at = fields["delivered_at"]
    return Receipt(
        step=fields["step"],
        outcome=Outcome(fields["outcome"]),
        due_at=Instant.parse_iso(fields["due_at"]),
        done_at=Instant.parse_iso(fields["done_at"]),
        delivered_at=None if delivered_at is None else Instant.parse_iso(delivered_at),
        proof=fields["proof"],
    )
