"""Where a reader unsubscribes from optional messages: a page with one button, and what it does.

Mail programs do it by one POST of their own when their user says so; for everybody else there is
the page. Asking for the page changes nothing, for programs look at the links in a mail before its
reader does. Every message is answered alike, known or not. What the body of a POST says is not
asked: nobody posts here for anything else.

Source: docs/http.md, "Unsubscribing"; lesson L12; RFC 8058.
"""

import re

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, Response

from offramp.adapters.message.page import LinkPages
from offramp.engine.bounces import take_back
from offramp.engine.context import Context
from offramp.engine.optional import PATH
from offramp.ports import Return, Returned

_MESSAGE = re.compile(r"[0-9a-f]{32}")  # anything else need not be looked for


def unsubscribe_routes(context: Context, pages: LinkPages) -> APIRouter:
    """Give the routes of the address in a mail's header; whoever has a mail may ask."""
    routes = APIRouter(prefix=f"/{PATH}", include_in_schema=False)
    policy = (
        f"default-src 'none'; style-src {pages.style_source}; "
        "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    )

    def page_of(request: Request, *, is_done: bool) -> Response:
        wanted = request.headers.get("accept-language", "")
        text = pages.unsubscribing(wanted=wanted, is_done=is_done)
        return HTMLResponse(text, headers={"Content-Security-Policy": policy})

    @routes.api_route("", methods=["GET", "HEAD"])
    def ask(request: Request) -> Response:
        return page_of(request, is_done=False)

    @routes.post("")
    def unsubscribe(request: Request, message: str = "") -> Response:
        if _MESSAGE.fullmatch(message):
            take_back(context, Returned(message=message, why=Return.DECLINED))
        return page_of(request, is_done=True)

    return routes
