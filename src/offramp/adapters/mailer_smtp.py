"""E-mail over SMTP. Everything that speaks to a mail server lives here.

What matters most is to know what became of a message. A server takes a message when it has
received its last line, so that line is sent by itself: whatever breaks before it was not taken,
whatever breaks between it and the answer may have been.

The standard library's client is used because it is synchronous like the rest of us and lets the
last line be sent by itself; an asynchronous client would add an event loop and hide that moment.
Several connections hide what each answer takes; a connection carries one message at a time, and
any thread may use it for the next.

Source: RFC 5321 (replies, 4.2.1; responsibility, 6.1); RFC 2920 (several commands in one packet);
RFC 6531 (addresses that are not ASCII);
RFC 896 with RFC 1122, 4.2.3.2 (why a small last write would wait).
"""

import smtplib
import socket
import ssl
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from enum import StrEnum
from threading import BoundedSemaphore, Lock

from whenever import Instant

from offramp.adapters.mail_format import Envelope, Sender, format_mail, parse_address
from offramp.ports import HeldBack, MailerUnavailable, Message, MessageRefused, SendOutcomeUnknown

NON_ASCII_ADDRESS_REFUSED = "5.6.7"  # RFC 6531, section 3.2
TOO_LARGE = 552  # the one refusal of MAIL that is about the message and not about us
OK, GO_ON, CLOSING = 250, 354, 421
_DONE = range(200, 300)
_WANTED = ((OK,), _DONE, (GO_ON,))  # in answer to MAIL, RCPT and DATA


class Security(StrEnum):
    """How the connection is kept private."""

    STARTTLS = "starttls"  # plain at first, then TLS or nothing
    TLS = "tls"  # TLS from the first byte
    NONE = "none"  # for a relay on this machine


@dataclass(frozen=True, slots=True, kw_only=True)
class SmtpServer:
    """Where mail is handed over, and how.

    Attributes:
        hostname: how we introduce ourselves; the library's default asks the network for it.
        timeout_seconds: the longest wait for any one answer.
        tls: what to trust; the system's authorities when there is none.
    """

    host: str
    port: int
    username: str | None = None
    password: str = field(default="", repr=False)
    security: Security = Security.STARTTLS
    hostname: str = "localhost"
    timeout_seconds: float = 30.0
    tls: ssl.SSLContext | None = None


class SmtpMailer:
    """Hands messages to one mail server, over a few connections that are used again and again."""

    def __init__(self, server: SmtpServer, *, sender: Sender, connections_max: int = 1) -> None:
        """Prepare to send; nothing is connected before the first message.

        Args:
            connections_max: so many messages are handed over at once; further ones wait.

        Raises:
            AddressInvalid: an address of the sender's own is none.
        """
        parse_address(sender.address)
        if sender.returns_to is not None:
            parse_address(sender.returns_to)
        self._server = server
        self._sender = sender
        self._turns = BoundedSemaphore(connections_max)
        self._lock = Lock()
        self._sessions = 0
        self._kept: list[smtplib.SMTP] = []

    @contextmanager
    def session(self) -> Iterator[None]:
        """Keep connections open between the messages of a block, whichever thread sends them."""
        with self._lock:
            self._sessions += 1
        try:
            yield
        finally:
            with self._lock:
                self._sessions -= 1
                kept, self._kept = ([], self._kept) if self._sessions else (self._kept, [])
            for client in kept:
                _hang_up(client)

    def send(self, message: Message, *, at: Instant) -> None:
        """Hand over one message and return when it was accepted.

        Raises:
            MessageRefused: the server will never take it; `reply` says why.
            MailerUnavailable: it was not taken this time.
            SendOutcomeUnknown: the connection broke before the answer came.
        """
        self.hand_over(format_mail(message, sender=self._sender, at=at))

    def hand_over(self, envelope: Envelope) -> None:
        """Hand over mail that is written already; raises what `send` does."""
        with self._turns:
            with _not_taken():
                client, codes = self._begin(envelope)
            try:
                _transfer(client, envelope, codes=codes)
            except (MessageRefused, MailerUnavailable):
                self._put_back(client, is_half_way=True)
                raise
            except SendOutcomeUnknown:
                client.close()
                raise
            self._put_back(client)

    def held_back(self) -> HeldBack:
        """Say nothing: it hands over whatever comes."""
        return HeldBack()

    def was_accepted(self, message_id: str) -> bool | None:
        """Say that nobody can tell: SMTP has no such question."""
        return None

    def _begin(self, envelope: Envelope) -> tuple[smtplib.SMTP, tuple[int, ...]]:
        """Offer mail on a connection: one that was kept and still answers, or a new one."""
        while (kept := self._take_kept()) is not None:
            with suppress(smtplib.SMTPException, OSError):
                if CLOSING not in (codes := _offer(kept, envelope))[:1]:
                    return kept, codes
            kept.close()
        client = _connect(self._server)
        return client, _offer(client, envelope)

    def _take_kept(self) -> smtplib.SMTP | None:
        with self._lock:
            return self._kept.pop() if self._kept else None

    def _put_back(self, client: smtplib.SMTP, *, is_half_way: bool = False) -> None:
        """Keep a connection that the next message can begin on, or hang up."""
        if client.sock is None:  # the library's way to say that it broke
            return
        if is_half_way and not _has_forgotten(client):
            client.close()
            return
        with self._lock:
            is_kept = self._sessions > 0
            if is_kept:
                self._kept.append(client)
        if not is_kept:
            _hang_up(client)


