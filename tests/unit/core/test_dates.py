import pytest
from whenever import Date, Instant, Time, Weekday

from offramp.core.dates import (
    LocalTimeInvalid,
    Period,
    PeriodInvalid,
    WorkCalendar,
    ZoneUnknown,
    at_local_time,
    civil_date,
    effect,
    first_at,
    first_instant,
    last_day_before,
    parse_boundary,
    parse_local_time,
    require_zone,
    shift,
)

DUBLIN = "Europe/Dublin"


def day(text):
    return Date.parse_iso(text)


def instant(text):
    return Instant.parse_iso(text)


# --- periods -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "months", "days", "business_days", "minutes"),
    [
        ("P30D", 0, 30, 0, 0),
        ("P2W", 0, 14, 0, 0),
        ("P12M", 12, 0, 0, 0),
        ("P1Y6M", 18, 0, 0, 0),
        ("P1M2D", 1, 2, 0, 0),
        ("P5B", 0, 0, 5, 0),
        ("PT6H", 0, 0, 0, 360),
        ("PT1H30M", 0, 0, 0, 90),
        ("P0D", 0, 0, 0, 0),
        ("P200Y", 2400, 0, 0, 0),
    ],
)
def test_a_period_is_read_as_it_is_written_T1(text, months, days, business_days, minutes):
    period = Period.parse(text)

    parts = (period.months, period.days, period.business_days, period.minutes)
    assert parts == (months, days, business_days, minutes)
    assert str(period) == text
    assert period.is_exact is ("T" in text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "P",
        "PT",
        "P1",
        "30D",
        "p30d",
        "P1.5D",
        "-P1D",
        "P-1D",
        "P1DT",
        "P1DT2H",
        "P1DT0H",
        "P1MT1H",
        "P5B2D",
        "soon",
        "a month",
        "P٣D",
        "P201Y",
        "P2024Y",
        "PT9999999H",
        "P30D ",
    ],
)
def test_what_is_no_period_is_refused_with_an_expectation_T6(text):
    with pytest.raises(PeriodInvalid) as caught:
        Period.parse(text)

    assert caught.value.expected


def test_no_hours_at_all_are_still_an_exact_period():
    assert Period.parse("PT0H").is_exact


# --- where a day begins ------------------------------------------------------------------------

ODD_DAYS = [
    ("2024-08-31", DUBLIN, "2024-08-30T23:00:00Z"),  # summer time
    ("2024-08-31", "UTC", "2024-08-31T00:00:00Z"),
    ("2011-12-30", "Pacific/Apia", "2011-12-30T10:00:00Z"),  # a day that never was ...
    ("2011-12-31", "Pacific/Apia", "2011-12-30T10:00:00Z"),  # ... and the one that took its place
    ("1993-08-21", "Pacific/Kwajalein", "1993-08-21T12:00:00Z"),
    ("2024-04-26", "Africa/Cairo", "2024-04-25T22:00:00Z"),  # 00:00 does not exist
    ("2018-11-04", "America/Sao_Paulo", "2018-11-04T03:00:00Z"),
    ("2024-03-10", "America/Havana", "2024-03-10T05:00:00Z"),
    ("2024-11-03", "America/Havana", "2024-11-03T04:00:00Z"),  # 00:00 exists twice
    ("2024-03-31", "Asia/Beirut", "2024-03-30T22:00:00Z"),
    ("2008-11-02", "America/St_Johns", "2008-11-02T03:30:00Z"),  # 00:01 goes back to 23:01
    ("1919-03-31", "America/Toronto", "1919-03-31T04:30:00Z"),  # 23:30 becomes 00:30
    ("2024-09-08", "America/Santiago", "2024-09-08T04:00:00Z"),
]


@pytest.mark.parametrize(("text", "zone", "begins"), ODD_DAYS)
def test_a_day_begins_for_good_at_its_first_instant_L1_T3(text, zone, begins):
    assert first_instant(day(text), zone) == instant(begins)


