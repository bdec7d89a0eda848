"""Whoever is slow, or sends too much before saying what they want, keeps nobody else waiting."""

import socket
import time
from contextlib import ExitStack
from urllib.parse import urlsplit

import httpx2
import pytest

from offramp.web.api.access_key import AccessKeys
from offramp.web.api.app import create_app
from offramp.web.api.serving import HEAD_BYTES_MAX, serving
from tests.unit.web.acme import acme
from tests.unit.web.api_client import KEY

SLOW = 60  # more than there are threads for answers
PATH = "/v1/organizations/acme/holds"
HALF_A_HEAD = f"POST {PATH} HTTP/1.1\r\nHost: x\r\n"
HALF_A_BODY = (
    f"{HALF_A_HEAD}Authorization: Bearer {KEY}\r\nContent-Type: application/json\r\n"
    "Idempotency-Key: one\r\nContent-Length: 1000\r\n\r\n{"
)
SECONDS_MAX = 5.0


@pytest.fixture(scope="module")
def address():
    app = create_app(acme().context, access_keys=AccessKeys.parse(KEY))
    with serving(app) as url:
        yield url


def connected(url):
    parts = urlsplit(url)
    return socket.create_connection((parts.hostname, parts.port), timeout=10)


@pytest.mark.parametrize("sent", [HALF_A_HEAD, HALF_A_BODY])
def test_requests_that_never_end_keep_nobody_waiting(address, sent):
    with ExitStack() as stack:
        for _ in range(SLOW):
            stack.enter_context(connected(address)).sendall(sent.encode())
        began = time.monotonic()
        answer = httpx2.get(f"{address}{PATH}", headers={"Authorization": f"Bearer {KEY}"})

    assert answer.status_code == 200
    assert time.monotonic() - began < SECONDS_MAX


def test_a_head_that_does_not_end_is_cut_off(address):
    with connected(address) as client:
        client.sendall(b"GET / HTTP/1.1\r\nX: ")
        answer = b""
        try:
            for _ in range(64):
                client.sendall(b"x" * (HEAD_BYTES_MAX // 8))
            answer = client.recv(64)
        except ConnectionError:
            pass

    assert answer == b"" or b" 4" in answer


@pytest.mark.parametrize("value", ["a%0d%0aSet-Cookie:%20x=y", "%0d%0a%0d%0a<script>"])
def test_what_is_asked_for_never_becomes_a_header(address, value):
    headers = {"Authorization": f"Bearer {KEY}"}
    answer = httpx2.get(f"{address}/v1/organizations/{value}", headers=headers)

    assert answer.status_code == 404
    assert "set-cookie" not in answer.headers
    assert answer.headers["content-type"] == "application/problem+json"
