"""What people say went wrong, in the store in memory.

Source: ``ports.Transaction``.
"""

from dataclasses import replace
from operator import attrgetter

from whenever import Instant

from offramp.core.case import Case, CaseNote
from offramp.ports import CaseLetter
from offramp.testing.memory_tables import KeptNote, MemoryPart


class MemoryCasePart(MemoryPart):
    """Cases of support."""

    def put_case(self, case: Case) -> None:
        """Keep a case as it is now."""
        self.require_organizations([case.organization])
        self.tables.cases[case.id] = case

    def case(self, case: str) -> Case | None:
        """Find a case by its id."""
        return self.tables.cases.get(case)

    def cases(
        self,
        organization: str | None,
        *,
        member: str | None = None,
        is_closed: bool,
        limit: int,
    ) -> tuple[Case, ...]:
        """List cases of one organization, or of all, or of one member."""
        found = sorted(
            (
                case
                for case in self.tables.cases.values()
                if organization in (None, case.organization)
                and member in (None, case.member)
                and (case.closed_at is not None) == is_closed
            ),
            key=attrgetter("id"),
        )
        if is_closed:
            found.sort(key=attrgetter("closed_at"), reverse=True)
        else:
            found.sort(key=lambda case: (case.answered_at is not None, case.answer_by))
        return tuple(found[:limit])

    def add_case_note(
        self, note: CaseNote, *, letter: str | None = None, mail_at: Instant | None = None
    ) -> None:
        """Keep what was said about a case."""
        self.tables.case_notes_made += 1
        said = CaseLetter(number=self.tables.case_notes_made, note=note, attempts=0)
        self.tables.case_notes.append(KeptNote(said=said, letter=letter, mail_at=mail_at))

    def case_notes(self, case: str) -> tuple[CaseNote, ...]:
        """Give what was said about a case."""
        return tuple(e.said.note for e in self.tables.case_notes if e.said.note.case == case)

    def is_letter_known(self, letter: str) -> bool:
        """Whether a note came by this letter."""
        return any(each.letter == letter for each in self.tables.case_notes)

    def case_letter_due_at(self) -> Instant | None:
        """Give the earliest instant at which a note is to be mailed."""
        return min((each.mail_at for each in self.tables.case_notes if each.mail_at), default=None)

    def claim_case_letter(self, *, now: Instant, lease_until: Instant) -> CaseLetter | None:
        """Take the note that has been due longest."""
        due = [
            (each.mail_at, each.said.number, each.said)
            for each in self.tables.case_notes
            if each.mail_at is not None and each.mail_at <= now
        ]
        if not due:
            return None
        *_, said = min(due, key=lambda each: each[:2])
        taken = replace(said, attempts=said.attempts + 1)
        self._keep(taken, mail_at=lease_until)
        return taken

    def put_off_case_letter(self, number: int, *, mail_at: Instant | None) -> None:
        """Say when the note is mailed next."""
        for each in self.tables.case_notes:
            if each.said.number == number:
                self._keep(each.said, mail_at=mail_at)

    def _keep(self, said: CaseLetter, *, mail_at: Instant | None) -> None:
        self.tables.case_notes = [
            replace(each, said=said, mail_at=mail_at) if each.said.number == said.number else each
            for each in self.tables.case_notes
        ]
