"""What a person asks for themselves: a copy of their own data, by way of a program of the vendor.

The document is written to its end before the first byte of it is sent, so that whoever gets less
than the answer says knows it. The file has no name: whatever happens, nothing of it is left.

Source: docs/http.md, "A copy of one member's data"; mission B9; policy language E1; lesson L14.
"""

import os
import tempfile
from collections.abc import Generator, Iterator
from contextlib import ExitStack, contextmanager
from http import HTTPStatus
from threading import BoundedSemaphore
from typing import Annotated, Any, BinaryIO

from fastapi import APIRouter, Depends, Path, Query, Response

from offramp.adapters.disk import room_for
from offramp.core.errors import Unavailable
from offramp.core.operator import OperatorRole
from offramp.data.handover.part import Part
from offramp.engine.context import Context
from offramp.engine.handover import Request, hand_over, is_still_whole
from offramp.engine.link import PIECE_BYTES
from offramp.web.api.caller import Caller, Gate, Need
from offramp.web.api.pieces import PiecesResponse
from offramp.web.api.repeatable import repeatable

WRITTEN_AT_ONCE_MAX = 4  # each of them keeps the vendor's database busy
_JSON, _ZIP = "application/json", "application/zip"
_GIVEN: dict[str, Any] = {_JSON: {"schema": {"type": "object"}}, _ZIP: {}}


class DownloadsBusy(Unavailable):
    """So many copies of data are being written already: {most}."""


def download_routes(gate: Gate) -> APIRouter:
    """Give the one route."""
    routes = APIRouter(route_class=repeatable(gate), tags=["data"])
    support = Annotated[Caller, Depends(Need(gate=gate, role=OperatorRole.SUPPORT))]
    turns = BoundedSemaphore(WRITTEN_AT_ONCE_MAX)

    @routes.post(
        "/organizations/{organization}/members/{member}/export",
        response_class=Response,
        responses={HTTPStatus.OK: {"description": "The whole document.", "content": _GIVEN}},
    )
    def export(
        caller: support,
        organization: Annotated[str, Path(description="The organization's id.")],
        member: Annotated[str, Path(description="The id of the member whose data it is.")],
        content_only: Annotated[
            bool, Query(description="Only what the data map calls content.")
        ] = False,
        with_files: Annotated[
            bool, Query(description="A zip, with the files beside the document.")
        ] = False,
    ) -> Response:
        """Hand one member's own data over, for as long as all of it is there."""
        request = Request(
            organization=organization,
            member=member,
            part=Part(content_only=content_only),
            with_files=with_files,
        )
        with _turn(turns):
            copy = written(caller.context, request)
        size_bytes = copy.seek(0, os.SEEK_END)
        name = "data.zip" if with_files else "data.json"
        headers = {
            "Content-Disposition": f'attachment; filename="{name}"',
            "Content-Length": str(size_bytes),
            "Content-Type": _ZIP if with_files else _JSON,
        }
        return PiecesResponse(
            pieces_of(caller.context, request, copy), status=HTTPStatus.OK, headers=headers
        )

    return routes


@contextmanager
def _turn(turns: BoundedSemaphore) -> Iterator[None]:
    """Let a bounded number of copies be written; whoever comes too many may come again."""
    if not turns.acquire(blocking=False):
        raise DownloadsBusy(most=WRITTEN_AT_ONCE_MAX)
    try:
        yield
    finally:
        turns.release()


def written(context: Context, request: Request) -> BinaryIO:
    """Write the whole document to a file that nobody else can open."""
    with ExitStack() as stack, room_for("a copy of one member's data"):
        copy = stack.enter_context(tempfile.TemporaryFile())
        hand_over(context, request, copy, actor="user")
        stack.pop_all()
        return copy


def pieces_of(context: Context, request: Request, copy: BinaryIO) -> Generator[bytes, None, None]:
    """Read the file piece by piece; a deletion that begins meanwhile ends it."""
    with copy:
        copy.seek(0)
        while (piece := copy.read(PIECE_BYTES)) and is_still_whole(context, request):
            yield piece
