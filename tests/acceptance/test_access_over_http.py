"""What the sample applications let people do, asked over HTTP around every boundary.

No worker runs: who may do what changes by the clock alone, at the first instant of a day of the
organization's own calendar, and open sessions change with it.

Source: mission A1, A2, B1-B5, B11; lessons L1, L7, L11, L38-L40.
"""

import pytest
import sqlalchemy as sa
from whenever import Date, Instant

from offramp.core.dates import first_instant
from offramp.core.policy import Capability
from offramp.engine.offboarding import renew
from tests.acceptance.departure import NOTES, TRAINING, depart
from tests.acceptance.products import open_product

START = Instant.from_utc(2024, 8, 1)
ZONES = ("Pacific/Apia", "Asia/Kathmandu", "America/Havana", "Europe/Dublin", "America/Los_Angeles")
EXPIRED, DEACTIVATED, MARKED = Date(2024, 8, 31), Date(2024, 11, 29), Date(2025, 8, 31)
OWN_END = Date(2024, 8, 20)
UNIVERSITY, SCHOOL = "6513270e-269e-4d37-b2a7-4de452e6b438", "6c89ac3d-f319-455a-b244-bf16595a75ee"
LEAVER, USER = "0cb1e29c-658c-4a14-95e6-0af593bd04cf", "8f6d0558-4ef8-4a38-9227-66581e27a1c0"
ADMIN = "8d116ece-1738-47d9-bd9c-172411e20b8f"
STUDENT = "0b2f59b5-3075-4546-830d-575f7d50881b"
COMPANY, HALF_LEAVING = "2", "3"


@pytest.fixture(scope="module")
def notes(tmp_path_factory, request):
    with depart(NOTES, "sqlite", tmp_path_factory.mktemp("notes"), request) as departure:
        yield departure


@pytest.fixture(scope="module")
def training(tmp_path_factory, request):
    with depart(TRAINING, "sqlite", tmp_path_factory.mktemp("training"), request) as departure:
        yield departure


def around(day, zone):
    """Give the last second before a day, its first instant, and a second later."""
    first = first_instant(day, zone)
    return first.subtract(seconds=1), first, first.add(seconds=1)


def person(product, member):
    with product.context.store.transaction() as transaction:
        return transaction.member(product.organization, member)


def in_notes(visitor):
    """Name what somebody may do in the notes."""
    note = {"title": "Minutes", "body": "None were taken."}
    tried = {
        "sign in": visitor.signs_in(),
        "open": visitor.may("GET", "/notes"),
        "create": visitor.may("POST", "/notes", json=note),
        "export": visitor.may("GET", "/export"),
        "console": visitor.may("GET", "/console/people"),
    }
    if tried["open"]:
        (note, *_) = visitor.client.get("/notes").json()
        tried["edit"] = visitor.may("PUT", f"/notes/{note}", json={"body": "Some were taken."})
    return {name for name, is_allowed in tried.items() if is_allowed}


FULL = {"sign in", "open", "create", "edit", "export"}
EDIT_ONLY = {"sign in", "open", "edit", "export"}


@pytest.mark.parametrize("zone", ZONES)
def test_users_and_admins_may_do_what_each_stage_says_from_its_first_instant_on_B2_B3_B5(
    notes, zone
):
    product = open_product(notes, UNIVERSITY, zone=zone, start=START)
    user, admin = (product.quire(person(product, each).email) for each in (USER, ADMIN))
    found = [(in_notes(user), in_notes(admin))]

    for day in (EXPIRED, DEACTIVATED, MARKED):
        for now in around(day, zone):
            product.clock.advance_to(now)
            found.append((in_notes(user), in_notes(admin)))

    assert found == [
        *[(FULL, FULL | {"console"})] * 2,
        *[(EDIT_ONLY, EDIT_ONLY)] * 3,
        *[(set(), set())] * 5,
    ]


@pytest.mark.parametrize("zone", ZONES)
def test_one_persons_own_end_is_theirs_alone_and_by_the_same_stages_B1_B11(notes, zone):
    product = open_product(notes, UNIVERSITY, zone=zone, start=START)
    leaving, colleague = (product.quire(person(product, each).email) for each in (LEAVER, USER))
    found = []

    for now in around(OWN_END.next_day(), zone):
        product.clock.advance_to(now)
        found.append((in_notes(leaving), in_notes(colleague)))

    assert found == [(FULL, FULL), (EDIT_ONLY, FULL), (EDIT_ONLY, FULL)]


