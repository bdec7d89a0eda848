"""A roster that is uploaded: CSV, XLSX or JSON, shown first and taken over as it was shown.

The file is on disk for as long as it is read, and in a folder that nobody else can open.

Source: docs/api.md, "Importing"; mission A1; lesson L26.
"""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from pathlib import Path
from threading import BoundedSemaphore
from typing import Annotated, Any

from fastapi import APIRouter, Depends, HTTPException, Query, Request
from pydantic import Field

from offramp.adapters.disk import room_for
from offramp.core.errors import Invalid, Unavailable
from offramp.core.operator import OperatorRole
from offramp.documents.roster_file import RosterInvalid
from offramp.documents.roster_set import (
    Known,
    Roster,
    RosterKindUnknown,
    RosterTwice,
    read_roster,
)
from offramp.engine.context import Context
from offramp.engine.imports import Facts, Shown, known_facts, show_import, take_import
from offramp.ports import Changes
from offramp.web.api.caller import Caller, Gate, Need
from offramp.web.api.document import Part
from offramp.web.api.form import Body
from offramp.web.api.people import FollowedDocument, followed_document
from offramp.web.api.repeatable import repeatable

IMPORT_BYTES_MAX = 16 * 1024 * 1024
READ_AT_ONCE_MAX = 2  # each of them takes some memory
_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
SUFFIXES = {"text/csv": ".csv", "application/json": ".json", _XLSX: ".xlsx"}
_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            kind: {"schema": {"type": "object"} if kind == "application/json" else {}}
            for kind in SUFFIXES
        },
    }
}


class ImportsBusy(Unavailable):
    """So many rosters are being read already: {most}."""


class ImportInvalid(Invalid):
    """What was sent is no roster: {problem}."""


class ChangesDocument(Part):
    """How many are new, changed, and as they were."""

    created: int
    changed: int
    same: int


class ImportDocument(Part):
    """What a roster does, or would do."""

    digest: Annotated[str, Field(description="Send it back to take over what is shown here.")]
    is_applied: bool
    organizations: ChangesDocument
    pools: ChangesDocument
    members: ChangesDocument
    offboardings: FollowedDocument


def import_routes(gate: Gate) -> APIRouter:
    """Give the one route."""
    routes = APIRouter(route_class=repeatable(gate), prefix="/imports", tags=["organizations"])
    turns = BoundedSemaphore(READ_AT_ONCE_MAX)
    operator = Annotated[Caller, Depends(Need(gate=gate, role=OperatorRole.OPERATOR))]

    @routes.post("", max_body_size=IMPORT_BYTES_MAX, openapi_extra=_BODY)
    def take_roster(
        caller: operator,
        request: Request,
        body: Body,
        digest: Annotated[
            str | None,
            Query(description="Of what was shown; without it nothing is changed."),
        ] = None,
    ) -> ImportDocument:
        """Show what a roster would do, or take it over as it was shown."""
        kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind not in SUFFIXES:
            detail = "A roster is one of " + ", ".join(SUFFIXES)
            raise HTTPException(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, detail=detail)
        with _turn(turns):
            facts = _facts(_read(caller.context, body, suffix=SUFFIXES[kind]))
            if digest is None:
                return _document(show_import(caller.context, facts), is_applied=False)
            shown = take_import(caller.context, facts, digest=digest)
            return _document(shown, is_applied=True)

    return routes


@contextmanager
def _turn(turns: BoundedSemaphore) -> Iterator[None]:
    """Let a bounded number of rosters be read; whoever comes too many may come again."""
    if not turns.acquire(blocking=False):
        raise ImportsBusy(most=READ_AT_ONCE_MAX)
    try:
        yield
    finally:
        turns.release()


def _read(context: Context, body: bytes, *, suffix: str) -> Roster:
    """Read a roster from the disk, as a command does.

    Raises:
        ImportInvalid: it is none; `problems` names the lines that are wrong.
    """
    with room_for("a roster"), tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / f"roster{suffix}"
        file.write_bytes(body)
        with known_facts(context) as (organizations, pools):
            known = Known(organizations=organizations, pools=pools)
            try:
                return read_roster([file], known=known)
            except RosterInvalid as error:
                raise _told(error) from error
            except (RosterKindUnknown, RosterTwice) as error:
                raise ImportInvalid(
                    problem="nobody can tell what it holds", hint=error.hint
                ) from error


def _told(error: RosterInvalid) -> ImportInvalid:
    """Name the lines that are wrong, and no file: it has no name."""
    problems = tuple(
        (each.line, f"line {each.line}, {each.path}", each.problem) for each in error.problems
    )
    return ImportInvalid(
        problem=f"line {error.line}, {error.path}: {error.problem}",
        hint=error.hint,
        problems=problems,
    )


def _facts(roster: Roster) -> Facts:
    return Facts(organizations=roster.organizations, pools=roster.pools, members=roster.members)


def _document(shown: Shown, *, is_applied: bool) -> ImportDocument:
    registered = shown.registered
    return ImportDocument(
        digest=shown.digest,
        is_applied=is_applied,
        organizations=_changes(registered.organizations),
        pools=_changes(registered.pools),
        members=_changes(registered.members),
        offboardings=followed_document(registered.followed),
    )


def _changes(changes: Changes) -> ChangesDocument:
    return ChangesDocument(created=changes.created, changed=changes.changed, same=changes.same)
