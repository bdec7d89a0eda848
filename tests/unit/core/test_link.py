"""How long a link lives, and what its reader may be promised (L14)."""

import pytest
from whenever import Date, Instant

from offramp.core.link import LinkState, last_day_of, link_ends_at, state_of

DUBLIN, AUCKLAND, APIA = "Europe/Dublin", "Pacific/Auckland", "Pacific/Apia"


def at(text):
    return Instant.parse_iso(text)


MAILED = at("2024-09-22T08:00:00Z")
ENDS = at("2024-10-22T23:00:00Z")  # the end of the day in Dublin


@pytest.mark.parametrize(
    ("mailed", "days", "zone", "expected"),
    [
        (MAILED, 30, DUBLIN, ENDS),
        (MAILED, 30, AUCKLAND, at("2024-10-22T11:00:00Z")),
        (MAILED, 1, "UTC", at("2024-09-24T00:00:00Z")),
        (at("2024-09-22T23:30:00Z"), 1, DUBLIN, at("2024-09-24T23:00:00Z")),
        (at("2024-09-22T08:00:00Z"), 60, DUBLIN, at("2024-11-22T00:00:00Z")),
        (at("2011-12-28T08:00:00Z"), 2, APIA, at("2011-12-30T10:00:00Z")),
    ],
    ids=str,
)
def test_a_link_lives_for_whole_days_of_its_reader_from_its_mail_on_L14(
    mailed, days, zone, expected
):
    assert link_ends_at(mailed, days=days, zone=zone) == expected


@pytest.mark.parametrize(
    ("erases_at", "now", "expected"),
    [
        (None, MAILED, Date(2024, 10, 22)),
        (at("2024-12-01T02:00:00Z"), MAILED, Date(2024, 10, 22)),
        (at("2024-09-29T02:00:00Z"), MAILED, Date(2024, 9, 28)),
        (at("2024-09-28T23:30:00Z"), MAILED, Date(2024, 9, 28)),  # the 29th in Dublin
        (at("2024-09-22T02:00:00Z"), MAILED, Date(2024, 9, 22)),
        (at("2024-09-20T02:00:00Z"), MAILED, Date(2024, 9, 22)),
    ],
    ids=str,
)
def test_no_day_is_promised_on_which_the_data_may_be_gone(erases_at, now, expected):
    day = last_day_of(ENDS, erases_at=erases_at, zone=DUBLIN, now=now)

    assert day == expected


@pytest.mark.parametrize(
    ("revoked_at", "has_file", "now", "expected"),
    [
        (None, True, MAILED, LinkState.ALIVE),
        (None, True, ENDS.subtract(nanoseconds=1), LinkState.ALIVE),
        (None, True, ENDS, LinkState.EXPIRED),
        (MAILED, True, MAILED, LinkState.REVOKED),
        (MAILED, True, ENDS, LinkState.REVOKED),
        (None, False, MAILED, LinkState.GONE),
        (MAILED, False, ENDS, LinkState.GONE),
    ],
    ids=str,
)
def test_a_link_leads_somewhere_until_the_first_thing_that_ends_it(
    revoked_at, has_file, now, expected
):
    state = state_of(expires_at=ENDS, revoked_at=revoked_at, has_file=has_file, now=now)

    assert state is expected
