"""A small receiver of events over a real socket: what an endpoint has to do, in one file to read.

It judges the signature and the time, takes each event once however often it comes, and answers at
once. What can go wrong with an endpoint is played on demand, one fault for each request.

Source: docs/webhooks.md; Standard Webhooks 1.0.0.
"""

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from offramp.data.sources.wire import ID, SIGNATURE, TIMESTAMP, Seal

TOLERANCE_SECONDS = 300


class Trouble(Enum):
    """What goes wrong with one request, after it was kept."""

    HANGS_UP = "closes the connection without an answer"
    SILENT = "never answers"
    DRIPS = "answers a byte at a time"
    ENDLESS = "answers yes, and never stops"
    GARBLED = "answers something that is no HTTP"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """What a receiver answers: a status, and headers beside it."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)


YES = Answered(status=204)


@dataclass
class Receiver:
    """What was received.

    Attributes:
        arrived: the id of every genuine request, in order.
        taken: the events, each once, by id.
        refused: how many requests nobody had signed, or long ago.
    """

    seal: Seal
    now: Callable[[], datetime]
    script: list[Answered | Trouble] = field(default_factory=list)
    arrived: list[str] = field(default_factory=list)
    taken: dict[str, dict[str, Any]] = field(default_factory=dict)
    headers: list[dict[str, str]] = field(default_factory=list)
    connections: set[int] = field(default_factory=set)
    refused: int = 0
    released: threading.Event = field(default_factory=threading.Event)

    def is_genuine(self, headers: Mapping[str, str], body: str) -> bool:
        """Judge a signature, and that it is of these minutes."""
        timestamp, signature = headers.get(TIMESTAMP, ""), headers.get(SIGNATURE, "")
        if not self.seal.fits(headers.get(ID, ""), timestamp, signature, body):
            return False
        return abs(int(timestamp) - self.now().timestamp()) <= TOLERANCE_SECONDS

    def take(self, headers: Mapping[str, str], body: str) -> None:
        """Keep an event; one that has come before is the same event."""
        event = json.loads(body)
        self.arrived.append(headers[ID])
        self.headers.append(dict(headers))
        self.taken.setdefault(headers[ID], event)


@contextmanager
def serve(receiver: Receiver) -> Iterator[str]:
    """Serve a receiver on this machine and yield its address."""

    class Handler(_Handler):
        service = receiver

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/events/of/offramp"
        finally:
            receiver.released.set()
            server.shutdown()
            thread.join()


class _Handler(BaseHTTPRequestHandler):
    service: Receiver
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""

    def do_POST(self) -> None:
        """Take one event, and answer at once."""
        service = self.service
        body = self.rfile.read(int(self.headers.get("content-length", "0"))).decode()
        headers = {name.lower(): value for name, value in self.headers.items()}
        service.connections.add(self.client_address[1])
        if not service.is_genuine(headers, body):
            service.refused += 1
            self._answer(Answered(status=401))
            return
        service.take(headers, body)
        scripted = service.script.pop(0) if service.script else YES
        if isinstance(scripted, Answered):
            self._answer(scripted)
        else:
            with suppress(ConnectionError):  # whoever sent it may have had enough
                self._misbehave(scripted)
            self.close_connection = True

    def _answer(self, answered: Answered) -> None:
        self.send_response(answered.status)
        for name, value in answered.headers.items():
            self.send_header(name, value)
        if answered.status != YES.status:
            self.send_header("content-length", "0")
        self.end_headers()

    def _misbehave(self, trouble: Trouble) -> None:
        service = self.service
        match trouble:
            case Trouble.HANGS_UP:
                return
            case Trouble.SILENT:
                service.released.wait()
            case Trouble.DRIPS:
                while not service.released.wait(0.05):
                    self.wfile.write(b"H")
            case Trouble.GARBLED:
                self.wfile.write(b"no\r\n\r\n")
            case Trouble.ENDLESS:
                self.wfile.write(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n")
                while not service.released.is_set():
                    self.wfile.write(b"400\r\n" + b" " * 1024 + b"\r\n")
