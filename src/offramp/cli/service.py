"""A command that goes on until it is stopped: what it tells, its metrics, and its health.

Every such command is watched here, so that all of them are seen in the same way.

Source: docs/operations.md.
"""

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Annotated

import typer

from offramp.adapters.report_prometheus import PrometheusReport
from offramp.adapters.report_structlog import StructlogReport
from offramp.cli.output import show_error
from offramp.cli.progress import Watcher
from offramp.cli.telling import show_told
from offramp.config import LogFormat, load_settings
from offramp.core.errors import Unavailable
from offramp.engine.context import Context
from offramp.engine.reporting import report_unavailable
from offramp.engine.watch import Pulse
from offramp.ports import Happening, Report
from offramp.web.monitor import Monitor
from offramp.web.server import serving

LISTEN_SECONDS = 0.2  # how soon a worker that has nothing to do hears that it should stop

Listen = Annotated[
    str | None,
    typer.Option(metavar="[HOST:]PORT", help="Tell of metrics and health there."),
]
Log = Annotated[LogFormat | None, typer.Option(help="How to tell what happens: text or json.")]


@dataclass(slots=True, kw_only=True)
class Everybody:
    """Passes on to several what happens."""

    reports: list[Report] = field(default_factory=list)

    def __call__(self, event: str, facts: Mapping[str, object], /) -> None:
        """Tell all of them, in order."""
        for report in self.reports:
            report(event, facts)


@dataclass(slots=True, kw_only=True)
class Service:
    """A worker with everything that is seen of it."""

    context: Context
    pulse: Pulse
    watcher: Watcher
    as_json: bool
    is_logged: bool  # so that each thing was told when it happened
    _is_cut_off: bool = False

    def tell(self) -> None:
        """Print what has happened since the last time."""
        show_told(self.context, self.watcher, as_json=self.as_json)
        self._is_cut_off = False

    def tell_outage(self, error: Unavailable) -> None:
        """Tell that the worker waits for something to be back; a person is told once."""
        report_unavailable(self.context, error)
        if not self.is_logged and not self._is_cut_off:
            show_error(error, as_json=self.as_json)
        self._is_cut_off = True

    def rest(self, *, seconds: float) -> None:
        """Wait, unless somebody wants the worker to stop."""
        context = self.context
        until = context.elapsed() + seconds
        while not context.is_stopping() and context.elapsed() < until:
            self.pulse.beat()
            context.pause(LISTEN_SECONDS)


@contextmanager
def watched(
    context: Context,
    everybody: Everybody,
    *,
    listen: str | None,
    log: LogFormat | None,
    as_json: bool,
) -> Iterator[Service]:
    """Let a worker that reports to everybody be seen, and listen where it should.

    Raises:
        SettingInvalid: a setting is wrong.
        ListenAddressInvalid, ListenAddressUnavailable: it cannot listen there.
    """
    settings, watcher = load_settings(), Watcher()
    metrics, pulse = PrometheusReport(version=context.version), Pulse(elapsed=context.elapsed)
    is_logged = (log or settings.log) == "json"
    teller = StructlogReport(clock=context.clock, stream=sys.stderr) if is_logged else watcher
    everybody.reports += [pulse, metrics, teller]
    service = Service(
        context=context, pulse=pulse, watcher=watcher, as_json=as_json, is_logged=is_logged
    )
    address = listen or settings.listen
    if address is None:
        yield service
        return
    monitor = Monitor(context, metrics=metrics, pulse=pulse)
    # What goes wrong with an answer is no sign of life of the worker.
    with serving(monitor, address, report=Everybody(reports=[metrics, teller])) as url:
        everybody(Happening.LISTENING, {"address": url})
        service.tell()
        yield service
