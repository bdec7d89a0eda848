"""`offramp export`: the vendor's data, handed over as one document.

With ``--map`` it works on a data map alone; without, on an installation, whose ledger notes it.

Source: mission B9; policy language E1; docs/data-engine.md.
"""

from pathlib import Path
from typing import Annotated, BinaryIO

import typer

from offramp.adapters.clock import SystemClock
from offramp.cli.alone import (
    VERSION,
    Map,
    Member,
    Organization,
    OrganizationOption,
    opened,
    read_organization,
)
from offramp.cli.opening import open_context
from offramp.cli.output import AsJson, guarded, show_json, show_text
from offramp.cli.progress import Watcher
from offramp.cli.whole_file import whole_file
from offramp.data.handover import export as engine
from offramp.data.handover.bundle import write_bundle
from offramp.data.handover.part import Part
from offramp.data.manifest import Manifest
from offramp.engine.handover import Request, hand_over


@guarded
def export(
    out: Annotated[
        Path, typer.Option(metavar="FILE", help="The document; .gz packs it, .zip adds the files.")
    ],
    organization: Organization = None,
    organization_option: OrganizationOption = None,
    datamap: Map = None,
    member: Member = None,
    content_only: Annotated[
        bool, typer.Option("--content-only", help="Only what the data map calls content.")
    ] = False,
    category: Annotated[
        list[str], typer.Option(help="Only columns of this data category. Repeatable.")
    ] = [],  # noqa: B006 (Typer reads the default and never shares it)
    as_json: AsJson = False,
) -> None:
    """Write all data as one JSON document, for as long as it is whole."""
    request = Request(
        organization=read_organization(organization, organization_option),
        member=member,
        part=Part(content_only=content_only, categories=tuple(category)),
        with_files=out.suffix == ".zip",
    )
    watcher = Watcher()
    if datamap is None:
        context = open_context(with_data=True, report=watcher)
        with watcher.shown(), whole_file(out) as sink:
            manifest = hand_over(context, request, sink)
    else:
        with watcher.shown(), whole_file(out) as sink:
            manifest = _write(datamap, request, sink, watcher=watcher)
    _show(manifest, out=out, as_json=as_json)


def _write(datamap: Path, request: Request, sink: BinaryIO, *, watcher: Watcher) -> Manifest:
    with opened(datamap) as data:
        elsewhere, taken_at = data.elsewhere(request.scope), SystemClock().now()

        def document(inner: BinaryIO) -> Manifest:
            return engine.export(
                data.datamap,
                data.sources,
                request.scope,
                inner,
                header={"offramp": VERSION},
                taken_at=taken_at,
                progress=lambda table, rows: watcher(
                    "export", {"table": table, "rows": rows, "bytes": sink.tell()}
                ),
                part=request.part,
                elsewhere=elsewhere,
            )

        if request.with_files:
            return write_bundle(sink, document=document, elsewhere=elsewhere, taken_at=taken_at)
        return document(sink)


def _show(manifest: Manifest, *, out: Path, as_json: bool) -> None:
    digests = manifest.digests()
    rows = sum(table.rows for table in digests.values())
    if as_json:
        show_json(
            {
                "file": str(out),
                "organization": manifest.organization,
                "member": manifest.member,
                "taken_at": manifest.model_dump(mode="json")["taken_at"],
                "whole": manifest.is_whole,
                "rows": rows,
                "tables": {table: digests[table].rows for table in digests},
            }
        )
        return
    part = "" if manifest.is_whole else ", a part of what there is"
    show_text(f"{out}: {rows} rows of {len(digests)} tables{part}")
    if not rows:
        show_text("Not one row was found: is the id right?", style="yellow")
