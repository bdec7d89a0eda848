"""Who may come in: a session in a cookie, a role for each page, and forms that were written here.

Every route of the console that is not open to strangers depends on an ``Admission``; a route
without one is found by a test. A form has to come from a page of ours, in the same browser.

Source: docs/console.md; OWASP ASVS 5.0, chapter 3.
"""

from dataclasses import dataclass, replace
from urllib.parse import quote

from fastapi import Request
from fastapi.responses import Response

from offramp.core.errors import Missing, Refused
from offramp.core.operator import OperatorRole
from offramp.engine.context import Context
from offramp.engine.operators import PATH, actor_of
from offramp.engine.sign_in import SESSION_HOURS, SignedIn, find_session, sign_out
from offramp.web.api.form import Body, field_of
from offramp.web.own_page import SessionCookie, is_https, require_own_page, require_token

COOKIE = "offramp-console"
ROOT = f"/{PATH}"


class SignInNeeded(Missing):
    """Nobody is signed in here."""


class RoleTooLow(Refused):
    """This takes the role {needed}, and yours is {role}."""

    http_status = 403


@dataclass(frozen=True, slots=True, kw_only=True)
class Door:
    """The one way into the console."""

    context: Context

    @property
    def cookie(self) -> SessionCookie:
        """The cookie in which a browser keeps its session."""
        is_secure = is_https(self.context.public_address)
        return SessionCookie(name=COOKIE, hours=SESSION_HOURS, is_secure=is_secure)

    def let_in(self, request: Request, response: Response, secret: str) -> None:
        """Give a browser a session of its own, and close the one that it had."""
        before = self.find(request)
        if before is not None:
            sign_out(self.context, before)
        self.cookie.put(response, secret)

    def let_out(self, response: Response) -> None:
        """Take the session out of a browser."""
        self.cookie.take(response)

    def find(self, request: Request) -> SignedIn | None:
        """Say who is signed in."""
        secret = self.cookie.read(request)
        return find_session(self.context, secret) if secret else None

    def require_own_page(self, request: Request) -> None:
        """Refuse a form that a page of somebody else has sent.

        Raises:
            FormForeign: it comes from elsewhere, or does not say where it comes from.
        """
        require_own_page(request, public_address=self.context.public_address)


@dataclass(frozen=True, slots=True, kw_only=True)
class Visitor:
    """Who asks, and what they may touch: all that they do is on record under their id."""

    signed_in: SignedIn
    context: Context
    body: bytes

    def may(self, role: OperatorRole) -> bool:
        """Whether they may do what a role may."""
        return self.signed_in.operator.role.includes(role)

    def said(self, name: str) -> str:
        """Read one field of the form that they sent."""
        return field_of(self.body, name).strip()


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)  # known to the framework by itself
class Admission:
    """Lets those pass who are signed in and have a role; a form has to be one of ours."""

    door: Door
    role: OperatorRole

    def __call__(self, request: Request, body: Body) -> Visitor:
        """Say who asks.

        Raises:
            SignInNeeded: nobody is signed in.
            RoleTooLow: they may not do this.
            FormForeign: the form was written elsewhere.
        """
        signed_in = self.require_somebody(request)
        if request.method not in ("GET", "HEAD"):
            require_token(field_of(body, "token"), wanted=signed_in.token)
        acting = replace(self.door.context, actor=actor_of(signed_in.operator.id))
        return Visitor(signed_in=signed_in, context=acting, body=body)

    def require_somebody(self, request: Request) -> SignedIn:
        """Say who asks, before any of what they send is read.

        Raises:
            SignInNeeded, RoleTooLow, FormForeign: as when they are let in.
        """
        signed_in = self.door.find(request)
        if signed_in is None:
            raise SignInNeeded
        if request.method not in ("GET", "HEAD"):
            self.door.require_own_page(request)
        operator = signed_in.operator
        if not operator.role.includes(self.role):
            raise RoleTooLow(needed=self.role.value, role=operator.role.value)
        return signed_in


def own_path(request: Request) -> str:
    """Write where somebody wanted to go, so that they can be led there once they are in."""
    path = quote(request.url.path)
    return f"{path}?{request.url.query}" if request.url.query else path


def safe_path(text: str) -> str:
    """Give a path of the console as it is, and the first page in place of anything else."""
    path = text.partition("?")[0]
    is_ours = path == ROOT or path.startswith(f"{ROOT}/")
    is_plain = text.isascii() and text.isprintable() and not set(text) & set(' \\"<>')
    return text if is_ours and is_plain and "//" not in path and ".." not in path else ROOT
