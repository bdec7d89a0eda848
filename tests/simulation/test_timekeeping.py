"""The clock goes back: nothing is destroyed until it has caught up, and somebody is told."""

from dataclasses import replace

import pytest
from whenever import Instant

from offramp.adapters.clock import SystemClock
from offramp.core.due import Reason
from offramp.engine import brake
from offramp.engine.overview import look
from offramp.engine.replay import ReplayOutOfTime, unless_paused
from offramp.engine.sweep import run_until_quiet
from offramp.engine.timekeeping import BEHIND_SECONDS_MAX
from tests.simulation.stories import open_world

POLICY = "license-pool"
BEFORE = Instant.from_utc(2024, 9, 28, 12)
DELETED_AT = Instant.from_utc(2024, 9, 29, 1)
LATER = Instant.from_utc(2024, 12, 1)


@pytest.fixture
def world(app):
    """Give a world on the day before the deletion."""
    world = open_world(app, POLICY)
    world.run_until(BEFORE)
    return world


def somebody_saw(world, at):
    """Let another process, whose clock is another one, have been there."""
    with world.store.transaction() as transaction:
        transaction.see(at)


def alarms(world):
    with world.store.transaction() as transaction:
        events = transaction.events(limit=1000)
    return [event for event in events if event.kind == "clock-went-back"]


def test_what_was_later_before_stops_every_deletion_until_then_L6(world, app):
    somebody_saw(world, LATER)

    world.run_until(LATER.subtract(hours=1))
    left = app.total("acme")
    world.run_until(LATER.add(hours=1))

    assert left > 0
    assert app.total("acme") == 0


def test_the_reason_and_the_time_are_shown_L6(world):
    somebody_saw(world, LATER)

    world.run_until(DELETED_AT)

    overview = look(world.context)
    (blocked,) = (step for leaving in overview.standings[0].leaving for step in leaving.blocked)
    assert overview.clock_until == LATER.add(seconds=BEHIND_SECONDS_MAX)
    assert (blocked.reason, blocked.until) == (Reason.CLOCK, overview.clock_until)


def test_the_alarm_is_raised_once_L6(world):
    somebody_saw(world, LATER)

    world.run_until(LATER.add(hours=1))

    (alarm,) = alarms(world)
    assert (alarm.organization, alarm.at) == (None, BEFORE)


def test_a_person_may_say_that_the_clock_is_right_now_L6(world, app):
    """It was ahead by a mistake, and nobody wants to wait until it is as late as that."""
    somebody_saw(world, LATER)
    world.run_until(DELETED_AT)

    brake.trust_clock(world.context)
    world.run_until(DELETED_AT.add(hours=1))

    assert app.total("acme") == 0


def test_notices_go_out_all_the_same_L6(app):
    world = open_world(app, POLICY)
    somebody_saw(world, LATER)

    world.run_until(BEFORE)

    told = {sent.message.subject for sent in world.mail.sent}
    assert {"expiring-soon", "achievements", "company-data"} <= told


def test_clocks_that_differ_a_little_stop_nothing_L6(world, app):
    world.run_until(DELETED_AT.subtract(seconds=1))
    somebody_saw(world, world.now.add(seconds=BEHIND_SECONDS_MAX))

    world.run_until(DELETED_AT)

    assert app.total("acme") == 0
    assert alarms(world) == []


def test_between_two_chunks_too_L6(world, app):
    """Somebody whose clock is ahead was there, and nobody knows who is right."""
    world.meanwhile("chunk recorded", lambda: somebody_saw(world, LATER), occurrence=3)

    world.run_until(BEFORE.add(hours=24))

    assert 0 < app.total("acme") < 12


def test_a_replay_waits_as_well_L6(world):
    somebody_saw(world, LATER)

    with pytest.raises(ReplayOutOfTime), unless_paused(world.context):
        pass


class Machine:
    """The machine's own clock, which somebody may set."""

    def __init__(self, at):
        self.at = at

    def __call__(self):
        return self.at


def test_a_worker_that_runs_when_the_clock_is_set_back_notices_it_L6(world, app):
    """Its own time stands still meanwhile, so what is due by it is not to be trusted either."""
    machine = Machine(DELETED_AT)
    context = replace(world.context, clock=SystemClock(machine))
    context.clock.now()

    machine.at = DELETED_AT.subtract(hours=1)
    run_until_quiet(context)
    left = app.total("acme")
    machine.at = DELETED_AT.add(seconds=BEHIND_SECONDS_MAX)
    run_until_quiet(context)

    assert left > 0
    assert len(alarms(world)) == 1
    assert app.total("acme") == 0


def test_how_late_it_was_is_known_to_the_next_process_L6(world):
    with world.store.transaction() as transaction:
        seen_at = transaction.seen_at()

    assert BEFORE.subtract(hours=24 * 7) < seen_at <= BEFORE
