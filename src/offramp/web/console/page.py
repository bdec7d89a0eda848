"""How a page of the console is written: from a template, under a policy that lets nothing else in.

Source: Content Security Policy Level 3; docs/console.md.
"""

from http import HTTPStatus
from urllib.parse import urlsplit

from fastapi import Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from jinja2 import Environment, PackageLoader, StrictUndefined

from offramp.core.operator import OperatorRole
from offramp.engine.sign_in import SignedIn
from offramp.ports import Clock, IdentityProvider
from offramp.web.console.door import ROOT, Visitor
from offramp.web.console.moment import day_text, moment_text, zone_text
from offramp.web.console.static import digest_of
from offramp.web.own_page import PAGE_HEADERS

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
HEADERS = {"Content-Security-Policy": POLICY, **PAGE_HEADERS}


def _environment(root: str) -> Environment:
    environment = Environment(
        loader=PackageLoader("offramp.web"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals |= {
        "root": root,
        "tagged": lambda name: f"{root}/static/{name}?{digest_of(name)}",
        "moment_text": moment_text,
        "day_text": day_text,
        "zone_text": zone_text,
        "Role": OperatorRole,
        "clock": None,
        "provider": None,
        "takes_passwords": False,
    }
    return environment


class ConsolePages:
    """Writes every page of the console, and leads from one to another."""

    def __init__(self, *, public_address: str | None = None) -> None:
        """Know below which path people reach it."""
        self._prefix = urlsplit(public_address or "").path.rstrip("/")
        self.environment = _environment(f"{self._prefix}{ROOT}")

    def show_clock(self, clock: Clock) -> None:
        """Let every page show a clock that is simulated, and move it."""
        self.environment.globals["clock"] = clock

    def offer(self, provider: IdentityProvider) -> None:
        """Offer to sign in elsewhere."""
        self.environment.globals["provider"] = provider

    def take_passwords(self) -> None:
        """Ask for passwords where somebody signs in or looks after their account."""
        self.environment.globals["takes_passwords"] = True

    @property
    def has_passwords(self) -> bool:
        """Whether anybody signs in by one."""
        return bool(self.environment.globals["takes_passwords"])

    def answer(
        self,
        name: str,
        *,
        visitor: Visitor | None = None,
        status: int = HTTPStatus.OK,
        **facts: object,
    ) -> Response:
        """Answer with a page."""
        signed_in = visitor.signed_in if visitor else None
        return self._write(name, signed_in=signed_in, status=status, visitor=visitor, **facts)

    def problem(
        self, *, status: int, told: str, hint: str | None, signed_in: SignedIn | None
    ) -> Response:
        """Say why something was not done."""
        title = HTTPStatus(status).phrase
        return self._write(
            "problem",
            status=status,
            title=title,
            told=told,
            hint=hint,
            signed_in=signed_in,
            visitor=None,
        )

    def lead(self, request: Request, path: str) -> Response:
        """Lead a browser on to a page of the console."""
        address = f"{self._prefix}{path}"
        if "hx-request" in request.headers:
            return Response(status_code=HTTPStatus.NO_CONTENT, headers={"HX-Redirect": address})
        return RedirectResponse(address, status_code=HTTPStatus.SEE_OTHER)

    def _write(
        self, name: str, *, status: int, signed_in: SignedIn | None, **facts: object
    ) -> Response:
        template = self.environment.get_template(f"console/{name}.html.j2")
        zone = signed_in.operator.zone if signed_in else "UTC"
        text = template.render(signed_in=signed_in, zone=zone, here=name, **facts)
        return HTMLResponse(text, status_code=status, headers=HEADERS)
