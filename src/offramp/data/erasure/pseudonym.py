"""Keyed pseudonyms: what stands in a column once the person is gone from it.

Everything that turns a value into a hash lives here. HMAC-SHA-256 with a key per organization,
computed outside of any database, so that the key never reaches a server's logs; a plain or salted
hash of an e-mail can be guessed (L23). Equal values get equal pseudonyms, so that uniqueness and
joins survive; a pseudonym is left alone when it is met again, so that doing it twice is once.

Source: RFC 2104; RFC 2606 (``.invalid`` never receives mail).
"""

import hmac
import re
from collections.abc import Mapping
from typing import Final

TEXT_PREFIX: Final = "erased-"
MAIL_SUFFIX: Final = "@erased.invalid"
DIGITS_MAX: Final = 32
# Fewer hexadecimal digits would collide: 12 are 48 bits.
DIGITS_MIN: Final = 12

_PSEUDONYM = re.compile(rf"{TEXT_PREFIX}[0-9a-f]{{{DIGITS_MIN},{DIGITS_MAX}}}({MAIL_SUFFIX})?")


def shortest_column(*, is_mail: bool) -> int:
    """Return how long a column has to be at least for its values to be hashed."""
    return len(TEXT_PREFIX) + DIGITS_MIN + (len(MAIL_SUFFIX) if is_mail else 0)


def pseudonymize(value: str, *, key: bytes, length_max: int | None) -> str:
    """Return the pseudonym of one value, short enough for its column, and of its kind if it can."""
    if _PSEUDONYM.fullmatch(value):
        return value
    has_room = length_max is None or length_max >= shortest_column(is_mail=True)
    suffix = MAIL_SUFFIX if has_room and is_mail_address(value) else ""
    digits = DIGITS_MAX
    if length_max is not None:
        digits = min(digits, length_max - len(TEXT_PREFIX) - len(suffix))
    assert digits >= DIGITS_MIN, "the map check refuses columns that are too short to be hashed"
    return TEXT_PREFIX + _keyed(b"value", value, key)[:digits] + suffix


def pseudonymize_all(values: set[str], *, key: bytes, length_max: int | None) -> Mapping[str, str]:
    """Return the pseudonym of each distinct value."""
    return {value: pseudonymize(value, key=key, length_max=length_max) for value in values}


def is_pseudonym(value: str) -> bool:
    """Say whether a value stands where another one stood."""
    return _PSEUDONYM.fullmatch(value) is not None


def hash_mark(value: str, *, key: bytes) -> str:
    """Return the keyed hash by which an identifier is recognized later, however it is written."""
    return _keyed(b"mark", value.strip().casefold(), key)


def is_mail_address(value: str) -> bool:
    """Say whether a value looks like one e-mail address."""
    local, at, domain = value.rpartition("@")
    return bool(at and local and domain) and not any(map(str.isspace, value))


def _keyed(purpose: bytes, value: str, key: bytes) -> str:
    return hmac.digest(key, purpose + b"\0" + value.encode(), "sha256").hex()
