"""Who the customers are: organizations, pools and members from CSV files or one JSON file.

Everything that turns a roster into values of the core lives here. A file is read in bounded
batches. A mistake names its line, its column and what was expected; the reading goes on to find
more of them, but nothing that comes after a mistake is handed out. What came before it has been:
take the batches of a file in one transaction.

Source: RFC 4180 (CSV), RFC 8259 (JSON); lesson L26 (blank and wildcard ids are refused).
"""

from collections.abc import Callable, Collection, Hashable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

from offramp.core.model import Member, Organization, Pool
from offramp.core.spelling import did_you_mean
from offramp.documents.roster_cell import (
    CellInvalid,
    Row,
    read_boundary,
    read_count,
    read_email,
    read_id,
    read_list,
    read_locale,
    read_overrides,
    read_roles,
    read_zone,
    refuse,
)
from offramp.documents.roster_file import Columns, Found, RosterProblem, invalid, open_rows
from offramp.documents.roster_xlsx import SUFFIX, xlsx_rows

BATCH_ROWS = 1_000
PROBLEMS_MAX = 20

Value = TypeVar("Value")


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind(Generic[Value]):
    """One kind of row: its columns, what it becomes, and what may stand there only once.

    Attributes:
        identity: the column that is named when something stands there twice.
    """

    columns: Columns
    identity: str
    read: Callable[[Row], Value]
    key: Callable[[Value], Hashable]


def read_organizations(file: Path) -> Iterator[tuple[Organization, ...]]:
    """Read organizations in batches.

    Raises:
        RosterInvalid: the first mistake; `problems` lists up to twenty.
    """
    return read_batches(file, _ORGANIZATION)


def read_pools(
    file: Path, *, organizations: Collection[str] | None = None
) -> Iterator[tuple[Pool, ...]]:
    """Read pools in batches; with the known organizations, others are mistakes.

    Raises:
        RosterInvalid: the first mistake; `problems` lists up to twenty.
    """

    def check(pool: Pool) -> None:
        _require_organization(pool.organization, organizations)

    return read_batches(file, _POOL, check=check)


def read_members(
    file: Path,
    *,
    organizations: Collection[str] | None = None,
    pools: Collection[tuple[str, str]] | None = None,
) -> Iterator[tuple[Member, ...]]:
    """Read members in batches; with the known organizations and pools, others are mistakes.

    Shape:
        pools: (organization, pool) of every pool.

    Raises:
        RosterInvalid: the first mistake; `problems` lists up to twenty.
    """

    def check(member: Member) -> None:
        _require_organization(member.organization, organizations)
        for pool in sorted(member.pools):
            if pools is not None and (member.organization, pool) not in pools:
                refuse(
                    "pools",
                    f"the organization {member.organization} has no pool {pool}",
                    expected="pools of the member's own organization",
                )

    return read_batches(file, _MEMBER, check=check)


def organization_of(cells: Mapping[str, str]) -> Organization:
    """Read one organization from what its row in a roster would hold.

    Raises:
        CellInvalid: one of them cannot be read.
    """
    return _organization(_alone(cells))


def pool_of(cells: Mapping[str, str]) -> Pool:
    """Read one pool from what its row in a roster would hold.

    Raises:
        CellInvalid: one of them cannot be read.
    """
    return _pool(_alone(cells))


def _alone(cells: Mapping[str, str]) -> Row:
    return Row(place="it", cells=cells, path_of=str, line_of=lambda _: 1)


def _organization(row: Row) -> Organization:
    return Organization(
        id=read_id(row, "organization"),
        name=row.text("name"),
        zone=read_zone(row, "zone"),
        locale=read_locale(row, "locale"),
        policy=read_id(row, "policy"),
        overrides=read_overrides(row, "overrides"),
    )


def _pool(row: Row) -> Pool:
    return Pool(
        id=read_id(row, "pool"),
        organization=read_id(row, "organization"),
        product=read_id(row, "product"),
        kind=read_id(row, "kind"),
        seats=read_count(row, "seats"),
        ends=read_boundary(row, "ends_on"),
    )


def _member(row: Row) -> Member:
    return Member(
        id=read_id(row, "member"),
        organization=read_id(row, "organization"),
        email=read_email(row, "email"),
        name=row.text("name"),
        roles=read_roles(row, "roles"),
        # Empty: the organization's.
        locale=read_locale(row, "locale") if row.text("locale") else "",
        zone=read_zone(row, "zone") if row.text("zone") else "",
        pools=frozenset(read_list(row, "pools")),
        ends=read_boundary(row, "ends_on"),
    )


_ORGANIZATION = Kind(
    columns=Columns(
        kind="organizations",
        required=("organization", "name", "zone", "locale", "policy"),
        optional=("overrides",),
    ),
    identity="organization",
    read=_organization,
    key=lambda organization: organization.id,
)
_POOL = Kind(
    columns=Columns(
        kind="pools", required=("organization", "pool", "product", "kind", "seats", "ends_on")
    ),
    identity="pool",
    read=_pool,
    key=lambda pool: (pool.organization, pool.id),
)
_MEMBER = Kind(
    columns=Columns(
        kind="members",
        required=(
            *("organization", "member", "email", "name", "roles"),
            *("locale", "zone", "pools", "ends_on"),
        ),
    ),
    identity="member",
    read=_member,
    key=lambda member: (member.organization, member.id),
)


def _accept(value: object) -> None:
    """Check nothing more than the row itself."""


def read_batches(
    file: Path, kind: Kind[Value], *, check: Callable[[Value], None] = _accept
) -> Iterator[tuple[Value, ...]]:
    """Read the rows of one kind in batches.

    Raises:
        RosterInvalid: the first mistake; `problems` lists up to twenty.
    """
    problems: list[RosterProblem] = []
    places: dict[Hashable, str] = {}
    batch: list[Value] = []
    for row in _rows(file, kind.columns):
        found = _judge(row, kind, places, check=check)
        if isinstance(found, RosterProblem):
            problems.append(found)
        elif not problems:
            batch.append(found)
        if len(problems) == PROBLEMS_MAX:
            break
        if len(batch) == BATCH_ROWS and not problems:
            yield tuple(batch)
            batch = []
    if problems:
        raise invalid(file, problems)
    if batch:
        yield tuple(batch)


def _rows(file: Path, columns: Columns) -> Iterator[Found]:
    if file.suffix == SUFFIX:
        return xlsx_rows(file, columns)
    return open_rows(file, columns)


def _judge(
    row: Row | RosterProblem,
    kind: Kind[Value],
    places: dict[Hashable, str],
    *,
    check: Callable[[Value], None],
) -> Value | RosterProblem:
    """Turn a row into its value, or into the mistake that is in it."""
    if isinstance(row, RosterProblem):
        return row
    try:
        value = kind.read(row)
        check(value)
        first = places.setdefault(kind.key(value), row.place)
        if first != row.place:
            refuse(kind.identity, f"it is the same as in {first}", expected="every id once")
    except CellInvalid as error:
        return RosterProblem(
            line=row.line_of(error.column),
            path=row.path_of(error.column),
            problem=error.problem,
            expected=error.expected,
            hint=error.hint,
        )
    return value


def _require_organization(organization: str, known: Collection[str] | None) -> None:
    if known is not None and organization not in known:
        refuse(
            "organization",
            f"there is no organization {organization}",
            expected="the id of an organization",
            hint=did_you_mean(organization, known),
        )
