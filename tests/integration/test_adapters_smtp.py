"""Mail as a real server receives it, and what is known when the wire breaks."""

import socket
from contextlib import contextmanager
from dataclasses import replace
from threading import Thread

import pytest

from offramp.adapters.mail_format import AddressInvalid, Sender
from offramp.adapters.mailer_smtp import Security, SmtpMailer, SmtpServer
from offramp.ports import (
    Attachment,
    MailerUnavailable,
    Message,
    MessageRefused,
    SendOutcomeUnknown,
)
from offramp.testing.smtp import SmtpCatcher
from tests.contract.mailer_contract import AT, MESSAGE, MailerContract
from tests.integration.fault_proxy import FaultProxy

SENDER = Sender(address="account@vendor.example", name="Vendor")
WAIT_SECONDS = 0.5


def mailer_to(port, **changes):
    server = SmtpServer(
        host="127.0.0.1", port=port, security=Security.NONE, timeout_seconds=WAIT_SECONDS * 4
    )
    return SmtpMailer(replace(server, **changes), sender=SENDER)


@pytest.fixture(params=[True, False], ids=["all at once", "one by one"])
def catcher(request):
    """Take the commands before a message in one packet, or each by itself."""
    with SmtpCatcher(is_pipelining=request.param) as catcher:
        yield catcher


@pytest.fixture
def proxy(catcher):
    with FaultProxy(catcher) as proxy:
        yield proxy


def recipients(catcher):
    return [address for caught in catcher.messages for address in caught.recipients]


class SmtpWorld:
    def __init__(self, catcher, proxy):
        self._catcher, self._proxy = catcher, proxy
        self.go_down, self.come_up = catcher.down, catcher.up

    def refuse(self, address):
        self._catcher.refuse(address, 550)

    def put_off(self, address):
        self._catcher.refuse(address, 451)

    def lose_next_answer(self):
        self._proxy.is_losing_answer = True

    def accepted(self):
        return recipients(self._catcher)


class TestSmtpMailer(MailerContract):
    @pytest.fixture
    def mailer(self, proxy):
        return mailer_to(proxy.port)

    @pytest.fixture
    def world(self, catcher, proxy):
        return SmtpWorld(catcher, proxy)


class TestSmtpMailerInSession(TestSmtpMailer):
    @pytest.fixture
    def mailer(self, proxy):
        mailer = mailer_to(proxy.port)
        with mailer.session():
            yield mailer


def outcome(mailer):
    try:
        mailer.send(MESSAGE, at=AT)
    except MailerUnavailable:
        return "not taken"
    except SendOutcomeUnknown:
        return "unknown"
    return "accepted"


