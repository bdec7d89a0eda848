"""`offramp restore`: a document is read into the vendor's databases again; it needs no store.

Source: mission A9; docs/cli.md.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from offramp.cli.alone import chance, opened
from offramp.cli.output import AsJson, guarded, show_json, show_table, show_text
from offramp.cli.progress import Watcher
from offramp.data.restoration.document_reader import open_document
from offramp.data.restoration.restore import RestoredTable, RestoreResult
from offramp.data.restoration.restore import restore as restore_document

_COUNTS = ("added", "present", "relinked", "moved")


@guarded
def restore(
    file: Annotated[
        Path,
        typer.Argument(metavar="FILE", help="The document, plain, gzipped or zipped."),
    ],
    datamap: Annotated[Path, typer.Option("--map", metavar="MAP", help="The data map.")],
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Do everything, and take it back.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Read an exported document into the databases again: all of it, or nothing."""
    watcher = Watcher()
    with opened(datamap) as data, watcher.shown(), open_document(file) as document:
        entries = document.manifest.tables

        def progress(table: str, rows: int) -> None:
            of = entries[table].rows if table in entries else None
            read = document.stream.tell()
            watcher("restore", {"table": table, "rows": rows, "of": of, "bytes": read})

        result = restore_document(
            data.datamap,
            data.sources,
            document,
            seed=chance(),
            progress=progress,
            is_dry_run=dry_run,
            others=data.others,
        )
        given = document.manifest.organization
    if as_json:
        show_json(result.model_dump(mode="json") | {"dry_run": dry_run})
    else:
        _show(result, given, is_dry_run=dry_run)


def _show(result: RestoreResult, given: str, *, is_dry_run: bool) -> None:
    touched = {table: _counts(count) for table, count in result.tables.items()}
    rows = [[table, *map(str, counts.values())] for table, counts in touched.items()]
    show_table(["table", *_COUNTS], rows)
    if result.organization != given:
        show_text(
            f"The key {given} is somebody else's now: it is organization {result.organization}."
        )
    for table, left in result.left_out.items():
        show_text(f"{left} rows of {table} are not given back to their service.")
    if not any(counts["added"] or counts["relinked"] for counts in touched.values()):
        show_text("Everything was there already.")
    if is_dry_run:
        show_text("Nothing was changed: this was a dry run.")


def _counts(table: RestoredTable) -> Mapping[str, int]:
    return {name: getattr(table, name) for name in _COUNTS}
