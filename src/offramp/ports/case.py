"""What people say went wrong, and what was said about it.

Source: mission A12.
"""

from dataclasses import dataclass
from typing import Protocol

from whenever import Instant

from offramp.core.case import Case, CaseNote


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseLetter:
    """What was said and is still to be mailed to whom the case is about.

    Attributes:
        number: of the note, among all of them.
        attempts: how often it was tried, this time included.
    """

    number: int
    note: CaseNote
    attempts: int


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

    def add_case_note(
        self, note: CaseNote, *, letter: str | None = None, mail_at: Instant | None = None
    ) -> None:
        """Keep what was said about a case.

        Args:
            letter: what stands for the letter that said so.
            mail_at: from when on it is to be mailed; not at all if not given.
        """

    def is_letter_known(self, letter: str) -> bool:
        """Whether a note came by this letter."""

    def case_letter_due_at(self) -> Instant | None:
        """Give the earliest instant at which a note is to be mailed."""

    def claim_case_letter(self, *, now: Instant, lease_until: Instant) -> CaseLetter | None:
        """Take the note that has been due longest; nobody else gets it before the lease ends."""

    def put_off_case_letter(self, number: int, *, mail_at: Instant | None) -> None:
        """Say when the note is mailed next; never (again) if not given."""

    def case_notes(self, case: str) -> tuple[CaseNote, ...]:
        """Give what was said about a case, oldest first."""
