"""How an operator gets in by way of a provider of identities: out of here, and back again.

The way out is a link and no form: our pages let no form lead elsewhere. Whatever keeps somebody
out, they see the same words; the log has the reason.

Source: docs/console.md, "Signing in elsewhere"; `engine.single_sign_on`, which decides; RFC
6265bis, section 5.5.7 (a cookie that is lax comes along when somebody is led here).
"""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as NotBase64
from http import HTTPStatus

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response
from whenever import Instant

from offramp.engine.operators import BACK
from offramp.engine.reporting import report_unavailable
from offramp.engine.single_sign_on import Journey, KeptOut, arrive, set_out
from offramp.ports import IdentityProvider, IdentityUnavailable
from offramp.web.console.door import ROOT, Door, safe_path
from offramp.web.console.page import ConsolePages
from offramp.web.console.route import route_class
from offramp.web.console.sign_in import let_in
from offramp.web.own_page import SessionCookie, is_https

COOKIE = "offramp-console-way"
COOKIE_HOURS = 1  # a way is good for less
TO_CHARACTERS_MAX = 1024  # a cookie holds no more than four times that
REFUSED = (
    "You were not let in. Either nobody who works here has your address, or it took longer than "
    "ten minutes, or it was begun in another browser. Try again; if that does not help, ask "
    "whoever runs Offramp: the log has the reason."
)
UNAVAILABLE = "Whoever says who you are does not answer. Try again in a few minutes."
_DIGITS_MAX = 11


def sign_on_routes(door: Door, pages: ConsolePages, provider: IdentityProvider) -> APIRouter:
    """Give the way to the provider, and the way back."""
    routes = APIRouter(route_class=route_class(door, pages))
    is_secure = is_https(door.context.public_address)
    cookie = SessionCookie(name=COOKIE, hours=COOKIE_HOURS, is_secure=is_secure)

    def refuse(told: str, *, status: int, to: str = ROOT) -> Response:
        return pages.answer("sign-in", to=to, address="", told=told, status=status)

    @routes.get(f"{ROOT}/sign-in/elsewhere")
    def leave(to: str = ROOT) -> Response:
        wanted = safe_path(to) if len(to) <= TO_CHARACTERS_MAX else ROOT
        journey = set_out(door.context, to=wanted)
        try:
            address = provider.address_for(journey.challenge)
        except IdentityUnavailable as error:
            report_unavailable(door.context, error)
            return refuse(UNAVAILABLE, status=error.http_status, to=journey.to)
        response = RedirectResponse(address, status_code=HTTPStatus.SEE_OTHER)
        cookie.put(response, _written(journey))
        return response

    @routes.get(f"/{BACK}")
    def come_back(request: Request, state: str = "", code: str = "") -> Response:
        journey = _read(cookie.read(request) or "")
        try:
            secret = arrive(door.context, provider, journey, state=state, code=code)
        except KeptOut as error:
            response = refuse(REFUSED, status=error.http_status)
        except IdentityUnavailable as error:
            report_unavailable(door.context, error)
            response = refuse(UNAVAILABLE, status=error.http_status)
        else:
            assert journey is not None, "nobody arrives without one"
            response = let_in(door, pages, request, secret, to=safe_path(journey.to))
        cookie.take(response)
        return response

    return routes


def _written(journey: Journey) -> str:
    """Write a way as a cookie holds it."""
    to = urlsafe_b64encode(journey.to.encode()).decode()
    return f"{journey.secret}.{journey.begun_at.timestamp()}.{to}"


def _read(text: str) -> Journey | None:
    """Read what a browser kept of a way; none where it is not one."""
    secret, _, rest = text.partition(".")
    seconds, _, to = rest.partition(".")
    if not (seconds.isascii() and seconds.isdigit() and len(seconds) <= _DIGITS_MAX):
        return None
    try:
        begun_at = Instant.from_timestamp(int(seconds))
        return Journey(secret=secret, begun_at=begun_at, to=urlsafe_b64decode(to).decode())
    except (NotBase64, ValueError):
        return None
