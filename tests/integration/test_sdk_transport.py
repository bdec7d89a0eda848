"""How the SDK asks over a real socket: with its key, past redirects and proxies, not for ever."""

import socket
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest

from offramp.sdk import transport
from offramp.sdk.transport import HttpTransport, OfframpSilent

KEY = "k" * 32
PATH = "/base/v1/organizations/a%2Fb%20c/access-snapshot"


class Server(ThreadingHTTPServer):
    """Gives one answer to whatever is asked, and remembers the questions."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.asked = []
        self.said = []
        self.answer = (200, {"ETag": '"1"'}, b"{}")

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_port}/base/"


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        self.server.asked.append((self.path, dict(self.headers)))
        status, headers, body = self.server.answer
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self):
        size = int(self.headers["Content-Length"])
        self.server.said.append(self.rfile.read(size))
        self.do_GET()

    def log_message(self, *_):
        pass


@pytest.fixture
def server():
    with Server() as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def ask(server, *, etag=None, timeout_seconds=5.0):
    return HttpTransport(server.url, KEY, timeout_seconds=timeout_seconds)("a/b c", etag=etag)


def test_a_question_shows_the_key_and_names_what_is_at_hand(server):
    answer = ask(server, etag='"0"')

    ((path, headers),) = server.asked
    assert path == PATH
    assert headers["Authorization"] == f"Bearer {KEY}"
    assert headers["If-None-Match"] == '"0"'
    assert (answer.status, answer.headers["etag"], answer.body) == (200, '"1"', b"{}")


def test_a_question_for_changes_shows_the_key_and_says_what_is_at_hand(server):
    answer = HttpTransport(server.url, KEY).changes({"a/b c": "3.1"})

    ((path, headers),) = server.asked
    assert path == "/base/v1/access-snapshots/changes"
    assert headers["Authorization"] == f"Bearer {KEY}"
    assert server.said == [b'{"organizations": {"a/b c": "3.1"}}']
    assert (answer.status, answer.body) == (200, b"{}")


@pytest.mark.parametrize("status", [304, 401, 404, 500])
def test_every_status_is_an_answer(server, status):
    server.answer = (status, {}, b"" if status == 304 else b"{}")

    assert ask(server).status == status


def test_a_redirect_is_not_followed_for_it_would_be_shown_the_key(server):
    server.answer = (302, {"Location": f"{server.url}elsewhere"}, b"")

    assert ask(server).status == 302
    assert len(server.asked) == 1


def test_a_proxy_of_the_environment_is_not_used(server, monkeypatch):
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")

    assert ask(server).status == 200


def test_an_answer_that_is_too_large_is_not_read_to_its_end(server, monkeypatch):
    monkeypatch.setattr(transport, "BODY_BYTES_MAX", 100)
    server.answer = (200, {}, b"x" * 101)

    with pytest.raises(OfframpSilent, match="too large"):
        ask(server)


def test_nobody_there_nobody_answering_and_nonsense_are_silence():
    with socket.create_server(("127.0.0.1", 0)) as mute:
        port = mute.getsockname()[1]
        with pytest.raises(OfframpSilent) as silent:
            HttpTransport(f"http://127.0.0.1:{port}", KEY, timeout_seconds=0.2)("acme", etag=None)

    with pytest.raises(OfframpSilent, match="ConnectionRefusedError"):
        HttpTransport(f"http://127.0.0.1:{port}", KEY, timeout_seconds=0.2)("acme", etag=None)

    assert KEY not in str(silent.value)
    assert silent.value.retry
