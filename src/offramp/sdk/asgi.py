"""The gate before an ASGI application: FastAPI, Starlette, and whatever else speaks it.

What is said on an open websocket is asked about as well, in both directions, message by message.

Source: ASGI 3.0, HTTP and WebSocket message formats 2.5.
"""

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, TypeAlias

from offramp.sdk.gate import Asked, Gate, Visit
from offramp.sdk.guard import AccessDenied
from offramp.sdk.refusal import Refusal

Message: TypeAlias = MutableMapping[str, Any]
Scope: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]
Application: TypeAlias = Callable[[Scope, Receive, Send], Awaitable[None]]

AGAINST_POLICY = 1008  # RFC 6455, section 7.4.1


class AsgiAccess:
    """Passes requests on that may be made, and answers the others."""

    def __init__(self, app: Application, gate: Gate) -> None:
        """Stand before an application."""
        self._app, self._gate = app, gate

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Judge a request."""
        if scope["type"] == "http":
            await self._request(scope, receive, send)
        elif scope["type"] == "websocket":
            await self._conversation(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    async def _request(self, scope: Scope, receive: Receive, send: Send) -> None:
        visit = _visit(scope, method=scope["method"])
        asked = self._gate.ask(visit)
        refusal = None if asked is None else await self._decide(visit, asked)
        if refusal is not None:
            await _answer(refusal, send, is_head=visit.method == "HEAD")
            return
        has_begun = False

        async def note(message: Message) -> None:
            nonlocal has_begun
            has_begun = True
            await send(message)

        try:
            await self._app(scope, receive, note)
        except AccessDenied as denied:
            if has_begun:
                raise
            await _answer(self._gate.refuse(visit, denied), send, is_head=visit.method == "HEAD")

    async def _conversation(self, scope: Scope, receive: Receive, send: Send) -> None:
        visit = _visit(scope, method="GET")
        asked = self._gate.ask(visit)
        if asked is None:
            await self._app(scope, receive, send)
            return
        is_over = False

        async def is_refused() -> bool:
            """Ask again, and hang up where the answer has changed."""
            nonlocal is_over
            if not is_over and await self._decide(visit, asked) is not None:
                is_over = True
                await send({"type": "websocket.close", "code": AGAINST_POLICY})
            return is_over

        async def hear() -> Message:
            message = await receive()
            if message["type"] == "websocket.receive" and await is_refused():
                return {"type": "websocket.disconnect", "code": AGAINST_POLICY, "reason": ""}
            return message

        async def say(message: Message) -> None:
            if not await is_refused():
                await send(message)

        if not await is_refused():
            await self._app(scope, hear, say)

    async def _decide(self, visit: Visit, asked: Asked) -> Refusal | None:
        """Wait elsewhere for the first snapshot of an organization, so that nobody else does."""
        if self._gate.is_at_hand(asked):
            return self._gate.decide(visit, asked)
        return await asyncio.to_thread(self._gate.decide, visit, asked)


def _visit(scope: Scope, *, method: str) -> Visit:
    headers = {name.decode("latin-1").lower(): value for name, value in scope["headers"]}
    return Visit(
        method=method,
        path=scope["path"],
        headers={name: value.decode("latin-1") for name, value in headers.items()},
        native=scope,
    )


async def _answer(refusal: Refusal, send: Send, *, is_head: bool) -> None:
    headers = [(name.lower().encode(), value.encode()) for name, value in refusal.headers]
    await send({"type": "http.response.start", "status": refusal.status, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if is_head else refusal.body})
