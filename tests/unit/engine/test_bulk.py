"""Acts on many organizations: looked at, approved by somebody else, done one by one, once."""

from dataclasses import replace

import pytest
from whenever import Date, Instant

from offramp.core.bulk import BulkKind, BulkWish, TargetStatus
from offramp.core.dates import YEAR_LAST
from offramp.core.operator import OperatorRole
from offramp.core.transitions import StepStatus
from offramp.documents.policy import find_policy
from offramp.engine import arming, brake
from offramp.engine.bulk import (
    LOOKS_MAX,
    ORGANIZATIONS_MAX,
    BulkStale,
    NobodyMeant,
    NobodyToChange,
    TooManyChosen,
    approve,
    ask,
    find_all,
    foresee,
    look_at_act,
)
from offramp.engine.bulk_work import KEPT_DAYS, UNEXPECTED, carry_out_acts, tidy_acts
from offramp.engine.courier import carry_once
from offramp.engine.directory import LOOKED_AT_MAX, PAGE_ROWS, Question
from offramp.engine.offboarding import register, renew
from offramp.engine.operators import add_operator
from offramp.engine.publication import publish
from offramp.ports import DeliveryStatus, StepRow, StoreUnavailable
from offramp.testing.world import SMALL_CHUNKS, Crash, World
from tests.simulation import shop
from tests.simulation.trouble import FailingStore

START = Instant.from_utc(2024, 8, 1)
CROWD = ("acme", "bolt", "core")
LATER = Date(2031, 1, 31)
HOLD = BulkWish(kind=BulkKind.HOLD, reason="the merger")
EXTEND = BulkWish(kind=BulkKind.EXTEND, reason="the merger", until=LATER)
RELEASE = BulkWish(kind=BulkKind.RELEASE, reason="settled", held_for="the merger")
RETRY = BulkWish(kind=BulkKind.RETRY, reason="mended")
RESEND = BulkWish(kind=BulkKind.RESEND, reason="the filter is off")
ALONE = replace(SMALL_CHUNKS, acts_alone_max=3)
TOGETHER = replace(SMALL_CHUNKS, acts_alone_max=2)


def customers(*slugs, limits=TOGETHER):
    world = World(START, limits=limits)
    publish(world.context, find_policy("license-pool"))
    register(
        world.context,
        organizations=[shop.organization(each) for each in slugs],
        pools=[shop.pool(each) for each in slugs],
        members=[member for each in slugs for member in shop.members(each)],
    )
    return world


@pytest.fixture
def world():
    return customers(*CROWD)


@pytest.fixture
def olga(world):
    return hire(world, "Olga")


@pytest.fixture
def anna(world):
    return hire(world, "Anna")


def hire(world, name):
    address = f"{name}@vendor.example".lower()
    add_operator(world.context, name=name, address=address, role=OperatorRole.APPROVER)
    return read(world, lambda t: t.operator_at(address))


def read(world, question):
    with world.store.transaction() as transaction:
        return question(transaction)


def wish_for(world, wish, by, *, among=CROWD):
    """Look, and ask for what was seen."""
    seen = foresee(world.context, wish, among)
    chosen = [each.organization for each in seen.changed]
    return ask(world.context, wish, chosen, seen=seen.digest, by=by)


def ends(world):
    return [read(world, lambda t, each=each: t.pools(each))[0].ends for each in CROWD]


def outcomes(world, act):
    return [each.status for each in look_at_act(world.context, act.id).targets]


def ledger(world, kind):
    entries = read(world, lambda t: t.ledger())
    return [entry.event for entry in entries if entry.event.kind == kind]


def everything(world):
    """Give all that an act could change."""
    tables = read(world, lambda t: t.tables)
    return (tables.pools, tables.offboardings, tables.steps, tables.holds, tables.deliveries)


def abandon(world, organization):
    """Let a step of an organization be given up."""
    with world.store.transaction() as transaction:
        (row,) = transaction.offboardings(organization)
        step = StepRow(
            offboarding=row.id, key="warned", status=StepStatus.PENDING, due_at=world.now
        )
        for status in (StepStatus.STARTED, StepStatus.ABANDONED):
            known = transaction.steps(row.id)
            expected = known[0].status if known else None
            transaction.save_step(replace(step, status=status), claimed=None, expected=expected)


