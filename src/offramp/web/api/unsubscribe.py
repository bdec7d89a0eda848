"""Where a reader unsubscribes from optional messages, or takes it back: a page, and what it does.

Mail programs do it by one POST of their own when their user says so; for everybody else there is
the page. Asking for the page changes nothing, for programs look at the links in a mail before its
reader does. Every message is answered alike, known or not. A POST unsubscribes whatever its body
says, but for the one button that takes it back.

Source: docs/http.md, "Unsubscribing"; lesson L12; RFC 8058.
"""

import re

from fastapi import APIRouter, Request
from fastapi.responses import Response

from offramp.adapters.message.page import LinkPages, Wish
from offramp.engine.bounces import note_wish
from offramp.engine.context import Context
from offramp.engine.optional import PATH
from offramp.web.api.form import Body, field_of
from offramp.web.api.page import answer_page

_MESSAGE = re.compile(r"[0-9a-f]{32}")  # anything else need not be looked for


def unsubscribe_routes(context: Context, pages: LinkPages) -> APIRouter:
    """Give the routes of the address in a mail's header; whoever has a mail may ask."""
    routes = APIRouter(prefix=f"/{PATH}", include_in_schema=False)

    def page_of(request: Request, *, wish: Wish | None = None) -> Response:
        wanted = request.headers.get("accept-language", "")
        text = pages.unsubscribing(wanted=wanted, wish=wish)
        return answer_page(text, pages=pages, has_form=True)

    @routes.api_route("", methods=["GET", "HEAD"])
    def ask(request: Request) -> Response:
        return page_of(request)

    @routes.post("")
    def unsubscribe(request: Request, body: Body, message: str = "") -> Response:
        is_wanted = field_of(body, "wish") == "again"
        if _MESSAGE.fullmatch(message):
            note_wish(context, message, is_wanted=is_wanted)
        return page_of(request, wish="again" if is_wanted else "none")

    return routes
