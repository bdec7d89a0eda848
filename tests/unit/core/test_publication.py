"""What becomes of those who are leaving when a new version of their policy is published (S4)."""

import pytest
from whenever import Date, Instant

from offramp.core.compare import Shift
from offramp.core.model import Facts, SubjectKind
from offramp.core.policy import Action, Policy
from offramp.core.publication import Effect, Fate, fate_of, passage, scope_changes

ZONES = ("Pacific/Auckland", "UTC", "America/Los_Angeles")
ENDS = Date(2024, 8, 30)
BEFORE, AFTER = Instant.from_utc(2024, 8, 1), Instant.from_utc(2024, 8, 17)


def version(number, *, notice="expiry - P14D", erase="expiry + P30D", reading="P30D", **changes):
    return Policy.model_validate(
        {
            "offramp": 1,
            "policy": "small",
            "version": number,
            "applies_to": ["organization", "member"],
            "periods": {"reading": {"value": "P30D", "at_least": reading}},
            "stages": [
                {"id": "active", "access": {"*": "full"}},
                {"id": "expired", "from": "expiry", "access": {"*": "none"}},
                {"id": "closed", "from": "expiry + reading", "access": {"*": "none"}},
            ],
            "steps": [
                {"id": "notice", "at": notice, "notify": "admins"},
                {"id": "erase", "at": erase, "erase": "organization"},
            ],
            **changes,
        }
    )


def facts(zone="UTC", *, ends=ENDS, overrides=None):
    return Facts(
        kind=SubjectKind.ORGANIZATION,
        zone=zone,
        anchors={"expiry": ends},
        overrides=overrides or {},
    )


OLD, SOONER = version(1), version(2, notice="expiry - P21D", erase="expiry + P20D")


@pytest.mark.parametrize(
    ("has_begun", "now", "overrides", "expected"),
    [
        (False, BEFORE, {}, Fate.TAKES_OVER),
        (True, BEFORE, {}, Fate.TOLD),
        (False, AFTER, {}, Fate.TOLD),  # its first date has passed, whoever has carried it out
        (False, BEFORE, {"reading": "P10D"}, Fate.UNFIT),
        (True, BEFORE, {"reading": "P10D"}, Fate.TOLD),
        (False, BEFORE, {"reading": "P60D"}, Fate.TAKES_OVER),
    ],
)
def test_only_who_was_told_nothing_and_may_be_dated_by_it_takes_a_version_over(
    has_begun, now, overrides, expected
):
    known = passage(OLD, SOONER, facts(overrides=overrides))

    assert fate_of(known, has_begun=has_begun, now=now) is expected


def test_the_first_date_itself_is_announced_and_the_moment_before_is_not():
    known = passage(OLD, SOONER, facts())
    due_at = known.began_at

    fates = [fate_of(known, has_begun=False, now=at) for at in (due_at.subtract(seconds=1), due_at)]

    assert fates == [Fate.TAKES_OVER, Fate.TOLD]


def test_who_has_no_date_in_the_older_version_was_told_nothing():
    known = passage(OLD, SOONER, facts(ends=None))

    assert fate_of(known, has_begun=False, now=AFTER) is Fate.TAKES_OVER


def test_the_next_date_of_who_takes_it_over_is_the_first_of_the_new_version():
    known = passage(OLD, SOONER, facts("Pacific/Auckland"))

    first = known.begins_at.to_tz("Pacific/Auckland")
    assert (first.date(), first.hour) == (Date(2024, 8, 9), 9)


def test_an_effect_counts_what_moves_by_step_and_what_stays_as_it_was_told():
    effect = Effect()
    for number, zone in enumerate(ZONES):
        known = passage(OLD, SOONER, facts(zone, ends=Date(2024, 8, 30 - number)))
        effect.count(known, Fate.TAKES_OVER)
    effect.count(passage(OLD, SOONER, facts(ends=Date(2024, 7, 1))), Fate.TOLD)

    notice, erase = effect.steps()

    assert effect.in_flight == 4
    assert effect.fates == {Fate.TAKES_OVER: 3, Fate.TOLD: 1}
    assert (notice.key, notice.first_on, notice.spared) == ("notice", Date(2024, 8, 7), 1)
    assert (erase.action, erase.first_on, erase.spared) == (Action.ERASE, Date(2024, 9, 17), 1)
    assert notice.moves == {
        Shift.EARLIER: 3,
        Shift.LATER: 0,
        Shift.ADDED: 0,
        Shift.REMOVED: 0,
    }


def test_a_date_that_would_come_later_is_not_counted_as_spared():
    effect = Effect()

    effect.count(passage(SOONER, OLD, facts()), Fate.TOLD)

    assert effect.steps() == ()


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, ()),
        ({"clock": "product"}, ("clock",)),
        ({"expiry": "instant"}, ("expiry",)),
        ({"applies_to": ["organization"]}, ("applies_to",)),
        ({"title": "Another title"}, ()),
    ],
)
def test_what_decides_who_leaves_and_when_is_named_where_it_changes(changes, expected):
    assert scope_changes(OLD, version(2, **changes)) == expected
