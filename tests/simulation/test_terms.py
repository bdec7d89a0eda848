"""A renewal begins a new term, an extension corrects the present one."""

import pytest
from whenever import Date, Instant

from offramp.engine import offboarding as deeds
from tests.simulation.stories import open_world

ANNOUNCED = Instant.from_utc(2024, 8, 20)
LATER = Date(2024, 10, 31)


@pytest.fixture
def world(app):
    world = open_world(app, "license-pool")
    world.run_until(ANNOUNCED)
    return world


def whole(world):
    with world.store.transaction() as transaction:
        rows = [r for r in transaction.offboardings("acme") if r.subject.member is None]
        return rows[-1], {step.key for step in transaction.steps(rows[-1].id) if step.receipt}


def test_an_extension_leaves_what_was_announced_and_moves_the_rest_T8(world):
    deeds.extend(world.context, "acme", until=LATER)

    row, done = whole(world)
    assert (row.episode, row.ends, done) == (1, LATER, {"expiring-soon"})
    assert row.next_due_at == Instant.from_utc(2024, 11, 1)


def test_a_notice_that_was_missed_is_given_once_the_end_is_later_T7_T8(app):
    world = open_world(app, "license-pool")
    world.lie_still_until(Instant.from_utc(2024, 8, 31, hour=12))
    world.run_until(Instant.from_utc(2024, 9, 1))
    missed = whole(world)[1]

    deeds.extend(world.context, "acme", until=LATER)
    world.run_until(Instant.from_utc(2024, 10, 18))

    row, _ = whole(world)
    with world.store.transaction() as transaction:
        warned = next(s for s in transaction.steps(row.id) if s.key == "expiring-soon")
    assert "expiring-soon" in missed
    assert (row.episode, warned.status.value) == (1, "done")
    assert warned.receipt.done_at == Instant.from_utc(2024, 10, 17, hour=8)


def test_a_renewal_announces_the_end_of_the_next_term_again_L9_T8(world):
    deeds.renew(world.context, "acme", until=LATER)

    row, done = whole(world)
    assert (row.episode, row.ends, done) == (2, LATER, set())
    assert row.next_due_at == Instant.from_utc(2024, 10, 17, hour=8)
