"""Whether the server lives and can answer, for whoever has to watch it.

Source: docs/http.md; docs/operations.md, "Health".
"""

from fastapi import APIRouter

from offramp.engine.context import Context
from offramp.engine.watch import require_store


def health_routes(context: Context) -> APIRouter:
    """Give both pages; they hold no number that anybody would have to keep to themselves."""
    routes = APIRouter(include_in_schema=False)

    @routes.get("/healthz")
    def health() -> dict[str, bool]:
        return {"is_alive": True}

    @routes.get("/readyz")
    def readiness() -> dict[str, bool]:
        require_store(context)
        return {"is_ready": True}

    return routes
