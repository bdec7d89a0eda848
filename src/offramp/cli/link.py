"""`offramp link`: the links to data that was too large for a mail.

Source: policy language E1; lesson L14; docs/operations.md, "Data that is too large for a mail".
"""

from typing import Annotated, Any

import typer

from offramp.cli.lifecycle import Member, Organization
from offramp.cli.opening import open_context
from offramp.cli.output import AsJson, guarded, show_json, show_table, show_text
from offramp.core.link import LinkState
from offramp.core.model import SubjectKind
from offramp.engine import link
from offramp.engine.link import Listed
from offramp.ports import OwnCopy

app = typer.Typer(help="The links to data that was too large for a mail.", no_args_is_help=True)

Step = Annotated[str | None, typer.Option(help="Only the data of one step.")]


@app.command("list")
@guarded
def list_links(organization: Organization, member: Member = None, as_json: AsJson = False) -> None:
    """List every link to data of an organization, whether it works, and how often it was used."""
    context = open_context()
    found = link.list_links(context, organization, member=member)
    copies = link.list_copies(context, organization, member=member)
    if as_json:
        show_json(
            {
                "organization": organization,
                "links": [link_data(each) for each in found],
                "copies": [_copy_data(each) for each in copies],
            }
        )
    elif found or copies:
        columns = ("step", "member", "state", "mailed", "until", "downloads", "last")
        rows = [*map(link_row, found), *map(_copy_row, copies)]
        show_table(columns, rows, unbroken=("state",))
    else:
        show_text("no link was sent")


@app.command()
@guarded
def reissue(
    organization: Organization,
    member: Member = None,
    step: Step = None,
    as_json: AsJson = False,
) -> None:
    """Send data again that was sent before; a new link ends the old one of its reader."""
    count = link.reissue(open_context(), organization, member=member, step=step)
    if as_json:
        show_json({"queued": {organization: count}})
    else:
        show_text(f"{organization}: {count} queued; the next sweep sends them again")


@app.command()
@guarded
def revoke(
    organization: Organization,
    member: Member = None,
    step: Step = None,
    as_json: AsJson = False,
) -> None:
    """Let links to data of an organization lead nowhere, from now on."""
    count = link.revoke(open_context(), organization, member=member, step=step)
    if as_json:
        show_json({"revoked": {organization: count}})
    else:
        show_text(f"{organization}: {count} revoked; offramp link reissue sends new ones")


def link_row(listed: Listed) -> tuple[str, ...]:
    """Give one link as a line of a table."""
    each = listed.link
    last = each.downloaded_at.format_iso(unit="second") if each.downloaded_at else ""
    return (
        each.step,
        each.member,
        listed.state.value,
        each.mailed_at.format_iso(unit="second"),
        each.expires_at.format_iso(unit="second") if listed.state is LinkState.ALIVE else "",
        str(each.downloads),
        last,
    )


def link_data(listed: Listed) -> dict[str, Any]:
    """Give one link as JSON."""
    each = listed.link
    return {
        "offboarding": each.offboarding,
        "step": each.step,
        "member": each.member,
        "state": listed.state.value,
        "mailed_at": each.mailed_at.format_iso(),
        "expires_at": each.expires_at.format_iso(),
        "downloads": each.downloads,
        "downloaded_at": each.downloaded_at.format_iso() if each.downloaded_at else None,
        "revoked_at": each.revoked_at.format_iso() if each.revoked_at else None,
    }


def _copy_row(copy: OwnCopy) -> tuple[str, ...]:
    """Give a copy that somebody asked for as a line of the same table."""
    return (
        f"copy of {_SCOPES[copy.scope]}",
        copy.member,
        LinkState.ALIVE.value,
        copy.mailed_at.format_iso(unit="second") if copy.mailed_at else "",
        copy.expires_at.format_iso(unit="second") if copy.expires_at else "",
        str(copy.downloads),
        copy.downloaded_at.format_iso(unit="second") if copy.downloaded_at else "",
    )


def _copy_data(copy: OwnCopy) -> dict[str, Any]:
    moments = ("asked_at", "mailed_at", "expires_at", "downloaded_at")
    said = {name: getattr(copy, name) for name in moments}
    return {
        "scope": copy.scope.value,
        "member": copy.member,
        "downloads": copy.downloads,
        **{name: moment and moment.format_iso() for name, moment in said.items()},
    }


_SCOPES = {SubjectKind.MEMBER: "their own", SubjectKind.ORGANIZATION: "everything"}
