"""The other things the engine asks for: time, ids, keys, mail, words, files, workers.

Source: docs/decisions/001-layers.md.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import BinaryIO, Literal, Protocol, TypeVar

from whenever import Instant

from offramp.core.banner import Banner
from offramp.core.link import Download, Entrance
from offramp.core.model import Achievement, Member, Organization, Receipt
from offramp.core.notice import NoticeFacts
from offramp.core.parcel import Reply
from offramp.core.plan import Timeline
from offramp.ports.record import Fate, Offboarding, Ticket
from offramp.ports.store import Transaction


class Clock(Protocol):
    """The time."""

    def now(self) -> Instant:
        """Give the present instant; never earlier than an answer before."""

    def behind_seconds(self) -> float:
        """Say how far the machine was set back behind the latest answer; 0 as a rule."""


class Ids(Protocol):
    """New ids."""

    def new(self) -> str:
        """Give an id that was never given before."""


class Keys(Protocol):
    """Secret keys; they never leave the process except into the place this adapter keeps."""

    def organization_key(self, organization: str) -> bytes:
        """Give the key of an organization, made on first use (32 bytes)."""

    def destroy(self, organization: str) -> bool:
        """Destroy an organization's key in every copy; false when there is none."""

    def has_key(self, organization: str) -> bool:
        """Whether an organization's key still exists."""

    def ledger_key(self) -> bytes:
        """Give the key that seals the ledger (32 bytes)."""

    def signing_key(self) -> bytes:
        """Give the vendor's private Ed25519 key, for all that is signed (32 bytes, raw)."""

    def public_keys(self) -> tuple[bytes, ...]:
        """Give the public half of the signing key, then of every one before it, newest first."""

    def rotate_signing_key(self) -> None:
        """Sign with a new key from now on; of the old one the public half alone is kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachment:
    """A file that travels with a message."""

    name: str
    media_type: str
    content: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class InlineImage:
    """A picture inside of a message's HTML, which names it ``cid:`` and its id."""

    content_id: str
    media_type: str
    content: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One e-mail to one person; ``id`` is the same at every attempt."""

    id: str
    to: str
    to_name: str
    subject: str
    text: str
    html: str
    is_optional: bool = False
    reply_to: str | None = None  # who reads answers to this message, where it is not the usual one
    attachments: tuple[Attachment, ...] = ()
    images: tuple[InlineImage, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkWords:
    """Where a reader may turn, and what it is called."""

    label: str
    address: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BannerWords:
    """A banner in one language: plain text, and empty where there is nothing to say.

    Attributes:
        language: as HTML names it, with its ``direction``: ``ltr`` or ``rtl``.
        stage: its title.
        text: what is so; ``until`` says how long, and ``advice`` what the reader can do.
        note: whose time zone all that is in, for a reader elsewhere.
    """

    language: str
    direction: str
    stage: str
    heading: str
    text: str
    until: str
    advice: str
    note: str
    links: tuple[LinkWords, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldBack:
    """For how long the last message in line waits for the pace, and to how many domains some do."""

    seconds: float = 0.0
    domains: int = 0


class Mailer(Protocol):
    """Hands messages to mail servers."""

    def send(self, message: Message, *, at: Instant) -> None:
        """Hand over one message and return when it was accepted.

        Raises `MessageRefused` (Refused; `reply`), `MailerUnavailable` (Unavailable) or
        `SendOutcomeUnknown` (Uncertain).
        """

    def session(self) -> AbstractContextManager[None]:
        """Keep what is costly to open between the messages of a block."""

    def was_accepted(self, message_id: str) -> bool | None:
        """Say whether a message was accepted before; none when this mailer cannot tell."""

    def held_back(self) -> HeldBack:
        """Say what waits in this process because mail has to go out at a measured pace."""


Shown = TypeVar("Shown", covariant=True)


class Mailbox(Protocol[Shown]):
    """Where letters of one kind arrive, such as reports of failure, among whatever else does."""

    def visit(self, take: Callable[[Shown], Fate], *, is_stopping: Callable[[], bool]) -> int:
        """Show every letter of the kind to `take`, which says what becomes of it.

        One is put away only after `take` has returned, so it may be shown twice and none is
        lost. Everything else is left as it is, unread; what stays is not shown for ever. Returns
        how many letters are of another kind.

        Raises `MailboxUnavailable`.
        """


class Composer(Protocol):
    """Turns the facts of a notice into words, in the reader's language and time zone."""

    def compose(
        self,
        facts: NoticeFacts,
        *,
        message_id: str,
        member: Member,
        organization: Organization,
        about: Member | None = None,
        attachments: tuple[Attachment, ...] = (),
        download: Download | None = None,
        entrance: Entrance | None = None,
        answer: str | None = None,
        reply_to: str | None = None,
        is_optional: bool = False,
    ) -> Message:
        """Write the message for one reader; ``about`` is the member where only one leaves.

        ``download`` is what the message leads to instead of carrying it, and ``entrance`` where
        its reader signs in; ``answer`` is what support says to them.
        """

    def attach_achievements(
        self,
        achievements: Sequence[Achievement],
        *,
        member: Member,
        organization: Organization,
        at: Instant,
    ) -> tuple[Attachment, ...]:
        """Write what a member has earned into files that stay readable without the platform."""

    def write_banner(
        self, banner: Banner, *, member: Member, organization: Organization, locale: str = ""
    ) -> BannerWords:
        """Write what a page shows; a locale goes before those of the member and organization."""


