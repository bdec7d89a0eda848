"""End dates, expiry, removal, return and seats: of one, of many, all of it or nothing (B11)."""

from dataclasses import replace

import pytest
from whenever import Date, Instant

from offramp.core.model import Cause, Organization, Role
from offramp.core.policy import Capability
from offramp.core.transitions import OffboardingStatus, StepStatus
from offramp.documents.policy import find_policy
from offramp.engine import offboarding as deeds
from offramp.engine import people
from offramp.engine.access import may
from offramp.engine.following import Followed
from offramp.engine.people import Move, Person
from offramp.engine.publication import publish
from offramp.engine.situation import MemberUnknown
from offramp.ports import StepRow
from offramp.testing.builders import make_member, make_policy, make_pool, make_receipt
from offramp.testing.world import World

START = Instant.from_utc(2024, 8, 1, hour=12)
MANY = [f"user-{number:02}" for number in range(12)]
SOON, LATER = Date(2024, 9, 20), Date(2024, 10, 20)


@pytest.fixture
def world():
    """Give a world in which acme has notes and recordings until 2025, and a dozen users of both."""
    return open_world(find_policy("edit-only-grace"))


def open_world(policy, *, seats=13):
    world = World(START)
    publish(world.context, policy)
    acme = Organization(
        id="acme", name="Acme", zone="Europe/Dublin", locale="en", policy=policy.policy
    )
    users = [make_member(name, "notes", "recordings") for name in MANY]
    deeds.register(
        world.context,
        organizations=[acme],
        pools=[
            make_pool("notes", "2025-08-30", product="notes", seats=seats),
            make_pool("recordings", "2025-10-31", product="recordings", seats=seats),
        ],
        members=[*users, make_member("boss", roles=[Role.ADMIN])],
    )
    return world


def of(*names, **how):
    return [Person(member=name, **how) for name in names]


def member(world, name):
    with world.store.transaction() as transaction:
        return transaction.member("acme", name)


def may_create(world, name, product="notes"):
    return may(
        world.store,
        "acme",
        name,
        Capability.CREATE,
        surface="app",
        product=product,
        now=world.now,
    ).is_allowed


def taken(world):
    return {each.pool.id: each.taken for each in people.seats_of(world.context, "acme")}


def rows(world, name):
    with world.store.transaction() as transaction:
        found = transaction.offboardings("acme")
    return [row for row in found if row.subject.member == name]


def letters(world, notice):
    return {sent.message.to for sent in world.mail.sent if sent.message.subject == notice}


def test_many_are_given_an_end_at_once_moved_and_let_go_of_it(world):
    given = people.end_members(world.context, "acme", of(*MANY, ends=SOON))
    moved = people.end_members(world.context, "acme", of(*MANY, ends=LATER))
    ends = member(world, MANY[7]).ends
    taken_away = people.end_members(world.context, "acme", of(*MANY))

    assert (given, moved, taken_away) == (
        Followed(opened=24),  # each product has its clock
        Followed(moved=24),
        Followed(ended=24),
    )
    assert (ends, member(world, MANY[7]).ends) == (LATER, None)


def test_each_may_have_an_end_of_their_own(world):
    asked = [Person(member=MANY[0], ends=SOON), Person(member=MANY[1], ends=LATER)]

    people.end_members(world.context, "acme", asked)

    assert [str(member(world, name).ends) for name in MANY[:3]] == [str(SOON), str(LATER), "None"]


def test_whoever_is_given_an_end_in_bulk_is_told_in_the_last_seven_days(world):
    people.end_members(world.context, "acme", of(*MANY, ends=SOON))
    world.run_until(Instant.from_utc(2024, 9, 12, hour=22))
    before = letters(world, "ending-soon")

    world.run_until(Instant.from_utc(2024, 9, 14))

    assert (before, len(letters(world, "ending-soon"))) == (set(), len(MANY))


def test_whoever_is_told_and_then_given_more_time_is_told_again(world):
    people.end_members(world.context, "acme", of(MANY[0], ends=SOON, product="notes"))
    world.run_until(Instant.from_utc(2024, 9, 15))
    first = len(world.mail.sent)

    people.end_members(world.context, "acme", of(MANY[0], ends=LATER, product="notes"))
    world.run_until(Instant.from_utc(2024, 10, 14))
    told = [sent for sent in world.mail.sent[first:] if sent.message.subject == "ending-soon"]

    assert len(told) == 1


