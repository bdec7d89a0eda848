"""`offramp arm` and `offramp approve`: two people let many deletions begin.

Source: docs/decisions/020-two-people.md; `engine.arming`.
"""

from collections.abc import Sequence
from typing import Annotated, Any

import typer

from offramp.cli.alone import confirm
from offramp.cli.lifecycle import Reason
from offramp.cli.opening import open_context
from offramp.cli.output import AsJson, guarded, show_json, show_table, show_text
from offramp.engine import arming
from offramp.ports import Arming, Offboarding

ROWS_SHOWN_MAX = 50

Person = Annotated[str, typer.Option("--owner", help="Who answers for it.")]


@guarded
def arm(owner: Person, reason: Reason, as_json: AsJson = False) -> None:
    """Ask a second person to let everything begin that is to be deleted within a day."""
    context = open_context()
    asked = arming.ask(context, owner=owner, reason=reason)
    _, rows = arming.look_at_request(context, asked.id)
    if as_json:
        show_json(_data(asked, rows))
        return
    _show(rows)
    show_text(
        f"{_counted(asked)}; somebody else approves it before {asked.expires_at.format_iso()}: "
        f"offramp approve {asked.id}"
    )


@guarded
def approve(
    request: Annotated[str, typer.Argument(metavar="REQUEST", help="The id of the request.")],
    owner: Person,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    as_json: AsJson = False,
) -> None:
    """Approve what somebody else asked for: what it names is deleted on its date."""
    context = open_context()
    asked, rows = arming.look_at_request(context, request)
    if not as_json:
        _show(rows)
        show_text(f"{asked.owner} asks: {asked.reason}")
    if not yes:
        word = str(asked.organizations)
        confirm(f"everything that was asked for ({_counted(asked)})", word=word)
    approved = arming.approve(context, request, approver=owner)
    if as_json:
        show_json(_data(approved, rows))
    else:
        show_text(f"{_counted(approved)}: armed; the next sweep takes them up")


def _counted(asked: Arming) -> str:
    return f"deletions: {asked.offboardings}, of organizations: {asked.organizations}"


def _show(rows: Sequence[Offboarding]) -> None:
    show_table(
        ("organization", "member", "product", "end", "deletion"),
        [
            (
                row.subject.organization,
                row.subject.member or "",
                row.subject.product or "",
                str(row.ends),
                row.erases_at.format_iso() if row.erases_at else "",
            )
            for row in rows[:ROWS_SHOWN_MAX]
        ],
    )
    if len(rows) > ROWS_SHOWN_MAX:
        show_text(f"and {len(rows) - ROWS_SHOWN_MAX} more; all of them with --json")


def _data(asked: Arming, rows: Sequence[Offboarding]) -> dict[str, Any]:
    return {
        "request": asked.id,
        "owner": asked.owner,
        "reason": asked.reason,
        "expires_at": asked.expires_at.format_iso(),
        "organizations": asked.organizations,
        "offboardings": [
            {
                "offboarding": row.id,
                "organization": row.subject.organization,
                "member": row.subject.member,
                "product": row.subject.product,
                "ends": str(row.ends),
                "erases_at": row.erases_at.format_iso() if row.erases_at else None,
            }
            for row in rows
        ],
        "digest": asked.digest,
        "approver": asked.approver,
    }
