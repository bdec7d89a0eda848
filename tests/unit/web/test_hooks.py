"""What others hand in over HTTP: believed only of whom it is from, counted once, told of nobody."""

import json
from base64 import b64encode
from dataclasses import replace
from datetime import timedelta
from functools import cache

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.x509.oid import NameOID
from fastapi.testclient import TestClient

from offramp.adapters.document_https import DocumentUnavailable
from offramp.config import Settings
from offramp.core.policy import Audience
from offramp.ports import DeliveryStatus
from offramp.testing.world import World
from offramp.web.api.access_key import AccessKeys, AccessKeyWeak
from offramp.web.api.app import BODY_BYTES_MAX, create_app
from offramp.web.api.hooks import REPORT_BYTES_MAX, Hooks
from offramp.web.api.sender import AGE_HOURS_MAX, AHEAD_MINUTES_MAX
from offramp.web.api.sender_amazon import REFETCH_SECONDS, Amazon, TopicUnreadable
from offramp.web.api.sender_sendgrid import SIGNATURE, TIMESTAMP, SendGrid, SendGridKeyUnreadable
from tests.contract.mailbox_contract import report
from tests.contract.store_world import LEAVING, NOW, claim_one, fill

KEY = "returns-" + "k" * 32
ID = "0123456789abcdef" * 2
COMPLAINT = report(ID).replace(b"message/delivery-status", b"message/feedback-report")
NONE = {"noted": 0, "known": 0, "nobodys": 0, "other": 0}
NOTED = {**NONE, "noted": 1}
TOPIC = "arn:aws:sns:eu-west-1:123456789012:complaints"
HOST = "sns.eu-west-1.amazonaws.com"
CERTIFICATE = f"https://{HOST}/SimpleNotificationService-0a1b2c3d.pem"
CONFIRM = f"https://{HOST}/?Action=ConfirmSubscription&TopicArn={TOPIC}&Token=abc"


@cache
def curve_key(number):
    return ec.generate_private_key(ec.SECP256R1())


@cache
def rsa_key(number):
    return rsa.generate_private_key(65537, 2048)


def public(key):
    """Write a public key as SendGrid shows it."""
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    return b64encode(key.public_key().public_bytes(serialization.Encoding.DER, form)).decode()


NO_CURVE = public(rsa_key(1))


@cache
def certificate(number=1, *, days=10):
    """Write a certificate of Amazon's, good for so many days."""
    key, at = rsa_key(number), NOW.to_stdlib()
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "sns.amazonaws.com")])
    signed = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(at - timedelta(days=20))
        .not_valid_after(at + timedelta(days=days))
        .sign(key, SHA256())
    )
    return signed.public_bytes(serialization.Encoding.PEM)


class Internet:
    """The hosts of the world, of which one is asked.

    Attributes:
        asked: host and target, in order.
    """

    def __init__(self):
        self.documents = {CERTIFICATE: certificate(), CONFIRM: b"<ok/>"}
        self.asked = []

    def __call__(self, host, target):
        self.asked.append(f"https://{host}{target}")
        if self.asked[-1] not in self.documents:
            raise DocumentUnavailable(host=host, reason="404")
        return self.documents[self.asked[-1]]


@pytest.fixture
def internet():
    return Internet()


@pytest.fixture
def elapsed():
    """Seconds on a clock that only runs forward, in a list of one."""
    return [1000.0]


@pytest.fixture
def world():
    """A world in which one message was accepted."""
    world = World(NOW)
    fill(world.store, LEAVING)
    claim_one(world.store)
    with world.store.transaction() as transaction:
        transaction.fan_out(LEAVING, step="warn", audience=Audience.ADMINS)
        (delivery,) = transaction.deliveries("leaving")
        accepted = replace(
            delivery, status=DeliveryStatus.ACCEPTED, accepted_at=NOW, message=ID, attempts=1
        )
        transaction.save_deliveries([accepted], at=NOW)
    return world


