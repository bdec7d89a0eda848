"""All commands under one name, each imported when it is asked for. A command joins by one row here.

Source: CONTRIBUTING.md (the command line translates).
"""

from collections.abc import Mapping
from typing import Annotated

import typer

from offramp.cli.late import LateGroup, Place, imported

_COMMANDS: Mapping[str, Place] = {
    "demo": Place(
        "offramp.cli.demo:demo",
        "Watch two organizations leave, from three weeks before the end until they are gone.",
    ),
    "init": Place(
        "offramp.cli.setup:initialize",
        "Set up an installation here: settings, keys, store, and the two preset policies.",
    ),
    "import": Place(
        "offramp.cli.roster:import_files",
        "Take over organizations, pools and members; a second time changes nothing.",
    ),
    "status": Place(
        "offramp.cli.status:status",
        "Show stages, next dates, holds, and what stands in the way and why.",
    ),
    "timeline": Place(
        "offramp.cli.status:timeline",
        "Show every planned step: done, due, or kept from running, and why.",
    ),
    "calendar": Place(
        "offramp.cli.calendar:calendar",
        "Write the dates of an organization for a calendar; imported again, they move.",
    ),
    "why": Place(
        "offramp.cli.why:why",
        "Say why a step does or does not run: every guard before it, and what each says now.",
    ),
    "run": Place("offramp.cli.run:run", "Carry out what is due, and print it."),
    "worker": Place(
        "offramp.cli.worker:worker",
        "Carry out what is due together with other workers, until stopped.",
    ),
    "serve": Place(
        "offramp.cli.serve:serve", "Answer over HTTP and carry out what is due, until stopped."
    ),
    "renew": Place(
        "offramp.cli.lifecycle:renew",
        "Begin a new term: everything pending is canceled, and the next term warns again.",
    ),
    "extend": Place(
        "offramp.cli.lifecycle:extend",
        "Move the end of the present term: what is done stays, the rest is re-dated.",
    ),
    "reactivate": Place(
        "offramp.cli.lifecycle:reactivate",
        "Bring an organization back with everything it has, until it has been deleted.",
    ),
    "hold": Place(
        "offramp.cli.brake:hold",
        "Stop deletion, and nothing else, until the hold ends or is released.",
    ),
    "release": Place(
        "offramp.cli.brake:release",
        "End a hold; what it stopped is taken up again by the next sweep.",
    ),
    "unlock": Place(
        "offramp.cli.lifecycle:unlock",
        "Give access back for some hours; the stage and its dates stay as they are.",
    ),
    "block": Place(
        "offramp.cli.lifecycle:block",
        "Shut an organization or one member out at once; nothing is deleted, and no date moves.",
    ),
    "unblock": Place(
        "offramp.cli.lifecycle:unblock",
        "Let in again who was shut out, as far as their stage allows.",
    ),
    "access": Place("offramp.cli.access:app", "Who may do what, and who says so."),
    "retry": Place(
        "offramp.cli.lifecycle:retry",
        "Put back what was abandoned or stopped, once its cause has been mended.",
    ),
    "pause": Place(
        "offramp.cli.brake:pause", "Stop everything destructive, everywhere, at the next chunk."
    ),
    "resume": Place("offramp.cli.brake:resume", "Let what is destructive go on again."),
    "cap": Place(
        "offramp.cli.brake:cap",
        "Allow so many deletions to begin within 24 hours; the others wait.",
    ),
    "exempt": Place(
        "offramp.cli.brake:exempt",
        "Keep an organization from all deletion until it is put back with --end.",
    ),
    "arm": Place(
        "offramp.cli.arming:arm",
        "Ask a second person to let everything begin that is to be deleted within a day.",
    ),
    "approve": Place(
        "offramp.cli.arming:approve",
        "Approve what somebody else asked for: what it names is deleted on its date.",
    ),
    "export": Place(
        "offramp.cli.export:export",
        "Write all data as one JSON document, for as long as it is whole.",
    ),
    "erase": Place(
        "offramp.cli.erase:erase",
        "Erase an organization by its data map, or print the statements that an erasure would run.",
    ),
    "verify": Place(
        "offramp.cli.verify:verify",
        "Count what is left of an organization; succeeds only when nothing is.",
    ),
    "replay": Place(
        "offramp.cli.replay:replay",
        "Erase again, after a backup was restored, what had been erased since it was taken.",
    ),
    "restore": Place(
        "offramp.cli.restore:restore",
        "Read an exported document into the databases again: all of it, or nothing.",
    ),
    "retained": Place(
        "offramp.cli.retained:retained",
        "List the rows that were kept when everything else was deleted, why, and until when.",
    ),
    "keep-until": Place(
        "offramp.cli.retained:keep",
        "Give rows that are kept without an end their last day; then they go.",
    ),
    "policy": Place("offramp.cli.policy:app", "Check, show and compare policies."),
    "map": Place("offramp.cli.map:app", "Where an organization's data lives."),
    "message": Place("offramp.cli.message:app", "See what people will read."),
    "banner": Place("offramp.cli.banner:app", "See what the product shows; get what shows it."),
    "member": Place(
        "offramp.cli.member:app", "Give members an end, expire or remove them, take them back."
    ),
    "pool": Place("offramp.cli.pool:app", "What was bought, and who has a seat in it."),
    "mail": Place("offramp.cli.mail:app", "What was written to whom, and what became of it."),
    "link": Place("offramp.cli.link:app", "The links to data that was too large for a mail."),
    "case": Place("offramp.cli.case:app", "What somebody says went wrong, and its repair."),
    "operator": Place("offramp.cli.operator:app", "Who works with the console."),
    "billing": Place(
        "offramp.cli.billing:app", "Subscriptions of a billing system, and what they pay for."
    ),
    "api-key": Place("offramp.cli.api_key:app", "Which programs may ask over HTTP, and what."),
    "webhook": Place("offramp.cli.webhook:app", "The endpoints that are told of events."),
    "ledger": Place("offramp.cli.ledger:ledger", "Read the ledger and check it."),
    "certificate": Place("offramp.cli.certificate:app", "Check certificates of deletion."),
    "credential": Place(
        "offramp.cli.credential:app", "Check credentials, and let others check them."
    ),
    "keys": Place("offramp.cli.keys:app", "Show what others need to check us, and change it."),
}


class Commands(LateGroup):
    """Every command and every group of commands, in the order in which they are listed."""

    places = _COMMANDS


app = typer.Typer(
    name="offramp",
    cls=Commands,
    help="Carry a leaving customer from the end of the license to proven zero.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)


def _tell_version(is_wanted: bool) -> None:
    if is_wanted:
        typer.echo(f"offramp {imported('importlib.metadata:version')('offramp')}")
        raise typer.Exit


@app.callback()
def offramp(
    _version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_tell_version, is_eager=True, help="Say which version this is."
        ),
    ] = False,
) -> None:
    """Give typer what makes a group of an app that has no command of its own."""
