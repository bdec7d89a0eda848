"""When something happens, as a policy writes it: ``expiry - P14D``, ``latest(a, b) + P10D``.

The grammar is one anchor (or the latest or earliest of several) and at most one period, so that
months are always counted from the anchor. ``never`` and ``immediately`` are values, not anchors.

Source: policy language T1, T2, T6.
"""

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Self

from offramp.core.dates import Period
from offramp.core.errors import Invalid

_NAME = r"[a-z][a-z0-9-]*"
_MOMENT = re.compile(
    rf"(?:(?P<choice>latest|earliest)\(\s*(?P<several>{_NAME}(?:\s*,\s*{_NAME})+)\s*\)"
    rf"|(?P<one>{_NAME}))(?:\s*(?P<sign>[+-])\s*(?P<length>P\S+|{_NAME}))?"
)


class MomentInvalid(Invalid):
    """{text!r} does not say when."""


class Special(StrEnum):
    """The two moments that are not on the calendar."""

    NEVER = "never"
    IMMEDIATELY = "immediately"


class Choice(StrEnum):
    """Which one counts when a moment names several anchors."""

    LATEST = "latest"
    EARLIEST = "earliest"


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """One dated point relative to anchors; ``length`` is a period or the name of one."""

    text: str
    special: Special | None = None
    anchors: tuple[str, ...] = ()
    choice: Choice = Choice.LATEST
    backwards: bool = False
    length: Period | str | None = None

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a moment.

        Raises:
            MomentInvalid: it is not of the grammar.
            PeriodInvalid: its period is not one.
        """
        text = text.strip()
        if text in set(Special):
            return cls(text=text, special=Special(text))
        found = _MOMENT.fullmatch(text)
        if not found:
            raise MomentInvalid(
                text=text,
                expected="an anchor with at most one period, such as 'expiry + P30D', "
                "or 'never', or 'immediately'",
                hint="count every date from its anchor: add P12M once, not P90D and then P9M",
            )
        length = found["length"]
        names = found["several"] or found["one"]
        if {length, *_split(names)} & set(Special):
            raise MomentInvalid(
                text=text,
                expected="'never' or 'immediately' alone",
                hint="they are values; nothing can be counted from them or added",
            )
        return cls(
            text=text,
            anchors=_split(names),
            choice=Choice(found["choice"] or Choice.LATEST),
            backwards=found["sign"] == "-",
            length=Period.parse(length) if length and length.startswith("P") else length,
        )

    @property
    def names(self) -> frozenset[str]:
        """Every name it mentions: anchors, and the named period if there is one."""
        period = {self.length} if isinstance(self.length, str) else set()
        return frozenset({*self.anchors, *period})

    def __str__(self) -> str:
        """Show it as it was written."""
        return self.text


def _split(names: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in names.split(","))