@pytest.fixture
def client(world, internet, elapsed):
    """Somebody who reaches a server at which all doors are open."""
    hooks = Hooks(
        keys=AccessKeys.parse(KEY),
        sendgrid=SendGrid.parse(f"{public(curve_key(1))} {public(curve_key(2))}", path=""),
        amazon=Amazon.parse(TOPIC, path="", fetch=internet, elapsed=lambda: elapsed[0]),
    )
    context = replace(world.context, probe=lambda point: None)
    return TestClient(
        create_app(context, access_keys=AccessKeys(), hooks=hooks), raise_server_exceptions=False
    )


def statuses(world):
    with world.store.transaction() as transaction:
        return [delivery.status.value for delivery in transaction.deliveries("leaving")]


class TestReports:
    def hand_in(self, client, content=COMPLAINT, **headers):
        given = {"Content-Type": "message/rfc822", "Authorization": f"Bearer {KEY}", **headers}
        return client.post("/hooks/mail/returned", content=content, headers=given)

    def test_a_report_is_noted_once_and_nobody_hears_whose_it_is(self, client, world):
        answers = [self.hand_in(client) for _ in range(2)]

        assert [answer.status_code for answer in answers] == [200, 200]
        assert [answer.json() for answer in answers] == [NOTED, {**NONE, "known": 1}]
        assert statuses(world) == ["complained"]

    @pytest.mark.parametrize(
        ("content", "count"),
        [
            (report("f" * 32), "nobodys"),
            (b"Subject: Away\n\nUntil Monday.", "other"),
            (b"", "other"),
        ],
        ids=["nobody's", "away", "nothing"],
    )
    def test_what_is_no_report_of_ours_is_said_to_be_none(self, client, world, content, count):
        assert self.hand_in(client, content).json() == {**NONE, count: 1}
        assert statuses(world) == ["accepted"]

    @pytest.mark.parametrize(
        "kind", ["application/x-www-form-urlencoded", "application/json", "text/plain", ""]
    )
    def test_a_report_is_taken_as_it_is_whatever_it_is_called(self, client, kind):
        """What curl sends has a name of its own."""
        assert self.hand_in(client, **{"Content-Type": kind}).json() == NOTED

    def test_a_program_that_knows_passwords_alone_shows_the_key_as_one(self, client):
        shown = b64encode(f"anybody:{KEY}".encode()).decode()

        assert self.hand_in(client, Authorization=f"Basic {shown}").json() == NOTED

    @pytest.mark.parametrize(
        "shown",
        [
            "",
            f"Bearer {KEY}x",
            f"Basic {b64encode(b'anybody:guess').decode()}",
            f"Basic {b64encode(KEY.encode()).decode()}",
            "Basic !",
            f"Digest {KEY}",
        ],
    )
    def test_without_the_key_nothing_is_taken(self, client, world, shown):
        answer = self.hand_in(client, Authorization=shown)

        assert answer.status_code == 401
        assert answer.headers["content-type"] == "application/problem+json"
        assert "Basic" in answer.headers["www-authenticate"]
        assert statuses(world) == ["accepted"]

    def test_the_key_opens_nothing_else(self, client):
        answer = client.get("/v1/anything", headers={"Authorization": f"Bearer {KEY}"})

        assert answer.status_code in (401, 404)

    def test_a_report_may_bring_back_a_message_with_its_files(self, client):
        content = COMPLAINT + b"x" * (10 * BODY_BYTES_MAX)

        assert self.hand_in(client, content).json() == NOTED

    @pytest.mark.parametrize("is_announced", [True, False])
    def test_a_report_that_is_too_long_is_not_read(self, client, world, is_announced):
        content = COMPLAINT + b"x" * REPORT_BYTES_MAX

        answer = self.hand_in(client, content if is_announced else iter([content]))

        assert answer.status_code == 413
        assert statuses(world) == ["accepted"]


