"""A service that takes part: it is asked to plan, export, erase and verify, and signs its answers.

A request may have been carried out although its answer never came, or came broken. Then nobody
knows (L37): the service is asked to verify, and if something is left the same request goes out
again under the same id, which a service carries out once. Only a signed answer about exactly the
subject that was asked for is believed.

Source: docs/participants.md; lessons L35, L37.
"""

import hashlib
import json
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import IO, TypeVar

from pydantic import ValidationError

from offramp.core.errors import OfframpError, Unavailable
from offramp.data.erasure.fence import Fence, Pace
from offramp.data.scope import Scope
from offramp.data.source_spec import HttpSpec
from offramp.data.sources import wire
from offramp.data.sources.address import read_address
from offramp.data.sources.exchange import (
    EXPORT_SECONDS,
    Line,
    OutcomeUnknown,
    ParticipantUnreachable,
    Question,
)
from offramp.data.sources.outbound import URL_HINT, open_client, read_url
from offramp.data.sources.source import Errand, Receipt, Shape, SubjectUnknown, Tools
from offramp.data.sources.trouble import SourceUnusable

DEADLINE_SECONDS = 120.0  # for one request with all its attempts; the engine tries again later
BACK_OFF_SECONDS = (1.0, 2.0, 4.0, 8.0, 15.0, 30.0)  # the last one repeats
LINE_BYTES_MAX = 16 * 1024 * 1024
EXPORT_BYTES_MAX = 64 * 1024**3
BLOCK_BYTES = 64 * 1024

_Answer = TypeVar("_Answer", bound=wire.ParticipantAnswer)
_Result = TypeVar("_Result")
_NOBODY = Scope(organization="0")


