"""Every calculation with the calendar. Everything that adds a period to a date lives here.

Two kinds of boundary exist, and they are different types. A civil date ("valid until the 30th")
ends with its day: it takes effect at the first instant of the *next* day in the organization's
zone. An instant takes effect at itself. Intervals are half-open: the boundary belongs to what
follows. Months are calendar months, clamped to the end of the month, always added to the anchor.

Source: policy language T1-T4, T6; ISO 8601 durations; RFC 3339 instants; IANA zone names.
"""

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Self, TypeAlias

from whenever import (
    Date,
    Instant,
    PlainDateTime,
    RepeatedTime,
    SkippedTime,
    Time,
    TimeDelta,
    TimeZoneNotFoundError,
    Weekday,
    ZonedDateTime,
)

from offramp.core.errors import Invalid

Boundary: TypeAlias = Date | Instant
"""Where one thing ends and the next begins: a last day, or an exact instant."""

YEARS_MAX = 200  # no published policy keeps anything longer; catches P2024Y and the like
YEAR_FIRST, YEAR_LAST = 1900, 2400  # a boundary outside is a stand-in for "unknown" or "never"
_SHIFT_DAYS_MAX = 366 * YEARS_MAX

_PERIOD = re.compile(
    r"P(?=.)(?:(?P<years>\d+)Y)?(?:(?P<months>\d+)M)?(?:(?P<weeks>\d+)W)?(?:(?P<days>\d+)D)?"
    r"(?:T(?=.)(?:(?P<hours>\d+)H)?(?:(?P<minutes>\d+)M)?)?",
    re.ASCII,
)
_BUSINESS = re.compile(r"P(?P<business_days>\d+)B", re.ASCII)
_HOST_ZONES = frozenset({"localtime", "posixrules", "Factory"})  # another zone on every machine


class PeriodInvalid(Invalid):
    """{text!r} is not a period."""


class ZoneUnknown(Invalid):
    """{zone!r} is not a time zone."""


class LocalTimeInvalid(Invalid):
    """{text!r} is not a time of day."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """A length of time as a policy writes it: civil (P3M, P5B) or exact (PT6H), never both."""

    months: int = 0  # years are twelve of them
    days: int = 0  # weeks are seven of them
    business_days: int = 0
    minutes: int = 0
    text: str = "P0D"

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read an ISO 8601 duration, or ``PnB`` for business days.

        Raises:
            PeriodInvalid: not a duration, or one that mixes civil and exact parts.
        """
        found = _PERIOD.fullmatch(text) or _BUSINESS.fullmatch(text)
        if not found:
            raise PeriodInvalid(
                text=text,
                expected="an ISO 8601 duration such as P30D, P12M or PT6H, or P5B (business days)",
                hint="say a number and a unit; words like 'soon' or 'a month' are not periods",
            )
        parts = {unit: int(number) for unit, number in found.groupdict().items() if number}
        period = cls(
            months=parts.get("years", 0) * 12 + parts.get("months", 0),
            days=parts.get("weeks", 0) * 7 + parts.get("days", 0),
            business_days=parts.get("business_days", 0),
            minutes=parts.get("hours", 0) * 60 + parts.get("minutes", 0),
            text=text,
        )
        period._refuse_nonsense()
        return period

    def _refuse_nonsense(self) -> None:
        if self.is_exact and (self.months or self.days):
            raise PeriodInvalid(
                text=self.text,
                expected="days or hours, not both",
                hint="a civil day is not always 24 hours: use P2D or PT48H",
            )
        days = self.months * 366 // 12 + self.days + self.business_days * 2 + self.minutes // 1440
        if days > _SHIFT_DAYS_MAX:
            raise PeriodInvalid(text=self.text, expected=f"at most {YEARS_MAX} years")

    @property
    def is_exact(self) -> bool:
        """Whether this period counts hours and minutes instead of calendar days."""
        return self.minutes > 0 or "T" in self.text

    def __str__(self) -> str:
        """Show it as it was written."""
        return self.text


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkCalendar:
    """Which days are business days: the weekend and the public holidays of a policy."""

    weekend: frozenset[Weekday] = frozenset({Weekday.SATURDAY, Weekday.SUNDAY})
    holidays: frozenset[Date] = frozenset()

    def is_business_day(self, day: Date) -> bool:
        """Whether people work on this day."""
        return day.day_of_week() not in self.weekend and day not in self.holidays


EVERY_WEEK = WorkCalendar()


def require_zone(zone: str) -> str:
    """Return the zone when the IANA database knows it.

    Raises:
        ZoneUnknown: it does not.
    """
    try:
        if zone in _HOST_ZONES:
            raise TimeZoneNotFoundError(zone)
        PlainDateTime(2024, 1, 1).assume_tz(zone, disambiguation="compatible")
    except (TimeZoneNotFoundError, ValueError) as error:
        raise ZoneUnknown(
            zone=zone,
            expected="an IANA time zone name",
            hint="for example Europe/Dublin, America/New_York or UTC",
        ) from error
    return zone


def parse_local_time(text: str) -> Time:
    """Read ``HH:MM``.

    Raises:
        LocalTimeInvalid: it is something else.
    """
    if not re.fullmatch(r"([01]\d|2[0-3]):[0-5]\d", text):
        raise LocalTimeInvalid(text=text, expected='HH:MM, quoted, such as "09:00"')
    return Time.parse_iso(text)


