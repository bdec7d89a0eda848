"""Files that a vendor's pages may take from here: they are the same for everybody, and no secret.

Source: docs/banner.md.
"""

from fastapi import APIRouter, Response

from offramp.web.api.cached import IfNoneMatch, cached
from offramp.web.element import FILE_NAME, element_script

KEPT_SECONDS = 3600


def static_routes() -> APIRouter:
    """Give the script of the element."""
    routes = APIRouter(prefix="/static", include_in_schema=False)
    script = element_script()

    @routes.get(f"/{FILE_NAME}")
    def banner_script(if_none_match: IfNoneMatch = None) -> Response:
        answer = cached(
            script,
            media_type="text/javascript",
            cache_control=f"public, max-age={KEPT_SECONDS}",
            if_none_match=if_none_match,
        )
        # Modules are asked for as CORS says, and pages of the product live elsewhere.
        answer.headers["Access-Control-Allow-Origin"] = "*"
        return answer

    return routes
