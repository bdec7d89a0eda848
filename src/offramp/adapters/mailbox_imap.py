"""A mailbox read by IMAP. Everything that speaks to an IMAP server lives here.

The headers say which letters may be of the kind that is wanted; those alone are read, and no more
of them than is needed: what follows a report is the message that it brings back, what follows a
letter are files. No letter is marked as read. One that stays is looked at a few times more, because
what it is about may become known, and then not again while this process lives. So it is with one
that something breaks of, which comes after all others from then on.

Source: RFC 3501; RFC 6851 (moving), 4315 (expunging one letter alone), 6522 (the form of reports).
"""

import imaplib
import re
import ssl
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from email.parser import HeaderParser
from typing import Any, Generic, TypeVar

from offramp.adapters.mailer_smtp import Security
from offramp.core.errors import Unavailable
from offramp.ports import Fate, MailboxUnavailable

Shown = TypeVar("Shown")

LETTERS_AT_ONCE = 500  # whose headers are asked for
LOOKS_MAX = 3  # at one letter that stays, by one process
_NUMBER = re.compile(rb"\bUID (\d+)")
_DELETED = re.compile(rb"FLAGS \([^)]*\\Deleted\b", re.IGNORECASE)
_REQUEST = "unsubscribe "
_KINDS = frozenset({"delivery-status", "feedback-report"})


@dataclass(frozen=True, slots=True, kw_only=True)
class ImapServer:
    """Where the mailbox is, and how it is reached.

    Attributes:
        folder: where letters arrive.
        done: the folder for what is done with; where empty it is deleted.
        timeout_seconds: the longest wait for any one answer.
        tls: what to trust; the system's authorities when there is none.
    """

    host: str
    port: int
    username: str
    password: str = field(repr=False)
    security: Security = Security.TLS
    folder: str = "INBOX"
    done: str = ""
    timeout_seconds: float = 30.0
    tls: ssl.SSLContext | None = None


class ImapMailbox(Generic[Shown]):
    """One folder of a mailbox, through a new connection at each visit."""

    def __init__(
        self,
        server: ImapServer,
        *,
        read: Callable[[bytes], Shown | None],
        bytes_max: int,
        may_be: Callable[[bytes], bool],
    ) -> None:
        """Prepare to visit.

        Args:
            read: says what the beginning of a letter says, if it is of the kind that is wanted.
            bytes_max: so much of a letter is read.
            may_be: whether one may be of that kind, by the fields `Content-Type` and `Subject`.
        """
        self._server = server
        self._may_be = may_be
        self._read = read
        self._bytes_max = bytes_max
        self._age: list[bytes] = []
        self._looks: Counter[str] = Counter()

    def visit(self, take: Callable[[Shown], Fate], *, is_stopping: Callable[[], bool]) -> int:
        """Show every letter of the kind to ``take``, which says what becomes of it.

        Raises:
            MailboxUnavailable: it cannot be reached or used; what is left stays where it is.
        """
        with _signed_in(self._server) as client:
            folder = _Folder(client, self._server)
            wanted, other = folder.sort(self._may_be)
            self._forget_all_but(wanted, age=folder.age)
            for number in sorted(wanted, key=self._looks.__getitem__):
                if is_stopping():
                    break
                if self._looks[number] < LOOKS_MAX:
                    other += self._look(folder, number, take)
            return other

    def _look(self, folder: "_Folder", number: str, take: Callable[[Shown], Fate]) -> bool:
        """Show one letter, and say whether it is none of the kind.

        It counts before anything can break of it; an outage is not its fault.
        """
        self._looks[number] += 1
        fate = Fate.STAYS
        try:
            shown = self._read(folder.read(number, bytes_max=self._bytes_max))
            fate = fate if shown is None else take(shown)
            if fate is Fate.PUT_AWAY:
                folder.put_away(number)
        except Unavailable:
            fate = Fate.COMES_AGAIN
            raise
        finally:
            self._looks[number] -= fate is Fate.COMES_AGAIN
        return shown is None

    def _forget_all_but(self, numbers: Sequence[str], *, age: list[bytes]) -> None:
        """Numbers are good only as long as the folder is of the same age (RFC 3501, 2.3.1.1)."""
        kept = numbers if age == self._age else ()
        self._age, self._looks = age, Counter({each: self._looks[each] for each in kept})