def parse_boundary(text: str) -> Boundary:
    """Read a civil date (``2024-08-30``) or an instant (``2024-08-30T12:00:00Z``).

    Raises:
        ValueError: it is neither; the caller knows the file and line and says so.
    """
    boundary = Instant.parse_iso(text) if "T" in text else Date.parse_iso(text)
    if not YEAR_FIRST <= civil_date(boundary, zone="UTC").year <= YEAR_LAST:
        raise ValueError(f"the year is not between {YEAR_FIRST} and {YEAR_LAST}")
    return boundary


@lru_cache(maxsize=4096)
def first_instant(day: Date, zone: str) -> Instant:
    """Find the instant from which the local date is ``day`` or later, and never earlier again.

    Where midnight does not exist (Cairo in spring) the day begins after the gap; where the clock
    goes back over midnight (St. John's at 00:01) the day begins for good the second time; a day
    that a zone skipped whole (Apia, 2011-12-30) begins and ends at the same instant.
    """
    midnight = day.at(Time.MIDNIGHT)
    try:
        return midnight.assume_tz(zone, disambiguation="raise").to_instant()
    except SkippedTime:
        after = midnight.assume_tz(zone, disambiguation="later")
        return _transition_at_or_before(after)
    except RepeatedTime:
        second = midnight.assume_tz(zone, disambiguation="later").to_instant()
        just_before = second.subtract(nanoseconds=1).to_tz(zone).date()
        if just_before < day:
            return second
        return midnight.assume_tz(zone, disambiguation="earlier").to_instant()


def _transition_at_or_before(moment: ZonedDateTime) -> Instant:
    transition = moment.add(nanoseconds=1).prev_transition()
    assert transition is not None, "a skipped local time implies a transition"
    return transition.to_instant()


def effect(boundary: Boundary, *, zone: str) -> Instant:
    """Give the instant at which a boundary takes effect (T3)."""
    if isinstance(boundary, Date):
        return first_instant(boundary.next_day(), zone)
    return boundary


def civil_date(boundary: Boundary, *, zone: str) -> Date:
    """Give the civil date on which a boundary falls in the zone.

    For an instant that is the last day that has begun for good: where the clock goes back over
    midnight, the minutes before it does still belong to the day before.
    """
    if isinstance(boundary, Date):
        return boundary
    day = boundary.to_tz(zone).date()
    return day if first_instant(day, zone) <= boundary else day.prev_day()


def last_day_before(moment: Instant, *, zone: str) -> Date:
    """Give the last civil date that is wholly or partly before an instant."""
    return civil_date(moment.subtract(nanoseconds=1), zone=zone)


def shift(
    boundary: Boundary,
    period: Period,
    *,
    zone: str,
    backwards: bool = False,
    calendar: WorkCalendar = EVERY_WEEK,
) -> Boundary:
    """Move a boundary by a period, counting from the boundary itself (T1).

    A civil period keeps the kind of the boundary: a date stays a date, an instant keeps its local
    time of day. An exact period is counted from the effect, and gives an instant.
    """
    sign = -1 if backwards else 1
    if period.is_exact:
        return effect(boundary, zone=zone).add(TimeDelta(minutes=sign * period.minutes))
    start = civil_date(boundary, zone=zone)
    day = _shift_day(start, period, sign=sign, calendar=calendar)
    if isinstance(boundary, Date):
        return day
    if day == start:
        return boundary  # also in an hour that happens twice
    return at_local_time(day, boundary.to_tz(zone).time(), zone=zone)


def _shift_day(day: Date, period: Period, *, sign: int, calendar: WorkCalendar) -> Date:
    moved = day.add(months=sign * period.months, days=sign * period.days)
    left = period.business_days
    while left:
        moved = moved.add(days=sign)
        left -= calendar.is_business_day(moved)
    return moved


def at_local_time(day: Date, time: Time, *, zone: str) -> Instant:
    """Give the instant of a local time on a civil date, never before the day begins for good.

    A skipped time moves out of the gap; of a time that happens twice the first one counts.
    """
    local = day.at(time)
    moment = local.assume_tz(zone, disambiguation="compatible").to_instant()
    if moment < first_instant(day, zone):
        return local.assume_tz(zone, disambiguation="later").to_instant()
    return moment


def first_at(time: Time, *, day: Date, not_before: Instant, zone: str) -> Instant:
    """Find the first occurrence of a local time on ``day`` or later, at or after an instant."""
    eve = civil_date(not_before, zone=zone).prev_day()  # a skipped time falls on the day after it
    day = max(day, eve)
    while (moment := at_local_time(day, time, zone=zone)) < not_before:
        day = day.next_day()
    return moment


def is_within(moment: Instant, *, begin: Time, end: Time, zone: str) -> bool:
    """Whether the wall clock shows a time of day from ``begin`` until before ``end``.

    Hours that go over midnight end on the next day; from a time until itself is the whole day.
    """
    shown = moment.to_tz(zone).time()
    if begin < end:
        return begin <= shown < end
    return begin <= shown or shown < end


def days_after(day: Date, days: int) -> Date:
    """Give the civil date so many days after another."""
    return day.add(days=days)


def days_between(earlier: Date, later: Date) -> int:
    """Count the civil days from one date to another; negative when ``later`` is earlier."""
    return int(later.since(earlier, total="days"))
