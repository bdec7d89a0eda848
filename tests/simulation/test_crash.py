"""A process may die at every point of every step, once, and nothing comes of it but minutes.

The points are those that a run without a crash passes. Each is a death of its own: the process
ends there, its memory is lost, its claims run out, and another one goes on (L32, L42).
"""

import pytest

from offramp.testing.world import Crash
from tests.simulation.stories import LONG_AFTER, open_world, rest_of

POLICIES = tuple(LONG_AFTER)


def run(app, policy, *deaths):
    world = open_world(app, policy)
    world.die_at(*deaths)
    world.run_until(LONG_AFTER[policy])
    return world


def differences(expected, found):
    return {key: (expected[key], found[key]) for key in expected if expected[key] != found[key]}


@pytest.mark.parametrize("policy", POLICIES)
def test_a_crash_at_any_point_ends_in_the_same_state_as_none(app, policy):
    """L32: same receipts, same rows, same certificates, nothing lost and nothing done twice."""
    undisturbed = run(app, policy)
    expected = rest_of(undisturbed, app)

    for number, point in enumerate(undisturbed.points):
        world = run(app, policy, number)

        told = "\n".join([f"died at {number}: {point}", *world.trace])
        assert differences(expected, rest_of(world, app)) == {}, told
        ids = [sent.message.id for sent in world.mail.sent]
        assert len(ids) == len(set(ids)), told


@pytest.mark.parametrize("policy", POLICIES)
def test_two_crashes_in_a_row_change_nothing_either(app, policy):
    """L32: the process that takes over dies at its first point as well."""
    undisturbed = run(app, policy)
    expected = rest_of(undisturbed, app)

    for number in range(0, len(undisturbed.points), 7):
        world = run(app, policy, number, number + 1, number + 2)

        assert differences(expected, rest_of(world, app)) == {}, "\n".join(world.trace)


def test_the_undisturbed_run_passes_every_point_of_the_protocol(app):
    """L42: a point that is passed by no story would be a death that nobody has tried."""
    points = {point for policy in POLICIES for point in run(app, policy).points}

    assert points == {
        *("claimed uncommitted", "claimed", "started", "performed", "verified"),
        *("receipt written", "receipt", "settled uncommitted"),
        *("fanned out", "sending", "mail accepted", "delivery saved", "document written"),
        *("tombstone taken", "chunk fenced", "chunk committed", "chunk recorded"),
        *("rows gone", "key destroyed", "certificate written"),
    }


def test_a_crash_is_no_error_that_anybody_could_catch():
    assert not issubclass(Crash, Exception)
