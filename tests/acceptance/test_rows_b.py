"""The rows of the edit-only-grace policy, on both databases, with real mail (B1 to B6).

A university's two products end on 2024-08-30, one of its people ten days earlier; a law school
loses one of two products at the end of that year; a third customer stays.
"""

from dataclasses import dataclass

import pytest
from whenever import Date, Instant

from offramp.core.model import Role
from offramp.core.policy import Capability
from offramp.engine import brake
from offramp.engine import offboarding as deeds
from offramp.engine.access import may
from tests.acceptance.departure import KINDS, NOTES, Departure, depart

LAST_SECOND = Instant.parse_iso("2024-08-30T22:59:59Z")
EXPIRED = Instant.parse_iso("2024-08-30T23:00:00Z")
DEACTIVATED = Instant.parse_iso("2024-11-29T00:00:00Z")
EDIT_ONLY = {"sign-in", "read", "update", "delete", "copy", "export"}
EVERYTHING = {capability.value for capability in Capability}
EXPIRED_MAIL, DEACTIVATED_MAIL, MARKED_MAIL = "2024-08-31", "2024-11-29", "2025-08-31"
ERASED_MAIL = "2025-09-30"
WELCOME = "notes (Liffey University) : votre accès continue"


def organizations(departure):
    with departure.context.store.transaction() as transaction:
        return {each.name: each.id for each in transaction.organizations()}


def pick(departure, organization, *, is_admin):
    """Find somebody who leaves together with the organization."""
    return next(
        member
        for member in departure.members(organization)
        if (Role.ADMIN in member.roles) is is_admin and member.ends is None
    )


def capabilities(departure, organization, member, *, surface, now, product="notes"):
    """Give everything that somebody may do on a surface, asked one by one."""
    return {
        capability.value
        for capability in Capability
        if may(
            departure.context.store,
            organization,
            member.id,
            capability,
            surface=surface,
            now=now,
            product=product,
        ).is_allowed
    }


@dataclass(frozen=True)
class Story:
    """What was seen while eighteen months went by."""

    departure: Departure
    university: str
    school: str
    members: tuple
    own_end: object
    before: dict
    school_before: dict
    stayer_before: dict
    after_own_end: dict
    on_anniversary: dict
    capabilities: dict


@pytest.fixture(scope="module", params=KINDS)
def story(request, tmp_path_factory):
    """Live through the months on one kind of database."""
    folder = tmp_path_factory.mktemp(f"edit-only-grace-{request.param}")
    with depart(NOTES, request.param, folder, request) as departure:
        named = organizations(departure)
        university, school = named["Liffey University"], named["Hudson Valley Law School"]
        members = departure.members(university)
        (own_end,) = [member for member in members if member.ends is not None]
        people = {
            "admin": pick(departure, university, is_admin=True),
            "user": pick(departure, university, is_admin=False),
        }
        table = {
            (who, surface, now): capabilities(
                departure, university, member, surface=surface, now=now
            )
            for who, member in people.items()
            for surface in ("app", "console")
            for now in (LAST_SECOND, EXPIRED, DEACTIVATED.subtract(seconds=1), DEACTIVATED)
        }
        before = departure.belongings(university)
        school_before = departure.belongings(school)
        stayer = named["Turmfalke Maschinenbau GmbH"]
        stayer_before = departure.belongings(stayer)
        departure.run_until("2025-08-30T12:00:00Z")
        on_anniversary = departure.belongings(university)
        departure.run_until("2025-09-25T00:00:00Z")
        after_own_end = departure.belongings(university)
        departure.run_until("2026-04-01T00:00:00Z")
        assert repr(departure.belongings(stayer)) == repr(stayer_before)
        yield Story(
            departure=departure,
            university=university,
            school=school,
            members=members,
            own_end=own_end,
            before=before,
            school_before=school_before,
            stayer_before=stayer_before,
            after_own_end=after_own_end,
            on_anniversary=on_anniversary,
            capabilities=table,
        )


def days_of(story, member):
    return [day for day, _ in story.departure.mail_to(member.email)]


def test_b1_one_person_whose_access_ends_runs_a_clock_of_their_own(story):
    """B1: every stage ten days earlier than everybody else's, and nobody else is touched."""
    ends = story.own_end.ends

    assert ends == Date(2024, 8, 20)
    assert sorted(set(days_of(story, story.own_end))) == [
        "2024-08-13",
        "2024-08-21",
        "2024-11-19",
        "2025-08-21",
        "2025-09-20",  # when it is done
    ]
    gone = {row["id"] for row in story.on_anniversary["users"]} - {
        row["id"] for row in story.after_own_end["users"]
    }
    assert gone == {story.own_end.id}


def test_b1_a_product_that_ends_alone_runs_a_clock_of_its_own(story):
    """B1: the recordings are gone, the notes and the people are as they were."""
    after = story.departure.belongings(story.school)

    gone = {name for name in story.school_before if name not in after}
    assert gone == {"recordings", "transcripts"}
    for name in set(story.school_before) - gone:
        assert repr(after[name]) == repr(story.school_before[name]), name
    (admin, *_) = [m for m in story.departure.members(story.school) if Role.ADMIN in m.roles]
    now = story.departure.now
    for product, expected in (("notes", EVERYTHING), ("recordings", set())):
        may_do = capabilities(
            story.departure, story.school, admin, surface="app", now=now, product=product
        )
        assert may_do == expected


