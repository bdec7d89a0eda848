"""What people say went wrong, in the store in memory.

Source: ``ports.Transaction``.
"""

from operator import attrgetter

from offramp.core.case import Case, CaseNote
from offramp.testing.memory_tables import MemoryPart


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

    def add_case_note(self, note: CaseNote) -> None:
        """Keep what was said about a case."""
        self.tables.case_notes.append(note)

    def case_notes(self, case: str) -> tuple[CaseNote, ...]:
        """Give what was said about a case."""
        return tuple(note for note in self.tables.case_notes if note.case == case)
