"""`offramp mail`: what was written to whom, sending it again, and taking in what came back.

Source: mission A4; docs/operations.md, "Mail that did not arrive".
"""

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from offramp.cli.lifecycle import Member, Organization
from offramp.cli.opening import open_context
from offramp.cli.option import OptionMissing
from offramp.cli.output import (
    AsJson,
    guarded,
    read_each,
    show_json,
    show_table,
    show_text,
)
from offramp.core.errors import Missing
from offramp.documents.returned_mail import read_returned
from offramp.engine import correspondence, resending
from offramp.engine.bounces import Taken, take_back
from offramp.engine.correspondence import Written
from offramp.engine.intake import fetch


class MailboxMissing(Missing):
    """No mailbox is set from which to fetch what came back."""


app = typer.Typer(help="What was written to whom, and what became of it.", no_args_is_help=True)

Step = Annotated[str | None, typer.Option(help="Only the messages of one step.")]
Lost = Annotated[bool, typer.Option("--lost", help="Only what was refused or came back.")]


@app.command("history")
@guarded
def history(
    organization: Organization,
    member: Member = None,
    step: Step = None,
    lost: Lost = False,
    as_json: AsJson = False,
) -> None:
    """List every message to the people of an organization, and what became of it when."""
    found = correspondence.history(
        open_context(), organization, member=member, step=step, is_lost=lost
    )
    if as_json:
        show_json(
            {"organization": organization, "messages": [message_data(each) for each in found]}
        )
        return
    columns = ("step", "member", "now", "since", "reason", "before")
    show_table(columns, [message_row(each) for each in found])


@app.command("resend")
@guarded
def resend(
    organization: Annotated[
        str | None,
        typer.Argument(metavar="[ORG]", help="The organization's id; else, with --lost, all."),
    ] = None,
    member: Member = None,
    step: Step = None,
    lost: Lost = False,
    as_json: AsJson = False,
) -> None:
    """Send messages again; the next sweep hands them over."""
    if organization is None:
        counts = _resend_everybodys(member=member, step=step, is_lost=lost)
    else:
        count = resending.ask_again(
            open_context(), organization, member=member, step=step, is_lost=lost
        )
        counts = {organization: count}
    if as_json:
        show_json({"queued": counts})
        return
    for each, count in counts.items():
        show_text(f"{each}: {count} queued; the next sweep sends them again")
    if not counts:
        show_text("nothing was lost")


def _resend_everybodys(*, member: str | None, step: str | None, is_lost: bool) -> Mapping[str, int]:
    if member is not None:
        raise OptionMissing(option="ORG", hint="a member belongs to an organization")
    if not is_lost:
        raise OptionMissing(
            option="ORG or --lost", hint="to everybody goes only what was refused or came back"
        )
    return resending.ask_all_again(open_context(), step=step)


@app.command("returned")
@guarded
def returned(
    files: Annotated[
        list[Path] | None,
        typer.Argument(metavar="[FILES]", help="Reports as they came; else standard input."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Take in reports of failure and complaints, as a mail server pipes or files them."""
    context = open_context()
    counts = {**dict.fromkeys((taken.value for taken in Taken), 0), "other": 0}
    for content in read_each(files):
        report = read_returned(content)
        if report is None:
            counts["other"] += 1
        else:
            counts[take_back(context, report).value] += 1
    _show_counts(counts, as_json=as_json)


@app.command("fetch")
@guarded
def fetch_mailbox(as_json: AsJson = False) -> None:
    """Take in the reports of the mailbox that the settings name, and put them away."""
    context = open_context()
    if context.returns is None:
        raise MailboxMissing(hint="set returns_imap_host")
    found = fetch(context, context.returns, is_stopping=context.is_stopping)
    _show_counts(asdict(found), as_json=as_json)


def _show_counts(counts: Mapping[str, int], *, as_json: bool) -> None:
    if as_json:
        show_json(counts)
        return
    said = {
        "noted": "noted",
        "known": "known already",
        "nobodys": "of nobody here",
        "waiting": "to be noted once a deletion is not in flight",
        "other": "no report of ours",
    }
    shown = [f"{counts[name]} {words}" for name, words in said.items() if counts.get(name)]
    show_text("; ".join(shown) or "nothing came back")


def message_row(written: Written) -> tuple[str, ...]:
    """Give one message as a line of a table."""
    delivery, notes = written.delivery, written.notes
    since = notes[-1].at.format_iso(unit="second") if notes else ""
    before = ", ".join(note.status.value for note in notes[:-1])
    return (
        delivery.step,
        delivery.member,
        delivery.status.value,
        since,
        delivery.reason or "",
        before,
    )


def message_data(written: Written) -> dict[str, Any]:
    """Give one message as JSON."""
    delivery = written.delivery
    return {
        "offboarding": delivery.offboarding,
        "step": delivery.step,
        "member": delivery.member,
        "channel": delivery.channel,
        "status": delivery.status.value,
        "reason": delivery.reason,
        "round": delivery.round,
        "attempts": delivery.attempts,
        "accepted_at": delivery.accepted_at.format_iso() if delivery.accepted_at else None,
        "history": [
            {"at": note.at.format_iso(), "status": note.status.value, "reason": note.reason}
            for note in written.notes
        ],
    }
