"""`offramp erase`: what an erasure would run, and with ``--map`` the erasure itself.

In an installation nobody erases by hand. Without one there is no policy that could, so the command
asks for what a policy would have seen to: the export that was handed over, and a person who means
it. Started again after whatever stopped it, it goes on where it was.

Source: docs/data-engine.md; lessons L26, L27, L28, L32.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from offramp.adapters.clock import SystemClock
from offramp.adapters.desk_folder import FolderDesk, Given, public_key_file
from offramp.cli.alone import (
    VERSION,
    Map,
    Member,
    Organization,
    OrganizationOption,
    chance,
    confirm,
    exclusive,
    opened,
    read_organization,
    work,
)
from offramp.cli.opening import open_context
from offramp.cli.option import OptionMissing, OptionsClash
from offramp.cli.output import (
    AsJson,
    guarded,
    read_file,
    show_json,
    show_table,
    show_text,
    write_file,
)
from offramp.core.errors import Refused
from offramp.data.elsewhere import ask_about_remains
from offramp.data.erasure.erase import preview
from offramp.data.erasure.fence import CONNECTIONS
from offramp.data.erasure.statements import Statement
from offramp.data.manifest import Manifest
from offramp.data.proof.inspection import inspect
from offramp.data.proof.paper import require_printer
from offramp.data.proof.signing_key import read_signing_key
from offramp.data.restoration.document_reader import open_document
from offramp.data.scope import Scope, described
from offramp.documents.certificate_paper import print_certificate
from offramp.engine.context import Data
from offramp.engine.handover import Request, preview_erasure


class ErasureByHand(Refused):
    """Erasing is what the policy does on its date; nobody does it by hand."""


class SubjectIsBack(Refused):
    """The certificate {file} is there, and {rows} rows of {subject} are in the database again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Paper:
    """The files that an erasure needs and makes."""

    certificate: Path | None
    export: Path | None
    without_export: bool
    signing_key: Path | None
    pdf: Path | None


@guarded
def erase(
    organization: Organization = None,
    organization_option: OrganizationOption = None,
    datamap: Map = None,
    certificate: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Where the signed certificate goes.")
    ] = None,
    export: Annotated[
        Path | None, typer.Option(metavar="FILE", help="The export that was handed over.")
    ] = None,
    without_export: Annotated[
        bool, typer.Option("--without-export", help="Erase what was not handed over.")
    ] = False,
    signing_key: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Your private Ed25519 key.")
    ] = None,
    pdf: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Where the certificate goes as a PDF.")
    ] = None,
    member: Member = None,
    connections: Annotated[
        int | None,
        typer.Option(
            min=1,
            metavar="N",
            help=f"So many chunks delete at once in PostgreSQL; {CONNECTIONS} if not given.",
        ),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Print the statements that would run.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    as_json: AsJson = False,
) -> None:
    """Erase an organization by its data map, or print the statements that an erasure would run."""
    whose = read_organization(organization, organization_option)
    scope = Scope(organization=whose, member=member)
    if dry_run:
        _show_statements(_statements(datamap, scope), as_json=as_json)
        return
    paper = Paper(
        certificate=certificate,
        export=export,
        without_export=without_export,
        signing_key=signing_key,
        pdf=pdf,
    )
    if datamap is None:
        _refuse_installed(paper, is_confirmed=yes, connections=connections)
    else:
        content = _erase(datamap, scope, paper, is_confirmed=yes, connections=connections)
        _show(content, paper, as_json=as_json)


def _refuse_installed(paper: Paper, *, is_confirmed: bool, connections: int | None) -> None:
    given = {
        "--certificate": paper.certificate,
        "--export": paper.export,
        "--without-export": paper.without_export,
        "--signing-key": paper.signing_key,
        "--pdf": paper.pdf,
        "--connections": connections,
        "--yes": is_confirmed,
    }
    for option, value in given.items():
        if value:
            raise OptionMissing(option="--map", hint=f"{option} is for working without a policy")
    raise ErasureByHand(
        hint="look with --dry-run; offramp run carries policies out; --map works without one"
    )


