"""What is told when a request is larger than its route takes: a document like every other problem.

The framework refuses such a request before anything of ours sees it, in a line of text.

Source: docs/http.md, "What comes back"; RFC 9110, section 15.5.14; RFC 9457.
"""

from http import HTTPStatus

from fastapi import FastAPI
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from offramp.web.api.guard import SAFE
from offramp.web.api.problem import problem

TOO_LARGE = HTTPStatus.REQUEST_ENTITY_TOO_LARGE
_PLAIN = "/access/"  # where every error is a line of text


class LargeRefused(FastAPI):
    """An application whose refusal of large requests is told in our words."""

    def build_middleware_stack(self) -> ASGIApp:
        """Stand around everything else."""
        inner = super().build_middleware_stack()

        async def told(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] != "http" or scope["path"].startswith(_PLAIN):
                await inner(scope, receive, send)
                return
            is_replaced = False

            async def send_ours(message: Message) -> None:
                nonlocal is_replaced
                if _is_bare_refusal(message):
                    is_replaced = True
                    detail = "The request is larger than what is taken here."
                    await problem(TOO_LARGE, headers=SAFE, detail=detail)(scope, receive, send)
                elif not is_replaced:
                    await send(message)

            await inner(scope, receive, send_ours)

        return told


def _is_bare_refusal(message: Message) -> bool:
    if message["type"] != "http.response.start" or message["status"] != TOO_LARGE:
        return False
    return Headers(raw=message["headers"]).get("content-type", "").startswith("text/plain")
