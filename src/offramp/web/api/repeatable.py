"""Routes that carry a request out once, however often it is sent with one ``Idempotency-Key``.

What is answered with success is kept, and given again; what is refused changed nothing, and may
come again. A stream, such as a copy of data, is never kept: asking for it twice changes nothing.

Source: docs/http.md, "Asking twice"; draft-ietf-httpapi-idempotency-key-header-07.
"""

import json
import re
from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException

from offramp.core.errors import Invalid, Missing, Refused, Unavailable
from offramp.engine.repetition import Asked, Replayed, answered, begin, refused
from offramp.ports import KeptAnswer
from offramp.web.api.caller import Gate

HEADER = "Idempotency-Key"
REPLAYED = "Idempotency-Replayed"
_KEY = re.compile(r"[!-~]{1,255}")
_SAFE_METHODS = frozenset({"GET", "HEAD"})
_KEPT_HEADERS = ("content-type", "etag")
_CHANGED_NOTHING = (
    *(Invalid, Refused, Missing, Unavailable),
    *(HTTPException, RequestValidationError),
)

Handler = Callable[[Request], Coroutine[Any, Any, Response]]


class IdempotencyKeyInvalid(Invalid):
    """The Idempotency-Key is none: it has 1 to 255 printable ASCII characters."""


def repeatable(gate: Gate) -> type[APIRoute]:
    """Make the class of every route below ``/v1``."""

    class RepeatableRoute(APIRoute):
        """Answers a request that comes again as it did the first time."""

        def get_route_handler(self) -> Handler:
            """Stand around the route's own handler."""
            handle = super().get_route_handler()

            async def answer(request: Request) -> Response:
                key = request.headers.get(HEADER)
                if key is None or request.method in _SAFE_METHODS:
                    return await handle(request)
                if not _KEY.fullmatch(key):
                    raise IdempotencyKeyInvalid(expected="a UUID, for instance")
                shown = request.headers.get("Authorization")
                caller = await run_in_threadpool(gate.find_in, shown)
                if caller is None:
                    return await handle(request)  # which refuses it
                asked = Asked(caller=caller.name, key=key, request=await _parts_of(request))
                return await _once(gate, asked, request, handle)

            return answer

    return RepeatableRoute


async def _once(gate: Gate, asked: Asked, request: Request, handle: Handler) -> Response:
    begun = await run_in_threadpool(begin, gate.context, asked)
    if isinstance(begun, Replayed):
        return _replay(begun)
    try:
        response = await handle(request)
    except _CHANGED_NOTHING:
        await run_in_threadpool(refused, gate.context, begun)
        raise
    await run_in_threadpool(_keep, gate, asked, begun, response)
    return response


def _keep(gate: Gate, asked: Asked, begun: KeptAnswer, response: Response) -> None:
    body = getattr(response, "body", None)
    if body is None:
        refused(gate.context, begun)
        return
    headers = {name: response.headers[name] for name in _KEPT_HEADERS if name in response.headers}
    answer = json.dumps({"headers": headers, "body": bytes(body).decode()}).encode()
    answered(gate.context, asked, begun, status=response.status_code, answer=answer)


def _replay(replayed: Replayed) -> Response:
    told = json.loads(replayed.answer)
    headers = {**told["headers"], REPLAYED: "true"}
    return Response(told["body"], status_code=replayed.status, headers=headers)


async def _parts_of(request: Request) -> list[bytes]:
    """Give all that is asked; of the body nothing is kept but a digest."""
    path, query = request.scope["path"].encode(), request.scope.get("query_string", b"")
    return [request.method.encode(), path, query, await request.body()]
