"""Mail over TLS and with a password, from a server that has both."""

import asyncio
import ssl
from contextlib import contextmanager
from threading import Thread

import pytest
from aiosmtpd.smtp import SMTP, AuthResult

from offramp.adapters.mail_format import Sender
from offramp.adapters.mailer_smtp import Security, SmtpMailer, SmtpServer
from offramp.ports import MailerUnavailable
from tests.contract.mailer_contract import AT, MESSAGE

PASSWORD = "open sesame"


class Mailbox:
    """What the server does with a message: keep its recipient and who had signed in."""

    def __init__(self):
        self.taken = []

    async def handle_DATA(self, server, session, envelope):
        is_private = server.transport.get_extra_info("ssl_object") is not None
        self.taken.append((envelope.rcpt_tos, is_private, session.authenticated))
        return "250 OK"


def sign_in(server, session, envelope, mechanism, login):
    return AuthResult(success=login.password == PASSWORD.encode(), handled=False)


@contextmanager
def serving(certificate, security, *, offers_tls=True):
    """Run a server in a thread; give its mailbox and its port."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate)
    is_tls = security is Security.TLS
    later = context if offers_tls and not is_tls else None
    mailbox, loop = Mailbox(), asyncio.new_event_loop()

    def answer():
        # TLS from the first byte does not count as the TLS that the library asks for before AUTH.
        return SMTP(
            mailbox,
            hostname="localhost",
            authenticator=sign_in,
            auth_require_tls=not is_tls,
            tls_context=later,
            loop=loop,
        )

    server = loop.run_until_complete(
        loop.create_server(answer, "127.0.0.1", 0, ssl=context if is_tls else None)
    )
    thread = Thread(target=loop.run_forever)
    thread.start()
    try:
        yield mailbox, server.sockets[0].getsockname()[1]
    finally:
        asyncio.run_coroutine_threadsafe(_stop(server), loop).result(timeout=5)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


async def _stop(server):
    server.close()
    tasks = asyncio.all_tasks() - {asyncio.current_task()}
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def mailer_to(port, security, certificate, *, password=PASSWORD, host="localhost"):
    tls = ssl.create_default_context(cafile=certificate)
    server = SmtpServer(
        host=host,
        port=port,
        username="offramp",
        password=password,
        security=security,
        timeout_seconds=3,
        tls=tls,
    )
    return SmtpMailer(server, sender=Sender(address="account@vendor.example", name="Vendor"))


@pytest.mark.parametrize("security", [Security.STARTTLS, Security.TLS])
def test_mail_goes_over_tls_after_signing_in(certificate, security):
    with serving(certificate, security) as (mailbox, port):
        mailer_to(port, security, certificate).send(MESSAGE, at=AT)

    assert mailbox.taken == [(["anna@example.com"], True, True)]


@pytest.mark.parametrize("security", [Security.STARTTLS, Security.TLS])
def test_a_wrong_password_is_our_trouble_and_not_the_recipients(certificate, security):
    with serving(certificate, security) as (mailbox, port):
        mailer = mailer_to(port, security, certificate, password="guess")

        with pytest.raises(MailerUnavailable, match="535"):
            mailer.send(MESSAGE, at=AT)

    assert mailbox.taken == []


def test_a_server_that_offers_no_tls_is_told_nothing(certificate):
    with serving(certificate, Security.STARTTLS, offers_tls=False) as (mailbox, port):
        mailer = mailer_to(port, Security.STARTTLS, certificate)

        with pytest.raises(MailerUnavailable, match="SMTPNotSupportedError"):
            mailer.send(MESSAGE, at=AT)

    assert mailbox.taken == []


@pytest.mark.parametrize("security", [Security.STARTTLS, Security.TLS])
def test_a_server_that_is_somebody_else_is_told_nothing(certificate, security):
    with serving(certificate, security) as (mailbox, port):
        mailer = mailer_to(port, security, certificate, host="127.0.0.1")

        with pytest.raises(MailerUnavailable, match="SSLCertVerificationError"):
            mailer.send(MESSAGE, at=AT)

    assert mailbox.taken == []


def test_no_password_is_shown_with_the_settings():
    shown = repr(SmtpServer(host="localhost", port=25, username="offramp", password=PASSWORD))

    assert PASSWORD not in shown
