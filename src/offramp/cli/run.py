"""`offramp run`: carry out what is due, once or until stopped.

A stopped worker finishes the step in hand and gives the rest back; nothing is lost when it is
killed instead, it only takes until its lease has run out.

Source: docs/architecture.md; lessons L2, L31, L33.
"""

import signal
from dataclasses import dataclass
from types import FrameType
from typing import Annotated

import typer

from offramp.cli.opening import open_context
from offramp.cli.option import OptionMissing, OptionsClash
from offramp.cli.output import AsJson, guarded, show_json, show_text
from offramp.cli.progress import Watcher
from offramp.cli.service import Everybody, Listen, Log, Service, watched
from offramp.cli.telling import show_told, told
from offramp.core.errors import Unavailable
from offramp.engine.context import Context
from offramp.engine.courier import carry_once, carrying
from offramp.engine.dry_run import Intended, intend
from offramp.engine.request import answer_requests
from offramp.engine.sweep import run_until_quiet, tick
from offramp.ports import Report


@dataclass(kw_only=True)
class Stop:
    """Whether somebody wants the worker to stop."""

    is_wanted: bool = False

    def __call__(self) -> bool:
        """Say so."""
        return self.is_wanted

    def listen(self) -> None:
        """Hear an interrupt or a termination from now on."""
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._hear)

    def want(self) -> None:
        """Stop."""
        self.is_wanted = True

    def _hear(self, number: int, frame: FrameType | None) -> None:
        self.want()


@guarded
def run(
    once: Annotated[bool, typer.Option("--once", help="One sweep; the default.")] = False,
    until_quiet: Annotated[
        bool, typer.Option("--until-quiet", help="Sweep until nothing is due.")
    ] = False,
    every: Annotated[
        int | None, typer.Option(min=1, metavar="SECONDS", help="Go on sweeping until stopped.")
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Print what one sweep would do, and do none of it.")
    ] = False,
    listen: Listen = None,
    log: Log = None,
    as_json: AsJson = False,
) -> None:
    """Carry out what is due, and print it."""
    chosen = {
        "--once": once,
        "--until-quiet": until_quiet,
        "--every": every is not None,
        "--dry-run": dry_run,
    }
    if sum(chosen.values()) > 1:
        raise OptionsClash(
            options=" and ".join(name for name, is_given in chosen.items() if is_given)
        )
    if every is None and (listen or log):
        raise OptionMissing(option="--every", hint="only a worker that goes on is watched")
    if dry_run:
        _show_intended(intend(open_context(with_data=True)), as_json=as_json)
        return
    stop = Stop()
    stop.listen()
    if every is not None:
        everybody = Everybody()
        context = _open(everybody, stop)
        watching = watched(context, everybody, listen=listen, log=log, as_json=as_json)
        with watching as service, carrying(context):
            _go_on(service, every_seconds=every)
        return
    watcher = Watcher()
    context = _open(watcher, stop)
    answer_requests(context)
    with watcher.shown():
        if until_quiet:
            run_until_quiet(context)
        else:
            tick(context)
    carry_once(context)
    _show_happened(context, watcher, as_json=as_json)


def _open(report: Report, stop: Stop) -> Context:
    return open_context(
        with_data=True, with_messages=True, with_endpoints=True, report=report, is_stopping=stop
    )


def _show_happened(context: Context, watcher: Watcher, *, as_json: bool) -> None:
    if as_json:
        show_json({"happened": told(context, watcher)})
    elif not show_told(context, watcher, as_json=False):
        show_text("nothing was due")


def _show_intended(steps: tuple[Intended, ...], *, as_json: bool) -> None:
    if as_json:
        due = [
            {
                "organization": step.subject.organization,
                "member": step.subject.member,
                "product": step.subject.product,
                "step": step.step,
                "due_at": step.due_at.format_iso(),
                "would": list(step.lines),
            }
            for step in steps
        ]
        show_json({"due": due})
        return
    for step in steps:
        subject = step.subject
        names = (subject.organization, subject.member, subject.product)
        show_text(f"{' / '.join(name for name in names if name)}: {step.step}")
        for line in step.lines:
            show_text(f"  {line}")
    if not steps:
        show_text("nothing is due")


def _go_on(service: Service, *, every_seconds: int) -> None:
    """Sweep again and again; an outage is told and waited out."""
    context = service.context
    while not context.is_stopping():
        claimed = 0
        try:
            with service.watcher.shown():
                claimed = tick(context).claimed
            service.tell()
        except Unavailable as error:
            service.tell_outage(error)
        if not claimed:
            service.rest(seconds=every_seconds)