def test_a_last_day_takes_effect_when_the_next_one_begins_T3():
    assert effect(day("2024-08-30"), zone=DUBLIN) == instant("2024-08-30T23:00:00Z")


def test_an_instant_takes_effect_at_itself_T3():
    noon = instant("2024-08-30T12:00:00Z")

    assert effect(noon, zone=DUBLIN) == noon


@pytest.mark.parametrize(
    ("moment", "zone", "expected"),
    [
        ("2024-08-30T22:59:59.999999999Z", DUBLIN, "2024-08-30"),
        ("2024-08-30T23:00:00Z", DUBLIN, "2024-08-31"),
        ("2008-11-02T02:30:30Z", "America/St_Johns", "2008-11-01"),  # 00:00:30, for half a minute
        ("2008-11-02T03:30:00Z", "America/St_Johns", "2008-11-02"),
    ],
)
def test_the_civil_date_of_an_instant_is_the_day_that_has_begun_for_good(moment, zone, expected):
    assert civil_date(instant(moment), zone=zone) == day(expected)


def test_the_last_day_before_a_boundary_is_the_day_that_it_ends():
    boundary = effect(day("2024-08-30"), zone=DUBLIN)

    assert last_day_before(boundary, zone=DUBLIN) == day("2024-08-30")


# --- adding periods ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("start", "period", "backwards", "expected"),
    [
        ("2024-08-30", "P90D", False, "2024-11-28"),
        ("2024-08-30", "P12M", False, "2025-08-30"),
        ("2024-08-30", "P18M", False, "2026-02-28"),
        ("2024-01-31", "P1M", False, "2024-02-29"),
        ("2023-01-31", "P1M", False, "2023-02-28"),
        ("2024-02-29", "P12M", False, "2025-02-28"),
        ("2024-02-29", "P4Y", False, "2028-02-29"),
        ("2024-03-31", "P1M", True, "2024-02-29"),
        ("2024-08-30", "P2W", True, "2024-08-16"),
        ("2024-12-31", "P1D", False, "2025-01-01"),
        ("2024-08-30", "P1B", False, "2024-09-02"),  # Friday to Monday
        ("2024-08-31", "P1B", False, "2024-09-02"),  # Saturday to Monday
        ("2024-09-02", "P1B", True, "2024-08-30"),
        ("2024-08-30", "P5B", False, "2024-09-06"),
    ],
)
def test_a_date_moves_by_a_civil_period_T1(start, period, backwards, expected):
    moved = shift(day(start), Period.parse(period), zone=DUBLIN, backwards=backwards)

    assert moved == day(expected)


def test_ninety_days_and_nine_months_are_not_twelve_months_T1():
    start = day("2024-08-30")
    chained = shift(
        shift(start, Period.parse("P90D"), zone=DUBLIN), Period.parse("P9M"), zone=DUBLIN
    )

    assert chained != shift(start, Period.parse("P12M"), zone=DUBLIN)


def test_holidays_and_other_weekends_are_no_business_days():
    calendar = WorkCalendar(
        weekend=frozenset({Weekday.FRIDAY, Weekday.SATURDAY}),
        holidays=frozenset({Date(2024, 9, 1)}),
    )

    moved = shift(day("2024-08-29"), Period.parse("P1B"), zone=DUBLIN, calendar=calendar)

    assert moved == day("2024-09-02")


@pytest.mark.parametrize(
    ("start", "period", "expected"),
    [
        ("2024-03-30T12:00:00Z", "P1D", "2024-03-31T11:00:00Z"),  # noon stays noon
        ("2024-03-30T12:00:00Z", "PT24H", "2024-03-31T12:00:00Z"),
        ("2024-10-27T00:30:00Z", "P0D", "2024-10-27T00:30:00Z"),  # the first half past one
        ("2024-10-27T01:30:00Z", "P0D", "2024-10-27T01:30:00Z"),  # the second
        ("2024-03-30T01:30:00Z", "P1D", "2024-03-31T01:30:00Z"),  # half past one is skipped
    ],
)
def test_an_instant_keeps_its_local_time_by_civil_periods_alone(start, period, expected):
    assert shift(instant(start), Period.parse(period), zone=DUBLIN) == instant(expected)


