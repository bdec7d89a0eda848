"""Whether the server and the worker in it live and can answer, for whoever has to watch them.

The counts are for those alone who show an access key: everybody can reach this server.

Source: docs/http.md; docs/operations.md, "Health"; `web.monitor`, which answers.
"""

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response

from offramp.core.operator import OperatorRole
from offramp.web.api.caller import Gate, Need
from offramp.web.monitor import Monitor


def health_routes(monitor: Monitor, gate: Gate) -> APIRouter:
    """Give the pages of a monitor."""
    routes = APIRouter(include_in_schema=False)

    def answer(request: Request) -> Response:
        found = monitor.answer(request.method, request.url.path)
        return Response(found.body, status_code=found.status, media_type=found.content_type)

    for page in ("/healthz", "/readyz"):
        routes.add_api_route(page, answer, methods=["GET", "HEAD"])
    keyed = [Depends(Need(gate=gate, role=OperatorRole.VIEWER))]
    routes.add_api_route("/metrics", answer, methods=["GET", "HEAD"], dependencies=keyed)
    return routes
