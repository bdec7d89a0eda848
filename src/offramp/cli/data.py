"""`offramp export` and `offramp erase --dry-run`: the vendor's data, handed over or looked at.

Source: mission B9; policy language E1; lesson L27.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, BinaryIO

import typer

from offramp.cli.opening import open_context
from offramp.cli.output import AsJson, FileUnwritable, guarded, show_json, show_text
from offramp.cli.progress import Watcher
from offramp.core.errors import Refused
from offramp.data.statements import Statement
from offramp.engine.handover import Request, hand_over, preview_erasure

PRIVATE = 0o600

Organization = Annotated[str, typer.Argument(metavar="ORG", help="The organization's id.")]
Member = Annotated[str | None, typer.Option(help="Only this member's data.")]


class ErasureByHand(Refused):
    """Erasing is what the policy does on its date; nobody does it by hand."""


@guarded
def export(
    organization: Organization,
    out: Annotated[Path, typer.Option(metavar="FILE", help="Where the document goes.")],
    member: Member = None,
    content_only: Annotated[
        bool, typer.Option("--content-only", help="Only what the data map calls content.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Write all data as one JSON document, for as long as it is whole."""
    watcher = Watcher()
    context = open_context(with_data=True, report=watcher)
    request = Request(organization=organization, member=member, content_only=content_only)
    with watcher.shown(), _whole_file(out) as sink:
        manifest = hand_over(context, request, sink)
    digests = manifest.digests()
    rows = sum(table.rows for table in digests.values())
    if as_json:
        show_json(
            {
                "file": str(out),
                "organization": organization,
                "member": member,
                "taken_at": manifest.model_dump(mode="json")["taken_at"],
                "rows": rows,
                "tables": {table: digests[table].rows for table in digests},
            }
        )
    else:
        show_text(f"{out}: {rows} rows of {len(digests)} tables")


@guarded
def erase(
    organization: Organization,
    member: Member = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Print the statements that would run.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Print exactly the statements that an erasure would run, in order; nothing is changed."""
    if not dry_run:
        raise ErasureByHand(hint="look with --dry-run; offramp run carries policies out")
    request = Request(organization=organization, member=member)
    statements = preview_erasure(open_context(with_data=True), request)
    if as_json:
        show_json([_statement_data(statement) for statement in statements])
        return
    for statement in statements:
        names = ", ".join(statement.params) or "none"
        place = f"{statement.source} {statement.table}"
        show_text(f"-- {place}: {statement.purpose}; parameters: {names}", style="dim")
        show_text(f"{statement.text};")


def _statement_data(statement: Statement) -> dict[str, object]:
    return {
        "source": statement.source,
        "table": statement.table,
        "purpose": statement.purpose,
        "text": statement.text,
        "params": sorted(statement.params),
    }


@contextmanager
def _whole_file(file: Path) -> Iterator[BinaryIO]:
    """Open a private file that gets its name only when everything is in it.

    Raises:
        FileUnwritable: its folder does not exist, or it may not be written.
    """
    draft = file.with_name(f"{file.name}.part")
    try:
        sink = os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, PRIVATE), "wb")
    except OSError as error:
        reason = (error.strerror or "unknown reason").lower()
        raise FileUnwritable(file=str(file), reason=reason) from error
    try:
        with sink:
            yield sink
        draft.replace(file)
    finally:
        draft.unlink(missing_ok=True)
