"""People act in the middle of a deletion, and always win; at the latest after one chunk."""

import pytest
from whenever import Date

from offramp.adapters.store.connection import connect
from offramp.adapters.store.migration import migrate
from offramp.adapters.store.store import SqlStore
from offramp.engine import brake
from offramp.engine import offboarding as deeds
from offramp.ports import DeletionInFlight
from tests.simulation.laws import Laws
from tests.simulation.stories import LONG_AFTER, open_world

POLICY = "license-pool"


def reactivate(world):
    deeds.reactivate(world.context, "acme", until=Date(2030, 1, 1))


def hold(world):
    brake.place_hold(world.context, "acme", owner="legal", reason="dispute")


def pause(world):
    brake.set_paused(world.context, is_paused=True)


def extend(world):
    deeds.extend(world.context, "acme", until=Date(2030, 1, 1))


def exempt(world):
    brake.set_exempt(world.context, "acme", is_exempt=True)


DEEDS = (reactivate, extend, hold, pause, exempt)


@pytest.fixture(params=["memory", "sqlite"])
def world(request, app, tmp_path):
    if request.param == "memory":
        yield open_world(app, POLICY)
        return
    engine = connect(f"sqlite:///{tmp_path / 'store.sqlite'}")
    migrate(engine)
    yield open_world(app, POLICY, store=SqlStore(engine, ledger_key=b"k" * 32))
    engine.dispose()


@pytest.mark.parametrize("deed", DEEDS)
def test_between_two_chunks_a_person_stops_a_deletion_at_once(world, app, deed):
    """L18, L25, B4: not one more row goes."""
    left = []

    def act():
        deed(world)
        left.append(app.total("acme"))

    world.meanwhile("chunk recorded", act, occurrence=3)

    world.run_until(LONG_AFTER[POLICY])

    assert 0 < left[0] < 12
    assert app.total("acme") == left[0]


@pytest.mark.parametrize("deed", DEEDS)
def test_inside_a_chunk_nobody_is_promised_what_cannot_be_kept(world, app, deed):
    """L18: whoever asks while rows are going is told that a deletion is in flight."""
    told = []

    def act():
        with pytest.raises(DeletionInFlight):
            deed(world)
        told.append(world.now)

    world.meanwhile("chunk fenced", act, occurrence=3)

    world.run_until(LONG_AFTER[POLICY])

    assert told
    assert app.total("acme") == 0


@pytest.mark.parametrize("deed", DEEDS)
def test_who_was_frozen_in_a_chunk_for_too_long_takes_it_back(world, app, deed):
    """L18: the fence was lost to a person who won, so nothing that was in hand is kept."""
    left = []

    def act():
        world.stall(seconds=3600)
        deed(world)
        left.append(app.total("acme"))

    world.meanwhile("chunk fenced", act, occurrence=3)

    world.run_until(LONG_AFTER[POLICY])

    assert 0 < left[0] < 12
    assert app.total("acme") == left[0]


def test_who_was_frozen_and_finds_nobody_there_goes_on(world, app):
    """L18: a fence that nobody wanted is as good as ever."""
    world.meanwhile("chunk fenced", lambda: world.stall(seconds=3600), occurrence=3)

    world.run_until(LONG_AFTER[POLICY])

    assert app.total("acme") == 0


def test_a_released_hold_lets_the_deletion_go_on_where_it_was(world, app):
    """L25: nobody has to start it again."""
    placed = []

    def act():
        placed.append(brake.place_hold(world.context, "acme", owner="legal", reason="dispute"))

    world.meanwhile("chunk recorded", act, occurrence=3)
    world.run_until(LONG_AFTER[POLICY])
    left = app.total("acme")

    brake.release_hold(world.context, placed[0].id)
    world.run_until(world.now.add(hours=1))

    assert left > 0
    assert app.total("acme") == 0


def test_a_hold_that_ends_by_itself_lets_the_deletion_begin_by_itself(world, app):
    """L25."""
    Laws(world, app, POLICY)
    ends_at = LONG_AFTER[POLICY].add(hours=5)
    brake.place_hold(world.context, "acme", owner="legal", reason="dispute", ends_at=ends_at)

    world.run_until(LONG_AFTER[POLICY])
    left = app.total("acme")
    world.run_until(ends_at)

    assert left > 0
    assert app.total("acme") == 0
