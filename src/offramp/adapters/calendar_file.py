"""Dates as a calendar file that an administrator can open: whole days, with a reminder.

The same day of the same off-boarding always has the same UID, so that a later file moves or
cancels what an earlier one has put into a calendar; its sequence number must then be higher.

Source: RFC 5545 and 7986; RFC 5546 (PUBLISH and CANCEL); lesson L6 (DTSTAMP is simulated too).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256

from icalendar import Alarm, Calendar, Event
from whenever import Date, Instant

from offramp.ports import Attachment

REMINDER_HOURS_BEFORE = 15  # at nine in the morning of the day before
_UID_DIGITS = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class CalendarDay:
    """One thing that happens on one day; the key names it for good, the title may change."""

    key: str
    on: Date
    title: str
    description: str = ""


def calendar_attachment(
    days: Iterable[CalendarDay],
    *,
    offboarding: str,
    at: Instant,
    sequence: int = 0,
    is_canceled: bool = False,
) -> Attachment:
    """Write the days of one off-boarding, or take them out of calendars again."""
    method = "CANCEL" if is_canceled else "PUBLISH"
    calendar = Calendar()
    calendar.add("VERSION", "2.0")
    calendar.add("PRODID", "-//Offramp//Off-boarding//EN")
    calendar.add("METHOD", method)
    for day in days:
        event = _event(day, offboarding=offboarding, at=at, sequence=sequence)
        if is_canceled:
            event.add("STATUS", "CANCELLED")
        else:
            event.add("STATUS", "CONFIRMED")
            event.add_component(_reminder(day))
        calendar.add_component(event)
    return Attachment(
        name="calendar.ics",
        media_type=f"text/calendar; charset=utf-8; method={method}",
        content=calendar.to_ical(),
    )


def _event(day: CalendarDay, *, offboarding: str, at: Instant, sequence: int) -> Event:
    digest = sha256(f"{offboarding}/{day.key}".encode()).hexdigest()
    event = Event()
    event.add("UID", f"{digest[:_UID_DIGITS]}@offramp")
    event.add("DTSTAMP", at.to_stdlib())
    event.add("SEQUENCE", sequence)
    event.add("DTSTART", day.on.to_stdlib())
    event.add("DTEND", day.on.next_day().to_stdlib())  # exclusive
    event.add("SUMMARY", day.title)
    if day.description:
        event.add("DESCRIPTION", day.description)
    event.add("TRANSP", "TRANSPARENT")  # nobody is busy because a license ends
    return event


def _reminder(day: CalendarDay) -> Alarm:
    alarm = Alarm()
    alarm.add("ACTION", "DISPLAY")
    alarm.add("DESCRIPTION", day.title)
    alarm.add("TRIGGER", timedelta(hours=-REMINDER_HOURS_BEFORE))
    return alarm
