"""T4, T5: the quiet hour of a deletion, and windows over which deletions are spread."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st
from whenever import RepeatedTime, SkippedTime, Time

from offramp.core.dates import civil_date, days_between, first_instant, is_within, shift
from offramp.core.due import Reason, Run, judge
from offramp.core.plan import SPARE_DAYS, TURNS, plan, turn_of
from offramp.testing.builders import make_facts, make_policy, make_receipt, make_situation
from tests.property.strategies import days, facts, moved

NOTICE = {"id": "warned", "at": "expiry", "notify": "admins"}
ERASE = {"id": "erase", "at": "expiry + P12M", "no_later_than": "expiry + P18M", "erase": "subject"}
TURN = st.integers(0, TURNS - 1)
SPREAD = st.sampled_from(["P0D", "P1D", "P30D", "P1M", "P5M", "P6M", "P2Y", "P20B"])
QUIET = st.sampled_from([("02:00", "05:00"), ("00:00", "04:00"), ("23:00", "03:00")])
HOURS = st.sampled_from(["00:00", "00:30", "02:00", "03:30", "23:00"])


def spread(over, *, quiet_hour="02:00", **changes):
    return make_policy(NOTICE, {**ERASE, "spread_over": over, **changes}, quiet_hour=quiet_hour)


def erase_of(policy, known):
    return plan(policy, known).find("erase")


@given(known=facts(days), hour=HOURS)
def test_a_deletion_begins_at_its_quiet_hour_wherever_it_exists_T4(known, hour):
    policy = make_policy(NOTICE, ERASE, quiet_hour=hour)

    local = erase_of(policy, known).due_at.to_tz(known.zone)

    quiet = Time.parse_iso(hour)
    assert local.time() == quiet or is_skipped(local.date().at(quiet), known.zone)


def is_skipped(local, zone):
    """Say whether the wall clocks of a zone never show a time."""
    try:
        local.assume_tz(zone, disambiguation="raise")
    except SkippedTime:
        return True
    except RepeatedTime:
        return False
    return False


@given(known=facts(days), quiet=QUIET, late=st.integers(0, 300_000))
def test_a_late_deletion_begins_in_the_quiet_hours_and_keeps_its_window_T4_T5(known, quiet, late):
    """Whenever it is let go: in the quiet hours, or earlier if the window closes before them."""
    policy = make_policy(NOTICE, ERASE, quiet_hour=quiet[0], quiet_until=quiet[1])
    timeline = plan(policy, known)
    planned = timeline.find("erase")
    released_at = planned.due_at.add(minutes=late)

    began_at = first_run(timeline, planned, now=released_at)

    begin, end = map(Time.parse_iso, quiet)
    is_quiet = is_within(began_at, begin=begin, end=end, zone=known.zone)
    is_planned_quiet = is_within(planned.due_at, begin=begin, end=end, zone=known.zone)
    could_be_kept = released_at < planned.deadline_at
    is_pressed = could_be_kept and hours_between(began_at, planned.deadline_at) <= 25
    assert is_quiet or is_pressed or not is_planned_quiet
    assert released_at <= began_at
    assert began_at < planned.deadline_at or not could_be_kept


def first_run(timeline, planned, *, now):
    """Ask again whenever it is said to, until the deletion runs."""
    done = [make_receipt(each) for each in timeline.steps if each.key != planned.key]
    situation = make_situation(timeline, done)
    for _ in range(5):
        verdict = judge(planned, situation, now=now)
        if isinstance(verdict, Run):
            return now
        assert verdict.reason is Reason.QUIET
        assert now < verdict.until
        now = verdict.until
    raise AssertionError("it does not run")


def hours_between(earlier, later):
    return (later - earlier).total("hours")


@given(known=facts(), over=SPREAD, turn=TURN, hour=HOURS)
def test_a_spread_deletion_keeps_its_window_T5_L1(known, over, turn, hour):
    policy = spread(over, quiet_hour=hour)
    first = erase_of(policy, known)

    found = erase_of(policy, replace(known, turn=turn))

    assert first.due_at <= found.due_at < found.deadline_at
    assert found.deadline_at == first.deadline_at
    assert days_between(found.due_on, found.deadline_on) >= SPARE_DAYS - 1


@given(known=facts(days), over=SPREAD, turn=TURN)
def test_it_is_spread_no_further_than_the_policy_says_T5(known, over, turn):
    policy = spread(over)
    first = erase_of(policy, known)

    found = erase_of(policy, replace(known, turn=turn))

    opens = known.anchors["expiry"].add(months=12)
    closes = shift(opens, policy.step("erase").spread_over, zone=known.zone)
    assert first.due_on <= found.due_on <= max(first.due_on, shown(closes, known.zone))


def shown(day, zone):
    """Skip a day that the zone never had."""
    return civil_date(first_instant(day, zone), zone=zone)


@given(known=facts(days), over=SPREAD, turn=TURN, ends=days)
def test_a_later_end_never_gives_an_earlier_turn_T8(known, over, turn, ends):
    earlier, later = sorted((known.anchors["expiry"], ends))
    policy = spread(over)

    before, after = (
        erase_of(policy, replace(moved(known, each), turn=turn)) for each in (earlier, later)
    )

    assert before.due_at <= after.due_at
    assert before.due_on <= after.due_on


def test_whose_end_is_the_same_day_is_erased_on_many_days_T5():
    policy = spread("P5M")
    ends = make_facts("2024-12-31")
    turns = [turn_of(f"company-{number}") for number in range(3000)]

    due = [erase_of(policy, replace(ends, turn=turn)).due_on for turn in turns]

    per_day = {day: due.count(day) for day in set(due)}
    assert len(per_day) >= 150
    assert max(per_day.values()) < 60
