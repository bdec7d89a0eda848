"""`offramp calendar`: the dates of an organization as a file for calendars.

Source: engine/calendar.py; RFC 5546.
"""

from pathlib import Path
from typing import Annotated

import typer

from offramp.cli.opening import open_context
from offramp.cli.output import AsJson, guarded, show_json, show_text, write_file
from offramp.engine.calendar import write_dates


@guarded
def calendar(
    organization: Annotated[str, typer.Argument(metavar="ORG", help="The organization's id.")],
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The iCalendar file to write.")],
    withdraw: Annotated[
        bool, typer.Option("--withdraw", help="Take back what a return has ended.")
    ] = False,
    locale: Annotated[str, typer.Option(help="The reader's language; else its own.")] = "",
    as_json: AsJson = False,
) -> None:
    """Write the dates of an organization for a calendar; imported again, they move."""
    content = write_dates(open_context(), organization, is_canceled=withdraw, locale=locale)
    write_file(file, content)
    if as_json:
        show_json({"organization": organization, "file": str(file), "is_canceled": withdraw})
    else:
        show_text(f"{file}: " + ("takes the dates back" if withdraw else "adds the dates"))
