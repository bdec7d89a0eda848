"""What is behind a link: a page that says what it leads to, and the file, in one go or in parts.

Looking counts for nothing, for programs look at the links in a mail before its reader does. Every
link that leads nowhere is answered alike, whatever the reason.

Source: docs/http.md, "Links to data"; lesson L14; RFC 9110, section 14 (ranges); RFC 6266.
"""

from http import HTTPStatus

from fastapi import APIRouter, Request
from fastapi.responses import Response

from offramp.adapters.message.page import LinkPages
from offramp.core.link import Download
from offramp.engine.context import Context
from offramp.engine.link import Found, LinkDead, look_up, note_download, pieces
from offramp.engine.offer import FILE_NAME, PATH
from offramp.web.api.byte_range import Part, parse_range
from offramp.web.api.page import answer_page
from offramp.web.api.pieces import PiecesResponse

METHODS = ["GET", "HEAD"]


def link_routes(context: Context, pages: LinkPages) -> APIRouter:
    """Give the routes below the address that links begin with; whoever has a link may ask."""
    routes = APIRouter(prefix=f"/{PATH}", include_in_schema=False)

    def dead(request: Request) -> Response:
        wanted = request.headers.get("accept-language", "")
        return answer_page(pages.dead(wanted=wanted), pages=pages, status=HTTPStatus.NOT_FOUND)

    @routes.api_route("/{secret}", methods=METHODS)
    def page(secret: str, request: Request) -> Response:
        try:
            found = look_up(context, secret)
        except LinkDead:
            return dead(request)
        return answer_page(_page(pages, found, secret=secret), pages=pages)

    @routes.api_route(f"/{{secret}}/{FILE_NAME}", methods=METHODS)
    def file(secret: str, request: Request) -> Response:
        try:
            return _file(context, look_up(context, secret), request)
        except LinkDead:
            return dead(request)

    return routes


def _page(pages: LinkPages, found: Found, *, secret: str) -> str:
    return pages.leading(
        Download(
            address=f"{secret}/{FILE_NAME}",  # beside the page, wherever that is
            name=FILE_NAME,
            size_bytes=found.size_bytes,
            until_on=found.until_on,
        ),
        locale=found.locale,
        organization=found.organization,
        is_one_member=found.subject.member is not None,
        is_own=found.subject.member == found.link.member,
        zone=found.zone,
        support=found.support,
    )


def _file(context: Context, found: Found, request: Request) -> Response:
    """Answer with the file or a part of it; a download counts when its first byte is asked for."""
    size = found.size_bytes
    tag = f'"{found.link.digest[:32]}"'
    headers = {
        "Accept-Ranges": "bytes",
        "Content-Disposition": f'attachment; filename="{FILE_NAME}"',
        "Content-Type": "application/json",
        "ETag": tag,
    }
    wanted = _part(request, size_bytes=size, tag=tag)
    part = Part(start=0, stop=size) if wanted is None else wanted
    if wanted is not None:
        headers["Content-Range"] = part.described(size)
    if not len(part):
        return Response(status_code=HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE, headers=headers)
    status = HTTPStatus.OK if wanted is None else HTTPStatus.PARTIAL_CONTENT
    headers["Content-Length"] = str(len(part))
    if request.method == "HEAD":
        return Response(status_code=status, headers=headers)
    if part.start == 0:
        note_download(context, found.link)
    content = pieces(context, found.link.file, start=part.start, stop=part.stop)
    return PiecesResponse(content, status=status, headers=headers)


def _part(request: Request, *, size_bytes: int, tag: str) -> Part | None:
    """Read which part is asked for; one of another file than this is not given."""
    is_same = request.headers.get("if-range", tag) == tag
    if request.method == "HEAD" or not is_same:
        return None
    return parse_range(request.headers.get("range", ""), size_bytes=size_bytes)