def test_looking_says_what_would_happen_to_each_and_changes_nothing(world):
    before = everything(world)

    seen = foresee(world.context, EXTEND, [*CROWD, "nobody"])

    assert [each.organization for each in seen.changed] == list(CROWD)
    assert seen.changed[0].told == "acme-notes: 2031-01-31 in place of 2024-08-30"
    assert [(each.organization, each.told) for each in seen.refused] == [
        ("nobody", "There is no organization nobody.")
    ]
    assert everything(world) == before
    assert len(ledger(world, "offboarding-moved")) == 0


def test_more_than_one_person_may_change_wait_for_a_second_one(world, olga, anna):
    asked = wish_for(world, EXTEND, olga)
    waiting = carry_out_acts(world.context)
    untouched = ends(world)

    approve(world.context, asked.id, by=anna)
    done = carry_out_acts(world.context)

    assert (waiting, untouched, done) == (0, [shop.ENDS] * 3, 3)
    assert ends(world) == [LATER] * 3
    assert outcomes(world, asked) == [TargetStatus.DONE] * 3
    assert carry_out_acts(world.context) == 0


def test_both_people_are_on_record_for_everybody_and_no_name_is(world, olga, anna):
    asked = wish_for(world, EXTEND, olga)
    approve(world.context, asked.id, by=anna)
    carry_out_acts(world.context)

    done = ledger(world, "bulk-act-carried-out")
    assert [event.detail["organization"] for event in done] == list(CROWD)
    assert {(e.detail["asked_by"], e.detail["approved_by"]) for e in done} == {
        (f"operator:{olga.id}", f"operator:{anna.id}")
    }
    (approved,) = ledger(world, "bulk-act-approved")
    assert approved.detail["digest"] == asked.digest
    assert "Olga" not in repr(read(world, lambda t: t.ledger()))
    assert "merger" not in repr(read(world, lambda t: t.ledger()))


@pytest.mark.parametrize(
    ("wish", "limits", "needs_second"),
    [
        (EXTEND, ALONE, False),
        (EXTEND, TOGETHER, True),
        (HOLD, ALONE, False),
        (RELEASE, ALONE, True),
    ],
)
def test_few_need_nobody_else_unless_a_deletion_may_go_on(wish, limits, needs_second):
    world = customers(*CROWD, limits=limits)
    for each in CROWD:
        brake.place_hold(world.context, each, owner="Olga", reason="the merger")

    asked = wish_for(world, wish, hire(world, "Olga"))

    assert (asked.approved_at is None) == needs_second
    assert carry_out_acts(world.context) == (0 if needs_second else 3)


def test_a_release_ends_the_holds_that_were_placed_for_that_reason_and_no_other(world, olga, anna):
    for each in CROWD[:2]:
        brake.place_hold(world.context, each, owner="Olga", reason="the merger")
        brake.place_hold(world.context, each, owner="Olga", reason="a law")
    seen = foresee(world.context, RELEASE, CROWD)

    asked = wish_for(world, RELEASE, olga)
    approve(world.context, asked.id, by=anna)
    carry_out_acts(world.context)

    assert [each.organization for each in seen.refused] == ["core"]
    for each in CROWD[:2]:
        (left,) = brake.list_holds(world.context, each)
        assert left.reason == "a law"


def test_an_extension_by_days_moves_each_end_from_where_it_is(world, olga, anna):
    renew(world.context, "bolt", until=Date(2025, 2, 28))
    wish = BulkWish(kind=BulkKind.EXTEND, reason="late invoices", days=10)

    approve(world.context, wish_for(world, wish, olga).id, by=anna)
    carry_out_acts(world.context)

    assert ends(world) == [Date(2024, 9, 9), Date(2025, 3, 10), Date(2024, 9, 9)]


def test_an_end_that_no_calendar_has_is_refused(world):
    renew(world.context, "bolt", until=Date(YEAR_LAST, 12, 31))
    wish = BulkWish(kind=BulkKind.EXTEND, reason="late invoices", days=10)

    (refused,) = foresee(world.context, wish, CROWD).refused

    assert f"{YEAR_LAST}-12-31 cannot be moved by 10 days" in refused.told


