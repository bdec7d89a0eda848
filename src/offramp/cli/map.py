"""`offramp map …`: propose a data map, hold it against the database, look at it.

Source: design of the data map; lessons L15 and L16.
"""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import sqlalchemy as sa
import typer

from offramp.cli.opening import open_others
from offramp.cli.output import (
    AsJson,
    guarded,
    show_json,
    show_parts,
    show_table,
    show_text,
    write_file,
)
from offramp.core.errors import Invalid, Refused
from offramp.data.check import Finding, Severity, check, require_complete
from offramp.data.datamap import DataMap, SqlSourceSpec
from offramp.data.inference.discover import discover
from offramp.data.inference.proposal import Proposal
from offramp.data.outline import TableOutline, outline, outline_elsewhere
from offramp.data.scope import Scope
from offramp.data.sources.sql import SqlSource, open_sources, open_sql_source
from offramp.data.survey import survey_source
from offramp.documents.datamap import datamap_schema, load_datamap
from offramp.documents.datamap_drawing import draw_datamap
from offramp.documents.datamap_writer import write_datamap
from offramp.documents.fideslang import load_fideslang

ADDRESS = "DATABASE_URL"

app = typer.Typer(help="Where an organization's data lives.", no_args_is_help=True)

File = Annotated[Path, typer.Argument(metavar="FILE", help="A data map.")]


class MapExists(Refused):
    """The file {file} is there already, and may hold decisions."""


