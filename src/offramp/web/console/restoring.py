"""Reading data in again: an exported document comes back into the vendor's databases (A9).

It can be tried first, which changes nothing. What shall stay is confirmed by typing whose it is.

Source: mission A9; docs/console.md, "Reading data in again".
"""

from threading import Lock
from typing import Annotated

from fastapi import APIRouter, Depends
from fastapi.responses import Response

from offramp.core.errors import Unavailable
from offramp.core.operator import OperatorRole
from offramp.engine.restoring import read_in
from offramp.web.console.door import ROOT, Admission, Door, Visitor
from offramp.web.console.page import ConsolePages
from offramp.web.console.route import route_class
from offramp.web.console.upload import Upload, UploadAdmission

PATH = f"{ROOT}/restore"
DOCUMENT_BYTES_MAX = 512 * 1024 * 1024  # what is larger is read in by the command


class RestoreUnderWay(Unavailable):
    """Another document is being read in."""


def restore_routes(door: Door, pages: ConsolePages) -> APIRouter:
    """Give the page, and what it sends."""
    routes = APIRouter(prefix=PATH, route_class=route_class(door, pages))
    admission = Admission(door=door, role=OperatorRole.ADMIN)
    admin = Annotated[Visitor, Depends(admission)]
    upload = Annotated[Upload, Depends(UploadAdmission(admission=admission, field="document"))]
    turn = Lock()

    @routes.get("")
    def ask(visitor: admin) -> Response:
        return pages.answer("restore", visitor=visitor, result=None)

    @routes.post("", max_body_size=DOCUMENT_BYTES_MAX)
    def carry_out(sent: upload) -> Response:
        visitor, is_dry_run = sent.visitor, sent.visitor.said("do") != "restore"
        if not turn.acquire(blocking=False):
            raise RestoreUnderWay(hint="try again when it is done")
        try:
            result = read_in(
                visitor.context,
                sent.file,
                confirmed=visitor.said("typed"),
                is_dry_run=is_dry_run,
            )
        finally:
            turn.release()
        return pages.answer("restore", visitor=visitor, result=result, is_dry_run=is_dry_run)

    return routes
