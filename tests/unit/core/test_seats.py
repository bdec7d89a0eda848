"""Who takes a seat: not who has expired, and nobody in a pool that has ended."""

from dataclasses import replace

import pytest
from whenever import Date, Instant

from offramp.core.seats import count_seats, has_left
from offramp.testing.builders import ZONE, make_member, make_pool

NOW = Instant.parse_iso("2024-08-20T12:00:00Z")
POOL = make_pool(seats=2)


def count(*members, pool=POOL, now=NOW):
    (found,) = count_seats([pool], members, zone=ZONE, now=now)
    return found.taken, found.free, found.missing


def holders(number):
    return [make_member(f"member-{each}", "pool") for each in range(number)]


@pytest.mark.parametrize(
    ("number", "counted"), [(0, (0, 2, 0)), (1, (1, 1, 0)), (2, (2, 0, 0)), (5, (5, 0, 3))]
)
def test_seats_are_taken_free_or_missing(number, counted):
    assert count(*holders(number)) == counted


@pytest.mark.parametrize(
    ("member", "taken"),
    [
        (make_member("anna", "pool", ends="2024-08-19"), 0),
        (make_member("anna", "pool", ends="2024-08-20"), 1),  # this is the last day
        (make_member("anna", "pool", removed_at="2024-08-20T12:00:00Z"), 0),
        (make_member("anna", "another"), 0),
        (
            replace(make_member("anna", "pool"), product_ends={"training": Date(2024, 8, 1)}),
            0,
        ),
        (replace(make_member("anna", "pool"), product_ends={"notes": Date(2024, 8, 1)}), 1),
    ],
)
def test_who_has_expired_takes_none_B11(member, taken):
    assert count(member)[0] == taken


def test_in_a_pool_that_has_ended_nobody_takes_any_and_none_is_free():
    over = Instant.parse_iso("2024-08-31T00:00:00Z")

    assert count(*holders(3), now=over) == (0, 0, 0)


def test_an_end_in_one_product_is_none_in_another():
    member = replace(make_member(), product_ends={"notes": Date(2024, 8, 1)})

    left = {each: has_left(member, product=each, zone=ZONE, now=NOW) for each in ("notes", "app")}

    assert left == {"notes": True, "app": False}
    assert not has_left(member, product=None, zone=ZONE, now=NOW)
