"""Answers that whoever asked may keep for a while, and ask for again without being sent them twice.

Source: RFC 9110, sections 8.8.3 (ETag) and 13.1.2 (If-None-Match); RFC 9111, section 5.2.2.
"""

from hashlib import sha256
from http import HTTPStatus
from typing import Annotated

from fastapi import Header, Response

ETAG_CHARACTERS = 32

IfNoneMatch = Annotated[
    str | None, Header(description="The ETag of the answer that is at hand already.")
]


def cached(
    body: bytes, *, media_type: str, cache_control: str, if_none_match: str | None
) -> Response:
    """Answer with a body, or with nothing where it is at hand already."""
    etag = f'"{sha256(body).hexdigest()[:ETAG_CHARACTERS]}"'
    if is_at_hand(etag, if_none_match=if_none_match):
        return not_modified(etag, cache_control=cache_control)
    headers = {"Cache-Control": cache_control, "ETag": etag}
    return Response(body, headers=headers, media_type=media_type)


def is_at_hand(etag: str, *, if_none_match: str | None) -> bool:
    """Whether whoever asks has the answer already."""
    at_hand = {each.strip().removeprefix("W/") for each in (if_none_match or "").split(",")}
    return etag in at_hand or "*" in at_hand


def not_modified(etag: str, *, cache_control: str) -> Response:
    """Answer that nothing has changed."""
    headers = {"Cache-Control": cache_control, "ETag": etag}
    return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=headers)
