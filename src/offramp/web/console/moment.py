"""Moments and days as the console writes them: short, in one zone, and never ambiguous.

Source: docs/console.md.
"""

from whenever import Date, Instant

from offramp.core.dates import Boundary


def moment_text(moment: Instant, zone: str) -> str:
    """Write a moment as a clock on a wall there shows it."""
    local = moment.to_tz(zone)
    return f"{day_text(local.date())}, {local.hour:02}:{local.minute:02}"


def day_text(day: Boundary) -> str:
    """Write a day with its name and its year; an instant as its day in UTC, and its time."""
    if isinstance(day, Instant):
        return f"{moment_text(day, 'UTC')} UTC"
    assert isinstance(day, Date)
    return f"{day.to_stdlib():%a} {day.day} {day.to_stdlib():%b} {day.year}"


def zone_text(zone: str) -> str:
    """Write a zone as people say it: the city."""
    return zone.rpartition("/")[2].replace("_", " ")
