"""One row of a document as the database rendered it: column by column, each value still as text.

A value is compared, moved and written back as the very characters of the document: nothing goes
through a number of ours, so nothing is lost. Equal texts are equal values, because both sides are
rendered by the same database in the same way.
"""

import json
import re
from collections.abc import Iterable, Mapping

Row = dict[str, str]
Key = tuple[str, ...]
NULL = "null"

_decode = json.JSONDecoder().raw_decode
_BLANK = re.compile(r"[ \t\n\r]*")


def split_row(line: str) -> Row:
    """Take one JSON object apart into the texts of its values."""
    members: Row = {}
    place = _skip(line, 1)
    while line[place] != "}":
        name, place = _decode(line, place)
        start = _skip(line, _skip(line, place) + 1)
        _, place = _decode(line, start)
        members[name] = line[start:place]
        place = _skip(line, place)
        if line[place] == ",":
            place = _skip(line, place + 1)
    return members


def join_row(row: Mapping[str, str]) -> str:
    """Put a row together again."""
    return "{" + ",".join(f"{json.dumps(name)}:{text}" for name, text in row.items()) + "}"


def join_rows(rows: Iterable[Mapping[str, str]]) -> str:
    """Put rows together as one JSON array."""
    return "[" + ",".join(map(join_row, rows)) + "]"


def key_of(row: Row, columns: Iterable[str]) -> Key:
    """Return the texts of some columns, by which a row is found again."""
    return tuple(row[name] for name in columns)


def _skip(line: str, place: int) -> int:
    match = _BLANK.match(line, place)
    return match.end() if match else place
