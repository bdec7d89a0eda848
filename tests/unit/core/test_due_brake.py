"""What stops every deletion at once, and what of it counts as about to begin."""

import pytest

from offramp.core.due import BULK_LOOK_HOURS, Held, Reason, Run, Wait, agenda, begins_at
from offramp.testing.builders import make_hold, make_situation
from tests.unit.core.test_due import ALL, ERASE, ERASE_AT, TIMELINE, verdict_on


def test_too_many_at_once_are_held_until_two_people_have_armed_it_L26():
    assert verdict_on("erase", is_bulk=True) == Held(planned=ERASE, reason=Reason.BULK)
    assert isinstance(verdict_on("achievements", (), is_bulk=True), Run)


def test_what_is_held_because_there_are_many_is_looked_at_again_within_the_hour_L26():
    situation = make_situation(TIMELINE, ALL, is_bulk=True)

    found = agenda(situation, now=ERASE_AT)

    assert [verdict.reason for verdict in found.blocked] == [Reason.BULK]
    assert found.look_again_at == ERASE_AT.add(hours=BULK_LOOK_HOURS)


def test_a_clock_that_went_back_puts_a_deletion_off_until_it_has_caught_up_L6():
    until = ERASE_AT.add(hours=5)

    waiting = verdict_on("erase", clock_until=until)

    assert waiting == Wait(planned=ERASE, reason=Reason.CLOCK, until=until)
    assert isinstance(verdict_on("achievements", (), clock_until=until), Run)


@pytest.mark.parametrize(
    ("known", "at"),
    [
        ({}, ERASE_AT),
        ({"is_paused": True}, ERASE_AT),
        ({"is_bulk": True}, ERASE_AT),
        ({"is_capped": True}, ERASE_AT),
        ({"clock_until": ERASE_AT}, ERASE_AT),
        ({"is_exempt": True}, None),
        ({"is_paused": True, "is_exempt": True}, None),
        ({"holds": (make_hold("2024-01-01T00:00:00Z"),)}, None),
        ({"abandoned": frozenset({"erase"})}, None),
        ({"abandoned": frozenset({"company-data"})}, None),
        ({"begun": frozenset({"erase"})}, None),
    ],
)
def test_a_deletion_is_to_begin_unless_it_has_or_is_stopped_alone_L26(known, at):
    situation = make_situation(TIMELINE, ALL, **known)

    assert begins_at(situation, now=ERASE_AT.subtract(hours=30)) == at
