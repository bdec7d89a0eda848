"""How a route of the portal answers what it cannot do: with a page, or by asking to sign in.

An error of ours speaks to operators; people are told in words of their own language.

Source: core/errors.py, which says what each error means outside.
"""

from collections.abc import Callable, Coroutine
from http import HTTPStatus
from typing import Any

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from fastapi.routing import APIRoute
from starlette.concurrency import run_in_threadpool

from offramp.core.errors import Missing, OfframpError, Unavailable
from offramp.engine.cases import CasesWaiting
from offramp.engine.own_copy import CopyMissing, CopyNotGiven, CopyUnderWay
from offramp.engine.portal_people import NobodyChosen, PeopleUnchanged
from offramp.engine.resending import NothingToResend
from offramp.web.own_page import FormForeign
from offramp.web.portal.door import ROOT, EntranceNeeded, PortalDoor
from offramp.web.portal.page import PortalAnswers

Handler = Callable[[Request], Coroutine[Any, Any, Response]]
_WORDS: tuple[tuple[type[OfframpError] | tuple[type[OfframpError], ...], str], ...] = (
    (FormForeign, "foreign"),
    ((NothingToResend, CopyMissing), "letter"),
    ((CopyUnderWay, CopyNotGiven), "copy"),
    (CasesWaiting, "cases"),
    (PeopleUnchanged, "people"),
    (NobodyChosen, "nobody"),
    (Missing, "missing"),
    (Unavailable, "busy"),
)


def route_class(door: PortalDoor, answers: PortalAnswers) -> type[APIRoute]:
    """Make the class of every route of the portal."""

    class PortalRoute(APIRoute):
        """Answers errors of ours with a page."""

        def get_route_handler(self) -> Handler:
            """Stand around the route's own handler."""
            handle = super().get_route_handler()

            async def answer(request: Request) -> Response:
                try:
                    return await handle(request)
                except EntranceNeeded:
                    return answers.lead(f"{ROOT}/sign-in")
                except OfframpError as error:
                    words, status = _words_of(error), error.http_status
                except RequestValidationError:
                    words, status = "wrong", HTTPStatus.UNPROCESSABLE_ENTITY
                return await run_in_threadpool(_tell, door, answers, request, words, status)

            return answer

    return PortalRoute


def _words_of(error: OfframpError) -> str:
    return next((words for kinds, words in _WORDS if isinstance(error, kinds)), "wrong")


def _tell(
    door: PortalDoor, answers: PortalAnswers, request: Request, words: str, status: int
) -> Response:
    guest = door.find(request)
    wanted = request.headers.get("accept-language", "")
    if guest is not None:
        wanted = guest.member.locale or guest.organization.locale
    return answers.strange("problem", wanted=wanted, status=status, problem=words)
