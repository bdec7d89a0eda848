"""The server around the answers: what HTTP asks of it, and what it does not let through."""

import http.client
import socket
from contextlib import contextmanager

import pytest

from offramp.web.address import ListenAddressInvalid, ListenAddressUnavailable
from offramp.web.monitor import Answer
from offramp.web.server import serving


class Parrot:
    """Answers with what it was asked."""

    def answer(self, method, target):
        if target == "/mistake":
            raise KeyError("Anna Byrne <anna@acme.example>")
        return Answer(status=200, body=f"{method} {target}\n".encode(), headers={"Allow": "GET"})


@contextmanager
def parrot(address="127.0.0.1:0"):
    """Serve a parrot, and give its host and port and what was reported."""
    told = []
    with serving(Parrot(), address, report=lambda event, facts: told.append((event, facts))) as url:
        host, _, port = url.removeprefix("http://").rpartition(":")
        yield host.strip("[]"), int(port), told


def ask(host, port, method, path="/"):
    connection = http.client.HTTPConnection(host, port, timeout=10)
    connection.request(method, path)
    answer = connection.getresponse()
    body = answer.read()
    connection.close()
    return answer, body


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
def test_every_method_is_answered(method):
    with parrot() as (host, port, _):
        answer, body = ask(host, port, method, "/metrics?x=1")

    assert body == f"{method} /metrics?x=1\n".encode()
    assert answer.headers["Content-Length"] == str(len(body))
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Allow"] == "GET"


def test_a_head_has_the_headers_of_a_get_and_no_body():
    with parrot() as (host, port, _):
        (get, _), (head, body) = ask(host, port, "GET", "/x"), ask(host, port, "HEAD", "/xx")

    assert body == b""
    assert int(head.headers["Content-Length"]) == int(get.headers["Content-Length"]) + 2


def test_neither_the_program_nor_the_machine_tells_its_version():
    with parrot() as (host, port, _):
        answer, _ = ask(host, port, "GET")

    assert answer.headers["Server"] == "offramp"


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"BREW /tea HTTP/1.0\r\n\r\n", b"501"),
        (b"nonsense\r\n\r\n", b""),
        (b"GET /" + b"x" * 70_000 + b" HTTP/1.0\r\n\r\n", b"414"),
    ],
)
def test_what_is_no_request_is_refused_without_being_shown(sent, status):
    with parrot() as (host, port, told), socket.create_connection((host, port), 10) as line:
        line.sendall(sent)
        answer = line.recv(65_536)

    assert b"".join(answer.split(b" ")[1:2]) == status
    assert b"tea" not in answer
    assert told == []


def test_whoever_says_nothing_holds_up_nobody():
    with parrot() as (host, port, _), socket.create_connection((host, port), 10):
        answer, _ = ask(host, port, "GET")

    assert answer.status == 200


def test_a_mistake_is_told_by_its_kind_and_its_place_and_hangs_up(capfd):
    with parrot() as (host, port, told):
        with pytest.raises(http.client.RemoteDisconnected):
            ask(host, port, "GET", "/mistake")
        after, _ = ask(host, port, "GET")

    ((event, facts),) = told
    assert (event, facts["error"]) == ("unexpected", "KeyError")
    assert facts["frames"][0].startswith("test_monitor_server.py, line ")
    assert "anna" not in str(told).casefold()
    assert capfd.readouterr() == ("", "")
    assert after.status == 200


@pytest.mark.parametrize(
    ("address", "host"), [("0", "127.0.0.1"), ("localhost:0", "127.0.0.1"), ("[::1]:0", "::1")]
)
def test_it_listens_where_it_is_told_to_and_else_on_this_machine(address, host):
    with parrot(address) as (found, port, _):
        answer, _ = ask(found, port, "GET")

    assert found in (host, "::1")
    assert answer.status == 200


@pytest.mark.parametrize(
    "address", ["", "here", "127.0.0.1", ":9464", "127.0.0.1:70000", "::1:80", "a b:80", "9464x"]
)
def test_what_is_no_address_is_refused(address):
    with pytest.raises(ListenAddressInvalid) as caught, parrot(address):
        pass

    assert "9464" in caught.value.attributes["expected"]


def test_a_port_that_is_taken_is_told():
    with (
        parrot() as (_, port, _),
        pytest.raises(ListenAddressUnavailable, match="in use"),
        parrot(f"127.0.0.1:{port}"),
    ):
        pass


def test_when_the_block_ends_nobody_listens_any_more():
    with parrot() as (host, port, _):
        pass

    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((host, port), 10)