def test_an_end_in_less_than_seven_days_is_told_at_once(world):
    people.end_members(world.context, "acme", of(MANY[0], ends=Date(2024, 8, 4)))

    world.run_until(Instant.from_utc(2024, 8, 2, hour=12))

    assert letters(world, "ending-soon") == {f"{MANY[0]}@acme.example"}


def test_many_expire_at_once_and_take_no_seat(world):
    before = taken(world)

    followed = people.expire_members(world.context, "acme", of(*MANY[:9]))

    assert before == {"notes": 12, "recordings": 12}
    assert (followed.opened, taken(world)) == (18, {"notes": 3, "recordings": 3})
    assert not may_create(world, MANY[0])
    assert may_create(world, MANY[9])
    assert {row.cause for row in rows(world, MANY[0])} == {Cause.EXPIRED}


def test_expiring_again_changes_nothing(world):
    people.expire_members(world.context, "acme", of(*MANY[:2]))
    world.run_until(Instant.from_utc(2024, 8, 5))
    before = member(world, MANY[0])

    assert people.expire_members(world.context, "acme", of(*MANY[:2])) == Followed()
    assert member(world, MANY[0]) == before


def test_by_a_policy_that_counts_instants_a_term_is_over_at_that_very_instant():
    policy = make_policy(expiry="instant")
    world = World(START)
    publish(world.context, policy)
    acme = Organization(id="acme", name="Acme", zone="Asia/Kathmandu", locale="en", policy="made")
    pool = make_pool("notes", "2025-08-30T12:00:00Z")
    deeds.register(
        world.context, organizations=[acme], pools=[pool], members=[make_member("anna", "notes")]
    )

    people.expire_members(world.context, "acme", of("anna"))

    assert member(world, "anna").ends == START
    assert taken(world) == {"notes": 0}


@pytest.mark.parametrize("deed", [people.expire_members, people.remove_members])
def test_the_end_of_an_expired_user_cannot_be_changed_before_reactivation(world, deed):
    deed(world.context, "acme", of(MANY[0]))

    with pytest.raises(people.MemberExpired) as caught:
        people.end_members(world.context, "acme", of(MANY[0], ends=LATER))

    assert MANY[0] in str(caught.value)
    assert caught.value.hint == f"offramp member reactivate acme {MANY[0]}"
    people.reactivate_members(world.context, "acme", of(MANY[0]))
    people.end_members(world.context, "acme", of(MANY[0], ends=LATER))
    assert member(world, MANY[0]).ends == LATER


def test_many_are_reactivated_with_their_seats_and_the_next_end_if_it_is_given(world):
    people.expire_members(world.context, "acme", of(*MANY[:3]))
    people.remove_members(world.context, "acme", of(*MANY[3:6]))
    world.run_until(Instant.from_utc(2024, 8, 5))

    people.reactivate_members(world.context, "acme", of(*MANY[:6], ends=LATER))

    assert taken(world) == {"notes": 12, "recordings": 12}
    assert {member(world, name).ends for name in MANY[:6]} == {LATER}
    assert all(may_create(world, name) for name in MANY[:6])
    assert [row.episode for row in rows(world, MANY[0])] == [1, 2, 1, 2]


def test_a_reactivation_is_told_to_the_vendor_and_stands_in_the_ledger(world):
    people.expire_members(world.context, "acme", of(MANY[0]))
    people.reactivate_members(world.context, "acme", of(MANY[0]))

    with world.store.transaction() as transaction:
        events = [each.kind for each in transaction.events(limit=50) if each.member == MANY[0]]
        ledger = [(e.event.kind, e.event.detail.get("members")) for e in transaction.ledger()]
    assert events.count("reactivated") == 2
    assert ("members-expired", 1) in ledger
    assert ("members-reactivated", 1) in ledger
    assert ledger.count(("offboarding-canceled", None)) == 2


def test_one_product_may_end_alone_and_come_back_alone(world):
    """B1."""
    people.expire_members(world.context, "acme", of(MANY[0], product="notes"))
    expired = may_create(world, MANY[0]), may_create(world, MANY[0], "recordings")
    seats = taken(world)

    back = people.reactivate_members(world.context, "acme", of(MANY[0], product="notes"))

    assert back == Followed(ended=1)
    assert (expired, seats) == ((False, True), {"notes": 11, "recordings": 12})
    assert may_create(world, MANY[0])
    assert member(world, MANY[0]).product_ends == {}


