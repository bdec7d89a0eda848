"""The small server of a worker: it listens where it is told to, on threads that end with it.

It speaks HTTP without encryption or passwords, so it listens on this machine unless a host is
named.

Source: docs/operations.md.
"""

import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from socketserver import TCPServer, ThreadingMixIn
from threading import Thread

from offramp.core.errors import frames_of
from offramp.ports import Happening, Report
from offramp.web.address import open_listener, url_of
from offramp.web.monitor import Monitor

REQUEST_SECONDS_MAX = 5  # between two bytes of whoever asks


@contextmanager
def serving(monitor: Monitor, text: str, *, report: Report) -> Iterator[str]:
    """Answer requests for as long as the block runs, and give the address to ask.

    Raises:
        ListenAddressInvalid: the text is no address.
        ListenAddressUnavailable: another program listens there, or there is no such host.
    """
    listener = open_listener(text)
    server = _Server(listener, monitor=monitor, report=report)
    thread = Thread(target=server.serve_forever, name="monitor", daemon=True)
    thread.start()
    try:
        yield url_of(listener)
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Server(ThreadingMixIn, TCPServer):
    """One thread for each request."""

    daemon_threads = True
    block_on_close = False

    def __init__(self, listener: socket.socket, *, monitor: Monitor, report: Report) -> None:
        super().__init__(listener.getsockname()[:2], _Handler, bind_and_activate=False)
        self.socket.close()
        self.socket = listener
        self.monitor = monitor
        self.report = report

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
