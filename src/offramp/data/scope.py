"""Whose rows: one organization, or one member of it, or one product within either.

Everything that narrows an operation to its subject lives here. A scope can never mean "all":
blank keys and wildcards are refused (L26).
"""

from dataclasses import dataclass

from offramp.core.errors import Refused

_WILDCARDS = frozenset("*%?")


class BlankScope(Refused):
    """The {part} of a scope must name exactly one: it is blank, padded, or holds a wildcard."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """The subject of an export or erasure; keys are text and fit themselves to the column."""

    organization: str
    member: str | None = None
    product: str | None = None

    def __post_init__(self) -> None:
        """Refuse a key that could mean more than one subject."""
        for part in ("organization", "member", "product"):
            value = getattr(self, part)
            if value is None and part != "organization":
                continue
            if not isinstance(value, str) or not _is_exact(value):
                raise BlankScope(part=part, hint="give the exact key of one row, as text")


def described(scope: Scope) -> str:
    """Name a subject by its keys."""
    whole = f"the organization {scope.organization}"
    return whole if scope.member is None else f"the member {scope.member} of {whole}"


def _is_exact(key: str) -> bool:
    return bool(key) and key == key.strip() and key.isprintable() and not _WILDCARDS & set(key)
