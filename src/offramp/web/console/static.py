"""The files that pages of the console take from here: one style, two scripts, one mark.

Each is asked for under the digest of its content, so that a browser may keep it and still has the
newest one after an upgrade.

Source: docs/console.md; `static/console/htmx-LICENSE.txt` for the script that is not ours.
"""

from functools import cache
from hashlib import sha256
from http import HTTPStatus
from importlib.resources import files

from fastapi import APIRouter
from fastapi.responses import Response

from offramp.web.api.cached import IfNoneMatch, cached
from offramp.web.console.door import ROOT

KEPT_SECONDS = 3600
_TYPES = {
    "console.css": "text/css",
    "console.js": "text/javascript",
    "htmx.min.js": "text/javascript",
    "mark.svg": "image/svg+xml",
}


def static_routes() -> APIRouter:
    """Give the files; they are the same for everybody, and no secret."""
    routes = APIRouter(prefix=f"{ROOT}/static")

    @routes.get("/{name}")
    def file(name: str, if_none_match: IfNoneMatch = None) -> Response:
        if name not in _TYPES:
            return Response(status_code=HTTPStatus.NOT_FOUND)
        return cached(
            content(name),
            media_type=_TYPES[name],
            cache_control=f"public, max-age={KEPT_SECONDS}",
            if_none_match=if_none_match,
        )

    return routes


@cache
def content(name: str) -> bytes:
    """Read a file as it is shipped."""
    return (files("offramp.web") / "static" / "console" / name).read_bytes()


@cache
def digest_of(name: str) -> str:
    """Give what changes with the content of a file."""
    return sha256(content(name)).hexdigest()[:12]
