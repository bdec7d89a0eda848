"""Every form of a timeline states the same dates, and can be read as what it claims to be."""

import itertools
import re
from collections.abc import Iterator
from xml.etree import ElementTree

import pytest
from icalendar import Calendar
from whenever import Date, Instant

from offramp.adapters.message.dates import JinjaCalendarWording
from offramp.core.dates import Period
from offramp.core.model import Cause, Facts, SubjectKind
from offramp.core.plan import Timeline, plan
from offramp.core.policy import Policy
from offramp.documents.policy import PRESETS, find_policy
from offramp.documents.timeline.calendar import calendar_file
from offramp.documents.timeline.data import timeline_data
from offramp.documents.timeline.drawing import draw_band, draw_timeline
from offramp.documents.timeline.rows import access_words, period_words, timeline_rows
from offramp.ports import CalendarPart

FACTS = Facts(
    kind=SubjectKind.ORGANIZATION, zone="Europe/Dublin", anchors={"expiry": Date(2024, 8, 30)}
)
STAMPED_AT = Instant.from_utc(2024, 8, 1)
SVG = "{http://www.w3.org/2000/svg}"


def timeline_of(preset: str) -> Timeline:
    return plan(find_policy(preset), FACTS)


def crowded() -> Timeline:
    """Plan many stages and steps on few days, with names too long for their place."""
    stages: list[dict[str, object]] = [{"id": "active", "access": {"*": "full"}}]
    stages += [
        {
            "id": f"stage-{n}",
            "title": f"A stage with <quite> a long & winding name, number {n}",
            "from": f"expiry + P{n}D",
            "access": {"*": "none"},
        }
        for n in range(1, 9)
    ]
    steps = [{"id": f"note-{n}", "at": "expiry + P3D", "notify": "admins"} for n in range(30)]
    policy = Policy.model_validate(
        {
            "offramp": 1,
            "policy": "crowded",
            "version": 1,
            "applies_to": ["organization"],
            "stages": stages,
            "steps": steps,
        }
    )
    return plan(policy, FACTS)


def texts(drawing: str) -> Iterator[tuple[float, float, float, str]]:
    """Give each text with its left and right edge, its line, estimated from its length."""
    for node in ElementTree.fromstring(drawing).iter(f"{SVG}text"):
        size = {"title": 10.9, "badge": 6.6, "onto": 7.6, "strong": 7.6}
        width = len(node.text or "") * size.get(node.get("class", ""), 6.9)
        x = float(node.get("x", "0"))
        left = x - width / 2 if node.get("text-anchor") == "middle" else x
        yield left, left + width, float(node.get("y", "0")), node.text or ""


@pytest.mark.parametrize("timeline", [*map(timeline_of, PRESETS), crowded()])
def test_no_two_texts_of_a_picture_meet_and_none_leaves_it(timeline: Timeline) -> None:
    drawing = draw_timeline(timeline, FACTS)

    root = ElementTree.fromstring(drawing)
    width, height = float(root.get("width", "0")), float(root.get("height", "0"))
    placed = sorted(texts(drawing), key=lambda text: (text[2], text[0]))
    for left, right, y, text in placed:
        assert left >= 0, text
        assert right <= width, text
        assert 0 < y < height, text
    for one, other in itertools.pairwise(placed):
        assert one[2] != other[2] or one[1] <= other[0], (one, other)


@pytest.mark.parametrize("preset", PRESETS)
def test_a_picture_is_one_file_with_a_title_and_both_color_schemes(preset: str) -> None:
    drawing = draw_timeline(timeline_of(preset), FACTS)

    root = ElementTree.fromstring(drawing)
    assert root.findtext(f"{SVG}title") == find_policy(preset).title
    assert "prefers-color-scheme: dark" in drawing
    assert not re.search(r"href|url\(|@import|<script", drawing)


def test_a_subject_without_an_end_date_is_drawn_in_its_only_stage() -> None:
    facts = Facts(kind=SubjectKind.ORGANIZATION, zone="UTC", anchors={})

    drawing = draw_timeline(plan(find_policy("license-pool"), facts), facts)

    shown = [text for *_, text in texts(drawing)]
    assert shown[1:] == ["No end date · UTC · one organization", "Active"]


