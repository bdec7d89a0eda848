"""`offramp run`: carry out what is due, once or until stopped.

A stopped worker finishes the step in hand and gives the rest back; nothing is lost when it is
killed instead, it only takes until its lease has run out.

Source: docs/architecture.md; lessons L2, L31, L33.
"""

import signal
from collections.abc import Mapping
from dataclasses import dataclass
from types import FrameType
from typing import Annotated, Any

import typer
from whenever import Instant

from offramp.cli.opening import open_context
from offramp.cli.option import OptionsClash
from offramp.cli.output import AsJson, guarded, show_error, show_json, show_line, show_text
from offramp.cli.progress import Watcher
from offramp.core.errors import Unavailable
from offramp.engine.context import Context
from offramp.engine.dry_run import Intended, intend
from offramp.engine.sweep import run_until_quiet, tick

LISTEN_SECONDS = 0.2  # how soon a worker that has nothing to do hears that it should stop


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

    def _hear(self, number: int, frame: FrameType | None) -> None:
        self.is_wanted = True


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
    if dry_run:
        _show_intended(intend(open_context(with_data=True)), as_json=as_json)
        return
    stop, watcher = Stop(), Watcher()
    stop.listen()
    context = open_context(with_data=True, report=watcher, is_stopping=stop)
    if every is not None:
        _go_on(context, watcher, stop, every_seconds=every, as_json=as_json)
        return
    with watcher.shown():
        if until_quiet:
            run_until_quiet(context)
        else:
            tick(context)
    told = name_subjects(context, watcher)
    if as_json:
        show_json({"happened": told})
    else:
        show_events(told)
        if not told:
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


def _go_on(
    context: Context, watcher: Watcher, stop: Stop, *, every_seconds: int, as_json: bool
) -> None:
    """Sweep again and again; an outage is told and waited out."""
    while not stop.is_wanted:
        claimed = 0
        try:
            with watcher.shown():
                claimed = tick(context).claimed
            told = name_subjects(context, watcher)
        except Unavailable as error:
            show_error(error, as_json=as_json)
            told = []
        if as_json:
            for line in told:
                show_line(line)
        else:
            show_events(told)
        if not claimed:
            _wait(context, stop, seconds=every_seconds)


def _wait(context: Context, stop: Stop, *, seconds: int) -> None:
    until = context.elapsed() + seconds
    while not stop.is_wanted and context.elapsed() < until:
        context.pause(LISTEN_SECONDS)


def name_subjects(context: Context, watcher: Watcher) -> list[dict[str, Any]]:
    """Name the subject of everything that was reported."""
    if not watcher.events:
        return []
    named = []
    with context.store.transaction() as transaction:
        for event, facts in watcher.take():
            row = transaction.offboarding(str(facts.get("offboarding")))
            subject = row.subject if row else None
            named.append(
                {
                    "event": event,
                    "organization": subject.organization if subject else None,
                    "member": subject.member if subject else None,
                    "product": subject.product if subject else None,
                    **facts,
                }
            )
    return named


def show_events(told: list[dict[str, Any]]) -> None:
    """Print what happened, one line each."""
    for line in told:
        show_text(_sentence(line), style="" if line["event"] == "step" else "red")


def _sentence(line: Mapping[str, Any]) -> str:
    who = " / ".join(filter(None, (line["organization"], line["product"], line["member"])))
    if line["event"] != "step":
        why = line.get("reason") or line.get("error") or f"attempt {line.get('attempt')}"
        return f"{who or 'store'}: {line['event']} ({why})"
    reason = f" ({line['reason']})" if line["reason"] else ""
    at = Instant.parse_iso(line["at"]).round("second", mode="floor")
    return f"{at} {who}: {line['step']} {line['status']}{reason}"