def _statements(datamap: Path | None, scope: Scope) -> tuple[Statement, ...]:
    if datamap is None:
        request = Request(organization=scope.organization, member=scope.member)
        return preview_erasure(open_context(with_data=True), request)
    with opened(datamap) as data:
        elsewhere = data.elsewhere(scope)
        return tuple(preview(data.datamap, data.sources, scope, elsewhere=elsewhere))


def _erase(
    datamap: Path, scope: Scope, paper: Paper, *, is_confirmed: bool, connections: int | None
) -> Mapping[str, Any]:
    if paper.certificate is None:
        raise OptionMissing(option="--certificate", hint="nothing is erased without a proof of it")
    if paper.export is not None and paper.without_export:
        raise OptionsClash(options="--export and --without-export")
    if paper.export is None and not paper.without_export:
        hint = "the file that was handed over; or say --without-export"
        raise OptionMissing(option="--export", hint=hint)
    if paper.pdf is not None:
        require_printer()
    with opened(datamap) as data, exclusive(data, scope, file=paper.certificate):
        if not is_confirmed:
            confirm(described(scope), word=scope.member or scope.organization)
        desk = FolderDesk(
            certificate=paper.certificate,
            scope=scope,
            given=Given(
                version=VERSION,
                export=_manifest(paper.export),
                export_file=str(paper.export),
                signing_key=_signing_key(paper.signing_key),
            ),
            clock=SystemClock().now,
        )
        if desk.is_certified():
            _refuse_rows(data, desk)
        work(data, desk, connections=connections or CONNECTIONS)
    document = read_file(paper.certificate)
    if paper.pdf is not None:
        write_file(paper.pdf, print_certificate(document))
    content: Mapping[str, Any] = json.loads(document)["certificate"]
    return content


def _manifest(file: Path | None) -> Manifest | None:
    if file is None:
        return None
    with open_document(file) as document:
        return document.manifest


def _signing_key(file: Path | None) -> bytes | None:
    return None if file is None else read_signing_key(read_file(file), file=str(file))


def _refuse_rows(data: Data, desk: FolderDesk) -> None:
    """Do not let an old certificate stand for rows that came back with a backup."""
    elsewhere = ask_about_remains(data.datamap, data.sources, data.others, desk.scope)
    found = inspect(
        data.datamap, data.sources, desk.scope, key=chance(), elsewhere=elsewhere
    ).verification
    rows = sum(found.counts.values()) + sum(found.orphans.values())
    if rows:
        raise SubjectIsBack(
            file=str(desk.certificate),
            rows=rows,
            subject=described(desk.scope),
            hint="offramp replay erases again what a backup brought back",
        )


def _show(content: Mapping[str, Any], paper: Paper, *, as_json: bool) -> None:
    assert paper.certificate is not None, "nothing is erased without a certificate"
    kept = {entry["table"]: entry["rows"] for entry in content["retained"]}
    if as_json:
        show_json(
            {
                "certificate": str(paper.certificate),
                "organization": content["organization"],
                "member": content["member"],
                "erased_at": content["erased_at"],
                "key_destroyed_at": content["key_destroyed_at"],
                "tables": content["tables"],
                "retained": kept,
            }
        )
        return
    rows = [[table, f"{count}", "erased"] for table, count in content["tables"].items()]
    rows += [[table, f"{count}", "retained"] for table, count in kept.items()]
    show_table(["table", "rows", ""], rows)
    show_text(f"erased and verified at {content['erased_at']}", style="bold")
    show_text(f"certificate  {paper.certificate}")
    if paper.pdf is not None:
        show_text(f"on paper     {paper.pdf}")
    if paper.signing_key is None:
        file = public_key_file(paper.certificate)
        show_text(f"public key   {read_file(file).decode().strip()} ({file})")
        show_text("Note the key where nobody changes it: the certificate is checked with it.")


def _show_statements(statements: tuple[Statement, ...], *, as_json: bool) -> None:
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
