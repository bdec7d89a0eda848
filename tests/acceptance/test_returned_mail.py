"""What came back is handed in over HTTP: by a mail server, and by a provider of mail (A4)."""

import json
import time
from base64 import b64encode

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256

from tests.acceptance.installation import ACCESS_KEY, LEAVING, served
from tests.acceptance.test_cli_mail import REPORT, RETURNS, SIOBHAN, achievements, written

KEY = "only-for-what-comes-back-0123456789"
NONE = {"noted": 0, "known": 0, "nobodys": 0, "other": 0}
BY_MAIL, BY_SENDGRID = "/hooks/mail/returned", "/hooks/mail/sendgrid"


@pytest.fixture
def sendgrid():
    """The key with which a provider signs."""
    return ec.generate_private_key(ec.SECP256R1())


@pytest.fixture
def installation(installation, sendgrid):
    """An installation whose doors for what comes back are open."""
    der = sendgrid.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    installation.settings |= {
        "OFFRAMP_MAIL_RETURNS_TO": RETURNS,
        "OFFRAMP_RETURNS_KEYS": KEY,
        "OFFRAMP_RETURNS_SENDGRID_KEYS": b64encode(der).decode(),
    }
    return installation


def told_by(sendgrid, mail, **event):
    """Write one event about a mail as a provider does, and sign it now."""
    body = json.dumps([{"smtp-id": mail.message["Message-ID"], "email": SIOBHAN, **event}])
    timestamp = str(int(time.time()))
    signature = sendgrid.sign((timestamp + body).encode(), ec.ECDSA(SHA256()))
    return {
        "content": body,
        "headers": {
            "X-Twilio-Email-Event-Webhook-Timestamp": timestamp,
            "X-Twilio-Email-Event-Webhook-Signature": b64encode(signature).decode(),
        },
    }


def test_a_mail_server_hands_a_report_in_and_learns_nothing_of_anybody(installation, smtp):  # A4
    installation.say("run")
    (mail,) = achievements(smtp)
    report = REPORT.format(to=mail.sender, of=SIOBHAN)

    with served(installation) as server:
        first = server.ask("POST", BY_MAIL, key=KEY, content=report)
        second = server.ask("POST", BY_MAIL, key=KEY, content=report)
        refused = server.ask("POST", BY_MAIL, key=ACCESS_KEY, content=report)
        _, printed, told = server.stop()

    assert first.json() == {**NONE, "noted": 1}
    assert second.json() == {**NONE, "known": 1}
    assert refused.status_code == 401
    assert printed + told == ""
    (lost,) = written(installation, "--lost")
    assert (lost["status"], lost["reason"]) == ("bounced", "5.2.2")


def test_a_provider_tells_of_a_message_that_it_gave_up(installation, smtp, sendgrid):  # A4
    installation.say("run")
    (mail,) = achievements(smtp)
    forged = told_by(ec.generate_private_key(ec.SECP256R1()), mail, event="bounce")

    with served(installation) as server:
        refused = server.ask("POST", BY_SENDGRID, key=None, **forged)
        late = server.ask(
            "POST", BY_SENDGRID, key=None, **told_by(sendgrid, mail, event="deferred")
        )
        noted = server.ask(
            "POST", BY_SENDGRID, key=None, **told_by(sendgrid, mail, event="bounce", status="5.1.1")
        )

    assert refused.status_code == 401
    assert (late.json(), noted.json()) == ({**NONE, "other": 1}, {**NONE, "noted": 1})
    (lost,) = written(installation, "--lost")
    assert (lost["status"], lost["reason"]) == ("bounced", "5.1.1")


def test_what_came_back_over_http_is_sent_again(installation, smtp, sendgrid):  # A4
    installation.say("run")
    (first,) = achievements(smtp)
    with served(installation) as server:
        server.ask("POST", BY_SENDGRID, key=None, **told_by(sendgrid, first, event="dropped"))

    installation.say("mail", "resend", LEAVING, "--step", "achievements", "--lost")
    installation.say("run")

    _, second = achievements(smtp)
    assert second.message["Message-ID"] != first.message["Message-ID"]
