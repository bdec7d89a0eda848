"""Several files of a roster, read as one: what each holds, and what they say together.

What is named in one of them may be told of in another, or be known already.

Source: docs/cli.md, "offramp import"; lesson L26.
"""

import csv
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from offramp.core.errors import Invalid
from offramp.core.model import Member, Organization, Pool
from offramp.documents.roster import read_members, read_organizations, read_pools
from offramp.documents.roster_xlsx import SUFFIX, xlsx_header

_Fact = TypeVar("_Fact", Organization, Pool, Member)
_KINDS: Mapping[str, str] = {"member": "members", "pool": "pools", "organization": "organizations"}
"""The column that only the files of one kind have; the most telling one first."""

Watch = Callable[[str, int], None]  # by file, the rows that were read so far


class RosterKindUnknown(Invalid):
    """The file {file} holds neither organizations nor pools nor members."""


class RosterTwice(Invalid):
    """The {kind} {identity} stands in {file} and in {other}."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Roster:
    """What the vendor says of its customers."""

    organizations: tuple[Organization, ...] = ()
    pools: tuple[Pool, ...] = ()
    members: tuple[Member, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What may be named without being told of.

    Attributes:
        pools: the organization and the id of each.
    """

    organizations: Collection[str]
    pools: Collection[tuple[str, str]]


_Key = TypeVar("_Key")


@dataclass(frozen=True, slots=True)
class _Either(Collection[_Key]):
    """What is in one of two collections, without a copy of them."""

    one: Collection[_Key]
    other: Collection[_Key]

    def __contains__(self, key: object) -> bool:
        return key in self.one or key in self.other

    def __iter__(self) -> Iterator[_Key]:
        yield from self.one
        yield from self.other

    def __len__(self) -> int:
        return len(self.one) + len(self.other)


def _unwatched(_name: str, _rows: int) -> None:
    """Let nobody know."""


def read_roster(files: Sequence[Path], *, known: Known, watch: Watch = _unwatched) -> Roster:
    """Read files of any kind, whatever order they are given in.

    Raises:
        RosterInvalid, RosterKindUnknown, RosterTwice: one of them cannot be read.
        WorkbookReaderMissing: what reads workbooks is not installed.
    """
    kinds = {file: _kinds_of(file) for file in files}

    def read(kind: str, how: Callable[[Path], Iterator[tuple[_Fact, ...]]]) -> tuple[_Fact, ...]:
        return _read([file for file, held in kinds.items() if kind in held], how, watch)

    organizations = read("organizations", read_organizations)
    ids = _Either({each.id for each in organizations}, known.organizations)
    pools = read("pools", lambda file: read_pools(file, organizations=ids))
    seats = _Either({(each.organization, each.id) for each in pools}, known.pools)
    members = read("members", lambda file: read_members(file, organizations=ids, pools=seats))
    return Roster(organizations=organizations, pools=pools, members=members)


def _kinds_of(file: Path) -> Collection[str]:
    if file.suffix == ".json":
        return _KINDS.values()
    header = xlsx_header(file) if file.suffix == SUFFIX else _header(file)
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
    files: Sequence[Path], how: Callable[[Path], Iterator[tuple[_Fact, ...]]], watch: Watch
) -> tuple[_Fact, ...]:
    """Read files of one kind, and refuse what stands in two of them."""
    found: list[_Fact] = []
    places: dict[tuple[str, str], Path] = {}
    for file in files:
        for batch in how(file):
            for fact in batch:
                _require_once(fact, file, places)
            found += batch
            watch(file.name, len(found))
    return tuple(found)


def _require_once(fact: _Fact, file: Path, places: dict[tuple[str, str], Path]) -> None:
    owner = "" if isinstance(fact, Organization) else fact.organization
    other = places.setdefault((owner, fact.id), file)
    if other != file:
        kind = type(fact).__name__.lower()
        raise RosterTwice(file=str(file), kind=kind, identity=fact.id, other=str(other))
