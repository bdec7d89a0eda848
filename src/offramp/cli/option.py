"""Options that are read in one way everywhere: end dates, instants, marks of the ledger.

Source: core/dates.py for what a boundary is.
"""

import re

from whenever import Instant

from offramp.core.dates import Boundary, parse_boundary
from offramp.core.errors import Invalid

_HEAD = re.compile(r"(?P<number>\d+):(?P<seal>[0-9a-f]{64})")


class OptionInvalid(Invalid):
    """{option} {text} is not understood."""


class OptionMissing(Invalid):
    """{option} has to be given."""


class OptionsClash(Invalid):
    """{options} exclude each other."""


def read_boundary(option: str, text: str) -> Boundary:
    """Read a last day or an instant.

    Raises:
        OptionInvalid: it is neither.
    """
    try:
        return parse_boundary(text)
    except ValueError as error:
        raise OptionInvalid(
            option=option,
            text=text,
            expected="a date such as 2024-08-30, or an instant such as 2024-08-30T12:00:00Z",
            hint="does that day exist?",
        ) from error


def read_instant(option: str, text: str) -> Instant:
    """Read an instant.

    Raises:
        OptionInvalid: it is none, or has no offset from UTC.
    """
    try:
        return Instant.parse_iso(text)
    except ValueError as error:
        raise OptionInvalid(
            option=option, text=text, expected="an instant such as 2024-08-30T12:00:00Z"
        ) from error


def read_head(option: str, text: str) -> tuple[int, str]:
    """Read the number and the seal of an entry of the ledger.

    Raises:
        OptionInvalid: it is not written as `ledger verify` prints it.
    """
    found = _HEAD.fullmatch(text)
    if found is None:
        raise OptionInvalid(
            option=option,
            text=text,
            expected="NUMBER:SEAL, as offramp ledger verify printed it",
        )
    return int(found["number"]), found["seal"]
