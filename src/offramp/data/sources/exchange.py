"""One signed request to a service and its signed answer, with every limit and every doubt.

What happened to a request is told by the kind of the error: `ParticipantUnreachable` when it was
certainly not carried out, or only asked something; `OutcomeUnknown` when something may be gone.
Redirects are not followed, proxies of the environment are not used, and no secret and no body is
ever told in an error: only names, operations and status codes.

Source: docs/participants.md; lessons L35, L37.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import httpx2

from offramp.core.errors import OfframpError, Refused, Unavailable, Uncertain
from offramp.data.sources import wire
from offramp.data.sources.outbound import addressed
from offramp.data.sources.source import Receipt, SubjectUnknown, Tools

ANSWER_SECONDS = 20.0  # for a whole answer: a chunk has to be over before its fence is lost
EXPORT_SECONDS = 300.0  # for a table: whoever waits longer loses the claim on its work
ANSWER_BYTES_MAX = 64 * 1024

_NOT_NOW = (408, 409, 425, 429, 503)  # nothing was done, says whoever answers so
_MISSING = 404


class ParticipantUnreachable(Unavailable):
    """The service {source} cannot be asked to {operation} now: {reason}."""


class ParticipantRefuses(Refused):
    """The service {source} does not {operation}: it answers with status {status}."""


class AnswerInvalid(Refused):
    """What the service {source} answers to {operation} is not to be believed: {reason}."""


class OutcomeUnknown(Uncertain):
    """The service {source} may have carried out {operation}, but nobody knows: {reason}."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What is asked, and under which id; the same id is the same request, however often sent."""

    operation: wire.Operation
    id: str
    body: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """The way to one service."""

    source: str
    url: httpx2.URL
    seal: wire.Seal
    client: httpx2.Client
    tools: Tools

    def ask(self, question: Question) -> Receipt:
        """Send one request and return its answer, whose signature fits.

        Raises:
            ParticipantUnreachable, OutcomeUnknown: there is no answer, or none in time.
            ParticipantRefuses, AnswerInvalid: there is one that says no, or that nobody signed.
            SubjectUnknown: the service has never heard of the subject, and signs that.
        """
        with self.answer(question, seconds=ANSWER_SECONDS) as parts:
            body = _collect(parts, lambda: self.invalid(question, "it is too long"))
            return self._receipt(question, parts.response, body)

    @contextmanager
    def answer(self, question: Question, *, seconds: float) -> Iterator["Parts"]:
        """Send one request and give its answer part by part; nothing of it is proven yet."""
        request = self._request(question)
        try:
            response = self.client.send(request, stream=True)
        except (httpx2.ConnectError, httpx2.ConnectTimeout) as error:
            raise ParticipantUnreachable(
                source=self.source, operation=question.operation, reason="it does not answer"
            ) from error
        except httpx2.HTTPError as error:
            raise self.lost(question, "the answer did not come") from error
        try:
            self._require_success(question, response)
            yield Parts(line=self, question=question, response=response, seconds=seconds)
        finally:
            response.close()

    def lost(self, question: Question, reason: str) -> OfframpError:
        """Say that there is no answer, and whether that may mean that something is gone."""
        kind = OutcomeUnknown if question.operation == "erase" else ParticipantUnreachable
        return kind(source=self.source, operation=question.operation, reason=reason)

    def invalid(self, question: Question, reason: str) -> OfframpError:
        """Say that an answer is not to be believed; what it answers may have happened (L37)."""
        kind = OutcomeUnknown if question.operation == "erase" else AnswerInvalid
        hint = "ask those who run it; docs/participants.md says what an answer looks like"
        return kind(source=self.source, operation=question.operation, reason=reason, hint=hint)

    def _request(self, question: Question) -> httpx2.Request:
        """Sign a question, and address it to the service."""
        path = f"{self.url.path.rstrip('/')}/{question.operation}"
        at = self.tools.now().to_stdlib()
        return addressed(
            self.client,
            self.url.copy_with(path=path),
            source=self.source,
            body=question.body,
            headers={
                "content-type": "application/json",
                wire.IDEMPOTENCY_KEY: question.id,
                **self.seal.headers(question.id, question.body, at=at),
            },
            may_be_private=self.tools.may_reach_private,
        )

    def _require_success(self, question: Question, response: httpx2.Response) -> None:
        status = response.status_code
        if response.is_success:
            return
        if status in _NOT_NOW:
            raise ParticipantUnreachable(
                source=self.source, operation=question.operation, reason=f"it answers {status}"
            )
        if response.is_server_error:
            raise self.lost(question, f"it answers {status}")
        if status == _MISSING:
            self._hear_of_unknown_subject(question, response)
        raise ParticipantRefuses(
            source=self.source,
            operation=question.operation,
            status=status,
            hint="are the address in the data map and the secret right? redirects are not followed",
        )

    def _hear_of_unknown_subject(self, question: Question, response: httpx2.Response) -> None:
        """Believe a service that it does not know the subject only if it signs that (L16)."""
        parts = Parts(line=self, question=question, response=response, seconds=ANSWER_SECONDS)
        body = _collect(parts, lambda: self.invalid(question, "it is too long"))
        if self._is_signed(question, response, body):
            wire.UnknownSubject.model_validate_json(body)
            raise SubjectUnknown(source=self.source)

    def _receipt(self, question: Question, response: httpx2.Response, body: str) -> Receipt:
        if not self._is_signed(question, response, body):
            raise self.invalid(question, "its signature does not fit")
        return Receipt(
            source=self.source,
            operation=question.operation,
            id=question.id,
            timestamp=response.headers[wire.TIMESTAMP],
            signature=response.headers[wire.SIGNATURE],
            body=body,
        )

    def _is_signed(self, question: Question, response: httpx2.Response, body: str) -> bool:
        headers = response.headers
        timestamp, signature = headers.get(wire.TIMESTAMP, ""), headers.get(wire.SIGNATURE, "")
        is_answer = headers.get(wire.ID) == question.id
        return is_answer and self.seal.fits(question.id, timestamp, signature, body)


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """An answer as it comes in, for as long as it may take."""

    line: Line
    question: Question
    response: httpx2.Response
    seconds: float

    def __iter__(self) -> Iterator[bytes]:
        """Yield what comes, until it ends.

        Raises:
            ParticipantUnreachable, OutcomeUnknown: it breaks off, or does not end in time.
        """
        elapsed = self.line.tools.elapsed
        began = elapsed()
        try:
            for part in self.response.iter_raw():
                yield part
                if elapsed() - began > self.seconds:
                    raise self.line.lost(self.question, "the answer takes too long")
        except httpx2.HTTPError as error:
            raise self.line.lost(self.question, "the answer broke off") from error


def _collect(parts: Parts, too_long: Callable[[], OfframpError]) -> str:
    held = bytearray()
    for part in parts:
        held += part
        if len(held) > ANSWER_BYTES_MAX:
            raise too_long()
    return held.decode(errors="replace")
