"""Where a person without an account asks for their messages again, with nothing but their address.

The answer is one and the same for everybody: whose address it is, a worker looks up later. Another
site can make a browser send the form, and has no more of it than of sending it itself: there is no
session here, and what comes of it goes to the address in the roster.

Source: docs/http.md, "Messages for whoever has no account"; docs/decisions/031-asking-again.md.
"""

from fastapi import APIRouter, Request
from fastapi.responses import Response

from offramp.adapters.message.page import LinkPages
from offramp.engine.context import Context
from offramp.engine.request import PATH, note_request
from offramp.web.api.form import Body, field_of
from offramp.web.api.page import answer_page

FORM_BYTES_MAX = 2048  # an address of 254 bytes, each of them written in three, and some room


def again_page_routes(context: Context, pages: LinkPages) -> APIRouter:
    """Give the page and what its form is sent to; anybody may ask."""
    routes = APIRouter(prefix=f"/{PATH}", include_in_schema=False)

    def page_of(request: Request, *, is_done: bool) -> Response:
        wanted = request.headers.get("accept-language", "")
        text = pages.asking_again(wanted=wanted, is_done=is_done)
        return answer_page(text, pages=pages, has_form=True)

    @routes.api_route("", methods=["GET", "HEAD"])
    def ask(request: Request) -> Response:
        return page_of(request, is_done=False)

    @routes.post("", max_body_size=FORM_BYTES_MAX)
    def send(request: Request, body: Body) -> Response:
        note_request(context, field_of(body, "address"))
        return page_of(request, is_done=True)

    return routes
