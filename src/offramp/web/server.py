"""The small server of a worker: it listens where it is told to, on threads that end with it.

It speaks HTTP without encryption or passwords, so it listens on this machine unless a host is
named.

Source: docs/operations.md.
"""

import re
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from socketserver import TCPServer, ThreadingMixIn
from threading import Thread

from offramp.core.errors import Invalid, Unavailable, frames_of
from offramp.ports import Happening, Report
from offramp.web.monitor import Monitor

HOST = "127.0.0.1"
REQUEST_SECONDS_MAX = 5  # between two bytes of whoever asks
PORT_MAX = 65_535
EXPECTED = "PORT or HOST:PORT, such as 9464 or 127.0.0.1:9464"
_ADDRESS = re.compile(r"(?:(?P<host>[\w.-]+|\[[\da-fA-F:.]+\]):)?(?P<port>\d{1,5})")


class ListenAddressInvalid(Invalid):
    """{text} is not an address to listen on."""


class ListenAddressUnavailable(Unavailable):
    """The address {text} cannot be listened on: {reason}."""


@contextmanager
def serving(monitor: Monitor, text: str, *, report: Report) -> Iterator[str]:
    """Answer requests for as long as the block runs, and give the address to ask.

    Raises:
        ListenAddressInvalid: the text is no address.
        ListenAddressUnavailable: another program listens there, or there is no such host.
    """
    server = _open(monitor, text, report=report)
    thread = Thread(target=server.serve_forever, name="monitor", daemon=True)
    thread.start()
    try:
        yield server.url
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Server(ThreadingMixIn, TCPServer):
    """One thread for each request."""

    daemon_threads = True
    block_on_close = False
    allow_reuse_address = True

    def __init__(
        self,
        address: tuple[str, int],
        *,
        family: socket.AddressFamily,
        monitor: Monitor,
        report: Report,
    ) -> None:
        self.address_family = family
        self.monitor = monitor
        self.report = report
        super().__init__(address, _Handler)

    @property
    def url(self) -> str:
        """The address to ask."""
        host, port = self.server_address[:2]
        host = f"[{host!s}]" if self.address_family == socket.AF_INET6 else f"{host!s}"
        return f"http://{host}:{port}"

    def handle_error(self, request: object, client_address: object) -> None:
        """Tell of a mistake in the same way as the engine; whoever asked is hung up on."""
        error = sys.exception()
        if error is None or isinstance(error, ConnectionError):
            return  # whoever asked is gone
        told = {"error": type(error).__name__, "frames": frames_of(error)}
        self.report(Happening.UNEXPECTED, told)


class _Handler(BaseHTTPRequestHandler):
    """Reads one request and writes its answer."""

    server: _Server
    timeout = REQUEST_SECONDS_MAX

    def _answer(self) -> None:
        answer = self.server.monitor.answer(self.command, self.path)
        self.send_response(answer.status)
        self.send_header("Content-Type", answer.content_type)
        self.send_header("Content-Length", str(len(answer.body)))
        self.send_header("Cache-Control", "no-store")
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(answer.body)

    do_GET = do_HEAD = _answer
    do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = _answer

    def version_string(self) -> str:
        """Name the program and nothing of the machine."""
        return "offramp"

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Refuse what is no request, without a page."""
        self.close_connection = True
        self.send_response(code, HTTPStatus(code).phrase)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *arguments: object) -> None:
        """Keep quiet: whoever watches asks every few seconds."""


def _open(monitor: Monitor, text: str, *, report: Report) -> _Server:
    host, port = _parse(text)
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        family, address = found[0], found[4]
        return _Server((str(address[0]), port), family=family, monitor=monitor, report=report)
    except OSError as error:
        reason = (error.strerror or "unknown reason").lower()
        raise ListenAddressUnavailable(text=text, reason=reason) from error


def _parse(text: str) -> tuple[str, int]:
    """Read an address; a port alone is one of this machine."""
    found = _ADDRESS.fullmatch(text)
    if found is None or int(found["port"]) > PORT_MAX:
        raise ListenAddressInvalid(text=text, expected=EXPECTED)
    return (found["host"] or HOST).strip("[]"), int(found["port"])
