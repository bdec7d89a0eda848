"""Privileges that are missing, in the words in which they are granted."""

from collections.abc import Mapping, Sequence

from offramp.data.sources.trouble import PermissionMissing, Trouble

_TOLD_MAX = 5


def missing(lacking: Mapping[tuple[str, str], Sequence[str]]) -> Trouble:
    """Say which privileges are missing, as far as a person reads on.

    Shape:
        lacking: verb and table -> the columns; an empty name stands for the whole table.
    """
    told = [_tell(verb, place, fields) for (verb, place), fields in lacking.items()]
    return Trouble(
        kind=PermissionMissing,
        reason=first(told, joined_by="; "),
        hint=f"GRANT {told[0]} TO our role, and so on; then run it again",
    )


def first(told: Sequence[str], *, joined_by: str) -> str:
    """List the first of many, and count the others."""
    more = len(told) - _TOLD_MAX
    listed = joined_by.join(told[:_TOLD_MAX])
    return f"{listed}{joined_by}and {more} more" if more > 0 else listed


def _tell(verb: str, place: str, fields: Sequence[str]) -> str:
    columns = ", ".join(filter(None, fields))
    return f"{verb} ({columns}) ON {place}" if columns else f"{verb} ON {place}"
