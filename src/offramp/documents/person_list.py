"""Lists of members whom a deed is about, from CSV or JSON files: one row for each.

The form is that of a roster: what is wrong is named with its line and its column.

Source: docs/cli.md, "offramp member end"; `documents.roster_file` for the form.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from offramp.core.dates import Boundary
from offramp.documents.roster import Kind, read_batches
from offramp.documents.roster_cell import Row, read_boundary, read_id
from offramp.documents.roster_file import Columns


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """One row; what its file has no column for is none, and so is an empty cell.

    Attributes:
        line: where it stands, if it does in a file.
    """

    member: str
    line: int | None = None
    ends: Boundary | None = None
    product: str | None = None
    source: str | None = None
    target: str | None = None


def read_people(
    file: Path, *, required: tuple[str, ...] = (), optional: tuple[str, ...] = ()
) -> Iterator[Listed]:
    """Read members, with the columns that the deed has use for; others are mistakes.

    Shape:
        required, optional: of ``ends_on``, ``product``, ``from``, ``to``.

    Raises:
        RosterInvalid: the first mistake; `problems` lists up to twenty.
    """
    columns = Columns(kind="members", required=("member", *required), optional=optional)
    kind = Kind(columns=columns, identity="member", read=_listed, key=_key)
    for batch in read_batches(file, kind):
        yield from batch


def _listed(row: Row) -> Listed:
    return Listed(
        member=read_id(row, "member"),
        line=row.line_of("member"),
        ends=read_boundary(row, "ends_on"),
        product=_optional_id(row, "product"),
        source=_optional_id(row, "from"),
        target=_optional_id(row, "to"),
    )


def _optional_id(row: Row, column: str) -> str | None:
    return read_id(row, column) if row.text(column) else None


def _key(listed: Listed) -> tuple[str | None, ...]:
    return listed.member, listed.product, listed.source, listed.target
