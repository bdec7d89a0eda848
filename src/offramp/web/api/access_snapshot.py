"""Who may do what in an organization at every instant, for applications that decide by themselves.

Source: docs/sdk.md; docs/decisions/032-snapshots.md; mission A2.
"""

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Path, Response

from offramp.core.snapshot_form import SnapshotDocument, write_snapshot
from offramp.engine.context import Context
from offramp.engine.snapshot import snapshot_of
from offramp.web.api.cached import IfNoneMatch, cached

JSON = "application/json"


def access_snapshot_routes(context: Context) -> APIRouter:
    """Give the one route."""
    routes = APIRouter(tags=["access"])

    @routes.get(
        "/organizations/{organization}/access-snapshot",
        response_model=SnapshotDocument,
        responses={HTTPStatus.NOT_MODIFIED: {"description": "The snapshot at hand still holds."}},
    )
    def access_snapshot(
        organization: Annotated[str, Path(description="The organization's id.")],
        if_none_match: IfNoneMatch = None,
    ) -> Response:
        """Say who may do what in an organization, with every end that is planned."""
        return cached(
            write_snapshot(snapshot_of(context, organization)),
            media_type=JSON,
            cache_control="private, no-cache",
            if_none_match=if_none_match,
        )

    return routes
