"""A new version of a policy shows which dates it moves, and which way (S4)."""

import pytest
from whenever import Date

from offramp.core.compare import Shift, compare
from offramp.core.model import Facts, SubjectKind
from offramp.core.policy import Policy

FACTS = Facts(kind=SubjectKind.ORGANIZATION, zone="UTC", anchors={"expiry": Date(2024, 8, 30)})


def version(*, expired="expiry", notice="expiry - P14D", erase="expiry + P30D"):
    steps = [{"id": "notice", "at": notice, "notify": "admins"}] if notice else []
    return Policy.model_validate(
        {
            "offramp": 1,
            "policy": "small",
            "version": 1,
            "applies_to": ["organization"],
            "stages": [
                {"id": "active", "access": {"*": "full"}},
                {"id": "expired", "from": expired, "access": {"*": "none"}},
                {"id": "erased", "from": "erase", "access": {"*": "none"}},
            ],
            "steps": [*steps, {"id": "erase", "at": erase, "erase": "organization"}],
        }
    )


@pytest.mark.parametrize(
    ("old", "new", "key", "shift", "needs_act"),
    [
        ({}, {"erase": "expiry + P40D"}, "erase", Shift.LATER, False),
        ({}, {"erase": "expiry + P20D"}, "erase", Shift.EARLIER, True),
        ({}, {"erase": "never"}, "erase", Shift.REMOVED, False),
        ({"erase": "never"}, {}, "erase", Shift.ADDED, True),
        ({}, {"expired": "expiry + P1D"}, "stage:expired", Shift.LATER, False),
        ({"expired": "expiry + P1D"}, {}, "stage:expired", Shift.EARLIER, True),
        ({}, {"notice": "expiry - P30D"}, "notice", Shift.EARLIER, False),
        ({}, {"notice": ""}, "notice", Shift.REMOVED, False),
    ],
)
def test_only_what_takes_something_away_sooner_needs_an_act(old, new, key, shift, needs_act):
    moves = compare(version(**old), version(**new), FACTS)

    assert [(m.key, m.shift, m.needs_act) for m in moves] == [(key, shift, needs_act)]


def test_both_dates_are_told():
    (move,) = compare(version(), version(erase="expiry + P40D"), FACTS)

    assert (move.was_on, move.becomes_on) == (Date(2024, 9, 29), Date(2024, 10, 9))


def test_the_same_version_moves_nothing():
    assert compare(version(), version(), FACTS) == ()
