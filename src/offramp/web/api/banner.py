"""What a page of the product shows one member, for programs of the vendor to pass on to it.

Source: docs/banner.md; mission B7, B10.
"""

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query, Response
from whenever import Instant

from offramp.core.operator import OperatorRole
from offramp.core.policy import ANY
from offramp.documents.banner import BannerAnswer, answer_of
from offramp.engine.banner import banner_of
from offramp.web.api.cached import IfNoneMatch, cached
from offramp.web.api.caller import Caller, Gate, Need
from offramp.web.api.repeatable import repeatable

FRESH_SECONDS_MAX = 60  # a renewal takes the banner away within a minute
LOCALE_CHARACTERS_MAX = 35  # RFC 5646, section 4.4.1
JSON = "application/json"


def banner_routes(gate: Gate) -> APIRouter:
    """Give the one route."""
    routes = APIRouter(route_class=repeatable(gate), tags=["banner"])
    viewer = Annotated[Caller, Depends(Need(gate=gate, role=OperatorRole.VIEWER))]

    @routes.get(
        "/organizations/{organization}/members/{member}/banner",
        response_model=BannerAnswer,
        responses={HTTPStatus.NOT_MODIFIED: {"description": "The answer at hand still holds."}},
    )
    def banner(
        caller: viewer,
        organization: Annotated[str, Path(description="The organization's id.")],
        member: Annotated[str, Path(description="The id of whoever looks at the page.")],
        product: Annotated[str | None, Query(description="The product of the page.")] = None,
        surface: Annotated[str, Query(description="Where in it, as policies name it.")] = ANY,
        locale: Annotated[
            str,
            Query(
                description="The language of the page; else the member's own.",
                max_length=LOCALE_CHARACTERS_MAX,
            ),
        ] = "",
        if_none_match: IfNoneMatch = None,
    ) -> Response:
        """Say what a page shows a member right now: a banner, or none."""
        seen = banner_of(
            caller.context, organization, member, surface=surface, product=product, locale=locale
        )
        answer = answer_of(seen.showing, seen.words)
        return cached(
            answer.model_dump_json().encode(),
            media_type=JSON,
            cache_control=_fresh_until(seen.showing.changes_at, now=caller.context.clock.now()),
            if_none_match=if_none_match,
        )

    return routes


def _fresh_until(changes_at: Instant | None, *, now: Instant) -> str:
    """Let nobody keep an answer beyond its end."""
    seconds = FRESH_SECONDS_MAX
    if changes_at is not None:
        seconds = min(seconds, max(0, int((changes_at - now).total("seconds"))))
    return f"private, max-age={seconds}"
