"""How a route of the console answers what it cannot do: with a page, or by asking to sign in.

Source: core/errors.py, which says what each error means outside.
"""

from collections.abc import Callable, Coroutine
from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from fastapi.routing import APIRoute
from starlette.concurrency import run_in_threadpool

from offramp.core.errors import OfframpError
from offramp.web.console.door import ROOT, Door, SignInNeeded, own_path
from offramp.web.console.page import ConsolePages

Handler = Callable[[Request], Coroutine[Any, Any, Response]]


def route_class(door: Door, pages: ConsolePages) -> type[APIRoute]:
    """Make the class of every route of the console."""

    class ConsoleRoute(APIRoute):
        """Answers errors of ours with a page."""

        def get_route_handler(self) -> Handler:
            """Stand around the route's own handler."""
            handle = super().get_route_handler()

            async def answer(request: Request) -> Response:
                try:
                    return await handle(request)
                except SignInNeeded:
                    return _lead_to_sign_in(pages, request)
                except OfframpError as error:
                    return await run_in_threadpool(
                        _tell, door, pages, request, error.http_status, str(error), error.hint
                    )
                except RequestValidationError:
                    told = "What was asked for cannot be understood."
                    status = HTTPStatus.UNPROCESSABLE_ENTITY
                    return await run_in_threadpool(_tell, door, pages, request, status, told, None)

            return answer

    return ConsoleRoute


def _lead_to_sign_in(pages: ConsolePages, request: Request) -> Response:
    """Ask to sign in, and remember a page that was wanted; a form is not sent a second time."""
    wanted = own_path(request) if request.method in ("GET", "HEAD") else ROOT
    return pages.lead(request, f"{ROOT}/sign-in?{urlencode({'to': wanted})}")


def _tell(
    door: Door, pages: ConsolePages, request: Request, status: int, told: str, hint: str | None
) -> Response:
    return pages.problem(status=status, told=told, hint=hint, signed_in=door.find(request))
