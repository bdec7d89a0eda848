"""What pages for somebody who is signed in have in common: whose form it is, a cookie, headers.

A form counts only if it comes from a page of ours, in the same browser.

Source: RFC 6265bis, section 4.1.3 (cookie name prefixes); OWASP ASVS 5.0, chapter 3.
"""

import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from fastapi import Request
from fastapi.responses import Response

from offramp.core.errors import Refused

PAGE_HEADERS: Mapping[str, str] = {
    # With no referrer at all, a browser does not say where a form comes from either.
    "Referrer-Policy": "same-origin",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


class FormForeign(Refused):
    """This form was not written for this browser, or an older sign-in wrote it."""

    http_status = 403


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionCookie:
    """A cookie with a secret; ``is_secure`` where people reach the server by https alone."""

    name: str
    hours: int
    is_secure: bool

    @property
    def full_name(self) -> str:
        """What it is called: no other host and no page without https may set it."""
        return f"__Host-{self.name}" if self.is_secure else self.name

    def read(self, request: Request) -> str | None:
        """Give the secret that a browser shows."""
        return request.cookies.get(self.full_name)

    def put(self, response: Response, secret: str) -> None:
        """Give a browser a secret."""
        response.set_cookie(
            self.full_name,
            secret,
            max_age=self.hours * 3600,
            path="/",
            secure=self.is_secure,
            httponly=True,
            samesite="lax",
        )

    def take(self, response: Response) -> None:
        """Take the secret out of a browser."""
        response.delete_cookie(
            self.full_name, path="/", secure=self.is_secure, httponly=True, samesite="lax"
        )


def require_own_page(request: Request, *, public_address: str | None) -> None:
    """Refuse a form that a page of somebody else has sent.

    Raises:
        FormForeign: it comes from elsewhere, or does not say where it comes from.
    """
    host = request.headers.get("host", "")
    is_secure = is_https(public_address)
    own = {f"https://{host}"} if is_secure else {f"http://{host}", f"https://{host}"}
    if public_address is not None:
        public = urlsplit(public_address)
        own.add(f"{public.scheme}://{public.netloc}")
    is_own = request.headers.get("origin") in own
    if not is_own or request.headers.get("sec-fetch-site", "same-origin") != "same-origin":
        raise _foreign()


def require_token(shown: str, *, wanted: str) -> None:
    """Refuse a form that was written for another session.

    Raises:
        FormForeign: it was.
    """
    if not hmac.compare_digest(shown.encode(), wanted.encode()):
        raise _foreign()


def is_https(public_address: str | None) -> bool:
    """Whether people reach the server by https."""
    return (public_address or "").startswith("https:")


def _foreign() -> FormForeign:
    return FormForeign(hint="open the page again and send it from there")
