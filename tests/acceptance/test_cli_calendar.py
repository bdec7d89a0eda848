"""`offramp calendar`, and the same file in the mails of those who look after an organization."""

from icalendar import Calendar

from tests.acceptance.installation import LEAVING, in_days


def entries(content):
    return {str(event["uid"]): event for event in Calendar.from_ical(content).walk("VEVENT")}


def test_dates_are_written_moved_and_taken_back(installation):
    file = installation.folder / "dates.ics"

    written = installation.say("calendar", LEAVING, file)
    first = entries(file.read_bytes())
    installation.say("extend", LEAVING, "--until", in_days(30))
    installation.say("calendar", LEAVING, file)
    second = entries(file.read_bytes())
    nothing = installation.run("calendar", LEAVING, file, "--withdraw")

    assert written == f"{file}: adds the dates\n"
    assert first.keys() == second.keys()
    assert all(second[uid].start > first[uid].start for uid in first)
    assert all(second[uid]["sequence"] > first[uid]["sequence"] for uid in first)
    assert nothing.code == 4


def test_an_administrator_finds_the_dates_in_the_mail(installation, smtp):
    installation.say("run")

    mails = [caught.message for caught in smtp.messages]
    files = [
        (part.get_content_type(), part.get_param("method"), part.get_filename())
        for mail in mails
        for part in mail.iter_attachments()
        if part.get_filename() == "dates.ics"
    ]
    assert files
    assert set(files) == {("text/calendar", "PUBLISH", "dates.ics")}
