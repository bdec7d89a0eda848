"""`offramp verify`: whether anything is left of an organization, and what was not looked at.

Source: docs/data-engine.md; lessons L21, L28.
"""

from contextlib import nullcontext
from pathlib import Path
from typing import Annotated

import typer

from offramp.cli.alone import (
    Member,
    Organization,
    OrganizationOption,
    chance,
    opened,
    read_organization,
)
from offramp.cli.output import AsJson, guarded, show_json, show_table, show_text
from offramp.data.elsewhere import ask_about_remains
from offramp.data.proof.inspection import Inspection, inspect
from offramp.data.restoration.document_reader import open_document
from offramp.data.scope import Scope, described


@guarded
def verify(
    datamap: Annotated[Path, typer.Option("--map", metavar="MAP", help="The data map.")],
    organization: Organization = None,
    organization_option: OrganizationOption = None,
    member: Member = None,
    export: Annotated[
        Path | None, typer.Option(metavar="FILE", help="An export, to look for what it names.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Count what is left of an organization; succeeds only when nothing is."""
    whose = read_organization(organization, organization_option)
    scope = Scope(organization=whose, member=member)
    given = nullcontext() if export is None else open_document(export)
    with opened(datamap) as data, given as document:
        found = inspect(
            data.datamap,
            data.sources,
            scope,
            key=chance(),
            document=document,
            elsewhere=ask_about_remains(data.datamap, data.sources, data.others, scope),
        )
    if as_json:
        show_json(found.model_dump(mode="json") | {"clean": found.verification.clean})
    else:
        _show(found)
    found.require_nothing(subject=described(scope))


def _show(found: Inspection) -> None:
    seen = found.verification
    rows = [[table, str(seen.counts.get(table, 0)), "counted"] for table in seen.counts]
    rows += [[table, str(count), "retained"] for table, count in seen.retained.items()]
    rows += [[table, str(count), "orphans"] for table, count in seen.orphans.items() if count]
    rows += [[column, str(count), "marks"] for column, count in seen.residue.items() if count]
    show_table(["table", "rows", ""], rows)
    if seen.clean:
        tables = len(seen.checked) + len(seen.elsewhere)
        show_text(f"Nothing is left in {tables} tables.", style="bold")
    show_text("Not looked at:")
    for each in found.not_verified:
        show_text(f"- {each}")
