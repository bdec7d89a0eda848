"""Who may come in: a session in a cookie, and forms that were written here.

Every route of the portal that is not open to strangers depends on an ``Admission``; a route
without one is found by a test. No address names anybody: a session is that of one member, and what
is shown is theirs.

Source: docs/portal.md; docs/decisions/036-portal.md.
"""

from dataclasses import dataclass

from fastapi import Request
from fastapi.responses import Response
from whenever import Date, Instant

from offramp.core.dates import parse_boundary
from offramp.core.errors import Missing
from offramp.engine.context import Context
from offramp.engine.portal_entry import PATH, SESSION_HOURS, Guest, find_guest, leave
from offramp.engine.portal_people import may_manage
from offramp.web.api.form import Body, field_of, values_of
from offramp.web.own_page import SessionCookie, is_https, require_own_page, require_token

COOKIE = "offramp-portal"
ROOT = f"/{PATH}"


class EntranceNeeded(Missing):
    """Nobody is signed in to the portal here."""


class PageMissing(Missing):
    """There is no such page, or not for this person."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PortalDoor:
    """The one way into the portal."""

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
            leave(self.context, before)
        self.cookie.put(response, secret)

    def find(self, request: Request) -> Guest | None:
        """Say who is signed in."""
        secret = self.cookie.read(request)
        return find_guest(self.context, secret) if secret else None

    def require_own_page(self, request: Request) -> None:
        """Refuse a form that a page of somebody else has sent.

        Raises:
            FormForeign: it comes from elsewhere, or does not say where it comes from.
        """
        require_own_page(request, public_address=self.context.public_address)


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """Who asks, and what they sent.

    Attributes:
        wanted: the languages that their browser wants.
    """

    guest: Guest
    body: bytes
    wanted: str

    @property
    def answers(self) -> bool:
        """Whether they answer for the organization, and see its affairs."""
        return self.guest.answers

    @property
    def organization(self) -> str:
        """The id of the organization that is looked at."""
        return self.guest.organization.id

    @property
    def member(self) -> str:
        """The id of whoever looks."""
        return self.guest.member.id

    @property
    def zone(self) -> str:
        """The time zone in which they read dates."""
        return self.guest.member.zone or self.guest.organization.zone

    def said(self, name: str) -> str:
        """Read one field of the form that they sent."""
        return field_of(self.body, name).strip()

    def day(self, name: str) -> Date | None:
        """Read a field that holds a day, or nothing.

        Raises:
            ValueError: it holds something else.
        """
        said = self.said(name)
        day = parse_boundary(said) if said else None
        if isinstance(day, Instant):
            raise ValueError("an instant is no day")
        return day

    def chose(self, name: str) -> list[str]:
        """Read every value of a field that can be chosen several times."""
        return values_of(self.body, name)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)  # known to the framework by itself
class Admission:
    """Lets those pass who are signed in; a form has to be one of ours.

    Attributes:
        is_for_company: only those who answer for the organization; to others there is no such page.
        is_for_managers: only those of them who are administrators or owners, not for billing alone.
    """

    door: PortalDoor
    is_for_company: bool = False
    is_for_managers: bool = False

    def __call__(self, request: Request, body: Body) -> Visit:
        """Say who asks.

        Raises:
            EntranceNeeded: nobody is signed in.
            FormForeign: the form was written elsewhere.
            PageMissing: they do not answer for the organization.
        """
        guest = self.door.find(request)
        if guest is None:
            raise EntranceNeeded
        if request.method not in ("GET", "HEAD"):
            self.door.require_own_page(request)
            require_token(field_of(body, "token"), wanted=guest.token)
        if self.is_for_company and not guest.answers:
            raise PageMissing
        if self.is_for_managers and not (guest.answers and may_manage(guest)):
            raise PageMissing
        wanted = request.headers.get("accept-language", "")
        return Visit(guest=guest, body=body, wanted=wanted)
