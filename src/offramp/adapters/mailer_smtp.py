"""E-mail over SMTP. Everything that speaks to a mail server lives here.

What matters most is to know what became of a message. A server takes a message when it has
received its last line, so that line is sent by itself: whatever breaks before it was not taken,
whatever breaks between it and the answer may have been.

The standard library's client is used because it is synchronous like the rest of us and lets the
last line be sent by itself; an asynchronous client would add an event loop and hide that moment.

Source: RFC 5321 (replies, 4.2.1; responsibility, 6.1); RFC 6531 (addresses that are not ASCII);
RFC 896 with RFC 1122, 4.2.3.2 (why a small last write would wait).
"""

import smtplib
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from enum import StrEnum
from threading import local

from whenever import Instant

from offramp.adapters.mail_format import Envelope, Sender, format_mail, parse_address
from offramp.ports import MailerUnavailable, Message, MessageRefused, SendOutcomeUnknown

NON_ASCII_ADDRESS_REFUSED = "5.6.7"  # RFC 6531, section 3.2
TOO_LARGE = 552  # the one refusal of MAIL that is about the message and not about us
OK, GO_ON = 250, 354


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


class _Own(local):
    """The connection of one thread: commands of two messages must never mix."""

    client: smtplib.SMTP | None = None
    is_kept: bool = False


class SmtpMailer:
    """Hands messages to one mail server, a batch of them over one connection."""

    def __init__(self, server: SmtpServer, *, sender: Sender) -> None:
        """Prepare to send; nothing is connected before the first message.

        Raises:
            AddressInvalid: an address of the sender's own is none.
        """
        parse_address(sender.address)
        if sender.returns_to is not None:
            parse_address(sender.returns_to)
        self._server = server
        self._sender = sender
        self._own = _Own()

    @contextmanager
    def session(self) -> Iterator[None]:
        """Keep the connection open between the messages of a block."""
        self._own.is_kept = True
        try:
            yield
        finally:
            self._own.is_kept = False
            self._hang_up()

    def send(self, message: Message, *, at: Instant) -> None:
        """Hand over one message and return when it was accepted.

        Raises:
            MessageRefused: the server will never take it; `reply` says why.
            MailerUnavailable: it was not taken this time.
            SendOutcomeUnknown: the connection broke before the answer came.
        """
        envelope = format_mail(message, sender=self._sender, at=at)
        try:
            self._hand_over(envelope)
        except (MailerUnavailable, SendOutcomeUnknown):
            # Whatever state the connection is in, the next message begins with a fresh one.
            self._drop()
            raise
        finally:
            if not self._own.is_kept:
                self._hang_up()

    def was_accepted(self, message_id: str) -> bool | None:
        """Say that nobody can tell: SMTP has no such question."""
        return None

    def _hand_over(self, envelope: Envelope) -> None:
        with _not_taken():
            client = self._ready_client()
            _announce(client, envelope)
            _begin_content(client)
            client.send(envelope.content)
        with _maybe_taken():
            client.send(b".\r\n")
            code, _ = client.getreply()
        if not 200 <= code < 600:
            raise SendOutcomeUnknown
        _judge(code, command="DATA")

    def _ready_client(self) -> smtplib.SMTP:
        """Take the kept connection if it still answers, or make a new one."""
        if (kept := self._own.client) is not None:
            with suppress(smtplib.SMTPException, OSError):
                # RSET also makes the server forget a message that it has refused half-way.
                if kept.rset()[0] == OK:
                    return kept
            self._drop()
        self._own.client = _connect(self._server)
        return self._own.client

    def _hang_up(self) -> None:
        """Say goodbye; what the server makes of it changes nothing any more."""
        if self._own.client is not None:
            with suppress(smtplib.SMTPException, OSError):
                self._own.client.quit()
            self._drop()

    def _drop(self) -> None:
        if self._own.client is not None:
            self._own.client.close()
            self._own.client = None


def _connect(server: SmtpServer) -> smtplib.SMTP:
    tls = server.tls or ssl.create_default_context()
    where = (server.host, server.port, server.hostname)
    client = (
        smtplib.SMTP_SSL(*where, timeout=server.timeout_seconds, context=tls)
        if server.security is Security.TLS
        else smtplib.SMTP(*where, timeout=server.timeout_seconds)
    )
    try:
        if server.security is Security.STARTTLS:
            client.starttls(context=tls)
        client.ehlo_or_helo_if_needed()
        _send_at_once(client)
        if server.username is not None:
            client.login(server.username, server.password)
    except (smtplib.SMTPException, OSError):
        client.close()
        raise
    return client


def _send_at_once(client: smtplib.SMTP) -> None:
    """Let the last line not wait for the receiver's delayed acknowledgment: 40 ms a message."""
    assert client.sock is not None, "a connected client has its socket"
    client.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


def _announce(client: smtplib.SMTP, envelope: Envelope) -> None:
    """Name sender and recipient; only the recipient can be refused for good."""
    options = [f"SIZE={len(envelope.content)}"] if client.has_extn("size") else []
    if envelope.needs_utf8:
        if not client.has_extn("smtputf8"):
            raise MessageRefused(reply=NON_ASCII_ADDRESS_REFUSED)
        options += ["BODY=8BITMIME", "SMTPUTF8"]
    code, _ = client.mail(envelope.sender, options)
    if code == TOO_LARGE:
        raise MessageRefused(reply=str(code))
    if code != OK:
        raise MailerUnavailable(reason=f"it answered our MAIL with {code}")
    code, _ = client.rcpt(envelope.recipient)
    _judge(code, command="RCPT")


def _begin_content(client: smtplib.SMTP) -> None:
    code, _ = client.docmd("DATA")
    if code != GO_ON:
        _judge(code, command="DATA")
        raise MailerUnavailable(reason=f"it answered our DATA with {code}")


def _judge(code: int, *, command: str) -> None:
    """Turn a reply about the message into what it means."""
    if 200 <= code < 300:
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
