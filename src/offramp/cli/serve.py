"""`offramp serve`: answer over HTTP what programs and people ask, and carry out what is due.

Source: docs/http.md; docs/decisions/025-http.md; docs/decisions/038-one-process.md.
"""

import importlib
import os
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from threading import Timer
from typing import Annotated

import typer

from offramp.adapters.clock import SystemClock
from offramp.adapters.report_prometheus import PrometheusReport
from offramp.adapters.report_structlog import StructlogReport
from offramp.bootstrap import identity_provider, link_pages, portal_pages, silent
from offramp.cli.opening import open_context
from offramp.cli.operator import link_address
from offramp.cli.output import AsJson, guarded, show_line, show_text
from offramp.cli.run import Stop
from offramp.cli.service import Everybody
from offramp.cli.settling import settle
from offramp.config import load_settings
from offramp.core.errors import Missing
from offramp.engine.context import Context
from offramp.engine.embedded import EmbeddedWorker
from offramp.engine.operators import Invitation, invite_first
from offramp.engine.watch import Pulse
from offramp.ports import Happening
from offramp.web.address import open_listener, url_of
from offramp.web.monitor import Monitor

STOP_SECONDS = 30.0  # for the step in hand, once somebody wants the server to stop


class WebMissing(Missing):
    """The package {package}, which answers over HTTP, is not installed."""


@guarded
def serve(
    listen: Annotated[
        str | None,
        typer.Option("--listen", "--port", metavar="[HOST:]PORT", help="Where to listen."),
    ] = None,
    data: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="The folder of everything; set up where it is empty."),
    ] = None,
    no_worker: Annotated[
        bool, typer.Option("--no-worker", help="Leave what is due to workers elsewhere.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Answer over HTTP and carry out what is due, until stopped."""
    try:
        # An extra, and slow to import: only a server pays for it.
        web, application = (
            importlib.import_module(f"offramp.web.api.{name}") for name in ("serving", "app")
        )
        argon2 = importlib.import_module("offramp.adapters.passwords_argon2")
    except ModuleNotFoundError as error:
        raise WebMissing(package=error.name, hint="pip install offramp[web]") from error
    has_worker = not no_worker
    if data is not None:
        settle(data, listen=listen, probe=silent)
    settings, stop = load_settings(), Stop()
    stripe = settings.stripe_secrets.get_secret_value()
    log = StructlogReport(clock=SystemClock(), stream=sys.stderr)
    everybody = Everybody()
    context = open_context(
        with_data=True,
        with_messages=has_worker,
        with_endpoints=True,
        report=everybody,
        is_stopping=stop,
    )
    metrics = PrometheusReport(version=context.version)
    everybody.reports += [metrics, log]
    pulse = Pulse(elapsed=context.elapsed) if has_worker else None
    app = application.create_app(
        context,
        access_keys=application.AccessKeys.parse(settings.access_keys.get_secret_value()),
        hooks=application.Hooks.parse(settings),
        pages=link_pages(settings),
        has_again_page=settings.again_page,
        passwords=argon2.Argon2Passwords(),
        requests_per_minute=settings.requests_per_minute,
        stripe=application.Stripe.parse(stripe) if stripe else None,
        portal=portal_pages(settings),
        provider=identity_provider(settings),
        takes_passwords=not settings.oidc_only,
        monitor=Monitor(context, metrics=metrics, pulse=pulse),
    )
    stop.listen()
    with ExitStack() as stack:
        listener = stack.enter_context(open_listener(listen or settings.serve_at))
        first = None if settings.oidc_only else invite_first(context)
        _tell(url_of(listener), first, has_worker=has_worker, as_json=as_json)
        if settings.portal and not as_json:
            show_text(f"   {context.public_address}/portal for people who leave", style="dim")
        if pulse is not None:
            own = replace(context, report=Everybody(reports=[pulse, metrics, log]))
            stack.enter_context(_working(own, pulse))
        web.serve(app, listener, stopping=stop.want)


@contextmanager
def _working(context: Context, pulse: Pulse) -> Iterator[None]:
    """Let a worker work for as long as the block runs, and not much longer."""
    with EmbeddedWorker(context=context, pulse=pulse).working():
        try:
            yield
        finally:
            # A thread in the middle of a long step would keep the process; its lease runs out.
            late = Timer(STOP_SECONDS, os._exit, [0])
            late.daemon = True
            late.start()
    late.cancel()


def _tell(url: str, first: Invitation | None, *, has_worker: bool, as_json: bool) -> None:
    """Say where it answers, and where the first operator gets in while there is none."""
    address = link_address(first, base=url) if first else None
    if as_json:
        told = {"event": Happening.LISTENING, "address": url, "has_worker": has_worker}
        show_line(told if address is None else {**told, "first_sign_in": address})
        return
    show_text(f"listening on {url}")
    show_text(f"   {url}/console for people, {url}/v1/openapi.json for programs", style="dim")
    show_text(f"   {url}/healthz and {url}/metrics for whatever watches it", style="dim")
    carried = "is carried out here" if has_worker else "is left to workers elsewhere"
    show_text(f"   what is due {carried}", style="dim")
    if first is not None:
        show_text(f"nobody works with the console yet; this link lets the first one in: {address}")
