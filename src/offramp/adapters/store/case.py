"""What people say went wrong, and what was said about it.

Source: ``ports.Transaction``; mission A12.
"""

from dataclasses import asdict
from typing import Any

from sqlalchemy import exists, func, insert, select, update
from sqlalchemy.engine import Row as Found
from whenever import Instant

from offramp.adapters.store.fact import FactPart
from offramp.adapters.store.schema_case import case_note, support_case
from offramp.core.case import Case, CaseNote, Complaint
from offramp.ports import CaseLetter

_table, _note = support_case, case_note
_SAID = (_note.c.case, _note.c.at, _note.c.actor, _note.c.text, _note.c.is_private)


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

    def add_case_note(
        self, note: CaseNote, *, letter: str | None = None, mail_at: Instant | None = None
    ) -> None:
        """Keep what was said about a case."""
        values = {**asdict(note), "letter": letter, "mail_at": mail_at}
        self.connection.execute(insert(_note), values)

    def case_notes(self, case: str) -> tuple[CaseNote, ...]:
        """Give what was said about a case."""
        chosen = select(*_SAID).where(_note.c.case == case).order_by(_note.c.number)
        return tuple(CaseNote(**row._mapping) for row in self.connection.execute(chosen))

    def is_letter_known(self, letter: str) -> bool:
        """Whether a note came by this letter."""
        return bool(self.connection.scalar(select(exists().where(_note.c.letter == letter))))

    def case_letter_due_at(self) -> Instant | None:
        """Give the earliest instant at which a note is to be mailed."""
        due_at: Instant | None = self.connection.scalar(select(func.min(_note.c.mail_at)))
        return due_at

    def claim_case_letter(self, *, now: Instant, lease_until: Instant) -> CaseLetter | None:
        """Take the note that has been due longest."""
        due = select(_note.c.number, _note.c.mail_attempts, *_SAID).where(_note.c.mail_at <= now)
        free = due.order_by(_note.c.mail_at, _note.c.number).limit(1)
        row = self.connection.execute(free.with_for_update(skip_locked=True)).first()
        if row is None:
            return None
        attempts = row.mail_attempts + 1
        taken = {"mail_at": lease_until, "mail_attempts": attempts}
        self.connection.execute(update(_note).where(_note.c.number == row.number).values(taken))
        note = CaseNote(
            case=row.case, at=row.at, actor=row.actor, text=row.text, is_private=row.is_private
        )
        return CaseLetter(number=row.number, note=note, attempts=attempts)

    def put_off_case_letter(self, number: int, *, mail_at: Instant | None) -> None:
        """Say when the note is mailed next."""
        changed = update(_note).where(_note.c.number == number).values(mail_at=mail_at)
        self.connection.execute(changed)


def _case(row: Found[Any]) -> Case:
    return Case(**{**row._mapping, "complaint": Complaint(row.complaint)})
