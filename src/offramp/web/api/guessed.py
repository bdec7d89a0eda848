"""Addresses that people try first; each leads for good to the one that there is.

Where it leads is written so that it holds below any path of a proxy.

Source: docs/http.md; RFC 9110, sections 10.2.2 (a relative Location) and 15.4.9 (308).
"""

from collections.abc import Mapping
from http import HTTPStatus

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response

_LEADS_TO: Mapping[str, str] = {"/health": "healthz", "/openapi.json": "v1/openapi.json"}


def guessed_routes() -> APIRouter:
    """Give the ways on."""
    routes = APIRouter(include_in_schema=False)

    def lead(request: Request) -> Response:
        return RedirectResponse(
            _LEADS_TO[request.url.path], status_code=HTTPStatus.PERMANENT_REDIRECT
        )

    for guessed in _LEADS_TO:
        routes.add_api_route(guessed, lead, methods=["GET", "HEAD"])
    return routes
