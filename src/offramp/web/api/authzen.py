"""Whether somebody may do something, by the standard that gateways and frameworks speak.

An answer is decided by the clock and the facts in the store, so it is right at the first instant of
a day while every worker is down. A refusal is an answer like any other (200); an error is one line
of text.

Source: OpenID AuthZEN Authorization API 1.0; docs/access-api.md; mission A2; lessons L1, L7.
"""

import re
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import PlainTextResponse
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException
from whenever import Instant

from offramp.core.access import UNKNOWN, Decision, Place
from offramp.core.banner import Reader
from offramp.core.errors import OfframpError
from offramp.core.policy import Capability
from offramp.documents.authzen import (
    ActionDocument,
    ActionsDocument,
    AnswerDocument,
    AnswersDocument,
    Configuration,
    QuestionDocument,
    QuestionsDocument,
    SearchDocument,
    answer_of,
)
from offramp.engine.access import find_reader
from offramp.engine.context import Context
from offramp.ports import Transaction

PREFIX = "/access/v1"
CONFIGURATION = "/.well-known/authzen-configuration"
REQUEST_ID = "X-Request-ID"
_FIT_FOR_HEADERS = re.compile(r"[!-~]{1,200}")

_ERRORS: dict[int | str, dict[str, Any]] = {
    "default": {
        "description": "What is wrong, in one line.",
        "content": {"text/plain": {"schema": {"type": "string"}}},
    }
}

Handler = Callable[[Request], Coroutine[Any, Any, Response]]


class _PlainRoute(APIRoute):
    """Answers errors as text, and repeats the id that a request came with."""

    def get_route_handler(self) -> Handler:
        handle = super().get_route_handler()

        async def answer(request: Request) -> Response:
            try:
                response = await handle(request)
            except RequestValidationError as error:
                response = _refusal(HTTPStatus.BAD_REQUEST, _what_is_wrong(error))
            except HTTPException as error:
                response = _refusal(error.status_code, error.detail)
                response.headers.update(error.headers or {})
            except OfframpError as error:
                response = _refusal(error.http_status, str(error))
            request_id = request.headers.get(REQUEST_ID, "")
            if _FIT_FOR_HEADERS.fullmatch(request_id):
                response.headers[REQUEST_ID] = request_id
            return response

        return answer


@dataclass(slots=True, kw_only=True)
class _Desk:
    """Answers questions from one snapshot of the store, at one instant."""

    transaction: Transaction
    now: Instant
    _readers: dict[Place, Reader | None] = field(default_factory=dict)

    def decide(self, question: QuestionDocument) -> Decision:
        """Answer one question; nobody knows whoever is not ours, and what is no capability."""
        reader = self._reader(question)
        if reader is None or question.capability is None:
            return UNKNOWN
        return reader.decide(question.capability, now=self.now)

    def allowed(self, search: SearchDocument) -> frozenset[Capability]:
        """List all that somebody may do."""
        reader = self._reader(search)
        return frozenset() if reader is None else reader.allowed(self.now)

    def _reader(self, asked: SearchDocument) -> Reader | None:
        place = asked.place
        if place is None:
            return None
        if place not in self._readers:
            self._readers[place] = find_reader(self.transaction, place)
        return self._readers[place]


def authzen_routes(context: Context) -> APIRouter:
    """Give the routes for questions about access."""
    routes = APIRouter(prefix=PREFIX, tags=["access"], route_class=_PlainRoute, responses=_ERRORS)

    @contextmanager
    def desk() -> Iterator[_Desk]:
        with context.store.reading() as transaction:
            yield _Desk(transaction=transaction, now=context.clock.now())

    @routes.post("/evaluation")
    def evaluation(question: QuestionDocument) -> AnswerDocument:
        """Answer one question."""
        with desk() as open_desk:
            return answer_of(open_desk.decide(question))

    @routes.post("/evaluations")
    def evaluations(several: QuestionsDocument) -> AnswersDocument | AnswerDocument:
        """Answer several questions as of one instant, or the one where there is no list."""
        answers = []
        with desk() as open_desk:
            for question in several.questions():
                decision = open_desk.decide(question)
                answers.append(answer_of(decision))
                if several.options.evaluations_semantic.ends_with(decision):
                    break
        return AnswersDocument(evaluations=tuple(answers)) if several.evaluations else answers[0]

    @routes.post("/search/action")
    def search_action(search: SearchDocument) -> ActionsDocument:
        """List all that somebody may do."""
        with desk() as open_desk:
            allowed = open_desk.allowed(search)
        names = (ActionDocument(name=each) for each in Capability if each in allowed)
        return ActionsDocument(results=tuple(names))

    return routes


def configuration_routes(context: Context) -> APIRouter:
    """Give the route that says where questions about access are answered."""
    routes = APIRouter(tags=["access"], route_class=_PlainRoute)

    @routes.get(CONFIGURATION)
    def configuration(request: Request) -> Configuration:
        """Say where each kind of question is answered."""
        base = context.public_address or str(request.base_url).rstrip("/")
        return Configuration(
            policy_decision_point=base,
            access_evaluation_endpoint=f"{base}{PREFIX}/evaluation",
            access_evaluations_endpoint=f"{base}{PREFIX}/evaluations",
            search_action_endpoint=f"{base}{PREFIX}/search/action",
        )

    return routes


def _refusal(status: int, message: str) -> Response:
    return PlainTextResponse(message, status_code=status)


def _what_is_wrong(error: RequestValidationError) -> str:
    """Name the places that are wrong, without what they said."""
    found = (
        f"{'.'.join(str(part) for part in each['loc'])}: {each['msg']}" for each in error.errors()
    )
    return "; ".join(found)