class ErasureStuck(Unavailable):
    """The service {source} erases nothing of {table}, and says that {left} rows are left."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpSource:
    """One service."""

    name: str
    spec: HttpSpec
    line: Line

    def covers(self, scope: Scope) -> bool:
        """Whether the map says that the service tells subjects of this kind apart."""
        return set(wire.parts_of(scope)) <= set(self.spec.covers)

    def columns(self, scope: Scope) -> tuple[str, ...]:
        """Nothing but the keys of the subject is told to a service."""
        return ()

    def check(self) -> None:
        """Ask about nobody, and see that the answer is signed."""
        question = self._question("plan", _NOBODY)
        try:
            self._ask(question, _NOBODY, wire.PlanAnswer)
        except SubjectUnknown:
            return

    def tables(self, errand: Errand) -> Mapping[str, Shape]:
        """Ask for a plan: which tables there are, in the order in which they go.

        Raises:
            SubjectUnknown: the service has never heard of the subject.
        """
        plan = self._read("plan", errand.scope, wire.PlanAnswer)
        return {
            table: Shape(columns=planned.columns, schema={"type": "object"})
            for table, planned in plan.tables.items()
        }

    def lines(self, errand: Errand, table: str) -> Iterator[bytes]:
        """Take in an export to its end, prove it, and only then give its lines."""
        with tempfile.TemporaryFile() as room:
            size = self._patiently(lambda: self._take_in(errand.scope, table, room))
            room.seek(0)
            rest = size
            while rest > 0:
                block = room.read(min(BLOCK_BYTES, rest))
                if not block.endswith(b"\n"):
                    block += room.readline()
                rest -= len(block)
                yield block

    def preview(self, errand: Errand) -> Sequence[tuple[str, str]]:
        """Say what the service would be asked."""
        return [
            (table, f"ask the service at {self.line.url.host} to erase its table {table}")
            for table in self.tables(errand)
        ]

    def erase(self, errand: Errand, table: str, *, fence: Fence, pace: Pace) -> Iterator[int]:
        """Have a table erased, request by request, each in a fence of its own.

        Raises:
            OutcomeUnknown: after the last attempt nobody knows whether something is gone.
            ErasureStuck: the service goes round in a circle.
        """
        while True:
            answer = self._patiently(lambda: self._erase_or_find_gone(errand, table, fence, pace))
            yield answer.erased
            if not answer.left:
                return
            if not answer.erased:
                raise ErasureStuck(source=self.name, table=table, left=answer.left)

    def count(self, errand: Errand) -> Mapping[str, int]:
        """Ask anew what is left; that nothing is left is kept as a proof."""
        return self._patiently(lambda: self._count(errand))

    def unseen(self) -> str | None:
        """Say that a service is taken at its word."""
        return "what the service says of itself was signed by it, and nobody looked into it"

    def close(self) -> None:
        """Let go of every connection."""
        self.line.client.close()

    def _count(self, errand: Errand) -> Mapping[str, int]:
        question = self._question("verify", errand.scope)
        answer, receipt = self._ask(question, errand.scope, wire.VerifyAnswer)
        if not any(answer.tables.values()):
            errand.receipts.keep(receipt)
        return answer.tables

    def _erase_or_find_gone(
        self, errand: Errand, table: str, fence: Fence, pace: Pace
    ) -> wire.EraseAnswer:
        try:
            return self._erase(errand, table, fence, pace)
        except OutcomeUnknown:
            if not self._is_gone(errand, table):
                raise
        covers = wire.parts_of(errand.scope)
        return wire.EraseAnswer(operation="erase", covers=covers, table=table, erased=0, left=0)

    def _is_gone(self, errand: Errand, table: str) -> bool:
        """Ask whether nothing is left; a service that cannot say so leaves it unknown."""
        try:
            return self._count(errand).get(table) == 0
        except OfframpError:
            return False

    def _erase(self, errand: Errand, table: str, fence: Fence, pace: Pace) -> wire.EraseAnswer:
        """Send one request inside of one fence; waiting for the next try is done outside of it."""
        number = errand.receipts.count(self.name, "erase")
        question = Question(
            operation="erase",
            id=f"{errand.operation}.{table}.{number}",
            body=wire.request_body(errand.scope, "erase", table=table, limit=pace.rows),
        )
        with fence.chunk(f"{self.name}.{table}") as record:
            answer, receipt = self._ask(question, errand.scope, wire.EraseAnswer)
            if answer.table != table:
                raise self.line.invalid(question, "it is about another table")
            record.record(rows=answer.erased)
        errand.receipts.keep(receipt)
        return answer

    def _read(self, operation: wire.Operation, scope: Scope, model: type[_Answer]) -> _Answer:
        return self._patiently(lambda: self._ask(self._question(operation, scope), scope, model)[0])

    def _ask(
        self, question: Question, scope: Scope, model: type[_Answer]
    ) -> tuple[_Answer, Receipt]:
        receipt = self.line.ask(question)
        answer = self._parse(question, receipt.body, model)
        self._require_same_subject(question, scope, answer)
        return answer, receipt

    def _question(
        self, operation: wire.Operation, scope: Scope, *, table: str | None = None
    ) -> Question:
        """Ask something that changes nothing: each time anew, so that no old answer fits."""
        body = wire.request_body(scope, operation, table=table)
        return Question(operation=operation, id=self.line.tools.new_id(), body=body)

    def _parse(self, question: Question, text: str, model: type[_Answer]) -> _Answer:
        try:
            return model.model_validate_json(text)
        except ValidationError as error:
            raise self.line.invalid(question, "it is not as agreed") from error

    def _require_same_subject(
        self, question: Question, scope: Scope, answer: wire.ParticipantAnswer
    ) -> None:
        """Believe nobody who looked at the organization where a member was asked for."""
        if sorted(answer.covers) != sorted(wire.parts_of(scope)):
            raise self.line.invalid(question, "it is about another subject")

    def _take_in(self, scope: Scope, table: str, room: IO[bytes]) -> int:
        """Write an export into a room from its beginning, and return the size of what is proven."""
        question = self._question("export", scope, table=table)
        room.seek(0)
        room.truncate()
        intake = _Intake(room=room, refuse=lambda reason: self.line.invalid(question, reason))
        with self.line.answer(question, seconds=EXPORT_SECONDS) as parts:
            for part in parts:
                intake.add(part)
        receipt = self._proven(question, intake.end())
        self._require_same_subject(question, scope, receipt)
        if (receipt.table, receipt.rows, receipt.sha256) != (table, *intake.seen()):
            raise self.line.invalid(question, "its rows are not those of its receipt")
        return intake.size

    def _proven(self, question: Question, last: bytes) -> wire.ExportReceipt:
        try:
            end = wire.ExportEnd.model_validate_json(last)
        except ValidationError as error:
            # A line that breaks off is an answer that did, and one without an end is the same.
            raise self.line.lost(question, "the answer ends without a receipt") from error
        if not self.line.seal.fits(question.id, end.timestamp, end.signature, end.receipt):
            raise self.line.invalid(question, "its signature does not fit")
        return self._parse(question, end.receipt, wire.ExportReceipt)

    def _patiently(self, attempt: Callable[[], _Result]) -> _Result:
        """Try again, with growing pauses, for as long as that may help and the deadline allows."""
        tools = self.line.tools
        began = tools.elapsed()
        tries = 0
        while True:
            try:
                return attempt()
            except (ParticipantUnreachable, OutcomeUnknown):
                wait = BACK_OFF_SECONDS[min(tries, len(BACK_OFF_SECONDS) - 1)]
                if tools.elapsed() - began + wait > DEADLINE_SECONDS:
                    raise
                tools.pause(wait)
                tries += 1


@dataclass(kw_only=True)
class _Intake:
    """Takes in lines as they come, and keeps the last one back: it is the receipt."""

    room: IO[bytes]
    refuse: Callable[[str], OfframpError]
    held: bytes = b""
    last: bytes | None = None
    size: int = 0
    rows: int = 0

    def __post_init__(self) -> None:
        self._digest = hashlib.sha256()

    def add(self, part: bytes) -> None:
        """Take in a part of the stream."""
        *lines, self.held = (self.held + part).split(b"\n")
        if len(self.held) > LINE_BYTES_MAX:
            raise self.refuse("a line is too long")
        for line in lines:
            if self.last is not None:
                self._write(self.last)
            self.last = line

    def end(self) -> bytes:
        """Return the last line; what comes after it did not end."""
        return self.last if self.last is not None and not self.held else b""

    def seen(self) -> tuple[int, str]:
        """Return what a receipt has to say: the number of rows, and their digest."""
        return self.rows, self._digest.hexdigest()

    def _write(self, line: bytes) -> None:
        self._require_row(line)
        self.room.write(line + b"\n")
        self._digest.update(line + b"\n")
        self.rows += 1
        self.size += len(line) + 1
        if self.size > EXPORT_BYTES_MAX:
            raise self.refuse("it is too long")

    def _require_row(self, line: bytes) -> None:
        try:
            is_row = isinstance(json.loads(line, parse_constant=_refuse_constant), dict)
        except ValueError:
            is_row = False
        if not (is_row and line.startswith(b"{") and line.endswith(b"}")):
            raise self.refuse("a line is not one row of JSON")


def _refuse_constant(name: str) -> object:
    raise ValueError(name)


class HttpKind:
    """How the kind `http` is opened."""

    spec = HttpSpec

    def open(self, name: str, spec: HttpSpec, *, tools: Tools) -> HttpSource:
        """Prepare a service for use.

        Raises:
            SourceUnusable: the address or the secret is missing, or not one.
        """
        address = read_address(name, spec.url, tools.environment)
        try:
            url = read_url(address, may_be_private=tools.may_reach_private)
        except ValueError as error:
            raise SourceUnusable(source=name, reason=str(error), hint=URL_HINT) from error
        try:
            seal = wire.read_secrets(read_address(name, spec.secret, tools.environment))
        except ValueError as error:
            hint = "it is written whsec_ and at least 24 bytes in base64"
            raise SourceUnusable(source=name, reason="its secret is none", hint=hint) from error
        line = Line(source=name, url=url, seal=seal, client=open_client(), tools=tools)
        return HttpSource(name=name, spec=spec, line=line)
