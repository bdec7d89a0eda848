"""`offramp import`: organizations, pools and members from the vendor's files, all or nothing.

What the files say wins over what was there; what they do not mention is left alone.

Source: docs/cli.md; `documents.roster` for the form of the files; lesson L26.
"""

import csv
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, TypeVar

import typer

from offramp.cli.lifecycle import followed_text
from offramp.cli.opening import open_context
from offramp.cli.output import AsJson, guarded, show_json, show_table, show_text
from offramp.cli.progress import Watcher
from offramp.core.errors import Invalid
from offramp.core.model import Member, Organization, Pool
from offramp.documents.roster import read_members, read_organizations, read_pools
from offramp.engine.offboarding import Registered, register
from offramp.engine.overview import known_organizations, known_pools
from offramp.ports import Changes

_Fact = TypeVar("_Fact", Organization, Pool, Member)
_KINDS: Mapping[str, str] = {"member": "members", "pool": "pools", "organization": "organizations"}
"""The column that only the files of one kind have; the most telling one first."""


class RosterKindUnknown(Invalid):
    """The file {file} holds neither organizations nor pools nor members."""


class RosterTwice(Invalid):
    """The {kind} {identity} stands in {file} and in {other}."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Files:
    """The files that were given, by what they hold; a JSON file may hold everything."""

    organizations: tuple[Path, ...]
    pools: tuple[Path, ...]
    members: tuple[Path, ...]


@guarded
def import_files(
    files: Annotated[list[Path], typer.Argument(metavar="FILE", help="CSV or JSON files.")],
    as_json: AsJson = False,
) -> None:
    """Take over organizations, pools and members; a second time changes nothing."""
    sorted_files = sort_files(files)
    watcher = Watcher()
    context = open_context(report=watcher)
    known, bought = known_organizations(context), known_pools(context)
    with watcher.shown():
        organizations = _read(sorted_files.organizations, read_organizations, watcher)
        ids = {organization.id for organization in organizations} | known

        def pools_of(file: Path) -> Iterator[tuple[Pool, ...]]:
            return read_pools(file, organizations=ids)

        pools = _read(sorted_files.pools, pools_of, watcher)
        seats = {(pool.organization, pool.id) for pool in pools} | bought

        def members_of(file: Path) -> Iterator[tuple[Member, ...]]:
            return read_members(file, organizations=ids, pools=seats)

        members = _read(sorted_files.members, members_of, watcher)
        registered = register(context, organizations=organizations, pools=pools, members=members)
    _show(registered, as_json=as_json)


def sort_files(files: Sequence[Path]) -> Files:
    """Tell by its header what each file holds.

    Raises:
        RosterKindUnknown: a file is of no kind.
    """
    kinds = {file: _kinds_of(file) for file in files}

    def of(kind: str) -> tuple[Path, ...]:
        return tuple(file for file, held in kinds.items() if kind in held)

    return Files(organizations=of("organizations"), pools=of("pools"), members=of("members"))


def _kinds_of(file: Path) -> Collection[str]:
    if file.suffix == ".json":
        return _KINDS.values()
    header = _header(file)
    for column, kind in _KINDS.items():
        if column in header:
            return (kind,)
    raise RosterKindUnknown(
        file=str(file),
        line=1,
        expected="a first line with the column organization, and pool or member in their files",
    )


def _header(file: Path) -> Sequence[str]:
    try:
        with file.open(encoding="utf-8-sig", newline="") as source:
            return [cell.strip() for cell in next(csv.reader(source), [])]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise RosterKindUnknown(file=str(file), hint="is it a readable CSV file?") from error


def _read(
    files: Sequence[Path],
    read: Callable[[Path], Iterator[tuple[_Fact, ...]]],
    watcher: Watcher,
) -> tuple[_Fact, ...]:
    """Read files of one kind, and refuse what stands in two of them."""
    found: list[_Fact] = []
    places: dict[tuple[str, str], Path] = {}
    for file in files:
        for batch in read(file):
            for fact in batch:
                _require_once(fact, file, places)
            found += batch
            watcher("import", {"table": file.name, "rows": len(found)})
    return tuple(found)


def _require_once(fact: _Fact, file: Path, places: dict[tuple[str, str], Path]) -> None:
    owner = "" if isinstance(fact, Organization) else fact.organization
    other = places.setdefault((owner, fact.id), file)
    if other != file:
        kind = type(fact).__name__.lower()
        raise RosterTwice(file=str(file), kind=kind, identity=fact.id, other=str(other))


def _show(registered: Registered, *, as_json: bool) -> None:
    changes: Mapping[str, Changes] = {
        "organizations": registered.organizations,
        "pools": registered.pools,
        "members": registered.members,
    }
    followed = registered.followed
    if as_json:
        show_json(
            {
                **{
                    kind: {"created": c.created, "changed": c.changed, "same": c.same}
                    for kind, c in changes.items()
                },
                "offboardings": {
                    "opened": followed.opened,
                    "moved": followed.moved,
                    "ended": followed.ended,
                },
            }
        )
        return
    show_table(
        ("", "created", "changed", "same"),
        [(kind, str(c.created), str(c.changed), str(c.same)) for kind, c in changes.items()],
    )
    if not any(c.created or c.changed for c in changes.values()):
        show_text("everything was known already; nothing changed")
    show_text(followed_text(followed))