def test_wherever_the_wire_is_cut_nothing_is_claimed_that_is_not_so(catcher):
    """L37: every message is taken, not taken, or unknown; and only what was taken is accepted."""
    with FaultProxy(catcher) as proxy:
        assert outcome(mailer_to(proxy.port)) == "accepted"
        conversation_bytes = proxy.up_bytes
    quit_bytes = len(b"QUIT\r\n")
    last = [conversation_bytes - quit_bytes - back for back in range(6)]
    seen = set()

    for cut in [*range(1, conversation_bytes, conversation_bytes // 12), *last]:
        catcher.messages.clear()
        with FaultProxy(catcher) as proxy:
            proxy.up_bytes_max = cut
            told = outcome(mailer_to(proxy.port))

        truths = {"accepted": {1}, "not taken": {0}, "unknown": {0, 1}}
        assert len(catcher.messages) in truths[told], f"cut after {cut} bytes: {told}"
        seen.add(told)

    assert seen >= {"not taken", "unknown"}


def test_a_server_that_says_nothing_is_given_up_on(proxy):
    proxy.is_hanging = True

    with pytest.raises(MailerUnavailable):
        mailer_to(proxy.port, timeout_seconds=WAIT_SECONDS).send(MESSAGE, at=AT)


def test_nobody_listening_is_unavailable(catcher):
    catcher.down()

    with pytest.raises(MailerUnavailable, match="ConnectionRefusedError"):
        mailer_to(catcher.port).send(MESSAGE, at=AT)


def test_a_batch_uses_one_connection_even_after_a_refusal(catcher, proxy):
    catcher.refuse("m1@example.com", 550)
    mailer, refused = mailer_to(proxy.port), 0

    with mailer.session():
        for number in range(4):
            try:
                mailer.send(replace(MESSAGE, id=f"{number}", to=f"m{number}@example.com"), at=AT)
            except MessageRefused:
                refused += 1

    assert (proxy.connections, refused, len(catcher.messages)) == (1, 1, 3)


def test_a_kept_connection_that_died_meanwhile_is_replaced(catcher, proxy):
    mailer = mailer_to(proxy.port)

    with mailer.session():
        mailer.send(MESSAGE, at=AT)
        catcher.down()
        catcher.up()
        mailer.send(MESSAGE, at=AT)

    assert (proxy.connections, len(catcher.messages)) == (2, 2)


def received(catcher, **changes):
    mailer_to(catcher.port).send(replace(MESSAGE, **changes), at=AT)
    return catcher.messages[-1]


def test_the_headers_say_who_what_and_when(catcher):
    """L6, L12: the date is that of the simulation, the id that of the delivery."""
    mail = received(catcher).message

    assert mail["From"] == "Vendor <account@vendor.example>"
    assert mail["To"] == "Anna Zając <anna@example.com>"
    assert mail["Date"].datetime == AT.to_stdlib()
    assert mail["Message-ID"] == "<offboarding-1/achievements/anna@vendor.example>"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["List-Unsubscribe"] is None


def test_an_id_of_any_kind_stays_one_message_id(catcher):
    mail = received(catcher, id="o" * 120 + "/anna@example.com zając").message

    assert mail["Message-ID"] == (f"<{'o' * 120}/anna%40example.com%20zaj%C4%85c@vendor.example>")


def test_optional_mail_alone_can_be_unsubscribed_from(catcher):
    """L12: RFC 2369 by mail; RFC 8058 by one click where the vendor has an address for it."""
    by_mail = received(catcher, is_optional=True).message
    sender = replace(SENDER, unsubscribe_url="https://vendor.example/unsubscribe")
    server = SmtpServer(host="127.0.0.1", port=catcher.port, security=Security.NONE)
    SmtpMailer(server, sender=sender).send(replace(MESSAGE, is_optional=True), at=AT)
    by_click = catcher.messages[-1].message

    token = "offboarding-1%2Fachievements%2Fanna"
    mailto = f"<mailto:account@vendor.example?subject=unsubscribe%20{token}>"
    assert by_mail["List-Unsubscribe"] == mailto
    assert by_mail["List-Unsubscribe-Post"] is None
    assert by_click["List-Unsubscribe"] == (
        f"<https://vendor.example/unsubscribe?message={token}>, {mailto}"
    )
    assert by_click["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"


def test_both_texts_and_every_attachment_arrive_as_they_were(catcher):
    text = "Zażółć gęślą jaźń.\n\n.a line that begins with a dot\n..two\n"
    calendar = Attachment(
        name="ende – Ünïversität.ics",
        media_type="text/calendar; charset=utf-8; method=PUBLISH",
        content=b"BEGIN:VCALENDAR\r\n.END\r\n",
    )

    mail = received(catcher, text=text, html="<p>ż</p>\n", attachments=(calendar,)).message

    [attached] = mail.iter_attachments()
    assert mail.get_body(("plain",)).get_content().splitlines() == text.splitlines()
    assert mail.get_body(("html",)).get_content().strip() == "<p>ż</p>"
    assert attached.get_filename() == calendar.name
    assert attached["Content-Type"].params["method"] == "PUBLISH"
    assert attached.get_payload(decode=True) == calendar.content


@pytest.mark.parametrize("field", ["to_name", "subject"])
@pytest.mark.parametrize("line_end", ["\r\n", "\n", "\r", "\x0b", "\x85", "\u2028"])
def test_nothing_that_was_typed_becomes_a_header(catcher, field, line_end):
    typed = f"Anna{line_end}Bcc: eve@example.com{line_end}{line_end}body"

    caught = received(catcher, **{field: typed})

    assert caught.message["Bcc"] is None
    assert caught.recipients == ("anna@example.com",)
    assert "Anna Bcc: eve@example.com body" in str(caught.message["To"]) + caught.message["Subject"]


def test_a_domain_in_another_alphabet_travels_in_ascii(catcher):
    caught = received(catcher, to="anna@bücher.example")

    assert caught.recipients == ("anna@xn--bcher-kva.example",)


def test_a_local_part_in_another_alphabet_uses_the_extension_for_it(catcher):
    caught = received(catcher, to="zając@bücher.example", to_name="Anna")

    assert caught.recipients == ("zając@xn--bcher-kva.example",)
    to = str(caught.message["To"]).encode(errors="surrogateescape").decode()
    assert to == "Anna <zając@xn--bcher-kva.example>"


@pytest.mark.parametrize(
    "address",
    [
        "",
        "anna",
        "@example.com",
        "anna@",
        "anna@exa mple.com",
        "anna@example..com",
        "anna..a@example.com",
        "anna\r\nRCPT TO:<eve@example.com>@example.com",
        "anna@example.com\r\nBcc: eve@example.com",
        "anna@example.com, eve@example.com",
        "<anna@example.com>",
        "a" * 250 + "@example.com",
    ],
)
def test_an_address_that_nobody_can_have_is_refused_before_a_connection(proxy, address):
    with pytest.raises(MessageRefused) as refused:
        mailer_to(proxy.port).send(replace(MESSAGE, to=address), at=AT)

    assert refused.value.reply == "5.1.3"
    assert proxy.connections == 0


def test_a_sender_that_is_no_address_is_a_mistake_of_the_settings():
    with pytest.raises(AddressInvalid):
        SmtpMailer(SmtpServer(host="127.0.0.1", port=25), sender=replace(SENDER, address="us"))


def test_a_message_is_complete_without_attachments(catcher):
    mailer_to(catcher.port).send(
        Message(id="1", to="a@example.com", to_name="", subject="s", text="t", html="h"), at=AT
    )

    assert [part.get_content_type() for part in catcher.messages[-1].message.walk()] == [
        "multipart/alternative",
        "text/plain",
        "text/html",
    ]


@contextmanager
def server_that_answers(*codes):
    """Take the commands before one message at once, answer them so, and keep what comes then."""
    said = []

    def serve():
        client, _ = listener.accept()
        with client, client.makefile("rwb") as wire:
            for answer in (b"220 hello\r\n", b"250-here\r\n250 PIPELINING\r\n"):
                wire.write(answer)
                wire.flush()
                wire.readline()  # EHLO, then MAIL
            wire.readline(), wire.readline()  # RCPT and DATA, without an answer to any
            wire.write(b"".join(b"%d whatever\r\n" % code for code in codes))
            wire.flush()
            said.append(wire.read())

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = Thread(target=serve)
        thread.start()
        yield listener.getsockname()[1], said
        thread.join(timeout=10)


@pytest.mark.parametrize(
    ("codes", "error"),
    [
        ((250, 550, 354), MessageRefused),
        ((250, 451, 354), MailerUnavailable),
        ((452, 503, 354), MailerUnavailable),
        ((552, 503, 354), MessageRefused),
        ((250, 354, 354), MailerUnavailable),
    ],
)
def test_no_content_goes_to_a_server_that_asks_for_it_after_a_refusal(codes, error):
    """RFC 2920, section 3.1: some say "go on" to commands that came together with refused ones."""
    with server_that_answers(*codes) as (port, said), pytest.raises(error):
        mailer_to(port).send(MESSAGE, at=AT)

    assert said == [b""]


def test_whoever_is_told_to_go_on_after_the_last_line_was_not_understood():
    with server_that_answers(250, 250, 354, 354) as (port, _), pytest.raises(MailerUnavailable):
        mailer_to(port, timeout_seconds=WAIT_SECONDS).send(MESSAGE, at=AT)


def test_the_commands_before_a_message_wait_for_one_answer_only():
    """A way to the mail server and back for each of them would be most of a mail's time."""
    with server_that_answers(250, 250, 354) as (port, said), pytest.raises(SendOutcomeUnknown):
        mailer_to(port, timeout_seconds=WAIT_SECONDS).send(MESSAGE, at=AT)

    assert said[0].endswith(b"\r\n.\r\n")
