"""The prefix of one organization in a store of files: a pattern, filled with values of its row.

A prefix can never mean "everything" or "somebody else too" (L26): it names a column of the row, it
ends with a separator, so that ``companies/1/`` is no beginning of ``companies/10/``, and a value is
exactly one part of a path, or it is refused.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from offramp.core.errors import Refused

SEPARATOR = "/"
_PLACE = re.compile(r"\{([^{}]*)\}")
_COLUMN = re.compile(r"(?:[^.\s{}/]+\.){1,2}[^.\s{}/]+")
_WILDCARDS = frozenset("*?[]%")


class PrefixUnfit(Refused):
    """A value of {column} cannot be part of a prefix: {reason}."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Prefix:
    """A pattern like ``companies/{companies.id}/``."""

    pattern: str

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns whose values the pattern is filled with."""
        return tuple(dict.fromkeys(_PLACE.findall(self.pattern)))

    @property
    def shared(self) -> str:
        """What all prefixes of this pattern have in common: the folders before the first value."""
        before = self.pattern.partition("{")[0]
        return before[: before.rfind(SEPARATOR) + 1]

    def fill(self, facts: Mapping[str, str]) -> str:
        """Return the prefix of one subject.

        Raises:
            PrefixUnfit: a value is empty, or could mean more than one folder.
        """
        for column in self.columns:
            reason = _misfit(facts[column])
            if reason is not None:
                raise PrefixUnfit(
                    column=column, reason=reason, hint="name a column that holds one plain word"
                )
        return _PLACE.sub(lambda place: facts[place[1]], self.pattern)


def parse_prefix(text: str) -> Prefix:
    """Read a pattern.

    Raises:
        ValueError: it could mean everything, or more than one organization.
    """
    plain = _PLACE.sub("value", text)
    if not text.endswith(SEPARATOR):
        raise ValueError("a prefix ends with `/`, or companies/1 would be companies/10 as well")
    if "{" in plain or "}" in plain:
        raise ValueError("a place for a value reads {table.column}")
    if any(_misfit(part) for part in plain.removesuffix(SEPARATOR).split(SEPARATOR)):
        raise ValueError("a prefix is made of plain folder names, from the top of the store")
    columns = _PLACE.findall(text)
    if not columns:
        raise ValueError("a prefix names a column, as in companies/{companies.id}/")
    if not all(_COLUMN.fullmatch(column) for column in columns):
        raise ValueError("a place for a value reads {table.column}")
    return Prefix(pattern=text)


def _misfit(part: str) -> str | None:
    """Say why a text is not exactly one part of a path."""
    if not part or part != part.strip():
        return "it is blank or padded"
    if part in (".", ".."):
        return "it leads to another folder"
    if SEPARATOR in part or "\\" in part or not part.isprintable():
        return "it holds a separator or a control character"
    if _WILDCARDS & set(part):
        return "it holds a wildcard"
    return None
