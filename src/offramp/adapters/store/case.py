"""What people say went wrong, and what was said about it.

Source: ``ports.Transaction``; mission A12.
"""

from dataclasses import asdict
from typing import Any

from sqlalchemy import insert, select
from sqlalchemy.engine import Row as Found

from offramp.adapters.store.fact import FactPart
from offramp.adapters.store.schema_case import case_note, support_case
from offramp.core.case import Case, CaseNote, Complaint

_table, _note = support_case, case_note


class CasePart(FactPart):
    """Cases of support."""

    def put_case(self, case: Case) -> None:
        """Keep a case as it is now."""
        self.require_organizations([case.organization])
        self._put(_table, [asdict(case)])

    def case(self, case: str) -> Case | None:
        """Find a case by its id; nobody else changes it until the transaction ends."""
        chosen = select(_table).where(_table.c.id == case).with_for_update()
        row = self.connection.execute(chosen).first()
        return None if row is None else _case(row)

    def cases(
        self,
        organization: str | None,
        *,
        member: str | None = None,
        is_closed: bool,
        limit: int,
    ) -> tuple[Case, ...]:
        """List cases of one organization, or of all, or of one member."""
        chosen = select(_table).limit(limit)
        if member is not None:
            chosen = chosen.where(_table.c.member == member)
        if organization is not None:
            chosen = chosen.where(_table.c.organization == organization)
        if is_closed:
            ended = chosen.where(_table.c.closed_at.is_not(None))
            ordered = ended.order_by(_table.c.closed_at.desc(), _table.c.id)
        else:
            is_answered = _table.c.answered_at.is_not(None)
            going_on = chosen.where(_table.c.closed_at.is_(None))
            ordered = going_on.order_by(is_answered, _table.c.answer_by, _table.c.id)
        return tuple(map(_case, self.connection.execute(ordered)))

    def add_case_note(self, note: CaseNote) -> None:
        """Keep what was said about a case."""
        self.connection.execute(insert(_note), asdict(note))

    def case_notes(self, case: str) -> tuple[CaseNote, ...]:
        """Give what was said about a case."""
        fields = (_note.c.case, _note.c.at, _note.c.actor, _note.c.text)
        chosen = select(*fields).where(_note.c.case == case).order_by(_note.c.number)
        return tuple(CaseNote(**row._mapping) for row in self.connection.execute(chosen))


def _case(row: Found[Any]) -> Case:
    return Case(**{**row._mapping, "complaint": Complaint(row.complaint)})
