"""How a snapshot is fetched: one request by the standard library, to one server, with one key.

Source: docs/sdk.md; RFC 9110, sections 13.1.2 (If-None-Match) and 15.4 (redirects).
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.message import Message
from http.client import HTTPException, HTTPMessage
from typing import IO, Protocol
from urllib.error import HTTPError, URLError
from urllib.parse import quote, urlsplit
from urllib.request import HTTPRedirectHandler, ProxyHandler, Request, build_opener

from offramp.core.errors import Invalid, Unavailable

TIMEOUT_SECONDS = 5.0
CHANGES_SECONDS = 15.0  # more, as the server answers when something changes, or after ten
BODY_BYTES_MAX = 64 * 1024 * 1024


class OfframpAddressInvalid(Invalid):
    """The address of Offramp begins with {scheme!r}."""


class OfframpSilent(Unavailable):
    """Offramp did not answer a question about access: {reason}."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came back, whatever the status."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)  # names in lower case
    body: bytes = b""


class Transport(Protocol):
    """Asks for the snapshot of an organization."""

    def __call__(self, organization: str, *, etag: str | None) -> Answer:
        """Ask, naming what is at hand already (`OfframpSilent`)."""


class _NoRedirect(HTTPRedirectHandler):
    """Takes a redirect for the answer that it is: whoever it leads to would be given the key."""

    def redirect_request(
        self,
        req: Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: HTTPMessage,
        newurl: str,
    ) -> None:
        """Follow none."""


class HttpTransport:
    """Asks `offramp serve`, past all proxies of the environment."""

    def __init__(self, url: str, key: str, *, timeout_seconds: float = TIMEOUT_SECONDS) -> None:
        """Know where to ask.

        Raises:
            OfframpAddressInvalid: it is no address of the web.
        """
        scheme = urlsplit(url).scheme
        if scheme not in ("http", "https"):
            raise OfframpAddressInvalid(scheme=scheme, expected="http:// or https://")
        self._base = url.rstrip("/")
        self._authorization = f"Bearer {key}"
        self._timeout_seconds = timeout_seconds
        self._opener = build_opener(ProxyHandler({}), _NoRedirect)

    def __call__(self, organization: str, *, etag: str | None) -> Answer:
        """Ask, naming what is at hand already."""
        address = f"{self._base}/v1/organizations/{quote(organization, safe='')}/access-snapshot"
        headers = {"Authorization": self._authorization, "Accept": "application/json"}
        if etag is not None:
            headers["If-None-Match"] = etag
        asked = Request(address, headers=headers)  # noqa: S310 (the scheme was looked at)
        return self._send(asked, timeout_seconds=self._timeout_seconds)

    def changes(self, revisions: Mapping[str, str]) -> Answer:
        """Ask which revisions are not true any more; it may take a while to answer."""
        body = json.dumps({"organizations": dict(revisions)}).encode()
        headers = {"Authorization": self._authorization, "Content-Type": "application/json"}
        address = f"{self._base}/v1/access-snapshots/changes"
        asked = Request(address, body, headers=headers)  # noqa: S310 (the scheme was looked at)
        return self._send(asked, timeout_seconds=self._timeout_seconds + CHANGES_SECONDS)

    def _send(self, asked: Request, *, timeout_seconds: float) -> Answer:
        try:
            with self._opener.open(asked, timeout=timeout_seconds) as answer:
                return _answer(answer.status, answer.headers, answer.read(BODY_BYTES_MAX + 1))
        except HTTPError as error:
            with error:
                return _answer(error.code, error.headers, error.read(BODY_BYTES_MAX))
        except (OSError, HTTPException, ValueError) as error:
            raise OfframpSilent(reason=type(_cause(error)).__name__) from error


def _cause(error: Exception) -> Exception:
    """Look behind the one error that the library has for whatever the network does."""
    behind = error.reason if isinstance(error, URLError) else None
    return behind if isinstance(behind, Exception) else error


def _answer(status: int, headers: Message, body: bytes) -> Answer:
    if len(body) > BODY_BYTES_MAX:
        raise OfframpSilent(reason="the answer is too large")
    named = {name.lower(): value for name, value in headers.items()}
    return Answer(status=status, headers=named, body=body)
