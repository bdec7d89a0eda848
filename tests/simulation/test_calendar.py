"""Administrators get the dates for their calendars, and a second file moves them (RFC 5546)."""

from dataclasses import replace
from functools import partial

import pytest
from icalendar import Calendar
from whenever import Date, Instant

from offramp.adapters.message.dates import JinjaCalendarWording
from offramp.documents.timeline.calendar import calendar_file
from offramp.engine import offboarding as deeds
from offramp.engine.calendar import NoCalendar, NoDates, write_dates
from tests.simulation.stories import open_world

WARNED = Instant.from_utc(2024, 8, 17)  # of an end on the 30th
EXPIRED = Instant.from_utc(2024, 9, 5)


@pytest.fixture
def world(app):
    world = open_world(app, "edit-only-grace")
    writer = partial(
        calendar_file, organizer="offboarding@vendor.example", wording=JinjaCalendarWording()
    )
    world.context = replace(world.context, calendar=writer)
    return world


class Reader:
    """A calendar that does what RFC 5546 asks of it, and no more."""

    def __init__(self):
        self.entries = {}

    def add(self, content):
        calendar = Calendar.from_ical(content)
        for event in calendar.walk("VEVENT"):
            uid, before = str(event["uid"]), self.entries.get(str(event["uid"]))
            if before is not None and newness(event) < newness(before):
                continue
            if calendar["method"] == "CANCEL":
                self.entries.pop(uid, None)
            else:
                self.entries[uid] = event

    def days(self):
        return sorted(str(event.start) for event in self.entries.values())


def newness(event):
    return event["sequence"], event["dtstamp"].dt


def mails(world, *, to, after=0):
    return [sent.message for sent in world.mail.sent[after:] if sent.message.to.startswith(to)]


def dates_in(message):
    return [file for file in message.attachments if file.name == "dates.ics"]


def test_whoever_looks_after_an_organization_gets_its_dates(world):
    world.run_until(EXPIRED)

    (file,) = dates_in(mails(world, to="admin@")[-1])
    events = Calendar.from_ical(file.content).walk("VEVENT")
    assert file.media_type == "text/calendar; charset=utf-8; method=PUBLISH"
    summaries = {str(event["summary"]).partition(": ")[2] for event in events}
    assert {"deletion, at the earliest", "last day of the deletion"} <= summaries
    assert all("acme Ltd" in event["summary"] for event in events)
    assert not [event for event in events if "now-expired" in event["uid"]]
    assert {str(event["organizer"]) for event in events} == {"mailto:offboarding@vendor.example"}
    assert mails(world, to="user@")
    assert not [message for message in mails(world, to="user@") if dates_in(message)]


def test_a_second_file_moves_the_dates_and_doubles_none(world):
    world.run_until(EXPIRED)
    reader = Reader()
    reader.add(write_dates(world.context, "acme", is_canceled=False))
    before, days = set(reader.entries), reader.days()

    deeds.extend(world.context, "acme", until=Date(2024, 9, 30))
    later = write_dates(world.context, "acme", is_canceled=False)
    reader.add(later)

    assert set(reader.entries) == before
    assert reader.days() != days
    moved = reader.days()
    reader.add(later)
    assert reader.days() == moved


def test_an_older_file_that_arrives_late_moves_nothing_back(world):
    world.run_until(WARNED)
    older = write_dates(world.context, "acme", is_canceled=False)
    deeds.extend(world.context, "acme", until=Date(2024, 9, 30))
    reader = Reader()
    reader.add(write_dates(world.context, "acme", is_canceled=False))
    days = reader.days()

    reader.add(older)

    assert reader.days() == days


def test_a_return_takes_the_dates_back(world):
    """R1."""
    world.run_until(EXPIRED)
    reader = Reader()
    reader.add(write_dates(world.context, "acme", is_canceled=False))

    deeds.reactivate(world.context, "acme", until=Date(2025, 9, 30))
    content = write_dates(world.context, "acme", is_canceled=True)
    reader.add(content)

    assert reader.entries == {}
    events = Calendar.from_ical(content).walk("VEVENT")
    assert {str(event["status"]) for event in events} == {"CANCELLED"}


def test_what_a_late_notice_moves_is_moved_in_the_calendar_as_well(world):
    """D2: the day of the deletion is the one to be expected, as the message says it."""
    world.run_until(Instant.from_utc(2025, 8, 1))
    promised = erased_on(write_dates(world.context, "acme", is_canceled=False))
    world.lie_still_until(Instant.from_utc(2025, 10, 20))
    world.run_until(Instant.from_utc(2025, 10, 21))

    expected = erased_on(write_dates(world.context, "acme", is_canceled=False))

    assert expected > promised
    assert expected >= Date(2025, 11, 19).to_stdlib()


def erased_on(content):
    events = Calendar.from_ical(content).walk("VEVENT")
    return next(event.start for event in events if str(event["uid"]).endswith("-erase@offramp"))


def test_where_there_are_no_dates_that_is_said(world):
    with pytest.raises(NoDates):
        write_dates(world.context, "beta", is_canceled=False)
    with pytest.raises(NoDates):
        write_dates(world.context, "acme", is_canceled=True)
    with pytest.raises(NoCalendar):
        write_dates(replace(world.context, calendar=None), "acme", is_canceled=False)


@pytest.mark.parametrize(
    ("locale", "language", "words"),
    [
        ("de", "de", "Löschung, frühestens"),
        ("fr-CA", "fr-CA", "suppression, au plus tôt"),
        ("pl", "pl", "usunięcie, najwcześniej"),
        ("es", "es", "eliminación, como muy pronto"),
        ("xx", "en", "deletion, at the earliest"),
    ],
)
def test_the_same_dates_are_worded_in_the_language_of_whoever_opens_them(
    world, locale, language, words
):
    """RFC 5545: no line is longer than 75 bytes, and none breaks a letter in two."""
    world.run_until(EXPIRED)
    english = Calendar.from_ical(write_dates(world.context, "acme", is_canceled=False))

    content = write_dates(world.context, "acme", is_canceled=False, locale=locale)

    events = Calendar.from_ical(content).walk("VEVENT")
    assert [event["uid"] for event in events] == [e["uid"] for e in english.walk("VEVENT")]
    assert any(words in event["summary"] for event in events)
    assert {event["summary"].params["language"] for event in events} == {language}
    lines = content.split(b"\r\n")
    assert max(map(len, lines)) <= 75
    assert all(line.decode() is not None for line in lines)
