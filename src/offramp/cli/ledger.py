"""`offramp ledger`: what can be checked afterwards.

Source: lesson L41; docs/cli.md.
"""

from pathlib import Path
from typing import Annotated, Any

import typer

from offramp.cli.opening import open_context
from offramp.cli.option import read_head
from offramp.cli.output import (
    AsJson,
    append_line,
    guarded,
    read_file,
    show_json,
    show_line,
    show_text,
)
from offramp.core.ledger import Entry, as_fields
from offramp.engine.proof import read_ledger, verify_ledger

ledger = typer.Typer(help="Read the ledger and check it.", no_args_is_help=True)


@ledger.command("verify")
@guarded
def verify(
    head: Annotated[
        str | None, typer.Option(metavar="NUMBER:SEAL", help="An end that you kept elsewhere.")
    ] = None,
    anchor: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Ends kept elsewhere: check all, and add this one."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Check every seal; keep the end that is printed where nobody here can change it."""
    kept = [] if anchor is None else _kept_in(anchor)
    given = [] if head is None else [read_head("--head", head)]
    number, seal = verify_ledger(open_context(), heads=[*kept, *given])
    if anchor is not None and (number, seal) not in kept:
        append_line(anchor, f"{number}:{seal}")
    if as_json:
        show_json({"entries": number, "head": f"{number}:{seal}", "anchors": len(kept)})
        return
    show_text(f"{number} entries, every seal is right", style="bold")
    if anchor is not None:
        show_text(f"{len(kept)} ends that were kept in {anchor} stand as they were")
    show_text(f"head {number}:{seal}")


def _kept_in(file: Path) -> list[tuple[int, str]]:
    """Read the ends that earlier checks added to a file; there are none before the first."""
    if not file.exists():
        return []
    lines = read_file(file).decode(errors="replace").splitlines()
    return [read_head("--anchor", line) for line in lines]


@ledger.command("show")
@guarded
def show(as_json: AsJson = False) -> None:
    """Print every entry; with --json one line each."""
    for entry in read_ledger(open_context()):
        if as_json:
            show_line(_entry_data(entry))
        else:
            show_text(_sentence(entry))


def _entry_data(entry: Entry) -> dict[str, Any]:
    return {"number": entry.number, **as_fields(entry.event), "seal": entry.seal}


def _sentence(entry: Entry) -> str:
    event = entry.event
    detail = ", ".join(f"{name} {value}" for name, value in sorted(event.detail.items()))
    about = " ".join(filter(None, (event.offboarding, event.step)))
    parts = (f"{entry.number:>6}", event.at.format_iso(), event.actor, event.kind, about, detail)
    return "  ".join(filter(None, parts))
