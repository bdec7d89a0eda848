"""Who may do what in an organization at every instant, for applications that decide by themselves.

An application asks again every minute, so what has not changed is not worked out again. One that
wants to hear of a change at once says what it has, and is answered when that is not true any more.

Source: docs/sdk.md; docs/decisions/032-snapshots.md; docs/decisions/034-revisions.md; mission A2.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Mapping
from http import HTTPStatus
from threading import Lock
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Request, Response
from pydantic import BaseModel, Field
from starlette.concurrency import run_in_threadpool

from offramp.core.errors import Unavailable
from offramp.core.operator import OperatorRole
from offramp.core.snapshot_form import REVISION, SnapshotDocument, write_snapshot
from offramp.engine.context import Context
from offramp.engine.snapshot import snapshot_of
from offramp.ports import Store
from offramp.web.api.cached import IfNoneMatch, cached, is_at_hand, not_modified
from offramp.web.api.caller import Caller, Gate, Need
from offramp.web.api.repeatable import repeatable

JSON = "application/json"
CACHE_CONTROL = "private, no-cache"
ETAGS_MAX = 10_000
LOOKS = 10  # at the store, before whoever waits is told that nothing has changed
LOOK_SECONDS = 1.0  # between two of them
WAITING_MAX = 200
WATCHED_MAX = 1_000  # organizations of one request


class WaitingTooMany(Unavailable):
    """So many programs wait for changes of access already: {waiting}."""


class WatchedDocument(BaseModel, frozen=True, extra="forbid"):
    """What is at hand."""

    organizations: Annotated[
        dict[str, str],
        Field(
            max_length=WATCHED_MAX,
            description="The revision of each snapshot, by organization; empty for none.",
        ),
    ]


class ChangedDocument(BaseModel, frozen=True):
    """What is not true any more."""

    organizations: tuple[str, ...]


class _Etags:
    """The ETags of the snapshots that were asked for last, each with its revision."""

    def __init__(self) -> None:
        self._known: OrderedDict[str, tuple[str | None, str]] = OrderedDict()
        self._turn = Lock()

    def find(self, organization: str, *, revision: str | None) -> str | None:
        known, etag = self._known.get(organization, (None, None))
        return None if revision is None or known != revision else etag

    def note(self, organization: str, *, revision: str | None, etag: str) -> None:
        with self._turn:
            self._known[organization] = revision, etag
            self._known.move_to_end(organization)
            if len(self._known) > ETAGS_MAX:
                self._known.popitem(last=False)


def access_snapshot_routes(gate: Gate) -> APIRouter:
    """Give the route of the snapshot, and that of its changes."""
    routes = APIRouter(route_class=repeatable(gate), tags=["access"])
    viewer = Annotated[Caller, Depends(Need(gate=gate, role=OperatorRole.VIEWER))]
    etags, waiting = _Etags(), _Waiting()

    @routes.get(
        "/organizations/{organization}/access-snapshot",
        response_model=SnapshotDocument,
        responses={HTTPStatus.NOT_MODIFIED: {"description": "The snapshot at hand still holds."}},
    )
    def access_snapshot(
        caller: viewer,
        organization: Annotated[str, Path(description="The organization's id.")],
        if_none_match: IfNoneMatch = None,
    ) -> Response:
        """Say who may do what in an organization, with every end that is planned."""
        # First, so that it is never the newer one.
        revision = caller.context.store.revision(organization)
        etag = etags.find(organization, revision=revision)
        if etag is not None and is_at_hand(etag, if_none_match=if_none_match):
            answer = not_modified(etag, cache_control=CACHE_CONTROL)
        else:
            answer = cached(
                write_snapshot(snapshot_of(caller.context, organization)),
                media_type=JSON,
                cache_control=CACHE_CONTROL,
                if_none_match=if_none_match,
            )
            etags.note(organization, revision=revision, etag=answer.headers["ETag"])
        answer.headers[REVISION] = revision or ""
        return answer

    @routes.post("/access-snapshots/changes")
    async def access_changes(
        caller: viewer, watched: WatchedDocument, request: Request
    ) -> ChangedDocument:
        """Wait until something changes of what decides access, for ten seconds at most."""
        with waiting:
            return await _wait(caller.context, watched.organizations, request)

    return routes


class _Waiting:
    """Counts who waits; all of them are answered by one thread."""

    def __init__(self) -> None:
        self._number = 0

    def __enter__(self) -> None:
        if self._number >= WAITING_MAX:
            raise WaitingTooMany(waiting=self._number, hint="ask for the snapshots every minute")
        self._number += 1

    def __exit__(self, *_: object) -> None:
        self._number -= 1


async def _wait(context: Context, watched: Mapping[str, str], request: Request) -> ChangedDocument:
    changed = await run_in_threadpool(_changed, context.store, watched)
    for _ in range(LOOKS):
        if changed or context.is_stopping() or await request.is_disconnected():
            break
        await asyncio.sleep(LOOK_SECONDS)
        changed = await run_in_threadpool(_changed, context.store, watched)
    return ChangedDocument(organizations=changed)


def _changed(store: Store, watched: Mapping[str, str]) -> tuple[str, ...]:
    with store.reading() as transaction:
        now = transaction.revisions(watched)
    return tuple(each for each, revision in watched.items() if now.get(each, "") != revision)
