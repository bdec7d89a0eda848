"""Operators of the console, how they are signed in, and what their passwords are kept as.

No secret is in the store: of a session and of a link there is a digest, of a password a hash.

Source: docs/console.md; docs/decisions/035-console.md.
"""

from dataclasses import dataclass
from typing import Protocol

from whenever import Instant

from offramp.core.operator import OperatorRole
from offramp.ports.outlook import Condition


@dataclass(frozen=True, slots=True, kw_only=True)
class Operator:
    """A person of the vendor who works with the console.

    Attributes:
        address: their mail address, folded; no two have the same.
        password: its hash; none where they have chosen none yet.
        zone: in which they read times.
        issuer, subject: who they are at a provider of identities, once they came by one.
    """

    id: str
    name: str
    address: str
    role: OperatorRole
    zone: str
    added_at: Instant
    password: str | None = None
    disabled_at: Instant | None = None
    issuer: str | None = None
    subject: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OperatorSession:
    """One browser in which an operator is signed in, until the earlier of two ends."""

    digest: str
    operator: str
    opened_at: Instant
    seen_at: Instant
    idle_ends_at: Instant
    ends_at: Instant

    def is_alive(self, now: Instant) -> bool:
        """Whether it opens anything at this instant."""
        return now < self.idle_ends_at and now < self.ends_at


@dataclass(frozen=True, slots=True, kw_only=True)
class SignInLink:
    """An address that signs somebody in once; without an operator it makes the first one."""

    digest: str
    operator: str | None
    made_at: Instant
    expires_at: Instant


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedView:
    """A filter of organizations that an operator has given a name; nobody is named in it."""

    operator: str
    name: str
    condition: Condition
    stage: str


class Passwords(Protocol):
    """Turns passwords into what may be kept."""

    def hash(self, password: str) -> str:
        """Give what is kept of a password; twice the same password gives two hashes."""

    def fits(self, password: str, hashed: str | None) -> bool:
        """Whether a password is the one that was hashed; with none it takes as long, and is not."""

    def is_outdated(self, hashed: str) -> bool:
        """Whether a hash was made with less effort than is made today."""


class Operators(Protocol):
    """The share of a transaction that is about them."""

    def add_operator(self, operator: Operator) -> bool:
        """Store a new operator; false where somebody has the address already."""

    def save_operator(self, operator: Operator) -> None:
        """Write a changed operator; the id, the address and who they are elsewhere stay."""

    def operator(self, operator: str) -> Operator | None:
        """Find one by id."""

    def operator_at(self, address: str) -> Operator | None:
        """Find one by address, however its ASCII letters are written."""

    def operator_known_as(self, issuer: str, subject: str) -> Operator | None:
        """Find one by who they are at a provider of identities."""

    def link_identity(self, operator: str, *, issuer: str, subject: str) -> bool:
        """Note who an operator is at a provider; false where they are somebody there already."""

    def forget_identity(self, operator: str) -> None:
        """Forget who an operator is elsewhere."""

    def operators(self) -> tuple[Operator, ...]:
        """List them by address, disabled ones too."""

    def open_session(self, session: OperatorSession) -> None:
        """Store a new session."""

    def session(self, digest: str) -> OperatorSession | None:
        """Find a session by the digest of its secret."""

    def see_session(self, digest: str, *, at: Instant, idle_ends_at: Instant) -> None:
        """Note that a session was used."""

    def end_session(self, digest: str) -> bool:
        """Forget a session; false where there is none."""

    def end_sessions(self, operator: str, *, spared: str | None = None) -> int:
        """Forget every session of an operator, all but one; returns how many there were."""

    def put_view(self, view: SavedView) -> None:
        """Store a view; an earlier one of the same operator and name is replaced."""

    def views(self, operator: str) -> tuple[SavedView, ...]:
        """List the views of an operator by name."""

    def drop_view(self, operator: str, name: str) -> bool:
        """Forget a view; false where there is none."""

    def put_sign_in_link(self, link: SignInLink) -> None:
        """Store a link; an earlier one for the same operator, or for nobody, leads nowhere then."""

    def sign_in_link(self, digest: str) -> SignInLink | None:
        """Find a link by the digest of its secret."""

    def take_sign_in_link(self, digest: str) -> SignInLink | None:
        """Find a link and forget it, so that whoever else has it finds none."""

    def note_failure(self, who: str, *, at: Instant) -> None:
        """Note that somebody failed to sign in, under a digest of the address that was given."""

    def failures(self, who: str | None = None, *, since: Instant) -> int:
        """Count those who failed after an instant: under one digest, or all."""

    def forget_failures(self, who: str) -> None:
        """Forget the failures under one digest."""

    def spend_journey(self, digest: str, *, at: Instant) -> bool:
        """Note that a way through a provider led here; false where it has done so before."""

    def tidy_sign_ins(self, *, at: Instant, failed_before: Instant) -> None:
        """Forget sessions and links that are over at an instant, and what was before another:
        failures, and ways through a provider."""