def test_each_product_has_its_own_clock_B1(notes):
    product = open_product(notes, SCHOOL, zone="America/New_York", start=START)
    found = []

    for now in around(Date(2025, 1, 1), "America/New_York"):
        product.clock.advance_to(now)
        answers = (
            product.guard.may(SCHOOL, STUDENT, Capability.CREATE, product=each)
            for each in ("notes", "recordings")
        )
        found.append(tuple(answer.is_allowed for answer in answers))

    assert found == [(True, True), (True, False), (True, False)]


@pytest.mark.parametrize("zone", ZONES)
def test_a_session_that_is_open_lets_nobody_in_after_the_last_day_A2(training, zone):
    product = open_product(training, COMPANY, zone=zone, start=START)
    learner = product.trellis("ohara-mueller", person(product, "26").email)
    assert learner.signs_in()
    found = []

    for now in around(EXPIRED, zone):
        product.clock.advance_to(now)
        found.append((learner.may("GET", "/courses"), learner.signs_in()))

    assert found == [(True, True), (False, False), (False, False)]
    assert open_sessions(training, "26"), "what refuses them is the clock, not a row that is gone"


@pytest.mark.parametrize("zone", ZONES)
def test_when_a_pool_ends_whoever_has_another_seat_stays_A1(training, zone):
    product = open_product(training, HALF_LEAVING, zone=zone, start=START)
    learners = {
        seats: product.trellis("koehler-soehne", person(product, member).email)
        for seats, member in (("ending", "15"), ("both", "19"), ("going on", "11"))
    }
    found = []

    for now in around(EXPIRED, zone):
        product.clock.advance_to(now)
        found.append({seats for seats, learner in learners.items() if learner.signs_in()})

    assert found == [{"ending", "both", "going on"}, *[{"both", "going on"}] * 2]


def test_an_organization_that_comes_back_while_expired_finds_everything_as_it_was_B4(
    tmp_path, request
):
    with depart(NOTES, "sqlite", tmp_path, request) as departure:
        product = open_product(departure, UNIVERSITY, zone="Europe/Dublin", start=START)
        user = product.quire(person(product, USER).email)
        product.clock.advance_to(first_instant(EXPIRED, "Europe/Dublin").add(hours=24 * 40))
        expired, before = in_notes(user), user.client.get("/export").json()

        renew(product.context, UNIVERSITY, until=Date(2030, 8, 30))
        product.guard.refresh(UNIVERSITY)

        assert expired == EDIT_ONLY
        assert user.client.get("/export").json() == before
        assert in_notes(user) == FULL


def test_administrators_end_expire_and_reactivate_their_people_B11(tmp_path, request):
    with depart(NOTES, "sqlite", tmp_path, request) as departure:
        product = open_product(departure, UNIVERSITY, zone="Europe/Dublin", start=START)
        people = [product.quire(person(product, each).email) for each in (USER, ADMIN)]

        def change(deed, **given):
            asked = [{"member": each, **given} for each in (USER, ADMIN)]
            path = f"/v1/organizations/{UNIVERSITY}/members/{deed}"
            answer = product.server.post(path, json={"members": asked})
            product.guard.refresh(UNIVERSITY)
            return answer.status_code, [in_notes(each) - {"console"} for each in people]

        def seats():
            path = f"/v1/organizations/{UNIVERSITY}/pools"
            (pool,) = (
                each for each in product.server.get(path).json()["pools"] if each["pool"] == "1"
            )
            return pool["taken"]

        taken = seats()
        expired = change("expire", product="notes")
        taken_after = seats()
        too_late = change("end", ends_on="2024-08-10", product="notes")
        back = change("reactivate", product="notes")
        ended = change("end", ends_on="2024-08-10", product="notes")
        product.clock.advance_to(first_instant(Date(2024, 8, 11), "Europe/Dublin"))

        assert expired == (200, [EDIT_ONLY] * 2)
        assert taken_after == taken - 2, "an expired user takes no seat"
        assert too_late == (409, [EDIT_ONLY] * 2)
        assert back == (200, [FULL] * 2)
        assert ended == (200, [FULL] * 2)
        assert [in_notes(each) for each in people] == [EDIT_ONLY] * 2


def open_sessions(departure, member):
    query = sa.text("SELECT count(*) FROM sign_in_sessions WHERE user_id = :member")
    with departure.engine.connect() as connection:
        return connection.execute(query, {"member": int(member)}).scalar_one()
