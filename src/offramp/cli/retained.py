"""`offramp retained` and `offramp keep-until`: what outlives an erasure, why, and until when.

Source: mission A11; docs/decisions/009-kept-rows.md.
"""

from typing import Annotated, Any

import typer
from whenever import Date

from offramp.cli.lifecycle import Organization
from offramp.cli.opening import open_context
from offramp.cli.option import OptionInvalid, read_boundary
from offramp.cli.output import AsJson, guarded, show_json, show_text
from offramp.engine.kept import KeptRows, keep_until, list_kept


@guarded
def retained(
    organization: Annotated[
        str | None, typer.Argument(metavar="[ORG]", help="One organization; else all of them.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """List the rows that were kept when everything else was deleted, why, and until when."""
    found = list_kept(open_context(), organization)
    if as_json:
        show_json({"retained": [_data(each) for each in found]})
        return
    for each in found:
        who = " / ".join(filter(None, (each.organization, each.member)))
        group = each.group
        end = f"until {group.ends_at}" if group.ends_at else "until a person decides"
        why = f" ({group.reason})" if group.reason else ""
        style = "" if group.ends_at and not group.reason else "red"
        text = f"{who}: {group.rows} rows of {group.table} {end}: {group.basis}{why}"
        show_text(text, style=style)
    if not found:
        show_text("nothing is kept")


@guarded
def keep(
    organization: Organization,
    table: Annotated[str, typer.Argument(metavar="TABLE", help="As the data map names it.")],
    last_day: Annotated[str, typer.Argument(metavar="DATE", help="The last day, today or later.")],
    as_json: AsJson = False,
) -> None:
    """Give rows that are kept without an end their last day; then they go."""
    day = read_boundary("DATE", last_day)
    if not isinstance(day, Date):
        raise OptionInvalid(option="DATE", text=last_day, expected="a date such as 2034-08-30")
    rows = keep_until(open_context(), organization, table=table, day=day)
    if as_json:
        show_json({"organization": organization, "table": table, "rows": rows, "until": str(day)})
    else:
        show_text(f"{rows} rows of {table} are kept until {day}, and go then")


def _data(kept: KeptRows) -> dict[str, Any]:
    group = kept.group
    return {
        "organization": kept.organization,
        "member": kept.member,
        "table": group.table,
        "rows": group.rows,
        "basis": group.basis,
        "until": group.until,
        "ends_at": group.ends_at.format_iso() if group.ends_at else None,
        "reason": group.reason,
    }