def test_what_was_given_up_is_put_back_and_nobody_else_is_touched(world, olga, anna):
    abandon(world, "bolt")

    seen = foresee(world.context, RETRY, CROWD)
    approve(world.context, wish_for(world, RETRY, olga).id, by=anna)
    carry_out_acts(world.context)

    assert [each.organization for each in seen.changed] == ["bolt"]
    (row,) = read(world, lambda t: t.offboardings("bolt"))
    assert read(world, lambda t: t.steps(row.id))[0].status is not StepStatus.ABANDONED


def test_mail_that_came_back_is_sent_again(world, olga):
    world.run_until(Instant.from_utc(2024, 8, 20))
    with world.store.transaction() as transaction:
        (row,) = transaction.offboardings("core")
        lost = transaction.deliveries(row.id)[0]
        transaction.save_deliveries([replace(lost, status=DeliveryStatus.BOUNCED)], at=world.now)
    sent = len(world.mail.sent)

    asked = wish_for(world, RESEND, olga)
    carry_out_acts(world.context)
    world.run_until(Instant.from_utc(2024, 8, 21))

    assert asked.organizations == 1
    assert len(world.mail.sent) == sent + 1


def test_nobody_approves_what_they_asked_for_themselves(world, olga):
    asked = wish_for(world, EXTEND, olga)

    with pytest.raises(arming.SamePerson):
        approve(world.context, asked.id, by=replace(olga, name="Somebody Else"))

    assert carry_out_acts(world.context) == 0


def test_two_people_of_one_name_are_two(world, olga):
    asked = wish_for(world, EXTEND, olga)
    namesake = replace(hire(world, "Anna"), name="Olga")

    approve(world.context, asked.id, by=namesake)

    assert carry_out_acts(world.context) == 3


def test_a_request_ends_after_a_day(world, olga, anna):
    asked = wish_for(world, EXTEND, olga)
    world.run_until(START.add(hours=arming.REQUEST_HOURS))

    with pytest.raises(arming.ArmingExpired):
        approve(world.context, asked.id, by=anna)


def test_what_was_approved_is_not_approved_again(world, olga, anna):
    asked = wish_for(world, EXTEND, olga)
    approve(world.context, asked.id, by=anna)

    with pytest.raises(arming.ArmingApproved):
        approve(world.context, asked.id, by=hire(world, "Bea"))
    with pytest.raises(arming.ArmingUnknown):
        approve(world.context, "other", by=anna)


def test_what_has_changed_since_it_was_looked_at_is_not_asked_for(world, olga):
    seen = foresee(world.context, EXTEND, CROWD)
    brake.place_hold(world.context, "bolt", owner="Anna", reason="a law")

    with pytest.raises(BulkStale):
        ask(world.context, EXTEND, CROWD, seen=seen.digest, by=olga)
    with pytest.raises(NobodyToChange):
        ask(world.context, EXTEND, ["nobody"], seen=seen.digest, by=olga)


@pytest.mark.parametrize("wish", [replace(EXTEND, until=Date(2031, 2, 1)), HOLD])
def test_another_act_than_was_looked_at_is_not_asked_for(world, olga, wish):
    seen = foresee(world.context, EXTEND, CROWD)

    with pytest.raises(BulkStale):
        ask(world.context, wish, CROWD, seen=seen.digest, by=olga)


def test_a_request_is_void_when_anything_in_it_has_changed(world, olga, anna):
    asked = wish_for(world, EXTEND, olga)
    renew(world.context, "bolt", until=Date(2025, 2, 28))

    with pytest.raises(BulkStale):
        approve(world.context, asked.id, by=anna)

    assert carry_out_acts(world.context) == 0


def test_who_has_changed_after_the_approval_is_left_alone_and_the_others_are_not(world, olga, anna):
    asked = wish_for(world, EXTEND, olga)
    approve(world.context, asked.id, by=anna)
    renew(world.context, "bolt", until=Date(2025, 2, 28))

    carry_out_acts(world.context)

    assert ends(world) == [LATER, Date(2025, 2, 28), LATER]
    assert outcomes(world, asked) == [TargetStatus.DONE, TargetStatus.REFUSED, TargetStatus.DONE]
    (refused,) = ledger(world, "bulk-act-refused")
    assert (refused.detail["organization"], refused.detail["reason"]) == ("bolt", "BulkStale")


