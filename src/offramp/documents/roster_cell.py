"""One row of a roster, and how each kind of cell in it is read.

Every rule about a single cell lives here. A mistake repeats ids, zones and periods, never a name
or an address.

Source: mission A1, B1; lessons L8 (an address that nobody can have), L26.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NoReturn

from offramp.core.dates import Boundary, Period, parse_boundary, require_zone
from offramp.core.errors import Invalid
from offramp.core.model import Role
from offramp.core.spelling import did_you_mean

LIST_SEPARATOR = ";"
ID_CHARACTERS_MAX = 200
EMAIL_CHARACTERS_MAX = 254  # RFC 5321, section 4.5.3.1.3

_WILDCARDS = frozenset("*?%")
_EMAIL = re.compile(r"[^@\s]+@[^@\s.]+(\.[^@\s.]+)*")
_LOCALE = re.compile(r"[A-Za-z]{2,3}([-_][A-Za-z0-9]{2,8})*")
_COUNT = re.compile(r"[0-9]{1,9}")
_PERIOD_NAME = re.compile(r"[a-z][a-z0-9-]*")
_SPECIAL_PERIODS = ("never", "immediately")


class CellInvalid(Invalid):
    """{problem}."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """The cells of one row as text, and where they stand.

    Attributes:
        place: what a person would call it, such as ``line 600``.
        path_of: the full path of a column, for the error.
        line_of: the line on which a column's cell stands.
    """

    place: str
    cells: Mapping[str, str]
    path_of: Callable[[str], str]
    line_of: Callable[[str], int]

    def text(self, column: str) -> str:
        """Give a cell without the space around it; empty when there is none."""
        return self.cells.get(column, "").strip()


def refuse(
    column: str, problem: str, *, expected: str | None = None, hint: str | None = None
) -> NoReturn:
    """Raise what is wrong with the cell of a column."""
    raise CellInvalid(column=column, problem=problem, expected=expected, hint=hint)


def read_id(row: Row, column: str) -> str:
    """Read an id, which names exactly one thing."""
    return _require_id(row.text(column), column)


def _require_id(text: str, column: str) -> str:
    expected = "the id of one thing"
    if not text:
        refuse(column, "it is blank", expected=expected)
    if any(character in _WILDCARDS for character in text):
        refuse(column, f"{text!r} is a wildcard", expected=expected)
    if LIST_SEPARATOR in text or not text.isprintable():
        refuse(column, f"{text!r} holds a character that no id may hold", expected=expected)
    if len(text) > ID_CHARACTERS_MAX:
        refuse(column, "it is too long", expected=f"at most {ID_CHARACTERS_MAX} characters")
    return text


def read_list(row: Row, column: str) -> tuple[str, ...]:
    """Read ids with semicolons between them; none when the cell is empty."""
    text = row.text(column)
    parts = (part.strip() for part in text.split(LIST_SEPARATOR)) if text else ()
    return tuple(_require_id(part, column) for part in parts)


def read_zone(row: Row, column: str) -> str:
    """Read the name of a time zone."""
    try:
        return require_zone(row.text(column))
    except Invalid as error:
        refuse(column, str(error).removesuffix("."), hint=error.hint, expected=error.expected)


def read_locale(row: Row, column: str) -> str:
    """Read a language, with or without a country."""
    text = row.text(column)
    if not _LOCALE.fullmatch(text):
        refuse(column, f"{text!r} is not a locale", expected="a locale such as en, de or fr-CA")
    return text


def read_email(row: Row, column: str) -> str:
    """Read an address; empty for somebody who cannot be reached."""
    text = row.text(column)
    if text and not (
        _EMAIL.fullmatch(text) and text.isprintable() and len(text) <= EMAIL_CHARACTERS_MAX
    ):
        refuse(
            column,
            "it is not an e-mail address",
            expected="one address such as anna@example.com, or nothing",
            hint="leave it empty for somebody without an address: that is reported, not hidden",
        )
    return text


def read_roles(row: Row, column: str) -> frozenset[Role]:
    """Read roles; a plain member when the cell is empty."""
    known = [role.value for role in Role]
    names = read_list(row, column)
    for name in names:
        if name not in known:
            refuse(
                column,
                f"{name!r} is not a role",
                expected="one or more of " + ", ".join(known),
                hint=did_you_mean(name, known),
            )
    return frozenset(map(Role, names)) or frozenset({Role.MEMBER})


def read_count(row: Row, column: str) -> int:
    """Read a whole number that is not negative."""
    text = row.text(column)
    if not _COUNT.fullmatch(text):
        refuse(column, f"{text!r} is not a number of seats", expected="0, 1, 2, …")
    return int(text)


def read_boundary(row: Row, column: str) -> Boundary | None:
    """Read a last day or an exact instant; none when the cell is empty."""
    text = row.text(column)
    try:
        return parse_boundary(text) if text else None
    except ValueError:
        refuse(
            column,
            f"{text!r} is neither a date nor an instant",
            expected="2024-08-30, 2024-08-30T12:00:00Z, or nothing",
            hint="a date is the last day; an instant needs its offset",
        )


def read_overrides(row: Row, column: str) -> Mapping[str, str]:
    """Read the periods that a contract sets, as ``grace=P60D;keep=never``."""
    text = row.text(column)
    return dict(_override(part.strip(), column) for part in text.split(";")) if text else {}


def _override(text: str, column: str) -> tuple[str, str]:
    name, _, value = (part.strip() for part in text.partition("="))
    if not _PERIOD_NAME.fullmatch(name):
        refuse(column, f"{text!r} names no period", expected="name=P60D, with ; between several")
    if value not in _SPECIAL_PERIODS:
        try:
            Period.parse(value)
        except Invalid as error:
            refuse(column, str(error).removesuffix("."), hint=error.hint, expected=error.expected)
    return name, value
