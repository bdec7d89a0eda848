"""A timeline as an iCalendar file, one all-day entry per date, for the reader's own calendar.

The entries are all-day in the organization's zone, because the dates are what was promised; the
local time stands in the description. A date that moves keeps the identity of its entry under a
higher sequence, so that a second import moves it; when somebody comes back, the same entries are
taken back.

Source: RFC 5545; RFC 5546, sections 3.2.1 and 3.2.5; RFC 7986; mission A7.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import partial

from icalendar import Alarm, Calendar, Event
from whenever import Instant

from offramp.core.plan import PlannedStep
from offramp.core.policy import Action, Capability
from offramp.documents.timeline.rows import Row, timeline_rows, words
from offramp.ports import CalendarEntry, CalendarPart, CalendarWording, EntryWords

ALARM_DAYS = 7  # before something is erased


@dataclass(frozen=True, slots=True, kw_only=True)
class _Edition:
    """What all entries of one file have in common."""

    stamp: datetime
    is_canceled: bool
    organizer: str | None
    locale: str
    wording: CalendarWording | None


def calendar_file(
    parts: Sequence[CalendarPart],
    *,
    stamped_at: Instant,
    is_canceled: bool = False,
    organizer: str | None = None,
    locale: str = "en",
    wording: CalendarWording | None = None,
) -> bytes:
    """Write timelines as an iCalendar file that adds their dates to a calendar, or takes them back.

    Args:
        organizer: the address that the dates come from, which RFC 5546 asks for.
        locale: of whoever opens it; the identities of the entries are the same in every language.
        wording: writes for readers; authors of policies are told in English.
    """
    edition = _Edition(
        stamp=stamped_at.to_stdlib(),
        is_canceled=is_canceled,
        organizer=organizer,
        locale=locale,
        wording=wording,
    )
    titles = dict.fromkeys(
        part.place or part.timeline.policy.title or part.timeline.policy.policy for part in parts
    )
    calendar = Calendar()
    calendar.add("prodid", "-//Offramp//Timeline//EN")
    calendar.add("version", "2.0")
    calendar.add("method", "CANCEL" if is_canceled else "PUBLISH")
    for name in ("name", "x-wr-calname"):  # the newer way to say it, and the one that is known
        calendar.add(name, ", ".join(titles))
    for part in parts:
        for entry in _entries(part, edition, now=stamped_at):
            calendar.add_component(entry)
    content: bytes = calendar.to_ical()
    return content


def _entries(part: CalendarPart, edition: _Edition, *, now: Instant) -> Iterator[Event]:
    for row in timeline_rows(part.timeline, receipts=part.receipts, now=now):
        if part.place is not None and row.planned.action is Action.NOTIFY:
            continue  # they get the message itself
        identity = f"{part.name}-{row.planned.key.replace(':', '-')}"
        yield _entry(row, identity, row.on.to_stdlib(), part, edition)
        last = _last_day(row.planned)
        if last is not None:
            yield _entry(row, f"{identity}-last", last, part, edition, is_last=True)


def _last_day(planned: PlannedStep) -> date | None:
    if planned.deadline_on is None or planned.deadline_on == planned.due_on:
        return None
    return planned.deadline_on.to_stdlib()


def _entry(
    row: Row,
    identity: str,
    day: date,
    part: CalendarPart,
    edition: _Edition,
    *,
    is_last: bool = False,
) -> Event:
    event = Event()
    event.add("uid", f"{identity}@offramp")
    event.add("sequence", part.sequence)
    event.add("dtstamp", edition.stamp)
    event.add("dtstart", day)
    event.add("dtend", day + timedelta(days=1))
    event.add("status", "CANCELLED" if edition.is_canceled else "CONFIRMED")
    if edition.organizer is not None:
        event.add("organizer", f"mailto:{edition.organizer}")
    told = _told(row, part, edition, is_last=is_last)
    language = {"language": told.language}
    event.add("summary", told.summary, parameters=language)
    if told.details:
        event.add("description", told.details, parameters=language)
    event.add("transp", "TRANSPARENT")
    is_warned = part.place is not None and row.planned.is_destructive and not is_last
    if is_warned and not edition.is_canceled:
        event.add_component(_alarm(told.reminder))
    return event


def _told(row: Row, part: CalendarPart, edition: _Edition, *, is_last: bool) -> EntryWords:
    if part.place is None:
        return _for_authors(row, is_last=is_last)
    assert edition.wording is not None, "who writes for readers can speak their language"
    entry = _described(row, part, part.place, is_last=is_last)
    return edition.wording(entry, locale=edition.locale, reminder_days=ALARM_DAYS)


def _for_authors(row: Row, *, is_last: bool) -> EntryWords:
    """Word an entry for whoever writes a policy and wants to see all that it means."""
    at = [] if is_last else [f"at {row.local_time}"]
    details = [*at, *filter(None, (row.who, row.note))]
    summary = f"{row.what} (last day)" if is_last else row.what
    return EntryWords(language="en", summary=summary, details="\n".join(details), reminder=summary)


def _described(row: Row, part: CalendarPart, place: str, *, is_last: bool) -> CalendarEntry:
    """Say what an entry is about, for whoever looks after an organization beside all else."""
    planned = row.planned
    described = partial(
        CalendarEntry, place=place, zone=part.timeline.zone, local_time=row.local_time
    )
    if planned.stage is not None:
        stage = planned.stage
        allowed = (part.timeline.policy.capabilities(level) for level in stage.levels)
        return described(
            kind="stage",
            stage=stage.title or words(stage.id),
            may_sign_in=any(Capability.SIGN_IN in each for each in allowed),
            may_return=stage.reactivate is not None,
        )
    if not planned.is_destructive:
        return described(kind="handover")
    return described(kind="last-day" if is_last else "deletion")


def _alarm(description: str) -> Alarm:
    alarm = Alarm()
    alarm.add("action", "DISPLAY")
    alarm.add("trigger", -timedelta(days=ALARM_DAYS))
    alarm.add("description", description)
    return alarm
