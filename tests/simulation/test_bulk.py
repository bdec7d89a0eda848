"""Many leave at once, by a mistake or not: two people let them go, or nobody does."""

from dataclasses import replace

import pytest
from whenever import Date, Instant

from offramp.core.due import Reason
from offramp.core.policy import Policy
from offramp.core.transitions import OffboardingStatus
from offramp.engine import arming, brake
from offramp.engine import offboarding as deeds
from offramp.engine.overview import look
from offramp.engine.publication import publish
from offramp.testing.world import SMALL_CHUNKS, World
from tests.simulation import shop
from tests.simulation.stories import POLICIES

START = Instant.from_utc(2024, 8, 1)
DAY_BEFORE = Instant.from_utc(2024, 9, 28, 12)
DELETED_ON = Instant.from_utc(2024, 9, 29, 12)
CROWD = ("acme", "bolt", "core", "dune")


def crowd(app, *, most, customers=CROWD):
    """Let some customers leave on the same day, where more than `most` need two people."""
    app.fill(*customers)
    limits = replace(SMALL_CHUNKS, bulk_organizations_max=most)
    world = World(START, data=app.data, limits=limits)
    publish(world.context, POLICIES["license-pool"])
    deeds.register(
        world.context,
        organizations=[shop.organization(each) for each in customers],
        pools=[shop.pool(each) for each in customers],
        members=[member for each in customers for member in shop.members(each)],
    )
    return world


def alive(app, customers=CROWD):
    return [each for each in customers if app.total(each)]


def renew(world, *customers):
    for each in customers:
        deeds.renew(world.context, each, until=Date(2030, 1, 1))


def reasons(world):
    standings = look(world.context).standings
    steps = [step for each in standings for leaving in each.leaving for step in leaving.blocked]
    return [step.reason for step in steps]


def events(world, kind):
    with world.store.transaction() as transaction:
        return [event for event in transaction.events(limit=1000) if event.kind == kind]


def ledger(world, kind):
    with world.store.transaction() as transaction:
        return [entry.event for entry in transaction.ledger() if entry.event.kind == kind]


def test_of_too_many_at_once_not_even_the_first_one_goes_L26(app):
    world = crowd(app, most=3)

    world.run_until(DELETED_ON)

    assert alive(app) == list(CROWD)
    assert reasons(world) == [Reason.BULK] * 4


def test_as_many_as_one_person_may_let_go_need_nobody_else_L26(app):
    world = crowd(app, most=4)

    world.run_until(DELETED_ON)

    assert alive(app) == []


def test_the_alarm_is_raised_once_a_day_L26(app):
    world = crowd(app, most=3)

    world.run_until(DELETED_ON.add(hours=48))

    assert len(events(world, "bulk-held")) == 3
    assert [event.organization for event in events(world, "bulk-held")] == [None] * 3


def test_two_people_let_them_go_L26(app):
    world = crowd(app, most=3)
    world.run_until(DELETED_ON)

    asked = arming.ask(world.context, owner="Ada", reason="the merger")
    approved = arming.approve(world.context, asked.id, approver="Bob")
    world.run_until(DELETED_ON.add(hours=1))

    assert (approved.organizations, approved.owner, approved.approver) == (4, "Ada", "Bob")
    assert alive(app) == []
    (sealed,) = ledger(world, "arming-approved")
    assert sealed.detail["digest"] == asked.digest


def test_they_may_do_so_a_day_ahead_and_nothing_is_late_L26(app):
    world = crowd(app, most=3)
    world.run_until(DAY_BEFORE)

    asked = arming.ask(world.context, owner="Ada", reason="the merger")
    arming.approve(world.context, asked.id, approver="Bob")
    world.run_until(DELETED_ON)

    assert alive(app) == []
    assert events(world, "bulk-held") == []


@pytest.mark.parametrize(("most", "alarms"), [(3, 1), (4, 0)])
def test_that_two_people_are_needed_is_told_a_day_ahead_L26(app, most, alarms):
    world = crowd(app, most=most)
    world.run_until(DAY_BEFORE)

    world.work()

    assert len(events(world, "bulk-coming")) == alarms


@pytest.mark.parametrize("name", ["Ada", "ada", "  ADA "])
def test_nobody_approves_what_they_asked_for_L26(app, name):
    world = crowd(app, most=3)
    world.run_until(DELETED_ON)
    asked = arming.ask(world.context, owner="Ada", reason="the merger")

    with pytest.raises(arming.SamePerson):
        arming.approve(world.context, asked.id, approver=name)

    world.run_until(DELETED_ON.add(hours=2))
    assert alive(app) == list(CROWD)


@pytest.mark.parametrize("name", ["", "  "])
def test_nobody_without_a_name_asks_or_approves_L26(app, name):
    world = crowd(app, most=3)
    world.run_until(DELETED_ON)
    asked = arming.ask(world.context, owner="Ada", reason="the merger")

    with pytest.raises(arming.PersonBlank):
        arming.ask(world.context, owner=name, reason="the merger")
    with pytest.raises(arming.PersonBlank):
        arming.approve(world.context, asked.id, approver=name)


def extend_one(world):
    deeds.extend(world.context, "acme", until=Date(2024, 9, 1))


def renew_one(world):
    renew(world, "acme")


def hold_one(world):
    brake.place_hold(world.context, "acme", owner="legal", reason="dispute")
    world.run_until(world.now.add(hours=2))


