"""A timeline as an iCalendar file, one all-day entry per date, for the reader's own calendar.

The entries are all-day in the organization's zone, because the dates are what was promised; the
local time stands in the description.

Source: RFC 5545; mission A7.
"""

from datetime import date, datetime, timedelta

from icalendar import Calendar, Event
from whenever import Instant

from offramp.core.plan import PlannedStep, Timeline
from offramp.documents.timeline.rows import Row, timeline_rows


def calendar_file(timeline: Timeline, *, name: str, stamped_at: Instant) -> bytes:
    """Write a timeline as an iCalendar file.

    ``name`` makes the identities of the entries stable: the same name replaces the same entries.
    """
    stamp = stamped_at.to_stdlib()
    calendar = Calendar()
    calendar.add("prodid", "-//Offramp//Timeline//EN")
    calendar.add("version", "2.0")
    calendar.add("x-wr-calname", timeline.policy.title or timeline.policy.policy)
    for row in timeline_rows(timeline):
        identity = f"{name}-{row.planned.key.replace(':', '-')}"
        calendar.add_component(_entry(row, identity, row.on.to_stdlib(), stamp))
        last = _last_day(row.planned)
        if last is not None:
            calendar.add_component(_entry(row, f"{identity}-last", last, stamp, is_last=True))
    content: bytes = calendar.to_ical()
    return content


def _last_day(planned: PlannedStep) -> date | None:
    if planned.deadline_on is None or planned.deadline_on == planned.due_on:
        return None
    return planned.deadline_on.to_stdlib()


def _entry(row: Row, identity: str, day: date, stamp: datetime, *, is_last: bool = False) -> Event:
    event = Event()
    event.add("uid", f"{identity}@offramp")
    event.add("dtstamp", stamp)
    event.add("dtstart", day)
    event.add("dtend", day + timedelta(days=1))
    event.add("summary", f"{row.what} (last day)" if is_last else row.what)
    details = [row.who, row.note] if is_last else [f"at {row.local_time}", row.who, row.note]
    event.add("description", "\n".join(detail for detail in details if detail))
    event.add("transp", "TRANSPARENT")
    return event
