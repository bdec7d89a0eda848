"""Reports of failure and complaints, as mail servers and their people write them."""

import pytest

from offramp.documents.returned_mail import REPORT_BYTES_MAX, read_returned
from offramp.ports import Return, Returned

ID = "0123456789abcdef0123456789abcdef"
TO_US = f"bounces+{ID}@vendor.example"

FAILED = """\
Reporting-MTA: dns; mx.acme.example

Final-Recipient: rfc822; anna@acme.example
Action: failed
Status: 5.1.1
Diagnostic-Code: smtp; 550 5.7.9 no such person as anna@acme.example
"""
DELAYED = FAILED.replace("Action: failed", "Action: delayed").replace("5.1.1", "4.4.1")
HEADERS = f"""\
Message-ID: <{ID}@vendor.example>
Subject: Your achievements
"""


def report(status=FAILED, *, to="bounces@vendor.example", returned=HEADERS, kind="rfc822-headers"):
    """Write a report as a mail server does; ``kind`` is how it brings the message back."""
    family = "message" if kind == "rfc822" else "text"
    brought_back = f"--b\nContent-Type: {family}/{kind}\n\n{returned}\n" if returned else ""
    return f"""\
From: MAILER-DAEMON@mx.acme.example
To: {to}
Subject: Undelivered Mail Returned to Sender
Content-Type: multipart/report; report-type=delivery-status; boundary=b

--b
Content-Type: text/plain

Your message <{"f" * 32}@vendor.example> could not be delivered.

--b
Content-Type: message/delivery-status

{status}
{brought_back}--b--
""".encode()


COMPLAINT = report().replace(b"message/delivery-status", b"message/feedback-report")
BOUNCED = Returned(message=ID, why=Return.BOUNCED, reason="5.1.1")


@pytest.mark.parametrize(
    "content",
    [
        report(to=TO_US, returned=""),
        report(),
        report(returned=f"{HEADERS}\nDear Anna", kind="rfc822"),
        report(to=f"Bounces <{TO_US}>", returned=""),
        report(returned="").replace(b"To: bounces@", f"Delivered-To: {TO_US}\nTo: x@".encode()),
        report().replace(b"\n", b"\r\n"),
        report(FAILED.replace("failed", " Failed ")),
    ],
    ids=["our address", "headers", "message", "a name", "delivered to", "CRLF", "case"],
)
def test_a_failure_names_its_message_and_its_code(content):
    assert read_returned(content) == BOUNCED


def test_of_a_report_with_a_large_message_the_beginning_is_read():
    """Somebody who sends millions of parts takes seconds of nobody's time."""
    content = report(to=TO_US).removesuffix(b"--b--\n") + b"--b\n\n" * REPORT_BYTES_MAX

    assert read_returned(content) == BOUNCED


@pytest.mark.parametrize("subject", [f"unsubscribe {ID}", f" Unsubscribe  {ID} "])
def test_a_request_to_unsubscribe_names_its_message(subject):
    """L12."""
    content = f"From: anna@acme.example\nTo: returns@vendor.example\nSubject: {subject}\n\n"

    assert read_returned(content.encode()) == Returned(message=ID, why=Return.DECLINED)


@pytest.mark.parametrize("subject", [f"Re: unsubscribe {ID}", "unsubscribe", f"unsubscribe {ID}0"])
def test_what_only_speaks_of_unsubscribing_is_no_request(subject):
    """An answer to such a mail, by a program or by a person, asks for nothing."""
    content = f"From: anna@acme.example\nTo: returns@vendor.example\nSubject: {subject}\n\n"

    assert read_returned(content.encode()) is None


def test_a_complaint_names_its_message_and_no_reason():
    found = read_returned(COMPLAINT)

    assert found == Returned(message=ID, why=Return.COMPLAINED)


@pytest.mark.parametrize("status", ["", "no code at all", "5.1", "anna@acme.example"])
def test_a_reason_is_a_code_or_nothing(status):
    """L41: what a server writes beside it may name a person."""
    content = report(FAILED.replace("Status: 5.1.1", f"Status: {status}"))

    assert read_returned(content) == Returned(message=ID, why=Return.BOUNCED, reason=None)


def test_of_several_recipients_the_one_that_failed_counts():
    """A server reports on all of them at once."""
    relayed = FAILED.replace("failed", "relayed").replace("5.1.1", "2.0.0")
    both = relayed + "\n" + FAILED.partition("\n\n")[2]

    assert read_returned(report(both)) == BOUNCED


PARTS = range(2_000)


def nested(part):
    """Write a report with a part inside of itself, deeper than anybody would."""
    return report(to=TO_US).replace(b"--b\n", b"--b\n" + part, 1)


@pytest.mark.parametrize(
    "content",
    [
        report(DELAYED),
        report(returned=""),
        report(returned="Message-ID: <somebody@else.example>"),
        report(to=f"bounces+{ID[:-1]}@vendor.example", returned=""),
        b"Subject: Out of office\n\nI am away until Monday.",
        b"",
        b"\xff\xfe\x00 not a message",
        report()[:200],
        nested(b"Content-Type: message/rfc822\n\n" * 5_000),
        nested(
            b"".join(
                b"Content-Type: multipart/mixed; boundary=%d\n\n--%d\n" % (n, n) for n in PARTS
            )
        ),
    ],
    ids=[
        *("delayed", "nameless", "a stranger's", "half an id", "away", "empty", "noise", "cut"),
        *("messages in messages", "parts in parts"),
    ],
)
def test_everything_else_is_no_report_of_ours(content):
    assert read_returned(content) is None