@pytest.mark.parametrize(
    ("who", "surface", "now", "expected"),
    [
        ("admin", "app", LAST_SECOND, EVERYTHING),
        ("user", "app", LAST_SECOND, EVERYTHING),
        ("admin", "console", LAST_SECOND, EVERYTHING),
        ("user", "console", LAST_SECOND, set()),
        ("admin", "app", EXPIRED, EDIT_ONLY),
        ("user", "app", EXPIRED, EDIT_ONLY),
        ("admin", "console", EXPIRED, set()),
        ("user", "console", EXPIRED, set()),
        ("admin", "app", DEACTIVATED.subtract(seconds=1), EDIT_ONLY),
        ("admin", "app", DEACTIVATED, set()),
        ("user", "app", DEACTIVATED, set()),
        ("admin", "console", DEACTIVATED, set()),
    ],
)
def test_b2_b3_b5_who_may_do_what_in_which_stage(story, who, surface, now, expected):
    """B2, B3, B5: the whole table, asked capability by capability before any worker ran."""
    assert story.capabilities[who, surface, now] == expected


def test_b3_expired_begins_at_once_and_lasts_ninety_days(story):
    """B3, B8: everybody is told at the change, and again ninety days later, and to the last one."""
    published = {EXPIRED_MAIL, DEACTIVATED_MAIL, MARKED_MAIL, ERASED_MAIL}
    together = [member for member in story.members if member.ends is None]
    users = [member for member in together if Role.ADMIN not in member.roles]

    assert users
    assert all(set(days_of(story, member)) == published for member in users)
    assert all(set(days_of(story, member)) >= published for member in together)


def test_b5_content_is_intact_for_twelve_months(story):
    """B5: a year after the end not a byte has changed."""
    assert repr(story.on_anniversary) == repr(story.before)


def test_b6_everything_goes_after_twelve_and_before_eighteen_months(story):
    """B6: no row is left, and the date lies inside the window."""
    steps = story.departure.steps(story.university)
    erased = [
        step.receipt.done_at.to_tz("Europe/Dublin").date()
        for (_, key), step in steps.items()
        if key == "erase"
    ]

    assert story.departure.belongings(story.university) == {}
    assert len(erased) == 2
    assert all(Date(2025, 8, 30) < day <= Date(2026, 2, 28) for day in erased)
    assert not story.departure.context.keys.has_key(story.university)


@pytest.fixture(params=KINDS)
def departure(request, tmp_path):
    with depart(NOTES, request.param, tmp_path, request) as departure:
        yield departure


@pytest.mark.parametrize(
    ("day", "by"), [("2024-10-15T10:00:00Z", "admin"), ("2025-03-01T10:00:00Z", "support")]
)
def test_b4_b5_a_reactivation_brings_everything_back_and_the_next_term_warns_again(
    departure, day, by
):
    """B4, B5, L8, L9: what is pending is canceled, what is there stays, and the story repeats."""
    university = organizations(departure)["Liffey University"]
    user = pick(departure, university, is_admin=False)
    before = departure.belongings(university)
    own = {member.id for member in departure.members(university) if member.ends}
    departure.run_until(day)

    deeds.reactivate(departure.context, university, until=Date(2025, 12, 31), by=by)

    allowed = capabilities(departure, university, user, surface="app", now=departure.now)
    intact = departure.belongings(university)
    departure.run_until(departure.now.format_iso())
    (*_, (_, welcome)) = departure.mail_to(user.email)
    written = len(departure.mail_to(user.email))
    departure.run_until("2025-12-31T12:00:00Z")
    assert allowed == EVERYTHING
    assert welcome == WELCOME
    assert repr(intact) == repr(before)
    assert len(departure.mail_to(user.email)) == written
    kept = [row for row in departure.belongings(university)["users"] if row["id"] not in own]
    assert kept == [row for row in before["users"] if row["id"] not in own]
    departure.run_until("2026-01-02T00:00:00Z")
    new = departure.mail_to(user.email)[written:]
    assert {d for d, _ in new} == {"2026-01-01"}
    ids = [message["Message-ID"] for _, to, message in departure.mail if to == user.email]
    assert len(ids) == len(set(ids))


def test_b6_an_alarm_is_raised_before_the_window_closes(departure):
    """B6, T5: a hold delays the deletion; its window is about to close and somebody is told."""
    university = organizations(departure)["Liffey University"]
    departure.run_until("2025-06-01T00:00:00Z")
    brake.place_hold(departure.context, university, owner="legal", reason="litigation")

    departure.run_until("2026-02-27T00:00:00Z")

    with departure.context.store.transaction() as transaction:
        events = transaction.events(limit=1000)
    alarms = [event for event in events if event.kind == "window-closing"]
    assert {event.detail["step"] for event in alarms} == {"erase"}
    assert all(event.at < Instant.parse_iso("2026-02-28T00:00:00Z") for event in alarms)
    assert departure.belongings(university)
