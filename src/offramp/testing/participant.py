"""A small service that takes part, over a real socket: the protocol in one file, to read and run.

It keeps rows in memory, for each organization and table, and does all that docs/participants.md
asks of a service: it judges signatures, carries out a request once however often it comes, erases
no more than it is asked to at once, and signs what it answers. What can go wrong on the way is
played on demand, one fault for each request.

Source: docs/participants.md; lesson L37.
"""

import hashlib
import json
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from offramp.data.sources.wire import (
    ID,
    IDEMPOTENCY_KEY,
    SIGNATURE,
    TIMESTAMP,
    EraseAnswer,
    ExportEnd,
    ExportReceipt,
    Part,
    ParticipantRequest,
    PlanAnswer,
    PlannedTable,
    Seal,
    UnknownSubject,
    VerifyAnswer,
)

TOLERANCE_SECONDS = 300
Rows = list[dict[str, Any]]
TABLES = ("messages", "contacts")  # messages name contacts, so they go first


class Fault(Enum):
    """What goes wrong with one request."""

    DOWN = "answers 503, and has done nothing"
    BROKEN = "answers 500, and has done nothing"
    BROKEN_AFTERWARDS = "answers 500 after it has done everything"
    CUT = "hangs up in the middle of its answer, after it has done everything"
    SILENT = "says nothing more, after it has done everything"
    FORGED = "signs its answer with another secret"
    REDIRECTED = "sends the caller somewhere else"
    ELSEWHERE = "answers about another subject"
    ENDLESS = "never stops answering"


@dataclass
class Participant:
    """What the service knows, and what it shall do wrong next.

    Shape:
        held: organization -> table -> rows; a row may name its `member`.
    """

    seal: Seal
    now: Callable[[], datetime]
    held: dict[str, dict[str, Rows]] = field(default_factory=dict)
    faults: list[Fault | None] = field(default_factory=list)
    asked: list[tuple[str, str]] = field(default_factory=list)
    refused: int = 0
    answered: dict[str, str] = field(default_factory=dict)
    released: threading.Event = field(default_factory=threading.Event)

    def plan(self, request: ParticipantRequest) -> PlanAnswer:
        """Name every table, in the order in which they go."""
        tables = {
            name: PlannedTable(rows=len(self._rows(request, name)), columns={"id": "integer"})
            for name in TABLES
        }
        return PlanAnswer(operation="plan", covers=covered(request), tables=tables)

    def verify(self, request: ParticipantRequest) -> VerifyAnswer:
        """Count what is left; an organization that is gone has nothing left."""
        tables = {name: len(self._rows(request, name)) for name in TABLES}
        return VerifyAnswer(operation="verify", covers=covered(request), tables=tables)

    def erase(self, request: ParticipantRequest) -> EraseAnswer:
        """Erase as many rows as one request may."""
        assert request.table is not None
        assert request.limit is not None
        mine = self._rows(request, request.table)
        going = mine[: request.limit]
        kept = self.held.get(request.organization, {}).get(request.table, [])
        kept[:] = [row for row in kept if row not in going]
        return EraseAnswer(
            operation="erase",
            covers=covered(request),
            table=request.table,
            erased=len(going),
            left=len(mine) - len(going),
        )

    def export(self, request: ParticipantRequest) -> tuple[bytes, ExportReceipt]:
        """Give the rows as lines, always in the same order, and the receipt for them."""
        assert request.table is not None
        rows = sorted(self._rows(request, request.table), key=lambda row: int(row["id"]))
        lines = "".join(f"{json.dumps(row, ensure_ascii=False)}\n" for row in rows).encode()
        receipt = ExportReceipt(
            operation="export",
            covers=covered(request),
            table=request.table,
            rows=len(rows),
            sha256=hashlib.sha256(lines).hexdigest(),
        )
        return lines, receipt

    def knows(self, request: ParticipantRequest) -> bool:
        """Whether it has ever heard of the subject; what is gone is known to be gone."""
        return request.organization in self.held

    def is_genuine(self, headers: Mapping[str, str], body: str) -> bool:
        """Judge a request's signature, and that it is of these minutes."""
        timestamp, signature = headers.get(TIMESTAMP, ""), headers.get(SIGNATURE, "")
        if not self.seal.fits(headers.get(ID, ""), timestamp, signature, body):
            return False
        return abs(int(timestamp) - self.now().timestamp()) <= TOLERANCE_SECONDS

    def _rows(self, request: ParticipantRequest, table: str) -> Rows:
        rows = self.held.get(request.organization, {}).get(table, [])
        return [row for row in rows if request.member in (None, row.get("member"))]