@pytest.mark.parametrize("number", [1, 2, 3])
def test_whoever_dies_in_the_middle_leaves_the_rest_to_the_next_one(world, olga, anna, number):
    asked = wish_for(world, EXTEND, olga)
    approve(world.context, asked.id, by=anna)
    reached = []

    def die(point):
        reached.append(point)
        if len(reached) == number:
            raise Crash

    with pytest.raises(Crash):
        carry_out_acts(replace(world.context, probe=die))
    half = ends(world)
    carry_out_acts(world.context)

    assert half == [LATER] * (number - 1) + [shop.ENDS] * (4 - number)
    assert ends(world) == [LATER] * 3
    assert len(ledger(world, "bulk-act-carried-out")) == 3
    assert len(ledger(world, "offboarding-moved")) == 3


def test_one_that_meets_a_mistake_of_ours_is_told_and_does_not_stop_the_others(world, olga, anna):
    asked = wish_for(world, EXTEND, olga)
    approve(world.context, asked.id, by=anna)
    reached = []

    def fail(point):
        reached.append(point)
        if len(reached) == 1:
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        carry_out_acts(replace(world.context, probe=fail))
    carry_out_acts(world.context)

    assert ends(world) == [shop.ENDS, LATER, LATER]
    told = look_at_act(world.context, asked.id).targets[0]
    assert (told.status, told.told) == (TargetStatus.REFUSED, UNEXPECTED)


def test_an_outage_is_nobodys_fault(world, olga, anna):
    asked = wish_for(world, EXTEND, olga)
    approve(world.context, asked.id, by=anna)
    store = FailingStore(world.store)
    store.trouble.append("down")

    with pytest.raises(StoreUnavailable):
        carry_out_acts(replace(world.context, store=store))
    carry_out_acts(world.context)

    assert outcomes(world, asked) == [TargetStatus.DONE] * 3


def test_a_worker_that_is_asked_to_stop_stops_between_two(world, olga, anna):
    asked = wish_for(world, EXTEND, olga)
    approve(world.context, asked.id, by=anna)
    answers = iter([False, True])

    assert carry_out_acts(world.context, is_stopping=lambda: next(answers)) == 1


def test_the_rounds_of_every_worker_carry_out_what_was_approved(world, olga, anna):
    asked = wish_for(world, EXTEND, olga)
    approve(world.context, asked.id, by=anna)

    carry_once(world.context)

    assert ends(world) == [LATER] * 3


def test_who_was_erased_is_in_no_act_any_more(world, olga, anna):
    asked = wish_for(world, EXTEND, olga)
    read(world, lambda t: t.forget("bolt", member=None, at=world.now))

    with pytest.raises(BulkStale):
        approve(world.context, asked.id, by=anna)

    targets = look_at_act(world.context, asked.id).targets
    assert [each.organization for each in targets] == ["acme", "core"]


def test_nobody_and_too_many_are_refused(world):
    with pytest.raises(NobodyMeant):
        foresee(world.context, HOLD, [])
    with pytest.raises(TooManyChosen):
        foresee(world.context, HOLD, [str(n) for n in range(ORGANIZATIONS_MAX + 1)])


def test_all_that_are_found_are_those_of_every_page():
    world = customers(*[f"c{number:03}" for number in range(PAGE_ROWS + 2)])

    assert len(find_all(world.context, Question(text="c0"))) == PAGE_ROWS + 2
    assert find_all(world.context, Question(text="c001")) == ("c001",)


def test_a_search_that_would_look_at_too_many_is_given_up(monkeypatch):
    """The bound holds for what is looked at, also where nobody is found."""
    assert LOOKS_MAX * LOOKED_AT_MAX < 10_000
    world = customers(*[f"c{number:03}" for number in range(PAGE_ROWS + 2)])
    monkeypatch.setattr("offramp.engine.bulk.LOOKS_MAX", 1)

    with pytest.raises(TooManyChosen):
        find_all(world.context, Question())


def test_acts_are_forgotten_after_their_time_and_the_ledger_stays(world, olga, anna):
    asked = wish_for(world, EXTEND, olga)
    approve(world.context, asked.id, by=anna)
    carry_out_acts(world.context)

    kept = tidy_acts(world.context)
    world.lie_still_until(START.add(hours=24 * KEPT_DAYS + 1))

    assert (kept, tidy_acts(world.context)) == (0, 1)
    with pytest.raises(arming.ArmingUnknown):
        look_at_act(world.context, asked.id)
    assert len(ledger(world, "bulk-act-carried-out")) == 3
