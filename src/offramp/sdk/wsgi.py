"""The gate before a WSGI application.

Source: PEP 3333.
"""

from collections.abc import Iterable
from http import HTTPStatus
from typing import TYPE_CHECKING

from offramp.sdk.gate import Gate, Visit
from offramp.sdk.refusal import Refusal

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment


class WsgiAccess:
    """Passes requests on that may be made, and answers the others."""

    def __init__(self, app: "WSGIApplication", gate: Gate) -> None:
        """Stand before an application."""
        self._app, self._gate = app, gate

    def __call__(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        """Judge a request."""
        visit = _visit(environ)
        refusal = self._gate.judge(visit)
        if refusal is None:
            return self._app(environ, start_response)
        start_response(_status(refusal), list(refusal.headers))
        return [] if visit.method == "HEAD" else [refusal.body]


def _visit(environ: "WSGIEnvironment") -> Visit:
    path = f"{environ.get('SCRIPT_NAME', '')}{environ.get('PATH_INFO', '')}"
    return Visit(
        method=environ["REQUEST_METHOD"],
        path=path.encode("latin-1").decode("utf-8", "replace"),
        headers={
            name.removeprefix("HTTP_").replace("_", "-").lower(): value
            for name, value in environ.items()
            if name.startswith("HTTP_")
        },
        native=environ,
    )


def _status(refusal: Refusal) -> str:
    return f"{refusal.status} {HTTPStatus(refusal.status).phrase}"
