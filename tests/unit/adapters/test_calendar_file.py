"""Calendar files, read back by the library's parser."""

from datetime import UTC, date, datetime, timedelta

from icalendar import Calendar
from whenever import Date, Instant

from offramp.adapters.calendar_file import CalendarDay, calendar_attachment

AT = Instant.from_utc(2024, 8, 16, 8)
DELETION = CalendarDay(key="erase", on=Date(2024, 9, 29), title="Deletion of Acme; everything, ż")
ACCESS = CalendarDay(key="expired", on=Date(2024, 8, 31), title="Access ends")


def events(attachment):
    return Calendar.from_ical(attachment.content).walk("VEVENT")


def test_a_day_is_a_whole_day_with_a_reminder_on_the_morning_before():
    file = calendar_attachment([DELETION], offboarding="1", at=AT)

    [event] = events(file)
    [alarm] = event.walk("VALARM")
    assert file.media_type == "text/calendar; charset=utf-8; method=PUBLISH"
    assert b"DTSTART;VALUE=DATE:20240929\r\nDTEND;VALUE=DATE:20240930\r\n" in file.content
    assert event["SUMMARY"] == DELETION.title
    assert event["DTSTART"].dt == date(2024, 9, 29)
    assert alarm["TRIGGER"].dt == timedelta(hours=-15)


def test_the_stamp_is_the_simulated_time():
    """L6."""
    [event] = events(calendar_attachment([DELETION], offboarding="1", at=AT))

    assert event["DTSTAMP"].dt == datetime(2024, 8, 16, 8, tzinfo=UTC)


def test_a_later_file_names_the_same_days_and_cancels_them():
    first = events(calendar_attachment([ACCESS, DELETION], offboarding="1", at=AT))
    file = calendar_attachment(
        [ACCESS, DELETION], offboarding="1", at=AT, sequence=1, is_canceled=True
    )
    canceled = events(file)

    assert [event["UID"] for event in canceled] == [event["UID"] for event in first]
    assert {(event["STATUS"], event["SEQUENCE"]) for event in canceled} == {("CANCELLED", 1)}
    assert not Calendar.from_ical(file.content).walk("VALARM")
    assert file.media_type.endswith("method=CANCEL")


def test_two_off_boardings_never_share_a_day():
    uids = {
        event["UID"]
        for offboarding in ("1", "2")
        for event in events(calendar_attachment([ACCESS, DELETION], offboarding=offboarding, at=AT))
    }

    assert len(uids) == 4
