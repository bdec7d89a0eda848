"""What stays of an organization: which rows, counted from when, and how that is remembered.

The law: a row is told to a keeper before anything is taken from it that leads to it. Afterwards
nobody could find it: its organization, the reference to it, and the key are gone. What is told is
the row's own key and the date that its end is counted from; a keeper that puts the keys away for
years seals them, because a readable list would say again whose the rows were.

Source: mission A11; docs/decisions/009-kept-rows.md; RFC 5297 (AES-SIV).
"""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache
from hashlib import sha512
from hmac import digest
from typing import Any, Final, Protocol
from uuid import UUID

import sqlalchemy as sa
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV
from whenever import Date, Instant

from offramp.core.dates import Boundary, Period, civil_date, effect, parse_boundary, shift
from offramp.core.errors import Broken
from offramp.data.catalog.catalog import CatalogColumn
from offramp.data.datamap import TableRule

Row = Sequence[Any]

_DAYS_KNOWN_MAX = 10_000  # about twenty-seven years of them

UNDECIDED: Final = "undecided"
"""Where a row says no date: it is kept until a person decides."""


class KeptKeysDamaged(Broken):
    """The list of kept rows of {table} cannot be opened with the key that sealed it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptRows:
    """Rows that stay: the key of each, and the boundary from which its end is counted.

    Shape:
        keys, anchors: equally long, in the order of the rows.
    """

    keys: Sequence[tuple[Any, ...]]
    anchors: Sequence[Boundary | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class End:
    """When a kept row's time is over, and the civil date from which that was counted."""

    counted_from: Date
    ends_at: Instant


class Keeper(Protocol):
    """Remembers which rows stay."""

    def keep(self, table: str, rows: KeptRows) -> None:
        """Remember rows of a table; hearing of one twice is hearing of it once."""

    def ends(self, table: str) -> Mapping[str, int]:
        """Count what is remembered of a table by its last civil date, or `UNDECIDED`."""


@dataclass(kw_only=True)
class Tally:
    """A keeper that counts, for whoever wants to tell and not to sweep."""

    rules: Mapping[str, TableRule]
    zone: str = "UTC"
    _seen: dict[str, dict[tuple[Any, ...], End | None]] = field(default_factory=dict)

    def keep(self, table: str, rows: KeptRows) -> None:
        """Count rows by the last date of their keeping."""
        seen, rule = self._seen.setdefault(table, {}), self.rules[table]
        for key, anchor in zip(rows.keys, rows.anchors, strict=True):
            seen[key] = end_of(anchor, rule, zone=self.zone)

    def ends(self, table: str) -> Mapping[str, int]:
        """Count what was told of a table."""
        found = Counter[str]()
        for end, rows in Counter(self._seen.get(table, {}).values()).items():
            found[last_date(end.ends_at if end else None, zone=self.zone)] += rows
        return dict(sorted(found.items()))


def end_of(anchor: Boundary | None, rule: TableRule, *, zone: str) -> End | None:
    """Give the end of a row's keeping; none where it has no date, so that a person decides.

    It is counted from a civil date in the organization's zone: a timestamp counts from its day, so
    that no row goes an hour early for the sake of where a clock stood.
    """
    if anchor is None or rule.until_period is None:
        return None
    return _end(civil_date(anchor, zone=zone), rule.until_period, zone=zone)


@lru_cache(maxsize=_DAYS_KNOWN_MAX)
def _end(counted_from: Date, period: str, *, zone: str) -> End:
    """Count once for all rows of a day: there are far fewer days than rows."""
    ends = shift(counted_from, Period.parse(period), zone=zone)
    return End(counted_from=counted_from, ends_at=effect(ends, zone=zone))


@lru_cache(maxsize=_DAYS_KNOWN_MAX)
def last_date(ends_at: Instant | None, *, zone: str) -> str:
    """Name the last civil date of a keeping that ends at an instant."""
    if ends_at is None:
        return UNDECIDED
    return civil_date(ends_at.subtract(nanoseconds=1), zone=zone).format_iso()


def read_anchor(value: object) -> Boundary | None:
    """Understand what a database gives for a date or a time; none for what is neither.

    A time without a zone is taken for its day: which instant it means nobody knows.
    """
    if isinstance(value, datetime) and value.tzinfo is not None:
        return Instant(value)
    if isinstance(value, date):
        return Date(value.year, value.month, value.day)
    return _read_text(value) if isinstance(value, str) else None


def _read_text(text: str) -> Boundary | None:
    try:
        return parse_boundary(text[:10])
    except ValueError:
        return None


def seal_keys(keys: Sequence[Row], *, table: str, secret: bytes) -> bytes:
    """Lock the keys of rows away; the same keys give the same bytes."""
    lines = json.dumps([as_listed(key) for key in keys], separators=(",", ":"))
    return _cipher(secret).encrypt(lines.encode(), [table.encode()])


def open_keys(sealed: bytes, *, table: str, secret: bytes) -> list[list[int | str]]:
    """Read the keys of rows again.

    Raises:
        KeptKeysDamaged: they were changed, or sealed for another table or with another secret.
    """
    try:
        lines = _cipher(secret).decrypt(sealed, [table.encode()])
    except (InvalidTag, ValueError) as error:
        raise KeptKeysDamaged(table=table) from error
    keys: list[list[int | str]] = json.loads(lines)
    return keys


def as_listed(key: Row) -> tuple[int | str, ...]:
    """Give a key as it stands in a list: whole numbers and texts."""
    return tuple(part if isinstance(part, int) else str(part) for part in key)


def bindable(key: Sequence[int | str], columns: Sequence[CatalogColumn]) -> tuple[Any, ...]:
    """Give the parts of a key as the types of their columns want them bound."""
    return tuple(_as_type(part, column) for part, column in zip(key, columns, strict=True))


def _cipher(secret: bytes) -> AESSIV:
    return AESSIV(digest(secret, b"kept rows", sha512))


def _as_type(part: int | str, column: CatalogColumn) -> object:
    text = str(part)
    match column.type:
        case sa.Uuid():
            return UUID(text)
        case sa.DateTime():
            return datetime.fromisoformat(text)
        case sa.Date():
            return date.fromisoformat(text)
        case sa.Numeric() if not isinstance(part, int):
            return Decimal(text)
        case _:
            return part
