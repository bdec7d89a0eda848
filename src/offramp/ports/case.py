"""What people say went wrong, and what was said about it.

Source: mission A12.
"""

from typing import Protocol

from offramp.core.case import Case, CaseNote


class Cases(Protocol):
    """The share of a transaction that is about them."""

    def put_case(self, case: Case) -> None:
        """Keep a case as it is now (`OrganizationUnknown`, `OrganizationErased`)."""

    def case(self, case: str) -> Case | None:
        """Find a case by its id; nobody else changes it until the transaction ends."""

    def cases(
        self,
        organization: str | None,
        *,
        member: str | None = None,
        is_closed: bool,
        limit: int,
    ) -> tuple[Case, ...]:
        """List cases of one organization, or of all, or of one member.

        Open ones begin with whoever has waited longest, closed ones with the last one closed.
        """

    def add_case_note(self, note: CaseNote) -> None:
        """Keep what was said about a case."""

    def case_notes(self, case: str) -> tuple[CaseNote, ...]:
        """Give what was said about a case, oldest first."""