class TestSendGrid:
    BODY = json.dumps([{"event": "spamreport", "smtp-id": f"<{ID}@vendor.example>"}]).encode()

    def hand_in(self, client, *, body=BODY, key=1, at=NOW, **changes):
        timestamp = str(at.timestamp())
        signature = curve_key(key).sign(timestamp.encode() + body, ec.ECDSA(SHA256()))
        given = {TIMESTAMP: timestamp, SIGNATURE: b64encode(signature).decode()}
        sent = changes.pop("sent", body)
        headers = {name: value for name, value in (given | changes).items() if value is not None}
        return client.post("/hooks/mail/sendgrid", content=sent, headers=headers)

    def test_what_is_signed_is_noted_once(self, client, world):
        answers = [self.hand_in(client).json() for _ in range(2)]

        assert answers == [NOTED, {**NONE, "known": 1}]
        assert statuses(world) == ["complained"]

    def test_a_second_key_is_good_too(self, client):
        assert self.hand_in(client, key=2).json() == NOTED

    @pytest.mark.parametrize("hours", [0, AGE_HOURS_MAX - 1])
    def test_what_is_tried_again_for_a_day_is_taken(self, client, hours):
        assert self.hand_in(client, at=NOW.subtract(hours=hours)).json() == NOTED

    @pytest.mark.parametrize(
        "given",
        [
            {"key": 3},
            {"sent": BODY + b" "},
            {"sent": BODY.replace(b"spamreport", b"bounce")},
            {"at": NOW.subtract(hours=AGE_HOURS_MAX)},
            {"at": NOW.add(minutes=AHEAD_MINUTES_MAX)},
            {TIMESTAMP: None},
            {TIMESTAMP: ""},
            {TIMESTAMP: str(NOW.timestamp() + 1)},
            {TIMESTAMP: "9" * 30},
            {SIGNATURE: None},
            {SIGNATURE: ""},
            {SIGNATURE: "not base64"},
            {SIGNATURE: b64encode(b"not a signature").decode()},
        ],
        ids=str,
    )
    def test_what_is_not_signed_or_not_lately_is_refused(self, client, world, given):
        answer = self.hand_in(client, **given)

        assert answer.status_code == 401
        assert statuses(world) == ["accepted"]

    def test_an_instant_that_is_none_is_refused_even_where_it_is_signed(self, client, world):
        signature = curve_key(1).sign(b"soon" + self.BODY, ec.ECDSA(SHA256()))
        given = {TIMESTAMP: "soon", SIGNATURE: b64encode(signature).decode()}

        assert self.hand_in(client, **given).status_code == 401

    def test_what_is_signed_and_no_list_of_events_is_told(self, client):
        answer = self.hand_in(client, body=b"{}")

        assert (answer.status_code, answer.json()["code"]) == (422, "EventsUnreadable")