@app.command("init")
@guarded
def initialize(
    url: Annotated[str, typer.Argument(metavar="URL", help="The database, or env:VARIABLE.")],
    root: Annotated[
        str, typer.Option(metavar="COLUMN", help="The key of an organization: companies.id.")
    ],
    out: Annotated[Path, typer.Option(metavar="FILE", help="Where the map goes.")],
    member: Annotated[
        str | None, typer.Option(metavar="COLUMN", help="The key of a person: users.id.")
    ] = None,
    source: Annotated[str, typer.Option(help="What the map calls this database.")] = "app",
    schema: Annotated[
        str | None, typer.Option(help="The schema, if it is not the default one.")
    ] = None,
    fideslang: Annotated[
        Path | None, typer.Option(metavar="FILE", help="A Fideslang dataset with categories.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Propose a data map from what a database declares, with a reason on every line."""
    if out.exists():
        raise MapExists(file=str(out), hint="name another file, and compare the two")
    known = load_fideslang(fideslang) if fideslang else {}
    spec = SqlSourceSpec.model_validate(
        {"kind": "sql", "url": url, "root": root, "member": member, "schema": schema}
    )
    opened = open_sql_source(source, spec, environment=os.environ)
    try:
        proposal = discover(opened, known=known)
    finally:
        opened.close()
    written = _written_url(url)
    write_file(out, write_datamap(proposal, url=written, schema=schema).encode())
    if as_json:
        show_json({"file": str(out), "url": written, **_proposal_data(proposal)})
    else:
        _show_proposal(proposal, out, written if written != url else None)


@app.command("check")
@guarded
def check_map(file: File, as_json: AsJson = False) -> None:
    """Compare a data map with the database as it is now."""
    with _opened(file) as (datamap, sources):
        findings = check(datamap, sources, open_others(datamap))
    if as_json:
        show_json({"file": str(file), "findings": [_finding_data(each) for each in findings]})
    else:
        _show_findings(file, datamap, findings)
    if any(finding.severity is Severity.ERROR for finding in findings):
        raise typer.Exit(Invalid.exit_code)


@app.command("show")
@guarded
def show(
    file: File,
    svg: Annotated[Path | None, typer.Option(metavar="FILE", help="Write a picture.")] = None,
    as_json: AsJson = False,
) -> None:
    """Show in which order the tables go, along which way, and what becomes of each."""
    with _opened(file) as (datamap, sources):
        require_complete(datamap, sources)
        tables = [
            table for source in sorted(sources) for table in _outline(datamap, sources[source])
        ]
    if svg is not None:
        write_file(svg, draw_datamap(tables).encode())
    tables = [*outline_elsewhere(datamap), *tables]
    if as_json:
        show_json([_outline_data(table) for table in tables])
    else:
        columns = ("", "table", "way", "what becomes of it")
        show_table(columns, [_row(table) for table in tables], unbroken=("", "table"))


@app.command("schema")
@guarded
def print_schema() -> None:
    """Print the JSON Schema of a data map, for editors."""
    show_json(datamap_schema())


@contextmanager
def _opened(file: Path) -> Iterator[tuple[DataMap, Mapping[str, SqlSource]]]:
    datamap = load_datamap(file)
    sources = open_sources(datamap, environment=os.environ)
    try:
        yield datamap, sources
    finally:
        for source in sources.values():
            source.close()


def _written_url(url: str) -> str:
    """Keep a password out of the file: the address then comes from the environment."""
    if url.startswith("env:"):
        return url
    parsed = sa.make_url(url)
    has_password = parsed.password is not None or "password" in parsed.query
    return f"env:{ADDRESS}" if has_password else url


def _outline(datamap: DataMap, source: SqlSource) -> tuple[TableOutline, ...]:
    with source.snapshot() as connection:
        anybody = Scope(organization="0")
        return outline(survey_source(datamap, source, connection, anybody))


def _show_proposal(proposal: Proposal, out: Path, replaced: str | None) -> None:
    decided = len(proposal.decided)
    show_text(f"{out}: {decided} of {len(proposal.tables)} tables decided", style="bold")
    if replaced is not None:
        show_text(f"the address has a password and is not written down: set {ADDRESS}")
    for each in proposal.undecided:
        name = f"{proposal.source}.{each.subject}"
        show_parts(("not decided ", "yellow"), (name, "bold"), (f": {each.problem}", ""))
        for option in each.options:
            show_text(f"   {option}")
        show_text(f"   {each.hint}", style="dim")
    for note in proposal.notes:
        show_parts(("look at ", "cyan"), (note, ""))


def _proposal_data(proposal: Proposal) -> dict[str, object]:
    return {
        "tables": len(proposal.tables),
        "decided": len(proposal.decided),
        "undecided": [
            {
                "subject": f"{proposal.source}.{each.subject}",
                "problem": each.problem,
                "options": list(each.options),
                "hint": each.hint,
            }
            for each in proposal.undecided
        ],
        "notes": list(proposal.notes),
    }


def _show_findings(file: Path, datamap: DataMap, findings: tuple[Finding, ...]) -> None:
    errors = sum(finding.severity is Severity.ERROR for finding in findings)
    told = f"{errors} errors" if errors else "fits the database"
    show_text(f"{file}: {len(datamap.tables)} tables, {told}", style="bold")
    for finding in findings:
        style = "red" if finding.severity is Severity.ERROR else "yellow"
        label = f"{finding.severity.name.lower()} "
        show_parts((label, style), (finding.subject, "bold"), (f": {finding.problem}", ""))
        show_text(f"   {finding.hint}", style="dim")


def _finding_data(finding: Finding) -> dict[str, str]:
    return {
        "severity": finding.severity.name.lower(),
        "kind": finding.kind.value,
        "subject": finding.subject,
        "problem": finding.problem,
        "hint": finding.hint,
    }


def _row(table: TableOutline) -> tuple[str, str, str, str]:
    number = "" if table.number is None else str(table.number)
    way = " > ".join(table.way[1:])
    return number, table.id, way, "; ".join([table.fate.value, *table.words])


def _outline_data(table: TableOutline) -> dict[str, object]:
    return {
        "table": table.id,
        "number": table.number,
        "fate": table.fate.value,
        "via": list(table.via),
        "way": list(table.way),
        "notes": list(table.words),
    }
