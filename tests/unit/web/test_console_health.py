"""Health in the console: what works, what does not, and what helps."""

from dataclasses import replace

import pytest
from whenever import Instant

from offramp.core.operator import OperatorRole
from offramp.engine.brake import set_daily_cap, set_paused
from offramp.engine.checkup import State, check_up
from offramp.engine.sweep import tick
from offramp.testing.vault import MemoryVault
from offramp.testing.world import World
from tests.unit.web.office import filled_office

PAGE = "/console/health"


class SmallVault(MemoryVault):
    room = 0

    def room_bytes(self):
        return self.room


@pytest.fixture
def office():
    office = filled_office("acme")
    office.world.run_until(Instant.from_utc(2024, 8, 20))
    tick(office.context)
    return office


def states(context):
    return {sign.title: sign.state for sign in check_up(context).signs}


def test_where_everything_works_every_sign_is_well(office):
    found = states(office.context)

    assert set(found.values()) <= {State.WELL, State.WATCH}
    assert found["Workers"] is State.WELL
    assert found["Lateness"] is State.WELL


def test_before_a_worker_has_ever_swept_the_page_says_so():
    world = World(Instant.from_utc(2024, 8, 1))

    assert states(world.context)["Workers"] is State.ILL


def test_workers_that_went_silent_and_what_became_late_come_first(office):
    office.world.lie_still_until(Instant.from_utc(2024, 9, 3))

    page = office.signed_in(OperatorRole.VIEWER).get(PAGE).text
    first, second, *_ = check_up(office.context).signs

    assert {first.title, second.title} == {"Workers", "Lateness"}
    assert "None has swept for 14 days." in page
    assert "offramp worker" in page


def test_a_pause_is_to_be_looked_at_and_a_cap_is_told(office):
    set_daily_cap(office.context, 7)
    assert "At most 7 begin within a day." in office.signed_in().get(PAGE).text

    set_paused(office.context, is_paused=True)
    assert states(office.context)["Deletion"] is State.WATCH


def test_what_was_given_up_is_told_with_the_way_to_mend_it(office):
    office.world.run_until(Instant.from_utc(2024, 11, 1))

    assert states(office.context)["Given up"] is State.ILL
    assert "mend the cause, then retry" in office.signed_in().get(PAGE).text


@pytest.mark.parametrize(
    ("room", "state"),
    [(50_000_000_000, State.WELL), (2_000_000_000, State.WATCH), (1_000, State.ILL)],
)
def test_a_disk_that_fills_is_told_before_it_is_full(office, room, state):
    vault = SmallVault()
    vault.room = room

    assert states(replace(office.context, vault=vault))["Disk"] is state