def _connect(server: SmtpServer) -> smtplib.SMTP:
    where = (server.host, server.port, server.hostname)
    client = (
        smtplib.SMTP_SSL(*where, timeout=server.timeout_seconds, context=_tls(server))
        if server.security is Security.TLS
        else smtplib.SMTP(*where, timeout=server.timeout_seconds)
    )
    try:
        if server.security is Security.STARTTLS:
            client.starttls(context=_tls(server))
        client.ehlo_or_helo_if_needed()
        _send_at_once(client)
        if server.username is not None:
            client.login(server.username, server.password)
    except (smtplib.SMTPException, OSError):
        client.close()
        raise
    return client


def _tls(server: SmtpServer) -> ssl.SSLContext:
    """Reading the certificates of the system takes 15 ms; only who encrypts pays for it."""
    return server.tls or ssl.create_default_context()


def _send_at_once(client: smtplib.SMTP) -> None:
    """Let the last line not wait for the receiver's delayed acknowledgment: 40 ms a message."""
    assert client.sock is not None, "a connected client has its socket"
    client.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


def _hang_up(client: smtplib.SMTP) -> None:
    """Say goodbye; what the server makes of it changes nothing any more."""
    with suppress(smtplib.SMTPException, OSError):
        client.quit()
    client.close()


def _has_forgotten(client: smtplib.SMTP) -> bool:
    """Let the server forget a message that it has refused half-way."""
    with suppress(smtplib.SMTPException, OSError):
        return client.rset()[0] == OK
    return False


def _offer(client: smtplib.SMTP, envelope: Envelope) -> tuple[int, ...]:
    """Say who writes to whom, and give the replies up to the first refusal; no content is sent.

    Where the server takes several commands at once they are one packet: RFC 2920. There is no
    reply where it does not know such addresses.
    """
    if envelope.needs_utf8 and not client.has_extn("smtputf8"):
        return ()
    options = f" SIZE={len(envelope.content)}" if client.has_extn("size") else ""
    options += " BODY=8BITMIME SMTPUTF8" if envelope.needs_utf8 else ""
    mail, recipient = f"<{envelope.sender}>{options}", f"<{envelope.recipient}>"
    commands = [f"MAIL FROM:{mail}\r\n", f"RCPT TO:{recipient}\r\n", "DATA\r\n"]
    packets = ["".join(commands)] if client.has_extn("pipelining") else commands
    codes: list[int] = []
    for packet in packets:
        client.send(packet.encode())
        codes.extend(client.getreply()[0] for _ in range(packet.count("\r\n")))
        if _is_refused(codes):
            break
    return tuple(codes)


def _is_refused(codes: Sequence[int]) -> bool:
    return any(code not in wanted for code, wanted in zip(codes, _WANTED, strict=False))


def _transfer(client: smtplib.SMTP, envelope: Envelope, *, codes: tuple[int, ...]) -> None:
    """Send the content, if the server wants it after what it has answered."""
    if not codes:
        raise MessageRefused(reply=NON_ASCII_ADDRESS_REFUSED)
    if codes[-1] == GO_ON and _is_refused(codes):
        client.close()  # it waits for content that it shall not get
    announced, *rest = codes
    if announced == TOO_LARGE:
        raise MessageRefused(reply=str(announced))
    if announced != OK:
        raise MailerUnavailable(reason=f"it answered our MAIL with {announced}")
    _judge(rest[0], command="RCPT")
    if rest[-1] != GO_ON:
        _judge(rest[-1], command="DATA")
        raise MailerUnavailable(reason=f"it answered our DATA with {rest[-1]}")
    with _not_taken():
        client.send(envelope.content)
    with _maybe_taken():
        client.send(b".\r\n")
        code, _ = client.getreply()
    if not 200 <= code < 600:
        raise SendOutcomeUnknown
    _judge(code, command="DATA")


def _judge(code: int, *, command: str) -> None:
    """Turn a reply about the message into what it means."""
    if code in _DONE:
        return
    if 500 <= code < 600:
        raise MessageRefused(reply=str(code))
    raise MailerUnavailable(reason=f"it answered our {command} with {code}")


@contextmanager
def _not_taken() -> Iterator[None]:
    """Report a failure before the last line: the message was certainly not taken.

    The cause is left out of the chain because the text of a server often names the recipient.
    """
    try:
        yield
    except smtplib.SMTPResponseException as error:
        raise MailerUnavailable(reason=f"it answered {error.smtp_code}") from None
    except (smtplib.SMTPException, OSError) as error:
        raise MailerUnavailable(reason=type(error).__name__) from None


@contextmanager
def _maybe_taken() -> Iterator[None]:
    """Report a failure between the last line and its answer: nobody knows."""
    try:
        yield
    except (smtplib.SMTPException, OSError):
        raise SendOutcomeUnknown from None
