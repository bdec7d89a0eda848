"""Whether somebody may do something, by the standard that gateways and frameworks speak.

An answer is decided by the clock and the facts in the store, so it is right at the first instant of
a day while every worker is down. A refusal is an answer like any other (200); an error is one line
of text.

Source: OpenID AuthZEN Authorization API 1.0; docs/access-api.md; mission A2; lessons L1, L7.
"""

import asyncio
import re
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, get_type_hints

from fastapi import APIRouter, Request, Response, Security
from fastapi.responses import PlainTextResponse
from fastapi.routing import APIRoute
from pydantic import BaseModel, ValidationError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from whenever import Instant

from offramp.core.access import UNKNOWN, Decision, Place
from offramp.core.errors import OfframpError
from offramp.core.policy import Capability
from offramp.core.snapshot import AccessSnapshot
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
from offramp.engine.context import Context
from offramp.engine.snapshot_cache import SnapshotCache
from offramp.web.api.authzen_search import add_searches
from offramp.web.api.caller import BEARER, Gate

PREFIX = "/access/v1"
CONFIGURATION = "/.well-known/authzen-configuration"
REQUEST_ID = "X-Request-ID"
JSON = "application/json"
THREADS_MAX = 16  # that answer at once; each waits for one small read
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
        handle = self.get_handler()

        async def answer(request: Request) -> Response:
            try:
                response = await handle(request)
            except ValidationError as error:
                response = _refusal(HTTPStatus.BAD_REQUEST, _what_is_wrong(error))
            except ClientDisconnect:
                response = _refusal(HTTPStatus.BAD_REQUEST, "It ended too early.")
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

    def get_handler(self) -> Handler:
        """Give what answers where nothing is wrong."""
        return super().get_route_handler()


def _question_route(gate: Gate) -> type[_PlainRoute]:
    """Make routes that read one document and write another, by their models and nothing else.

    An answer is looked up, so most of its time would go by in what is made for every kind of
    route. They ask for a key by themselves, and have threads of their own: no download keeps them
    waiting.
    """
    threads = ThreadPoolExecutor(max_workers=THREADS_MAX, thread_name_prefix="access")

    class QuestionRoute(_PlainRoute):
        def get_handler(self) -> Handler:
            endpoint = self.endpoint
            model: type[BaseModel] = next(iter(get_type_hints(endpoint).values()))

            async def handle(request: Request) -> Response:
                loop = asyncio.get_running_loop()
                shown = request.headers.get("Authorization")
                if not gate.knows(shown):
                    await loop.run_in_executor(threads, gate.require_anywhere, shown)
                question = model.model_validate_json(await request.body())
                answer: BaseModel = await loop.run_in_executor(threads, endpoint, question)
                return Response(answer.model_dump_json(), media_type=JSON)

            return handle

    return QuestionRoute


@dataclass(slots=True, kw_only=True)
class _Desk:
    """Answers the questions of one request, as of one instant."""

    snapshots: SnapshotCache
    now: Instant
    _taken: dict[tuple[str, str], AccessSnapshot | None] = field(default_factory=dict)

    def decide(self, question: QuestionDocument) -> Decision:
        """Answer one question; nobody knows whoever is not ours, and what is no capability."""
        place, capability = question.place, question.capability
        snapshot = self._snapshot(place)
        if place is None or snapshot is None or capability is None:
            return UNKNOWN
        return snapshot.decide(
            place.member, capability, now=self.now, surface=place.surface, product=place.product
        )

    def allowed(self, search: SearchDocument) -> frozenset[Capability]:
        """List all that somebody may do."""
        place = search.place
        snapshot = self._snapshot(place)
        if place is None or snapshot is None:
            return frozenset()
        return snapshot.allowed(
            place.member, now=self.now, surface=place.surface, product=place.product
        )

    def _snapshot(self, place: Place | None) -> AccessSnapshot | None:
        if place is None:
            return None
        key = place.organization, place.member
        if key not in self._taken:
            self._taken[key] = self.snapshots.take(place.organization, member=place.member)
        return self._taken[key]


def authzen_routes(context: Context, snapshots: SnapshotCache, gate: Gate) -> APIRouter:
    """Give the routes for questions about access."""
    routes = APIRouter(
        prefix=PREFIX,
        tags=["access"],
        route_class=_question_route(gate),
        responses=_ERRORS,
        dependencies=[Security(BEARER)],  # so that the description says it
    )

    def desk() -> _Desk:
        return _Desk(snapshots=snapshots, now=context.clock.now())

    @routes.post("/evaluation")
    def evaluation(question: QuestionDocument) -> AnswerDocument:
        """Answer one question."""
        return answer_of(desk().decide(question))

    @routes.post("/evaluations")
    def evaluations(several: QuestionsDocument) -> AnswersDocument | AnswerDocument:
        """Answer several questions as of one instant, or the one where there is no list."""
        answers, open_desk = [], desk()
        for question in several.questions():
            decision = open_desk.decide(question)
            answers.append(answer_of(decision))
            if several.options.evaluations_semantic.ends_with(decision):
                break
        return AnswersDocument(evaluations=tuple(answers)) if several.evaluations else answers[0]

    @routes.post("/search/action")
    def search_action(search: SearchDocument) -> ActionsDocument:
        """List all that somebody may do."""
        allowed = desk().allowed(search)
        names = (ActionDocument(name=each) for each in Capability if each in allowed)
        return ActionsDocument(results=tuple(names))

    add_searches(routes, context, snapshots)
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
            search_subject_endpoint=f"{base}{PREFIX}/search/subject",
            search_resource_endpoint=f"{base}{PREFIX}/search/resource",
        )

    return routes


def _refusal(status: int, message: str) -> Response:
    return PlainTextResponse(message, status_code=status)


def _what_is_wrong(error: ValidationError) -> str:
    """Name the places that are wrong, without what they said."""
    found = (
        f"{'.'.join(str(part) for part in ('body', *each['loc']))}: {each['msg']}"
        for each in error.errors(include_url=False, include_context=False, include_input=False)
    )
    return "; ".join(found)
