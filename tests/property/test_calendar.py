"""T1, T3, T4, L1: days, boundaries and periods in every zone, on ordinary and on odd days."""

from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st
from whenever import Date, Instant, Time, TimeDelta

from offramp.core.dates import (
    Period,
    at_local_time,
    civil_date,
    days_between,
    effect,
    first_at,
    first_instant,
    last_day_before,
    shift,
)
from tests.property.strategies import (
    ALL_ZONES,
    EXACT_PERIODS,
    ODD_DAYS,
    PERIODS,
    boundaries,
    days,
    instants,
    zones,
)

TICK = TimeDelta(nanoseconds=1)
times = st.sampled_from([Time(0), Time(0, 30), Time(1, 30), Time(2), Time(9), Time(23, 45)])
periods = st.sampled_from(PERIODS).map(Period.parse)


@cache
def transitions(zone, first_year, last_year):
    """List the changes of a zone's clock in some years."""
    found, end = [], Instant.from_utc(last_year, 1, 1)
    moment = Instant.from_utc(first_year, 1, 1).to_tz(zone)
    while (following := moment.next_transition()) is not None and following.to_instant() < end:
        moment = following
        found.append(moment.to_instant())
    return tuple(found)


@cache
def distinct_zones():
    """Give one zone of each history since 1900; the others are its links and copies."""
    start = Instant.from_utc(1900, 1, 1)
    histories = {
        (
            start.to_tz(zone).offset,
            *((t, t.to_tz(zone).offset) for t in transitions(zone, 1900, 2101)),
        ): zone
        for zone in ALL_ZONES
    }
    return tuple(histories.values())


def begins_for_good(day, zone):
    """Judge `first_instant` by its definition: earlier before it, never earlier again after it."""
    begin = first_instant(day, zone)
    if (begin - TICK).to_tz(zone).date() >= day or begin.to_tz(zone).date() < day:
        return False
    later = begin.to_tz(zone).next_transition()
    while later is not None and later.to_instant() < begin + TimeDelta(hours=72):
        if later.date() < day:
            return False
        later = later.next_transition()
    return True


@pytest.mark.parametrize("century", [(1900, 1970), (1970, 2038), (2038, 2101)])
def test_a_day_begins_for_good_around_every_change_of_every_clock_L1_T3(century):
    wrong = []
    for zone in distinct_zones():
        for change in transitions(zone, *century):
            around = {(change - TICK).to_tz(zone).date(), change.to_tz(zone).date()}
            candidates = around | {max(around).next_day()}
            wrong += [(zone, str(d)) for d in candidates if not begins_for_good(d, zone)]

    assert wrong == []


@pytest.mark.parametrize("decade", range(1970, 2101, 10))
def test_a_day_begins_for_good_in_every_zone_on_ordinary_days_L1_T3(decade):
    sample = [
        Date(decade, month, 1).add(days=offset) for month in (1, 3, 7, 10) for offset in (-1, 0, 14)
    ]

    wrong = [(z, str(d)) for z in distinct_zones() for d in sample if not begins_for_good(d, z)]

    assert wrong == []


def test_every_odd_day_of_every_zone_is_left_as_it_is_entered_L1():
    for zone in ALL_ZONES:
        for day in ODD_DAYS:
            end = effect(day, zone=zone)

            assert civil_date(end, zone=zone) > day
            assert civil_date(end - TICK, zone=zone) == last_day_before(end, zone=zone) <= day
            assert civil_date(first_instant(day, zone), zone=zone) >= day


@given(moment=instants, zone=zones)
def test_an_instant_lies_in_its_civil_date_T3(moment, zone):
    day = civil_date(moment, zone=zone)

    assert first_instant(day, zone) <= moment < effect(day, zone=zone)


@given(earlier=boundaries, later=boundaries, zone=zones, period=periods, backwards=st.booleans())
def test_a_later_boundary_never_gives_an_earlier_date_T1(earlier, later, zone, period, backwards):
    both = [(boundary, civil_date(boundary, zone=zone)) for boundary in (earlier, later)]
    (first, first_day), (second, second_day) = sorted(both, key=lambda pair: pair[1])

    moved = [shift(b, period, zone=zone, backwards=backwards) for b in (first, second)]

    # Where an hour is skipped an instant may move over midnight, at most into the next day.
    if isinstance(first, Date) and isinstance(second, Date):
        assert moved[0] <= moved[1]
    elif first_day < second_day:
        assert civil_date(moved[0], zone=zone) <= civil_date(moved[1], zone=zone).next_day()


@given(start=boundaries, zone=zones, period=periods)
def test_forwards_is_never_earlier_and_backwards_never_later_T1(start, zone, period):
    begin = civil_date(start, zone=zone)

    after = civil_date(shift(start, period, zone=zone), zone=zone)
    before = civil_date(shift(start, period, zone=zone, backwards=True), zone=zone)

    assert before <= begin.next_day() if period.months or period.days else before <= begin
    assert after >= begin


@given(start=boundaries, zone=zones)
def test_a_period_of_nothing_changes_nothing_T1(start, zone):
    assert shift(start, Period.parse("P0D"), zone=zone) == start


@given(start=boundaries, zone=zones, text=st.sampled_from(EXACT_PERIODS))
def test_exact_hours_are_counted_from_the_effect_T1(start, zone, text):
    period = Period.parse(text)

    moved = shift(start, period, zone=zone)

    assert moved - effect(start, zone=zone) == TimeDelta(minutes=period.minutes)


@given(start=days, months=st.integers(0, 240), zone=zones)
def test_months_are_clamped_to_the_end_of_the_month_T1(start, months, zone):
    moved = shift(start, Period.parse(f"P{months}M"), zone=zone)

    assert (moved.year * 12 + moved.month) - (start.year * 12 + start.month) == months
    assert moved.day == min(start.day, moved.year_month().on_day(1).add(months=1).prev_day().day)


@given(start=days, zone=zones)
def test_twelve_months_are_a_year_and_never_ninety_days_and_nine_months_by_chance_T1(start, zone):
    chained = shift(shift(start, Period.parse("P90D"), zone=zone), Period.parse("P9M"), zone=zone)

    at_once = shift(start, Period.parse("P12M"), zone=zone)

    assert at_once == shift(start, Period.parse("P1Y"), zone=zone)
    assert abs(days_between(at_once, chained)) <= 4


@given(start=days, zone=zones, number=st.integers(1, 40), backwards=st.booleans())
def test_business_days_end_on_a_business_day_and_skip_each_weekend(start, zone, number, backwards):
    moved = shift(start, Period.parse(f"P{number}B"), zone=zone, backwards=backwards)

    low, high = sorted((start, moved))
    between = [low.add(days=n) for n in range(days_between(low, high) + 1)]
    assert moved.day_of_week().value <= 5
    assert sum(d.day_of_week().value <= 5 for d in between if d != start) == number


@given(day=days, time=times, zone=zones)
def test_a_local_time_is_never_before_its_day_begins_T4(day, time, zone):
    assert at_local_time(day, time, zone=zone) >= first_instant(day, zone)


@given(day=days, time=times, zone=zones, hours=st.integers(-60, 60))
def test_the_first_occurrence_is_the_first_one_not_before_the_bound_T4(day, time, zone, hours):
    bound = first_instant(day, zone).add(hours=hours)

    found = first_at(time, day=day, not_before=bound, zone=zone)

    assert found >= max(bound, first_instant(day, zone))
    candidates = [at_local_time(day.add(days=n), time, zone=zone) for n in range(6)]
    assert found == min(moment for moment in candidates if moment >= bound)
