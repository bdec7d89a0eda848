"""What comes in the body of a request that is no JSON: all of it, and the fields of a short form.

Source: HTML Living Standard, "URL-encoded form data".
"""

from typing import Annotated
from urllib.parse import parse_qs

from fastapi import Depends, Request

FIELDS_MAX = 64


async def _body(request: Request) -> bytes:
    return await request.body()


Body = Annotated[bytes, Depends(_body)]


def field_of(form: bytes, name: str) -> str:
    """Read one field; what is no form of ours has none, which is as if it were left empty."""
    return next(iter(values_of(form, name)), "")


def values_of(form: bytes, name: str) -> list[str]:
    """Read every value of a field that may be there several times."""
    try:
        fields = parse_qs(form.decode(errors="replace"), max_num_fields=FIELDS_MAX)
    except ValueError:
        return []
    return fields.get(name, [])
