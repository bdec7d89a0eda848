"""`offramp serve`: answer over HTTP what programs and people ask.

Source: docs/http.md; docs/decisions/025-http.md.
"""

import importlib
import sys
from typing import Annotated

import typer

from offramp.adapters.clock import SystemClock
from offramp.adapters.report_structlog import StructlogReport
from offramp.bootstrap import link_pages, portal_pages
from offramp.cli.opening import open_context
from offramp.cli.operator import link_address
from offramp.cli.output import AsJson, guarded, show_line, show_text
from offramp.cli.run import Stop
from offramp.config import load_settings
from offramp.core.errors import Missing
from offramp.engine.operators import Invitation, invite_first
from offramp.ports import Happening
from offramp.web.address import open_listener, url_of


class WebMissing(Missing):
    """The package {package}, which answers over HTTP, is not installed."""


@guarded
def serve(
    listen: Annotated[
        str | None, typer.Option(metavar="[HOST:]PORT", help="Where to listen.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Answer over HTTP, until stopped."""
    try:
        # An extra, and slow to import: only a server pays for it.
        web, application = (
            importlib.import_module(f"offramp.web.api.{name}") for name in ("serving", "app")
        )
        argon2 = importlib.import_module("offramp.adapters.passwords_argon2")
    except ModuleNotFoundError as error:
        raise WebMissing(package=error.name, hint="pip install offramp[web]") from error
    settings, stop = load_settings(), Stop()
    report = StructlogReport(clock=SystemClock(), stream=sys.stderr)
    context = open_context(with_data=True, with_endpoints=True, report=report, is_stopping=stop)
    access_keys = application.AccessKeys.parse(settings.access_keys.get_secret_value())
    stripe = settings.stripe_secrets.get_secret_value()
    app = application.create_app(
        context,
        access_keys=access_keys,
        hooks=application.Hooks.parse(settings),
        pages=link_pages(settings),
        has_again_page=settings.again_page,
        passwords=argon2.Argon2Passwords(),
        requests_per_minute=settings.requests_per_minute,
        stripe=application.Stripe.parse(stripe) if stripe else None,
        portal=portal_pages(settings),
    )
    stop.listen()
    with open_listener(listen or settings.serve_at) as listener:
        url = url_of(listener)
        _tell(url, invite_first(context), as_json=as_json)
        web.serve(app, listener)


def _tell(url: str, first: Invitation | None, *, as_json: bool) -> None:
    """Say where it answers, and where the first operator gets in while there is none."""
    address = link_address(first, base=url) if first else None
    if as_json:
        told = {"event": Happening.LISTENING, "address": url}
        show_line(told if address is None else {**told, "first_sign_in": address})
        return
    show_text(f"listening on {url}")
    if first is not None:
        show_text(f"nobody works with the console yet; this link lets the first one in: {address}")
