"""A hold on one data category: that stays with what it needs, and a release goes on (S6)."""

import json

import pytest
from whenever import Instant

from offramp.core.transitions import OffboardingStatus, StepStatus
from offramp.data.category import CategoryUnknown
from offramp.data.erasure.held import HoldCoversNothing
from offramp.engine.brake import place_hold, release_hold
from tests.simulation.stories import open_world

BEFORE = Instant.parse_iso("2024-09-20T00:00:00Z")
AFTER = Instant.parse_iso("2024-10-02T00:00:00Z")
LATER = Instant.parse_iso("2024-10-20T00:00:00Z")
AWARDS, CONTENT = "user.behavior", "user.content"  # badges alone; notes, recordings and badges


@pytest.fixture
def world(app):
    return open_world(app, "license-pool")


def hold(world, category, **more):
    return place_hold(
        world.context, "acme", owner="legal", reason="dispute", category=category, **more
    )


def erasure(world):
    with world.store.transaction() as transaction:
        (row,) = [r for r in transaction.offboardings("acme") if not r.subject.member]
        steps = {step.key: step for step in transaction.steps(row.id)}
    return row, steps["erase"]


def certificates(world, name):
    return [
        json.loads(content)["certificate"]
        for file, content in sorted(world.vault.files.items())
        if f"/{name}" in file
    ]


def test_what_is_held_stays_as_it_was_with_what_it_needs_and_the_rest_goes_L25(world, app):
    before, beta = app.dump("acme"), app.dump("beta")
    world.run_until(BEFORE)
    hold(world, AWARDS)

    world.run_until(AFTER)

    after = app.dump("acme")
    assert {name for name in ("organizations", "people", "badges") if before[name] == after[name]}
    assert [before[n] == after[n] for n in ("organizations", "people", "badges")] == [True] * 3
    assert after["notes"] == after["recordings"] == []
    assert before["notes"]
    assert app.dump("beta") == beta
    _, step = erasure(world)
    assert (step.status, step.reason) == (
        StepStatus.HELD,
        "a data category is held: user.behavior",
    )
    assert world.keys.has_key("acme")


def test_the_part_is_certified_and_names_what_is_held_and_what_waits_for_it_L25_L28(world, app):
    world.run_until(BEFORE)
    hold(world, AWARDS)

    world.run_until(AFTER)

    (part,) = certificates(world, "certificate-held-")
    assert part["certificate"] == "erasure in part"
    assert part["held"] == {"app.badges": [AWARDS]}
    assert part["waiting"] == {"app.people": "app.badges", "app.organizations": "app.badges"}
    assert set(part["tables"]) == {"app.notes", "app.recordings"}
    assert certificates(world, "certificate.json") == []


def test_a_released_hold_lets_the_rest_go_by_itself_L25(world, app):
    world.run_until(BEFORE)
    placed = hold(world, AWARDS)
    world.run_until(AFTER)

    release_hold(world.context, placed.id)
    world.run_until(LATER)

    row, step = erasure(world)
    assert (row.status, step.status) == (OffboardingStatus.COMPLETED, StepStatus.DONE)
    assert app.total("acme") == 0
    (whole,) = certificates(world, "certificate.json")
    assert whole["tables"]["app.notes"] > 0, "the whole certificate counts both parts"
    assert whole["tables"]["app.badges"] > 0
    assert not world.keys.has_key("acme")


def test_a_hold_that_ends_lets_the_rest_go_by_itself_L25(world, app):
    world.run_until(BEFORE)
    hold(world, AWARDS, ends_at=Instant.parse_iso("2024-10-10T00:00:00Z"))

    world.run_until(AFTER)
    held = app.total("acme")
    world.run_until(LATER)

    assert held > 0
    assert app.total("acme") == 0


def test_of_two_holds_the_released_one_lets_its_own_part_go_L25(world, app):
    world.run_until(BEFORE)
    hold(world, AWARDS)
    wider = hold(world, CONTENT)
    before = app.rows("acme")

    world.run_until(AFTER)
    both = app.rows("acme")
    release_hold(world.context, wider.id)
    world.run_until(LATER)

    assert both == before
    assert app.rows("acme") == before | {"notes": 0, "recordings": 0}
    assert len(certificates(world, "certificate-held-")) == 2


def test_a_hold_that_is_placed_between_two_chunks_keeps_what_is_left_L18_L25(world, app):
    world.run_until(BEFORE)
    seen = {}

    def intervene():
        seen.update(app.rows("acme"))
        hold(world, "user")

    world.meanwhile("chunk recorded", intervene)
    world.run_until(LATER)

    assert sum(seen.values()) > 0
    assert app.rows("acme") == seen


def test_a_hold_on_everything_still_holds_everything_L25(world, app):
    world.run_until(BEFORE)
    hold(world, AWARDS)
    place_hold(world.context, "acme", owner="legal", reason="all of it")
    before = app.dump("acme")

    world.run_until(AFTER)

    assert app.dump("acme") == before


@pytest.mark.parametrize(
    ("category", "error"),
    [
        ("user.behaviour", CategoryUnknown),
        ("*", CategoryUnknown),
        ("user.sensor", HoldCoversNothing),
    ],
)
def test_a_hold_that_would_hold_nothing_is_refused_L16_L26(world, category, error):
    with pytest.raises(error):
        hold(world, category)