def covered(request: ParticipantRequest) -> list[Part]:
    """Name the parts of the subject that an answer is about: those that were asked for."""
    parts: list[Part] = ["organization"]
    if request.member is not None:
        parts.append("member")
    return parts


@contextmanager
def serve(participant: Participant, *, tls: ssl.SSLContext | None = None) -> Iterator[str]:
    """Serve a participant on this machine and yield its address."""

    class Handler(_Handler):
        service = participant

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        if tls is not None:
            server.socket = tls.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            scheme, host = ("http", "127.0.0.1") if tls is None else ("https", "localhost")
            yield f"{scheme}://{host}:{server.server_port}/offramp"
        finally:
            participant.released.set()
            server.shutdown()
            thread.join()


class _Handler(BaseHTTPRequestHandler):
    service: Participant
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing: a log would outlive the erasure."""

    def do_POST(self) -> None:
        """Answer one request, as well as it may."""
        service = self.service
        body = self.rfile.read(int(self.headers.get("content-length", "0"))).decode()
        if not service.is_genuine(dict(self.headers), body):
            service.refused += 1
            self._send(401, b"")
            return
        request = ParticipantRequest.model_validate_json(body)
        service.asked.append((request.operation, self.headers[ID]))
        fault = service.faults.pop(0) if service.faults else None
        if fault in _BEFORE:
            self._send(_BEFORE[fault], b"", {"location": "https://elsewhere.example/"})
            return
        if request.operation in ("plan", "export") and not service.knows(request):
            self._answer(404, UnknownSubject(error="unknown subject").model_dump_json())
            return
        if request.operation == "export":
            self._export(request, fault)
            return
        self._deliver(self._once(request, fault), fault)

    def _once(self, request: ParticipantRequest, fault: Fault | None) -> str:
        """Carry a request out unless it was before, under the same id."""
        service, key = self.service, self.headers[IDEMPOTENCY_KEY]
        if key not in service.answered:
            answer = getattr(service, request.operation)(request)
            service.answered[key] = answer.model_dump_json()
        text = service.answered[key]
        if fault is Fault.ELSEWHERE:
            text = json.dumps(json.loads(text) | {"covers": ["organization", "product"]})
        return text

    def _export(self, request: ParticipantRequest, fault: Fault | None) -> None:
        lines, receipt = self.service.export(request)
        text = receipt.model_dump_json()
        headers = self._sealed(text, is_forged=fault is Fault.FORGED)
        end = ExportEnd(receipt=text, timestamp=headers[TIMESTAMP], signature=headers[SIGNATURE])
        self._send(200, lines + end.model_dump_json().encode() + b"\n", fault=fault)

    def _deliver(self, text: str, fault: Fault | None) -> None:
        if fault is Fault.BROKEN_AFTERWARDS:
            self._send(500, b"")
            return
        headers = self._sealed(text, is_forged=fault is Fault.FORGED)
        self._send(200, text.encode(), headers, fault=fault)

    def _answer(self, status: int, text: str) -> None:
        self._send(status, text.encode(), self._sealed(text))

    def _sealed(self, text: str, *, is_forged: bool = False) -> Mapping[str, str]:
        service = self.service
        headers = service.seal.headers(self.headers[ID], text, at=service.now())
        return {**headers, SIGNATURE: "v1,Zm9yZ2Vk"} if is_forged else headers

    def _send(
        self,
        status: int,
        content: bytes,
        headers: Mapping[str, str] | None = None,
        *,
        fault: Fault | None = None,
    ) -> None:
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        promised = 2**40 if fault is Fault.ENDLESS else len(content)
        self.send_header("content-length", str(promised))
        self.end_headers()
        if fault in (Fault.CUT, Fault.SILENT):
            self.wfile.write(content[: len(content) // 2])
            self.wfile.flush()
            if fault is Fault.SILENT:
                self.service.released.wait()
            self.close_connection = True
            return
        with suppress(ConnectionError):  # whoever asked may have had enough
            self.wfile.write(content)
            while fault is Fault.ENDLESS and not self.service.released.is_set():
                self.wfile.write(b" " * 1024)


_BEFORE = {Fault.DOWN: 503, Fault.BROKEN: 500, Fault.REDIRECTED: 302}
