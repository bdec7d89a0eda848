"""The gate before the views of Flask, where its sessions are known.

Source: Flask, "Application Object" (before_request, register_error_handler); docs/sdk.md.
"""

import importlib
from typing import Any, TypeAlias

from offramp.sdk.gate import Gate, Visit
from offramp.sdk.guard import AccessDenied
from offramp.sdk.refusal import Refusal

Answer: TypeAlias = tuple[bytes, int, list[tuple[str, str]]]


def protect(app: Any, gate: Gate) -> None:  # noqa: ANN401 (an application of Flask)
    """Judge every request to an application of Flask, and answer what its views are denied."""
    flask = importlib.import_module("flask")

    def judge() -> Answer | None:
        refusal = gate.judge(_visit(flask.request))
        return None if refusal is None else _answer(refusal)

    def answer(denied: AccessDenied) -> Answer:
        return _answer(gate.refuse(_visit(flask.request), denied))

    app.before_request(judge)
    app.register_error_handler(AccessDenied, answer)


def _answer(refusal: Refusal) -> Answer:
    return refusal.body, refusal.status, list(refusal.headers)


def _visit(request: Any) -> Visit:  # noqa: ANN401 (a request of Flask)
    return Visit(
        method=request.method,
        path=f"{request.root_path}{request.path}",
        headers={name.lower(): value for name, value in request.headers.items()},
        native=request,
    )