def put_one_back(world):
    brake.set_exempt(world.context, "dune", is_exempt=False)
    world.run_until(world.now.add(hours=2))


@pytest.mark.parametrize("deed", [extend_one, renew_one, hold_one, put_one_back])
def test_a_request_is_void_when_anything_about_it_has_changed_L26(app, deed):
    world = crowd(app, most=2)
    brake.set_exempt(world.context, "dune", is_exempt=True)
    world.run_until(DELETED_ON)
    asked = arming.ask(world.context, owner="Ada", reason="the merger")

    deed(world)

    with pytest.raises(arming.ArmingStale):
        arming.approve(world.context, asked.id, approver="Bob")


def test_a_request_is_good_for_a_day_and_for_once_L26(app):
    world = crowd(app, most=3)
    world.run_until(DELETED_ON)
    late = arming.ask(world.context, owner="Ada", reason="the merger")
    world.run_until(DELETED_ON.add(hours=24))
    asked = arming.ask(world.context, owner="Ada", reason="the merger")
    arming.approve(world.context, asked.id, approver="Bob")

    with pytest.raises(arming.ArmingExpired):
        arming.approve(world.context, late.id, approver="Bob")
    with pytest.raises(arming.ArmingApproved):
        arming.approve(world.context, asked.id, approver="Bob")
    with pytest.raises(arming.ArmingUnknown):
        arming.approve(world.context, "other", approver="Bob")
    with pytest.raises(arming.NobodyToArm):
        arming.ask(world.context, owner="Ada", reason="the merger")


def test_an_end_that_moves_takes_the_arming_away_L26(app):
    world = crowd(app, most=0)
    world.run_until(DAY_BEFORE)
    asked = arming.ask(world.context, owner="Ada", reason="the merger")
    arming.approve(world.context, asked.id, approver="Bob")

    deeds.extend(world.context, "acme", until=Date(2024, 9, 1))
    world.run_until(Instant.from_utc(2024, 10, 3))

    assert alive(app) == ["acme"]


def test_once_the_mistake_is_mended_the_others_go_on_by_themselves_L26(app):
    world = crowd(app, most=2)
    world.run_until(DELETED_ON)

    renew(world, "acme", "bolt")
    world.run_until(DELETED_ON.add(hours=1))

    assert alive(app) == ["acme", "bolt"]


def test_a_pause_that_is_lifted_lets_no_crowd_through_L26(app):
    world = crowd(app, most=3)
    brake.set_paused(world.context, is_paused=True)
    world.run_until(DELETED_ON)

    brake.set_paused(world.context, is_paused=False)
    world.run_until(DELETED_ON.add(hours=2))

    assert alive(app) == list(CROWD)
    assert set(reasons(world)) == {Reason.BULK}


def test_a_cap_does_not_let_a_crowd_through_one_by_one_L26(app):
    world = crowd(app, most=3)
    brake.set_daily_cap(world.context, 1)

    world.run_until(DELETED_ON.add(hours=72))

    assert alive(app) == list(CROWD)


def test_what_is_held_or_exempt_alone_counts_for_nobody_L26(app):
    world = crowd(app, most=2)
    brake.place_hold(world.context, "acme", owner="legal", reason="dispute")
    brake.set_exempt(world.context, "bolt", is_exempt=True)

    world.run_until(DELETED_ON)

    assert alive(app) == ["acme", "bolt"]


def test_one_after_the_other_no_more_go_within_a_day_than_at_once_L26(app):
    """What was not foreseen is stopped by what has begun already."""
    world = crowd(app, most=2)
    holds = [
        brake.place_hold(world.context, each, owner="legal", reason="dispute") for each in CROWD
    ]
    world.run_until(DELETED_ON)

    for number, each in enumerate(holds):
        brake.release_hold(world.context, each.id)
        world.run_until(DELETED_ON.add(hours=2 * (number + 1)))
    left = alive(app)
    world.run_until(DELETED_ON.add(hours=23))
    waiting = alive(app)
    world.run_until(DELETED_ON.add(hours=28))

    assert left == waiting == ["core", "dune"]
    assert alive(app) == []


def test_with_a_bound_of_none_every_deletion_needs_two_people_L26(app):
    world = crowd(app, most=0, customers=("acme",))

    world.run_until(DELETED_ON)

    assert alive(app) == ["acme"]


def test_members_count_as_their_organization_L26(app):
    world = crowd(app, most=0, customers=("acme", "bolt"))
    ids = [f"acme-{name}" for name in shop.ROLES]
    with world.store.transaction() as transaction:
        (row,) = transaction.offboardings("acme", status=OffboardingStatus.OPEN)
        others = [replace(row, id=each, subject=replace(row.subject, member=each)) for each in ids]
        transaction.open_offboardings(others)

    with world.store.transaction() as transaction:
        count = transaction.erasures_expected(until=DELETED_ON, without="bolt", limit=9)

    assert count == 1


def test_a_policy_that_deletes_everybody_at_once_lets_nobody_go_L26(app):
    world = crowd(app, most=3)
    sooner = POLICIES["license-pool"].model_dump(mode="json", by_alias=True)
    sooner["version"] = 2
    for step in sooner["steps"]:
        if step["id"] == "erase":
            step["at"], step["requires"] = "expiry + P1D", []
    policy = Policy.model_validate(sooner)

    publish(world.context, policy)
    world.run_until(Instant.from_utc(2024, 9, 2))

    assert alive(app) == list(CROWD)