def test_an_end_in_each_product_is_given_in_one_call(world):
    asked = [
        Person(member=MANY[0], product="notes", ends=SOON),
        Person(member=MANY[0], product="recordings", ends=LATER),
    ]

    people.end_members(world.context, "acme", asked)

    assert member(world, MANY[0]).product_ends == {"notes": SOON, "recordings": LATER}
    assert {row.subject.product: row.ends for row in rows(world, MANY[0])} == {
        "notes": SOON,
        "recordings": LATER,
    }


def test_a_roster_that_says_nothing_of_it_brings_nobody_back_to_a_product(world):
    people.expire_members(world.context, "acme", of(MANY[0], product="notes"))

    deeds.register(world.context, members=[make_member(MANY[0], "notes", "recordings")])

    assert not may_create(world, MANY[0])


def test_a_reactivation_asks_the_stage_who_may_bring_somebody_back():
    stages = [
        {"id": "active", "access": {"*": "full"}},
        {
            "id": "expired",
            "from": "expiry",
            "access": {"*": "none"},
            "reactivate": {"by": ["support"]},
        },
    ]
    world = open_world(make_policy(stages=stages))
    people.expire_members(world.context, "acme", of(MANY[0]))

    with pytest.raises(deeds.ReactivationRefused):
        people.reactivate_members(world.context, "acme", of(MANY[0]))

    people.reactivate_members(world.context, "acme", of(MANY[0]), by="support")


def test_nobody_comes_back_to_a_product_in_which_everything_of_theirs_is_erased(world):
    """B6: afterwards only a new one from scratch."""
    people.expire_members(world.context, "acme", of(MANY[0], product="notes"))
    (row,) = rows(world, MANY[0])
    erased = make_receipt("erase", START)
    step = StepRow(
        offboarding=row.id, key="erase", status=StepStatus.DONE, due_at=START, receipt=erased
    )
    with world.store.transaction() as transaction:
        pending = replace(step, status=StepStatus.STARTED, receipt=None)
        transaction.save_step(pending, claimed=None, expected=None)
        transaction.save_step(step, claimed=None, expected=StepStatus.STARTED)
        gone = replace(row, status=OffboardingStatus.COMPLETED, closed_at=START, next_due_at=None)
        transaction.save_offboarding(gone, expected_episode=1)

    with pytest.raises(deeds.ReactivationRefused) as caught:
        people.reactivate_members(world.context, "acme", of(MANY[0], product="notes"))

    assert caught.value.stage == "deleted"


def test_so_many_that_they_are_not_asked_for_by_name_are_changed_alike(world, monkeypatch):
    monkeypatch.setattr(people, "NAMES_MAX", 1)

    people.end_members(world.context, "acme", of(*MANY[:3], ends=SOON))

    assert [member(world, name).ends for name in MANY[2:4]] == [SOON, None]


def test_nobody_comes_back_to_a_seat_that_somebody_else_has_now():
    world = open_world(find_policy("edit-only-grace"), seats=12)
    people.expire_members(world.context, "acme", of(MANY[0]))
    people.move_members(world.context, "acme", [Move(member="boss", target="notes")])

    with pytest.raises(people.SeatsMissing) as caught:
        people.reactivate_members(world.context, "acme", of(MANY[0]))

    assert (caught.value.pool, caught.value.missing) == ("notes", 1)
    assert not may_create(world, MANY[0])


def test_many_move_to_another_pool_and_keep_their_access(world):
    more = make_pool("notes-more", "2026-08-30", product="notes", seats=10)
    deeds.register(world.context, pools=[more])

    moves = [Move(member=name, source="notes", target="notes-more") for name in MANY[:5]]
    people.move_members(world.context, "acme", moves)

    assert taken(world) == {"notes": 7, "notes-more": 5, "recordings": 12}
    world.run_until(Instant.from_utc(2025, 9, 1))
    assert may_create(world, MANY[0])
    assert not may_create(world, MANY[5])  # who stayed leaves with the pool


def test_a_user_in_two_pools_keeps_access_through_the_other_one(world):
    more = make_pool("notes-more", "2026-08-30", product="notes", seats=10)
    deeds.register(world.context, pools=[more])

    people.move_members(world.context, "acme", [Move(member=MANY[0], target="notes-more")])
    world.run_until(Instant.from_utc(2025, 9, 1))

    assert may_create(world, MANY[0])
    assert taken(world)["notes-more"] == 1