class Vault(Protocol):
    """Where exports and certificates are kept until they are handed over or expire."""

    def write(self, name: str) -> AbstractContextManager[BinaryIO]:
        """Open a new file; it exists under its name only when the block ends without an error."""

    def read(self, name: str) -> AbstractContextManager[BinaryIO]:
        """Open a file (`VaultFileMissing`)."""

    def size(self, name: str) -> int | None:
        """Give the size in bytes; none when there is no such file."""

    def delete(self, prefix: str) -> int:
        """Delete every file under a prefix and return how many there were."""

    def room_bytes(self) -> int | None:
        """Give how many bytes more it can take; none where nobody can tell."""


class Dispatcher(Protocol):
    """Keeps claimed work in this process, on this thread."""

    def enqueue(self, claims: Sequence[Offboarding], *, transaction: Transaction) -> None:
        """Hand over claims, in the transaction that claimed them."""

    def run(self, handler: Callable[[Offboarding], None]) -> int:
        """Carry out what was handed over; returns how many were carried out."""


class WorkQueue(Protocol):
    """Spreads the work over every process that serves the same queue.

    A ticket reaches a handler once as a rule, twice after a misfortune, and not at all when the
    process dies that has just been given it; the claim's lease and attempt make good for all three.
    """

    def enqueue(self, tickets: Sequence[Ticket], *, transaction: Transaction) -> None:
        """Hand over tickets, in the transaction that claimed what they stand for."""

    def serving(self, handler: Callable[[Ticket], None]) -> AbstractContextManager[None]:
        """Carry out tickets on threads of this process while the block lasts."""

    def waiting(self, *, limit: int) -> tuple[Ticket, ...]:
        """List tickets that no process has been given yet, oldest first."""

    def begun(self, *, before: Instant, limit: int) -> tuple[Ticket, ...]:
        """List tickets that a process was given before an instant, and has not finished."""

    def finished(self, *, before: Instant, limit: int) -> tuple[Ticket, ...]:
        """List tickets that were finished before an instant and are still remembered."""

    def forget(self, tickets: Sequence[Ticket]) -> None:
        """Remember tickets no longer."""


class Endpoint(Protocol):
    """An address of the vendor's at which events are taken; it is used by one thread at a time."""

    @property
    def kinds(self) -> frozenset[str]:
        """The kinds of events that it wants."""

    @property
    def place(self) -> str:
        """Where it is, as far as that may be told: without the path, which may be a secret."""

    def post(self, body: str, *, event: str, at: Instant) -> Reply:
        """Sign a body for this instant, send it under the id of its event, and give the reply.

        It never raises because of what the endpoint does, and never takes longer than a lease.
        """

    def close(self) -> None:
        """Let go of every connection; the next request makes a new one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CalendarPart:
    """One timeline of a calendar file.

    Attributes:
        name: makes the identities of the entries: under the same name they are the same entries.
        sequence: a higher one replaces what a calendar has.
        place: whose dates they are, for readers who have others in their calendar too: they get
            what happens to them, with a reminder, and none of the messages.
    """

    timeline: Timeline
    name: str
    sequence: int = 0
    receipts: Mapping[str, Receipt] = field(default_factory=dict)
    place: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CalendarEntry:
    """One date that somebody who looks after an organization finds in their calendar.

    Attributes:
        stage: the title of the stage that begins, as the policy has it.
        local_time: when it is on that day, by the clocks of the zone.
    """

    kind: Literal["stage", "handover", "deletion", "last-day"]
    place: str
    zone: str
    local_time: str
    stage: str = ""
    may_sign_in: bool = True
    may_return: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryWords:
    """An entry in one language, as plain text."""

    language: str
    summary: str
    details: str
    reminder: str


class CalendarWording(Protocol):
    """Puts entries into the words of a reader's language."""

    def __call__(self, entry: CalendarEntry, *, locale: str, reminder_days: int) -> EntryWords:
        """Word one entry, and the reminder that may come so many days before it."""


class CalendarWriter(Protocol):
    """Writes dates into a file that every calendar can read."""

    def __call__(
        self, parts: Sequence[CalendarPart], *, stamped_at: Instant, is_canceled: bool, locale: str
    ) -> bytes:
        """Write a file that adds dates to a calendar, or takes them back."""


class Probe(Protocol):
    """Hears of every point at which a process may die; the simulation dies there."""

    def __call__(self, point: str) -> None:
        """Note that a point has been reached."""
