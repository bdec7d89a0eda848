"""An endpoint over a real socket: what is sent, what is made of the answer, and what is refused."""

import json
import threading
import time
from contextlib import closing, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from standardwebhooks import Webhook

from offramp.adapters import endpoint_http
from offramp.adapters.clock import SystemClock
from offramp.adapters.endpoint_http import EndpointUnusable, open_endpoints
from offramp.core.parcel import Reply
from offramp.data.endpoint_spec import EndpointSpec, WebhookFile
from offramp.data.sources import network
from offramp.data.sources.trouble import SourceUnusable
from offramp.data.sources.wire import read_secrets
from offramp.testing.keys import MemoryKeys
from offramp.testing.receiver import Answered, Receiver, Trouble, serve

NOW = SystemClock().now()
OLD, NEW, OTHER = (f"whsec_{letter * 32}" for letter in "abc")
BODY = json.dumps({"specversion": "1.0", "id": "e-1", "data": {"stage": "expired"}})


@pytest.fixture
def receiver():
    return Receiver(seal=read_secrets(NEW), now=NOW.to_stdlib)


@pytest.fixture
def address(receiver):
    with serve(receiver) as url:
        yield url


def opened(url, *, secret=NEW, may_be_private=True):
    spec = EndpointSpec(url=url, secret="env:CRM_SECRET")
    return open_endpoints(
        WebhookFile(endpoints={"crm": spec}),
        signing_key=no_key,
        environment={"CRM_SECRET": secret},
        may_be_private=may_be_private,
        elapsed=time.monotonic,
    )["crm"]


def no_key():
    raise AssertionError("what is sealed with a secret needs no key")


def post(url, *, at=NOW, **options):
    with closing(opened(url, **options)) as endpoint:
        return endpoint.post(BODY, event="e-1", at=at)


def test_an_event_arrives_signed_and_whole(address, receiver):
    reply = post(address)

    assert reply == Reply(status=204, reason="204")
    assert receiver.taken == {"e-1": json.loads(BODY)}
    (headers,) = receiver.headers
    assert headers["content-type"] == "application/cloudevents+json"
    assert headers["webhook-id"] == "e-1"


@pytest.mark.parametrize("known", [OLD, NEW])
def test_while_secrets_change_the_receiver_may_know_either(address, receiver, known):
    """The specification's own library judges it, by either secret."""
    now = SystemClock().now()  # which the library looks at; the tests began long ago
    receiver.seal, receiver.now = read_secrets(known), now.to_stdlib

    reply = post(address, at=now, secret=f"{OLD} {NEW}")

    assert reply.is_yes
    assert Webhook(known).verify(BODY, receiver.headers[0]) == json.loads(BODY)


def test_the_signature_is_of_the_attempt_and_the_id_of_the_event(address, receiver):
    for seconds in (0, 60):
        post(address, at=NOW.add(seconds=seconds))

    first, second = receiver.headers
    assert first["webhook-id"] == second["webhook-id"]
    assert first["webhook-timestamp"] != second["webhook-timestamp"]
    assert first["webhook-signature"] != second["webhook-signature"]


def test_one_connection_serves_many_events(address, receiver):
    with closing(opened(address)) as endpoint:
        for _ in range(5):
            endpoint.post(BODY, event="e-1", at=NOW)

    assert len(receiver.arrived) == 5
    assert len(receiver.connections) == 1


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_is_a_no_and_nobody_follows_it(address, receiver, status):
    receiver.script = [Answered(status=status, headers={"location": address})]

    reply = post(address)

    assert (reply.status, reply.is_yes) == (status, False)
    assert len(receiver.arrived) == 1


@pytest.mark.parametrize(
    ("written", "seconds"),
    [
        ("120", 120),
        (" 0 ", 0),
        ("-5", None),
        ("soon", None),
        ("9" * 40, None),
        ("Thu, 01 Jan 1970 00:00:00 GMT", 0),
        ("Thu, 01 Jan 1970 00:00:00", None),
        ("Fri, 31 Dec 9999 23:59:59 GMT", pytest.approx(2.5e11, rel=0.1)),
    ],
)
def test_when_to_come_back_is_read_where_it_can_be(address, receiver, written, seconds):
    receiver.script = [Answered(status=503, headers={"retry-after": written})]

    assert post(address).retry_after_seconds == seconds


@pytest.mark.parametrize(
    ("trouble", "reason"),
    [
        (Trouble.HANGS_UP, "RemoteProtocolError"),
        (Trouble.GARBLED, "RemoteProtocolError"),
        (Trouble.SILENT, "ReadTimeout"),
        (Trouble.DRIPS, "ReadTimeout"),
    ],
)
def test_an_endpoint_that_does_not_answer_in_time_is_left(
    address, receiver, monkeypatch, trouble, reason
):
    monkeypatch.setattr(endpoint_http, "ATTEMPT_SECONDS", 0.5)
    receiver.script = [trouble]
    began = time.monotonic()

    reply = post(address)

    assert (reply.status, reply.reason) == (None, reason)
    assert time.monotonic() - began < 3