@pytest.mark.parametrize(
    ("move", "error"),
    [
        (Move(member=MANY[0], target="nowhere"), deeds.PoolUnknown),
        (Move(member="boss", source="notes", target="notes-more"), people.SeatUnknown),
        (Move(member=MANY[0], source="nowhere", target="notes-more"), people.SeatUnknown),
        (Move(member=MANY[0], source="notes", target="old"), people.PoolOver),
        (Move(member=MANY[0], source="recordings", target="notes-more"), people.PoolsApart),
        (Move(member="nobody", target="notes-more"), MemberUnknown),
        (Move(member=MANY[0], source="notes", target="none"), people.SeatsMissing),
    ],
)
def test_a_move_that_makes_no_sense_is_refused(world, move, error):
    pools = [
        make_pool("notes-more", "2026-08-30", product="notes"),
        make_pool("none", "2026-08-30", product="notes", seats=0),
        make_pool("old", "2024-07-31", product="notes"),
    ]
    deeds.register(world.context, pools=pools)
    before = member(world, MANY[0])

    with pytest.raises(error):
        people.move_members(world.context, "acme", [move])

    assert member(world, MANY[0]) == before


@pytest.mark.parametrize(
    ("deed", "person", "error"),
    [
        (people.end_members, Person(member="nobody", ends=SOON), MemberUnknown),
        (people.end_members, Person(member=MANY[0], ends=Date(2024, 7, 31)), deeds.EndPassed),
        (
            people.end_members,
            Person(member=MANY[0], ends=SOON, product="chess"),
            people.ProductUnknown,
        ),
        (people.expire_members, Person(member="nobody"), MemberUnknown),
        (people.remove_members, Person(member="nobody"), MemberUnknown),
        (people.reactivate_members, Person(member=MANY[0]), people.MemberNotExpired),
        (
            people.reactivate_members,
            Person(member=MANY[1], ends=Date(2024, 7, 31)),
            deeds.EndPassed,
        ),
        (people.reactivate_members, Person(member=MANY[1], product="notes"), people.LeftAltogether),
    ],
)
def test_in_a_bulk_one_mistake_is_named_with_its_line_and_nothing_is_changed(
    world, deed, person, error
):
    people.remove_members(world.context, "acme", of(*MANY[1:3]))
    good = of(MANY[2] if deed is people.reactivate_members else MANY[3])
    wrong = [replace(person, line=3), Person(member="ghost", line=4)]
    before = [member(world, name) for name in MANY]

    with pytest.raises(error) as caught:
        deed(world.context, "acme", [*good, *wrong])

    told = [(line, name) for line, name, _ in caught.value.problems]
    assert told == [(3, person.member), (4, "ghost")]
    assert [member(world, name) for name in MANY] == before


def test_nobody_is_there_twice(world):
    with pytest.raises(people.MemberTwice):
        people.end_members(world.context, "acme", of(MANY[0], MANY[0], ends=SOON))


def test_by_a_policy_with_one_clock_no_product_ends_alone():
    world = open_world(find_policy("license-pool"))

    with pytest.raises(people.ProductsTogether):
        people.expire_members(world.context, "acme", of(MANY[0], product="notes"))


def test_who_has_no_live_seat_is_given_one_and_not_only_brought_back(world):
    people.expire_members(world.context, "acme", of(MANY[0], product="notes"))
    world.run_until(Instant.from_utc(2025, 9, 15))

    with pytest.raises(people.SeatEnded):
        people.reactivate_members(world.context, "acme", of(MANY[0], product="notes"))
    with pytest.raises(people.SeatEnded):
        people.end_members(world.context, "acme", of(MANY[1], ends=LATER, product="notes"))


def test_a_removal_while_the_organization_is_leaving_outlasts_its_return(world):
    world.run_until(Instant.from_utc(2025, 11, 5))  # both products have ended
    people.remove_members(world.context, "acme", of(MANY[0]))
    world.run_until(Instant.from_utc(2025, 11, 10))

    deeds.reactivate(world.context, "acme", until=Date(2027, 8, 30))

    assert not may_create(world, MANY[0])
    assert may_create(world, MANY[1])
    assert {row.cause for row in rows(world, MANY[0])} == {Cause.REMOVED}


def test_who_had_left_before_stays_out_when_the_organization_returns(world):
    people.expire_members(world.context, "acme", of(MANY[0]))
    world.run_until(Instant.from_utc(2025, 11, 5))

    deeds.reactivate(world.context, "acme", until=Date(2027, 8, 30))

    assert not may_create(world, MANY[0])
    assert may_create(world, MANY[1])
    people.expire_members(world.context, "acme", of(MANY[2]))
    people.reactivate_members(world.context, "acme", of(MANY[2]))
    assert may_create(world, MANY[2])
