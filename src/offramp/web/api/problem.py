"""What is told when a request cannot be answered: one JSON document, in one shape.

It holds the code of the error, its sentence, and what may help. A mistake of ours is reported by
its kind and its places, and whoever asked hears that there was one.

Source: RFC 9457; docs/errors.md.
"""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.encoders import jsonable_encoder
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from starlette.exceptions import HTTPException
from starlette.routing import Match

from offramp.core.errors import OfframpError, frames_of
from offramp.ports import Happening, Report
from offramp.web.api.guard import SAFE
from offramp.web.api.pace import AskedTooOften

MEDIA_TYPE = "application/problem+json"
METHODS = ("DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT")
_SCHEMA = {
    "type": "object",
    "required": ["type", "title", "status"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "code": {"type": "string", "description": "Of the error: docs/errors.md."},
        "detail": {"type": "string"},
        "hint": {"type": "string", "description": "What may help."},
        "is_worth_another_try": {"type": "boolean"},
        "wrong": {"type": "array", "items": {"type": "object"}, "description": "Every mistake."},
    },
}
PROBLEMS: dict[int | str, dict[str, Any]] = {
    "default": {
        "description": "Why it was not done; nothing was changed.",
        "content": {MEDIA_TYPE: {"schema": _SCHEMA}},
    }
}
"""How routes of ours describe every answer that is none of their own."""


def answer_problems(app: FastAPI, *, report: Report) -> None:
    """Let every error of an application be answered here."""

    def of_ours(request: Request, error: Exception) -> Response:
        assert isinstance(error, OfframpError)
        return problem(
            error.http_status,
            headers=error.headers if isinstance(error, AskedTooOften) else None,
            code=error.code,
            detail=str(error),
            hint=error.hint,
            is_worth_another_try=error.retry,
            wrong=[
                {"at": [path], "problem": what}
                for _, path, what in error.attributes.get("problems", ())
            ]
            or None,
        )

    def of_http(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        detail = None if error.detail == _phrase(error.status_code) else error.detail
        headers = dict(error.headers or {})
        if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
            headers["Allow"] = ", ".join(_allowed(request))
        return problem(error.status_code, detail=detail, headers=headers)

    def of_request(request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)
        wrong = [
            {"at": [str(part) for part in each["loc"]], "problem": each["msg"]}
            for each in error.errors()
        ]
        return problem(HTTPStatus.UNPROCESSABLE_ENTITY, code="RequestInvalid", wrong=wrong)

    def of_nobody(request: Request, error: Exception) -> Response:
        told = {"error": type(error).__name__, "frames": frames_of(error)}
        report(Happening.UNEXPECTED, told)
        # It is answered outside of what adds the headers.
        status, detail = HTTPStatus.INTERNAL_SERVER_ERROR, "This is a mistake of ours."
        return problem(status, headers=SAFE, detail=detail)

    app.add_exception_handler(OfframpError, of_ours)
    app.add_exception_handler(HTTPException, of_http)
    app.add_exception_handler(RequestValidationError, of_request)
    app.add_exception_handler(Exception, of_nobody)


def problem(
    status: int, *, headers: Mapping[str, str] | None = None, **facts: object
) -> JSONResponse:
    """Write down one problem; facts that are none are left out."""
    told = {name: fact for name, fact in facts.items() if fact is not None}
    body = {"type": "about:blank", "title": _phrase(status), "status": int(status), **told}
    return JSONResponse(
        jsonable_encoder(body), status_code=status, headers=headers, media_type=MEDIA_TYPE
    )


def _allowed(request: Request) -> list[str]:
    """List the methods of every route that leads to where somebody asked."""
    routes = request.app.routes
    return [
        method
        for method in METHODS
        if any(
            route.matches({**request.scope, "method": method})[0] is Match.FULL for route in routes
        )
    ]


def _phrase(status: int) -> str:
    return HTTPStatus(status).phrase