def test_hours_after_a_last_day_are_counted_from_its_effect():
    moved = shift(day("2024-08-30"), Period.parse("PT6H"), zone=DUBLIN)

    assert moved == instant("2024-08-31T05:00:00Z")


# --- local times -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "time", "zone", "expected"),
    [
        ("2024-08-16", "09:00", DUBLIN, "2024-08-16T08:00:00Z"),
        ("2024-03-31", "01:30", DUBLIN, "2024-03-31T01:30:00Z"),  # skipped: an hour later
        ("2024-10-27", "01:30", DUBLIN, "2024-10-27T00:30:00Z"),  # twice: the first
        ("2008-11-02", "00:00", "America/St_Johns", "2008-11-02T03:30:00Z"),  # the one that stays
    ],
)
def test_a_local_time_falls_on_its_date_T4(text, time, zone, expected):
    assert at_local_time(day(text), Time.parse_iso(time), zone=zone) == instant(expected)


@pytest.mark.parametrize(
    ("not_before", "expected"),
    [
        ("2024-08-01T00:00:00Z", "2024-08-30T08:00:00Z"),
        ("2024-08-30T08:00:00Z", "2024-08-30T08:00:00Z"),
        ("2024-08-30T08:00:00.000000001Z", "2024-08-31T08:00:00Z"),
        ("2024-08-30T23:00:00Z", "2024-08-31T08:00:00Z"),
        ("2024-11-05T10:00:00Z", "2024-11-06T09:00:00Z"),
    ],
)
def test_the_first_nine_o_clock_is_on_the_day_or_after_the_bound(not_before, expected):
    found = first_at(Time(9), day=day("2024-08-30"), not_before=instant(not_before), zone=DUBLIN)

    assert found == instant(expected)


@pytest.mark.parametrize("text", ["00:00", "09:00", "23:59"])
def test_a_time_of_day_is_hours_and_minutes(text):
    assert parse_local_time(text) == Time.parse_iso(text)


@pytest.mark.parametrize("text", ["24:00", "9:00", "09:60", "0900", "09:00:00", "noon", ""])
def test_any_other_time_of_day_is_refused(text):
    with pytest.raises(LocalTimeInvalid):
        parse_local_time(text)


# --- zones and boundaries ----------------------------------------------------------------------


@pytest.mark.parametrize("zone", ["UTC", DUBLIN, "America/Argentina/Buenos_Aires", "Etc/GMT+5"])
def test_a_zone_of_the_database_is_known(zone):
    assert require_zone(zone) == zone


@pytest.mark.parametrize(
    "zone", ["", "Dublin", "Europe", "GMT+1", "../etc/passwd", "a\0b", "localtime", "Factory"]
)
def test_a_zone_that_is_unknown_or_the_machines_own_is_refused(zone):
    with pytest.raises(ZoneUnknown) as caught:
        require_zone(zone)

    assert "IANA" in caught.value.expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2024-08-30", Date(2024, 8, 30)),
        ("2024-08-30T12:00:00Z", Instant.from_utc(2024, 8, 30, 12)),
        ("2024-08-30T12:00:00+02:00", Instant.from_utc(2024, 8, 30, 10)),
    ],
)
def test_a_boundary_is_a_date_or_an_instant(text, expected):
    assert parse_boundary(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "soon",
        "2024-02-30",
        "30.08.2024",
        "2024-08-30T12:00:00",
        "2024-08-30 12:00",
        "9999-12-31",
        "0001-01-01",
        "9999-12-31T23:59:59Z",
    ],
)
def test_what_is_no_boundary_or_only_stands_in_for_one_is_refused(text):
    with pytest.raises(ValueError, match=r"."):
        parse_boundary(text)