class TestAmazon:
    NEWS = json.dumps(
        {
            "notificationType": "Complaint",
            "mail": {"headers": [{"name": "Message-ID", "value": f"<{ID}@vendor.example>"}]},
            "complaint": {},
        }
    )

    def letter(self, **changes):
        """Write a letter as SNS does, without its signature."""
        return {
            "Type": "Notification",
            "MessageId": "22b80b92-fdea-4c2c-8f9d-bdfb0c7bf324",
            "TopicArn": TOPIC,
            "Message": self.NEWS,
            "Timestamp": NOW.format_iso(),
            "SignatureVersion": "2",
            "SigningCertURL": CERTIFICATE,
            "UnsubscribeURL": "https://elsewhere.example/",
            **changes,
        }

    def sign(self, letter, *, names=None):
        """Sign the fields that the documentation names, in its order."""
        names = names or ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type")
        text = "".join(f"{name}\n{letter[name]}\n" for name in names if name in letter)
        signature = rsa_key(1).sign(text.encode(), padding.PKCS1v15(), SHA256())
        return {**letter, "Signature": b64encode(signature).decode()}

    def question(self, **changes):
        letter = self.letter(
            Type="SubscriptionConfirmation",
            Message="You have chosen to subscribe",
            Token="abc",
            SubscribeURL=CONFIRM,
            **changes,
        )
        names = ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type")
        return self.sign(letter, names=names)

    def hand_in(self, client, letter):
        body = letter if isinstance(letter, bytes) else json.dumps(letter).encode()
        headers = {"Content-Type": "text/plain; charset=UTF-8"}
        return client.post("/hooks/mail/amazon", content=body, headers=headers)

    @pytest.mark.parametrize("changes", [{}, {"Subject": "Amazon SES Email Event Notification"}])
    def test_what_is_signed_is_noted_once(self, client, world, internet, changes):
        letter = self.sign(self.letter(**changes))

        answers = [self.hand_in(client, letter).json() for _ in range(2)]

        assert answers == [NOTED, {**NONE, "known": 1}]
        assert statuses(world) == ["complained"]
        assert internet.asked == [CERTIFICATE]

    def test_a_subscription_to_a_topic_of_ours_is_confirmed(self, client, internet):
        answer = self.hand_in(client, self.question())

        assert answer.json() == {**NONE, "other": 1}
        assert internet.asked == [CERTIFICATE, CONFIRM]

    def test_a_confirmation_that_was_not_heard_is_asked_for_again(self, client, internet):
        del internet.documents[CONFIRM]

        answer = self.hand_in(client, self.question())

        assert (answer.status_code, answer.json()["code"]) == (503, "DocumentUnavailable")

    @pytest.mark.parametrize(
        "address",
        [
            "https://evil.example/?Action=ConfirmSubscription",
            "http://sns.eu-west-1.amazonaws.com/?Action=ConfirmSubscription",
            "https://sns.us-east-1.amazonaws.com/?Action=ConfirmSubscription",
            "https://sns.eu-west-1.amazonaws.com.evil.example/",
            "https://sns.eu-west-1.amazonaws.com:8443/",
            "https://sns.eu-west-1.amazonaws.com@evil.example/",
            "https://sns.eu-west-1.amazonaws.com/\r\nHost: evil.example",
            "",
        ],
    )
    def test_no_letter_sends_us_to_another_host(self, client, internet, address):
        """Not even one that is signed."""
        letter = {**self.question(), "SubscribeURL": address}
        names = ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type")

        confirmed = self.hand_in(client, self.sign(letter, names=names))
        noted = self.hand_in(client, self.sign(self.letter(SigningCertURL=address)))

        assert (confirmed.status_code, noted.status_code) == (401, 401)
        assert internet.asked == [CERTIFICATE]

    @pytest.mark.parametrize(
        "changes",
        [
            {"TopicArn": TOPIC.replace("complaints", "other")},
            {"TopicArn": TOPIC.replace("123456789012", "999999999999")},
            {"SignatureVersion": "1"},
            {"Timestamp": NOW.subtract(hours=AGE_HOURS_MAX).format_iso()},
            {"Timestamp": NOW.add(minutes=AHEAD_MINUTES_MAX).format_iso()},
            {"SigningCertURL": f"https://{HOST}/other.pem"},
            {"SigningCertURL": f"{CERTIFICATE}?x=1"},
            {"SigningCertURL": f"https://{HOST}/../SimpleNotificationService-0a.pem"},
        ],
        ids=str,
    )
    def test_what_is_signed_and_not_for_us_is_refused_unasked(
        self, client, world, internet, changes
    ):
        answer = self.hand_in(client, self.sign(self.letter(**changes)))

        assert answer.status_code == 401
        assert internet.asked == []
        assert statuses(world) == ["accepted"]

    @pytest.mark.parametrize("field", ["Message", "MessageId", "Timestamp", "Subject", "Type"])
    def test_what_was_changed_after_it_was_signed_is_refused(self, client, world, field):
        signed = self.sign(self.letter(Subject="news"))
        changed = {
            "Message": self.NEWS.replace("Complaint", "Bounce"),
            "MessageId": "other",
            "Timestamp": NOW.subtract(hours=1).format_iso(),
            "Subject": "olds",
            "Type": "UnsubscribeConfirmation",
        }

        answer = self.hand_in(client, {**signed, field: changed[field]})

        assert answer.status_code == 401
        assert statuses(world) == ["accepted"]

    @pytest.mark.parametrize("signature", ["", "not base64", b64encode(b"x").decode()])
    def test_what_is_not_signed_is_refused(self, client, world, signature):
        answer = self.hand_in(client, {**self.letter(), "Signature": signature})

        assert answer.status_code == 401
        assert statuses(world) == ["accepted"]

    @pytest.mark.parametrize(
        ("document", "status"),
        [
            (lambda: certificate(2), 401),
            (lambda: certificate(days=-1), 401),
            (lambda: b"<html>", 503),
        ],
        ids=["another key", "over", "none"],
    )
    def test_a_certificate_that_does_not_fit_proves_nothing(
        self, client, world, internet, document, status
    ):
        internet.documents[CERTIFICATE] = document()

        answer = self.hand_in(client, self.sign(self.letter()))

        assert answer.status_code == status
        assert statuses(world) == ["accepted"]

    def test_a_host_that_does_not_answer_is_not_asked_again_at_once(
        self, client, internet, elapsed
    ):
        """Whoever makes certificates up makes us ask once a minute."""
        madeup = [
            self.letter(SigningCertURL=f"https://{HOST}/SimpleNotificationService-{n}.pem")
            for n in range(5)
        ]
        answers = {self.hand_in(client, self.sign(each)).status_code for each in madeup}
        asked = len(internet.asked)
        elapsed[0] += REFETCH_SECONDS

        later = self.hand_in(client, self.sign(self.letter()))

        assert (answers, asked) == ({503}, 1)
        assert later.json() == NOTED

    @pytest.mark.parametrize(
        "body", [b"", b"[]", b"{}", b"\xff", b'{"Type":' * 10_000, b'{"Type": "\\ud800"}']
    )
    def test_what_is_no_letter_is_told(self, client, internet, body):
        answer = self.hand_in(client, body)

        assert (answer.status_code, answer.json()["code"]) == (422, "EventsUnreadable")
        assert internet.asked == []

    def test_in_other_parts_of_the_world_the_host_is_another_one(self):
        topics = (
            "arn:aws-cn:sns:cn-north-1:123456789012:a arn:aws-us-gov:sns:us-gov-1:123456789012:b"
        )

        amazon = Amazon.parse(topics, path="", fetch=Internet(), elapsed=lambda: 0.0)

        assert list(amazon.hosts.values()) == [
            "sns.cn-north-1.amazonaws.com.cn",
            "sns.us-gov-1.amazonaws.com",
        ]


@pytest.mark.parametrize("path", ["returned", "sendgrid", "amazon"])
def test_what_nobody_has_set_up_is_not_there(world, path):
    client = TestClient(create_app(world.context, access_keys=AccessKeys.parse(KEY)))

    answer = client.post(f"/hooks/mail/{path}", headers={"Authorization": f"Bearer {KEY}"})

    assert answer.status_code == 404


@pytest.mark.parametrize(
    ("setting", "error"),
    [
        ({"returns_keys": "letmein"}, AccessKeyWeak),
        ({"returns_sendgrid_keys": "letmein"}, SendGridKeyUnreadable),
        ({"returns_sendgrid_keys": NO_CURVE}, SendGridKeyUnreadable),
        ({"returns_amazon_topics": "complaints"}, TopicUnreadable),
        ({"returns_amazon_topics": "arn:aws:sns:evil.example/:123456789012:x"}, TopicUnreadable),
    ],
)
def test_a_setting_that_cannot_be_meant_is_refused(setting, error):
    with pytest.raises(error) as raised:
        Hooks.parse(Settings(**setting))

    assert "letmein" not in str(raised.value)
