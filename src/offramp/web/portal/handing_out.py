"""What was sent to a member, handed out here: achievements, documents, messages once more.

Source: mission A4, A8; `engine.portal_view`, which says what is theirs.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from io import BytesIO
from threading import BoundedSemaphore
from typing import Annotated
from zipfile import ZipFile

from fastapi import APIRouter, Depends
from fastapi.responses import Response

from offramp.core.errors import Unavailable
from offramp.engine.link import note_document, pieces
from offramp.engine.offer import FILE_NAME
from offramp.engine.portal_view import achievements_of, ask_for_letter, find_document
from offramp.web.api.pieces import PiecesResponse
from offramp.web.portal.door import ROOT, Admission, PageMissing, PortalDoor, Visit
from offramp.web.portal.page import PortalAnswers
from offramp.web.portal.route import route_class

FORM_BYTES_MAX = 2048
PRINTED_AT_ONCE_MAX = 2  # of certificates, each of which keeps a core busy


class PrintersBusy(Unavailable):
    """So many people have their certificates printed already: {most}."""


def handing_out_routes(door: PortalDoor, answers: PortalAnswers) -> APIRouter:
    """Give what was sent once more."""
    routes = APIRouter(prefix=ROOT, route_class=route_class(door, answers))
    anybody = Annotated[Visit, Depends(Admission(door=door))]
    context, turns = door.context, BoundedSemaphore(PRINTED_AT_ONCE_MAX)

    @routes.post("/messages", max_body_size=FORM_BYTES_MAX)
    def send_again(visit: anybody) -> Response:
        step = visit.said("step")
        if not step:
            raise PageMissing
        ask_for_letter(context, visit.guest, step=step)
        return answers.lead(f"{ROOT}?done=sent")

    @routes.get("/achievements.zip")
    def earned(visit: anybody) -> Response:
        with _turn(turns):
            files = achievements_of(context, visit.guest)
        packed = BytesIO()
        with ZipFile(packed, "w") as archive:
            for file in files:
                archive.writestr(file.name, file.content)
        headers = {"Content-Disposition": 'attachment; filename="achievements.zip"'}
        return Response(packed.getvalue(), media_type="application/zip", headers=headers)

    @routes.get("/documents/{offboarding}/{issue:path}")
    def document(visit: anybody, offboarding: str, issue: str) -> Response:
        file = find_document(context, visit.guest, offboarding=offboarding, step=issue)
        size_bytes = context.vault.size(file) if file else None
        if file is None or size_bytes is None:
            raise PageMissing
        note_document(context, offboarding)
        headers = {
            "Content-Disposition": f'attachment; filename="{FILE_NAME}"',
            "Content-Length": str(size_bytes),
            "Content-Type": "application/json",
        }
        content = pieces(context, file, start=0, stop=size_bytes)
        return PiecesResponse(content, status=HTTPStatus.OK, headers=headers)

    return routes


@contextmanager
def _turn(turns: BoundedSemaphore) -> Iterator[None]:
    """Let a bounded number of people print; whoever comes too many may come again."""
    if not turns.acquire(blocking=False):
        raise PrintersBusy(most=PRINTED_AT_ONCE_MAX)
    try:
        yield
    finally:
        turns.release()