def test_the_body_of_an_answer_is_not_waited_for(address, receiver):
    receiver.script = [Trouble.ENDLESS]
    began = time.monotonic()

    reply = post(address)

    assert reply.is_yes
    assert time.monotonic() - began < 3


def test_nobody_there_is_a_reply_too():
    assert post("http://127.0.0.1:1/nobody").reason == "ConnectError"


def test_a_request_that_was_not_meant_for_it_is_refused_by_the_receiver(address, receiver):
    replies = [post(address, secret=OTHER), post(address, at=NOW.subtract(hours=1))]

    assert [reply.status for reply in replies] == [401, 401]
    assert (receiver.refused, receiver.taken) == (2, {})


@pytest.mark.parametrize("address", ["127.0.0.1", "10.0.0.1", "169.254.169.254", "::1"])
def test_a_name_that_leads_inside_is_refused_at_the_moment_of_connecting(monkeypatch, address):
    """L35: a name server may answer something else each time."""
    found = [(0, 0, 0, "", ("8.8.8.8", 443)), (0, 0, 0, "", (address, 443))]
    monkeypatch.setattr(network.socket, "getaddrinfo", lambda *_args, **_options: found)

    reply = post("https://crm.example/events", may_be_private=False)

    assert reply == Reply(status=None, reason="AddressForbidden")


@pytest.mark.parametrize(
    "url",
    [
        "http://crm.example/events",
        "ftp://crm.example",
        "https://user:word@crm.example",
        "https://crm.example/?key=secret",
        "https:///events",
        "https://crm.example:port",
    ],
)
def test_an_address_that_is_not_plain_and_encrypted_is_refused(url):
    with pytest.raises(EndpointUnusable) as caught:
        opened(url, may_be_private=False)

    assert "key=secret" not in f"{caught.value}{caught.value.attributes}"


@pytest.mark.parametrize("secret", ["no-secret", "whsec_short", f"{NEW} whsec_x"])
def test_a_secret_that_is_none_is_refused_and_not_shown(secret):
    with pytest.raises(EndpointUnusable) as caught:
        opened("https://crm.example/events", secret=secret)

    assert secret not in f"{caught.value}{caught.value.attributes}"


def test_a_secret_that_is_not_set_is_named():
    with pytest.raises(SourceUnusable, match="CRM_SECRET"):
        opened("https://crm.example/events", secret="")


def test_what_is_printed_of_an_endpoint_tells_neither_its_path_nor_its_secret():
    endpoint = opened("https://crm.example:8443/a-secret-path")

    assert endpoint.place == "https://crm.example:8443"
    assert "a-secret-path" not in f"{endpoint!r}"
    assert NEW not in f"{endpoint!r}"


@contextmanager
def listener(status=202):
    """Give an address that keeps what is sent to it."""
    arrived = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            length = int(self.headers["content-length"])
            arrived.append((dict(self.headers), self.rfile.read(length).decode()))
            self.send_response(status)
            self.end_headers()

        def log_message(self, *_):
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/push", arrived
        server.shutdown()


def security_events(url, token="t0ken"):
    spec = EndpointSpec(
        url=url, secret="env:TOKEN", format="security-events", audience="https://id.example"
    )
    file = WebhookFile(source="https://quire.example/offramp", endpoints={"identity": spec})
    return open_endpoints(
        file,
        signing_key=MemoryKeys().signing_key,
        environment={"TOKEN": token},
        may_be_private=True,
        elapsed=time.monotonic,
    )["identity"]


def test_an_identity_provider_is_pushed_a_security_event_token():
    """RFC 8935, section 2.1: 202 is the answer to one that was taken."""
    told = {
        "type": "offramp.erased",
        "time": "2024-08-30T23:00:00Z",
        "data": {"organization": "acme", "member": None},
    }
    with listener() as (url, arrived), closing(security_events(url)) as endpoint:
        reply = endpoint.post(json.dumps(told), event="e-1", at=NOW)

    ((headers, body),) = arrived
    assert reply.is_yes
    assert body.count(".") == 2
    assert {name.lower(): value for name, value in headers.items()}.items() >= {
        "content-type": "application/secevent+jwt",
        "accept": "application/json",
        "authorization": "Bearer t0ken",
    }.items()


@pytest.mark.parametrize("token", ["two words", "line\nbreak", "ü"])
def test_a_token_that_no_header_can_carry_is_refused_at_the_start(token):
    with pytest.raises(EndpointUnusable) as caught:
        security_events("https://id.example/push", token=token)

    assert token not in str(caught.value)
