"""The gate before the views of Django: a class of middleware to make one's own from.

Source: Django, "Middleware"; docs/sdk.md.
"""

import importlib
from collections.abc import Callable
from typing import Any, ClassVar

from offramp.sdk.gate import Gate, Visit
from offramp.sdk.guard import AccessDenied
from offramp.sdk.refusal import Refusal


class DjangoAccess:
    """Passes requests on that may be made; a subclass has the ``gate``, and stands in MIDDLEWARE.

    It has to stand below whatever says who is signed in.
    """

    gate: ClassVar[Gate]

    def __init__(self, get_response: Callable[[Any], Any]) -> None:
        """Stand before the views."""
        self._get_response = get_response
        self._response = importlib.import_module("django.http").HttpResponse

    def __call__(self, request: Any) -> Any:  # noqa: ANN401 (Django carries no types)
        """Judge a request."""
        refusal = self.gate.judge(_visit(request))
        return self._get_response(request) if refusal is None else self._answer(refusal)

    def process_exception(self, request: Any, error: Exception) -> Any:  # noqa: ANN401 (as above)
        """Answer what a view was denied."""
        if not isinstance(error, AccessDenied):
            return None
        return self._answer(self.gate.refuse(_visit(request), error))

    def _answer(self, refusal: Refusal) -> Any:  # noqa: ANN401 (as above)
        return self._response(refusal.body, status=refusal.status, headers=dict(refusal.headers))


def _visit(request: Any) -> Visit:  # noqa: ANN401 (as above)
    return Visit(
        method=request.method,
        path=request.path,
        headers={name.lower(): value for name, value in request.headers.items()},
        native=request,
    )
