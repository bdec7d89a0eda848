"""What a member has earned, as data that any program can read in twenty years.

Source: mission A3; lesson L13.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass

from whenever import Date, Instant

from offramp.core.model import Achievement, Member, Organization

DATE_CHARACTERS = 10  # 2024-08-30


@dataclass(frozen=True, slots=True, kw_only=True)
class EarnedRow:
    """One line of the sheet; a date that we cannot read is shown as the vendor wrote it."""

    title: str
    holder: str | None
    at: Date | str


def read_day(text: str) -> Date | str:
    """Read the day of a date or time as a database writes it, or give the text back."""
    try:
        return Date.parse_iso(text[:DATE_CHARACTERS])
    except ValueError:
        return text


def achievement_data(
    achievements: Sequence[Achievement],
    *,
    member: Member,
    organization: Organization,
    vendor: str,
    at: Instant,
) -> bytes:
    """Write achievements as a JSON document."""
    document = {
        "kind": "achievements",
        "issued_by": vendor or None,
        "issued_at": at.format_iso(),
        "organization": organization.name,
        "holder": {"name": member.name, "email": member.email},
        "achievements": [
            {"title": each.title, "holder": each.holder or member.name, "at": each.at}
            for each in achievements
        ],
    }
    return json.dumps(document, ensure_ascii=False, indent=2).encode() + b"\n"
