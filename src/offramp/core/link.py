"""Links to what is handed over: how long they live, and whether they still lead anywhere.

A link lives for so many whole days after the mail that brought it, by the calendar of its reader;
what it leads to may be deleted before.

Source: policy language E1; lesson L14.
"""

from dataclasses import dataclass
from enum import StrEnum

from whenever import Date, Instant

from offramp.core.dates import civil_date, first_instant, last_day_before


class LinkState(StrEnum):
    """Whether a link leads anywhere."""

    ALIVE = "alive"
    EXPIRED = "expired"
    REVOKED = "revoked"  # by a person, or because its reader was sent another one
    GONE = "gone"  # the file is no more


@dataclass(frozen=True, slots=True, kw_only=True)
class Download:
    """A file that a message leads to because it is too large to come along.

    Attributes:
        until_on: the last day on which its reader can be sure of it.
    """

    address: str
    name: str
    size_bytes: int
    until_on: Date


@dataclass(frozen=True, slots=True, kw_only=True)
class Entrance:
    """The address by which a person signs in, once and for so many minutes."""

    address: str
    minutes: int


def link_ends_at(mailed_at: Instant, *, days: int, zone: str) -> Instant:
    """Say when a link ends whose mail goes out at an instant: days in the zone are whole days."""
    last_on = civil_date(mailed_at, zone=zone).add(days=days)
    return first_instant(last_on.next_day(), zone)


def last_day_of(ends_at: Instant, *, erases_at: Instant | None, zone: str, now: Instant) -> Date:
    """Give the last day that may be promised of a link: none after the eve of the deletion.

    A deletion that is due already waits for something: then today is all that can be promised.
    """
    last_on = last_day_before(ends_at, zone=zone)
    if erases_at is not None:
        last_on = min(last_on, civil_date(erases_at, zone=zone).prev_day())
    return max(last_on, civil_date(now, zone=zone))


def state_of(
    *, expires_at: Instant, revoked_at: Instant | None, has_file: bool, now: Instant
) -> LinkState:
    """Say whether a link leads anywhere, and why it does not."""
    if not has_file:
        return LinkState.GONE
    if revoked_at is not None:
        return LinkState.REVOKED
    return LinkState.ALIVE if now < expires_at else LinkState.EXPIRED