class _Folder:
    """The folder in which letters arrive, opened."""

    def __init__(self, client: imaplib.IMAP4, server: ImapServer) -> None:
        self._client = client
        self._done = _quoted(server.done) if server.done else None
        (self._letters,) = _ask(
            f"it has no folder {server.folder}", client.select, _quoted(server.folder)
        )
        self.age = client.response("UIDVALIDITY")[1]
        told = _ask("the server does not say what it can do", client.capability)
        self._abilities = frozenset(b" ".join(told).upper().split())

    def sort(self, may_be: Callable[[bytes], bool]) -> tuple[list[str], int]:
        """Give the numbers of what may be wanted, oldest first, and how many others there are."""
        wanted, other, count = [], 0, int(self._letters)
        for first in range(1, count + 1, LETTERS_AT_ONCE):
            last = min(first + LETTERS_AT_ONCE - 1, count)
            answer = _ask(
                "the server does not list its letters",
                self._client.fetch,
                f"{first}:{last}",
                "(UID FLAGS BODY.PEEK[HEADER.FIELDS (CONTENT-TYPE SUBJECT)])",
            )
            for said, header in _letters(answer):
                number = _NUMBER.search(said)
                if number is None or _DELETED.search(said):
                    continue
                if may_be(header):
                    wanted.append(number[1].decode())
                else:
                    other += 1
        return wanted, other

    def read(self, number: str, *, bytes_max: int) -> bytes:
        """Read the beginning of a letter; nothing of one that is gone by now."""
        wanted = f"(BODY.PEEK[]<0.{bytes_max}>)"
        answer = _ask("the server does not show a letter", self._uid, "FETCH", number, wanted)
        return next((content for _, content in _letters(answer)), b"")

    def put_away(self, number: str) -> None:
        """Move a letter out of the folder, or delete it, and no other one."""
        if self._done is not None and b"MOVE" in self._abilities:
            self._into(self._done, "MOVE", number)
            return
        if self._done is not None:
            self._into(self._done, "COPY", number)
        trouble = "the server deletes no letter"
        _ask(trouble, self._uid, "STORE", number, "+FLAGS.SILENT", r"(\Deleted)")
        if b"UIDPLUS" in self._abilities:
            _ask(trouble, self._uid, "EXPUNGE", number)

    def _into(self, done: str, command: str, number: str) -> None:
        trouble = f"it takes nothing into the folder {done}"
        try:
            _ask(trouble, self._uid, command, number, done)
        except MailboxUnavailable:
            _ask(trouble, self._client.create, done)  # which nobody did before the first letter
            _ask(trouble, self._uid, command, number, done)

    def _uid(self, *words: str) -> tuple[str, list[Any]]:
        return self._client.uid(*words)


@contextmanager
def _signed_in(server: ImapServer) -> Iterator[imaplib.IMAP4]:
    with _talking("the server cannot be reached"):
        client = _connect(server)
    try:
        with _talking("the server refuses the name or the password"):
            _sign_in(client, server)
        yield client
    finally:
        with suppress(OSError, imaplib.IMAP4.error):
            client.logout()
        _hang_up(client)


def _connect(server: ImapServer) -> imaplib.IMAP4:
    wait, tls = server.timeout_seconds, server.tls or ssl.create_default_context()
    if server.security is Security.TLS:
        return imaplib.IMAP4_SSL(server.host, server.port, ssl_context=tls, timeout=wait)
    with ExitStack() as undo:
        client = imaplib.IMAP4(server.host, server.port, timeout=wait)
        undo.callback(_hang_up, client)
        if server.security is Security.STARTTLS:
            client.starttls(tls)
        undo.pop_all()
    return client


def _hang_up(client: imaplib.IMAP4) -> None:
    with suppress(OSError):
        client.shutdown()


def _sign_in(client: imaplib.IMAP4, server: ImapServer) -> None:
    """Prove who we are in the one way that takes letters of every alphabet, where it is offered."""
    if "AUTH=PLAIN" in client.capabilities:
        secret = f"\0{server.username}\0{server.password}".encode()
        client.authenticate("PLAIN", lambda _: secret)
    else:
        client.login(server.username, server.password)


def _ask(trouble: str, command: Callable[..., tuple[str, list[Any]]], *words: str) -> list[Any]:
    """Give the answer to a command; one that is refused is trouble."""
    with _talking(trouble):
        status, answer = command(*words)
    if status != "OK":
        raise MailboxUnavailable(reason=trouble)
    return answer


@contextmanager
def _talking(trouble: str) -> Iterator[None]:
    """Tell in our own words what went wrong: those of a server may name a person."""
    try:
        yield
    except (imaplib.IMAP4.error, OSError, UnicodeError) as error:
        is_cut_off = isinstance(error, imaplib.IMAP4.abort | OSError)
        reason = f"{trouble} ({type(error).__name__})" if is_cut_off else trouble
        raise MailboxUnavailable(reason=reason) from error


def _letters(answers: Sequence[Any]) -> Iterator[tuple[bytes, bytes]]:
    """Give what is said of each letter, and the piece of it that was asked for.

    The library gives a pair where a piece begins, and a rest behind it; a server may put what it
    says of the letter before the piece or after it.
    """
    for place, answer in enumerate(answers):
        if isinstance(answer, tuple):
            behind = answers[place + 1] if place + 1 < len(answers) else b""
            yield answer[0] + (b" " + behind if isinstance(behind, bytes) else b""), answer[1]


def may_be_letter(header: bytes) -> bool:
    """Take every letter for one that a person may have written."""
    return True


def may_be_report(header: bytes) -> bool:
    """Whether a letter says of itself that it reports a failure or a complaint, or unsubscribes."""
    found = HeaderParser().parsestr(header.decode("ascii", "replace"))
    if str(found.get("Subject", "")).strip().lower().startswith(_REQUEST):
        return True
    kind = str(found.get_param("report-type", "")).lower()
    return found.get_content_type() == "multipart/report" and kind in _KINDS


def _quoted(folder: str) -> str:
    """Write a folder's name as a string of the protocol; the settings allow nothing unusual."""
    escaped = folder.replace("\\", r"\\").replace('"', r"\"")
    return f'"{escaped}"'
