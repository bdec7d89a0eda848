"""What somebody says went wrong, until somebody else has seen to it.

Source: mission A12; docs/decisions/033-cases.md.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from whenever import Instant


class Complaint(StrEnum):
    """What went wrong, in the words of whoever it befell."""

    NO_ACHIEVEMENTS = "no-achievements"
    NO_EXPORT = "no-export"
    NO_ACCESS = "no-access"
    OTHER = "other"


class Repair(StrEnum):
    """What mends it in one go."""

    RESEND = "resend"
    REISSUE = "reissue"
    UNLOCK = "unlock"


REPAIRS: Mapping[Complaint, Repair] = {
    Complaint.NO_ACHIEVEMENTS: Repair.RESEND,
    Complaint.NO_EXPORT: Repair.REISSUE,
    Complaint.NO_ACCESS: Repair.UNLOCK,
}


class CaseState(StrEnum):
    """Whose turn it is."""

    WAITING = "waiting"  # for us
    ANSWERED = "answered"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One thing that went wrong for an organization, or for one member of it.

    Attributes:
        about: the instant that is spoken of, where it is not that of the complaint.
        answer_by: when whoever complained should have been answered, the last time they spoke.
        answered_at: when they were; none while they wait.
        repaired_at: when what mends it was last done.
    """

    id: str
    organization: str
    member: str | None
    complaint: Complaint
    about: Instant | None
    opened_at: Instant
    answer_by: Instant
    answered_at: Instant | None = None
    repaired_at: Instant | None = None
    closed_at: Instant | None = None

    @property
    def state(self) -> CaseState:
        """Whose turn it is."""
        if self.closed_at is not None:
            return CaseState.CLOSED
        return CaseState.WAITING if self.answered_at is None else CaseState.ANSWERED

    def is_late(self, now: Instant) -> bool:
        """Whether somebody has waited for longer than was promised."""
        return self.state is CaseState.WAITING and now >= self.answer_by


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """What somebody wrote to the address for complaints.

    Attributes:
        key: stands for this letter, however often it comes.
        sender: the address that it says it is from.
        about: the case that it answers, or what went wrong, where the address that it was sent to
            names either.
    """

    key: str
    sender: str
    about: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseNote:
    """What somebody said about a case.

    Attributes:
        actor: user, or operator.
        is_private: whether it is for operators alone: whoever complained is not told.
    """

    case: str
    at: Instant
    actor: str
    text: str
    is_private: bool = False