def luminance(color: str) -> float:
    channels = [int(color[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def test_text_stands_out_in_light_and_dark() -> None:
    drawing = draw_timeline(timeline_of("license-pool"), FACTS)

    schemes = [dict(re.findall(r"--(\w+):(#\w{6})", part)) for part in drawing.split("@media")]
    assert len(schemes) == 2
    for scheme in schemes:
        paper = scheme.pop("paper")
        assert contrast(scheme.pop("ink"), paper) >= 7
        assert contrast(scheme.pop("muted"), paper) >= 4.5
        scheme.pop("rule")
        assert all(contrast("#ffffff", color) >= 4.5 for color in scheme.values()), scheme


def test_the_rows_say_what_happens_in_the_order_in_which_it_can() -> None:
    rows = timeline_rows(timeline_of("edit-only-grace"))

    assert [(str(row.on), row.local_time, row.what) for row in rows] == [
        ("2024-08-31", "00:00", "Stage: Expired"),
        ("2024-08-31", "09:00", "Notice: Now expired"),
        ("2024-11-29", "00:00", "Stage: Deactivated"),
        ("2024-11-29", "09:00", "Notice: Now deactivated"),
        ("2025-08-31", "00:00", "Stage: Marked for deletion"),
        ("2025-08-31", "09:00", "Notice: Now marked for deletion"),
        ("2025-09-30", "02:00", "Erase"),
    ]
    assert "between 2025-08-31 and 2026-02-28" in rows[-1].note
    assert rows[0].who == "everybody: none in console, edit-only elsewhere"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("P30D", "30 days"),
        ("P1D", "1 day"),
        ("P1Y6M", "18 months"),
        ("P5B", "5 business days"),
        ("PT90M", "1 hour and 30 minutes"),
        ("P0D", "any time"),
    ],
)
def test_a_period_is_said_in_words(text: str, words: str) -> None:
    assert period_words(Period.parse(text)) == words


def test_a_stage_without_access_says_so() -> None:
    expired = find_policy("license-pool").stages[1]

    assert access_words(expired) == "nobody has access"


def test_a_calendar_file_has_an_entry_for_every_date_and_for_the_last_day_of_a_window() -> None:
    timeline = timeline_of("edit-only-grace")

    part = CalendarPart(timeline=timeline, name="acme")

    content = calendar_file([part], stamped_at=STAMPED_AT)

    entries = {
        str(event["uid"]): event.start.isoformat()
        for event in Calendar.from_ical(content).walk("VEVENT")
    }
    assert len(entries) == len(timeline.steps) + 1
    assert entries["acme-now-deactivated@offramp"] == "2024-11-29"
    assert entries["acme-stage-marked-for-deletion@offramp"] == "2025-08-31"
    assert entries["acme-erase-last@offramp"] == "2026-02-28"
    assert content == calendar_file([part], stamped_at=STAMPED_AT)


@pytest.mark.parametrize(
    ("is_canceled", "method", "status", "alarms"),
    [(False, "PUBLISH", "CONFIRMED", 1), (True, "CANCEL", "CANCELLED", 0)],
)
def test_a_calendar_file_for_readers_adds_dates_or_takes_the_same_ones_back(
    is_canceled: bool, method: str, status: str, alarms: int
) -> None:
    """RFC 5546: the same identity, a sequence, a status, and where they come from."""
    timeline = timeline_of("license-pool")
    part = CalendarPart(timeline=timeline, name="acme", sequence=7, place="Acme Ltd")

    content = calendar_file(
        [part],
        stamped_at=STAMPED_AT,
        is_canceled=is_canceled,
        organizer="hello@vendor.example",
        wording=JinjaCalendarWording(),
    )

    calendar = Calendar.from_ical(content)
    events = calendar.walk("VEVENT")
    uids = [str(event["uid"]) for event in events]
    assert calendar["method"] == method
    assert len(uids) == len(set(uids)) > 1
    assert "acme-expiring-soon@offramp" not in uids
    assert {(event["sequence"], str(event["status"])) for event in events} == {(7, status)}
    assert all(event["dtstart"].params["value"] == "DATE" for event in events)
    assert len(calendar.walk("VALARM")) == alarms
    assert sorted(str(event["summary"]) for event in events) == [
        "Acme Ltd: Access ended",
        "Acme Ltd: data is handed over",
        "Acme Ltd: deletion, at the earliest",
    ]


def test_the_data_says_what_is_not_known_as_null() -> None:
    policy = find_policy("license-pool")
    facts = Facts(kind=SubjectKind.ORGANIZATION, zone="UTC", anchors={}, cause=Cause.EXPIRED)

    data = timeline_data(plan(policy, facts), facts)

    assert (data["expiry"], data["access_ends_at"], data["steps"]) == (None, None, [])
    assert [stage["id"] for stage in data["stages"]] == ["active"]


@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize("year", [2001, 2024, 2099])
def test_the_band_shows_every_stage_and_the_present_inside_of_the_picture(preset, year):
    timeline = timeline_of(preset)

    band = ElementTree.fromstring(draw_band(timeline, now=Instant.from_utc(year, 9, 20)))

    left, _, width, _ = map(float, band.get("viewBox").split())
    texts = [text.text for text in band.iter("{http://www.w3.org/2000/svg}text")]
    (line,) = [each for each in band.iter() if each.get("class") == "now"]
    assert texts.count("now") == 1
    assert {span.stage.title for span in timeline.spans} <= set(texts)
    assert left < float(line.get("x1")) < width


def test_the_line_of_the_present_moves_with_it():
    places = [
        re.search(r'class="now" x1="([\d.]+)"', draw_band(timeline_of("license-pool"), now=now))[1]
        for now in (Instant.from_utc(2024, 8, 20), Instant.from_utc(2024, 9, 20))
    ]

    assert float(places[0]) < float(places[1])
