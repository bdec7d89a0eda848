"""What the documents of this interface have in common: their shape, pages, versions, times.

Source: docs/http.md; RFC 9110, sections 8.8.3 (ETag) and 13.1.1 (If-Match).
"""

from hashlib import sha256
from http import HTTPStatus
from typing import Annotated, Any, TypeVar

from fastapi import Header, Path, Query, Response
from pydantic import BaseModel, Field, PlainValidator, WithJsonSchema
from whenever import Instant

from offramp.core.errors import Refused
from offramp.engine.pages import PAGE_ROWS_MAX

ETAG_CHARACTERS = 32
NAME_CHARACTERS_MAX = 120
_Document = TypeVar("_Document", bound=BaseModel)

Organization = Annotated[str, Path(description="The organization's id.")]
Limit = Annotated[int, Query(ge=1, le=PAGE_ROWS_MAX, description="So many of them at most.")]
IfMatch = Annotated[
    str | None, Header(description="The ETag of what was looked at; else nothing is changed.")
]
Reason = Annotated[
    str, Field(min_length=1, max_length=500, pattern=r"^[^\x00-\x1f]+$", description="Why.")
]
Owner = Annotated[
    str,
    Field(
        min_length=1,
        max_length=NAME_CHARACTERS_MAX,
        pattern=r"^[^\x00-\x1f]+$",
        description="Who answers for it.",
    ),
]


def _moment(value: object) -> Instant:
    """Read an instant; a mistake is told without what was said."""
    try:
        return Instant.parse_iso(value if isinstance(value, str) else "")
    except ValueError as error:
        raise ValueError("not an instant with its offset") from error


Moment = Annotated[
    Instant,
    PlainValidator(_moment),
    WithJsonSchema({"type": "string", "format": "date-time", "pattern": "^(19|2[0-3])[0-9]{2}-"}),
]


class ChangedMeanwhile(Refused):
    """What was to be changed is not any more what it was when it was looked at."""

    http_status = 412


class Part(BaseModel, frozen=True, extra="forbid"):
    """A document, or a part of one; what it does not know is a mistake."""


def leads_to(operation: str, **parameters: str) -> dict[int | str, dict[str, Any]]:
    """Describe where an id of an answer leads, in the words of OpenAPI."""
    places = {"organization": "$request.path.organization", **parameters}
    link = {"operationId": operation, "parameters": places}
    return {HTTPStatus.OK: {"links": {operation: link}}}


def versioned(document: _Document, response: Response) -> _Document:
    """Answer with a document, and name its version."""
    response.headers["ETag"] = _etag_of(document)
    return document


def _etag_of(document: BaseModel) -> str:
    """Name the version of a document: any change of it gives another one."""
    return f'"{sha256(document.model_dump_json().encode()).hexdigest()[:ETAG_CHARACTERS]}"'


def require_version(present: BaseModel | None, *, if_match: str | None) -> None:
    """Refuse a change of something that is not as it was when it was looked at.

    Raises:
        ChangedMeanwhile: it is another version, or there is none.
    """
    if if_match is None:
        return
    wanted = {each.strip() for each in if_match.split(",")}
    if present is None or not wanted & {"*", _etag_of(present)}:
        raise ChangedMeanwhile(hint="look at it again")


def time_of(moment: Instant | None) -> str | None:
    """Write an instant, if there is one."""
    return moment and moment.format_iso()
