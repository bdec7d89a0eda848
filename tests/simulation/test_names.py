"""No person is named in what is written down about the work: ledger, outbox, reports (L41).

Every story of the simulation is searched for every name and address in it; here it is seen that
the search finds them. Holds and unlocks of the stories name people on purpose.
"""

import pytest

from offramp.core.ledger import Event
from offramp.engine import brake
from offramp.ports import OutboxEvent
from tests.simulation.laws import Finding, Laws
from tests.simulation.stories import open_world
from tests.simulation.story import Story

NAMES = ("acme Ltd", "Acme Owner", "guest@acme.example")


@pytest.fixture
def world(app):
    return open_world(app, "license-pool")


def write_to_ledger(world, name):
    with world.store.transaction() as transaction:
        transaction.append([Event(kind="noted", at=world.now, detail={"by": name})])


def put_into_outbox(world, name):
    detail = {"product": None, "offboarding": "id-0001", "stage": name}
    event = OutboxEvent(
        id="1", kind="stage-changed", at=world.now, organization="acme", detail=detail
    )
    with world.store.transaction() as transaction:
        transaction.put_events([event])


def report(world, name):
    world.context.report("noted", {"by": name})


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("write", [write_to_ledger, put_into_outbox, report])
def test_a_name_is_found_wherever_it_is_written(world, app, write, name):
    laws = Laws(world, app, "license-pool")

    write(world, name)

    with pytest.raises(Finding, match="a person is named"):
        laws.after_each_deed()


def test_what_an_operator_writes_about_a_person_stays_in_the_store(world, app):
    laws = Laws(world, app, "license-pool")

    brake.place_hold(world.context, "acme", owner=NAMES[2], reason=f"a dispute with {NAMES[1]}")

    laws.after_each_deed()


@pytest.mark.parametrize("seed", [4, 5])  # one of each policy
def test_a_whole_story_leaves_a_ledger_without_a_name(app, seed):
    story = Story(app, seed)

    story.tell()

    story.laws.nobody_is_named(repr([entry.event for entry in story.laws.entries]))
    assert len(story.laws.entries) > 20
