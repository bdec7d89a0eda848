"""A process may die at every point of every step, once, and nothing comes of it but minutes.

The points are those that a run without a crash passes. The process dies at each of them once: its
memory is lost, its claims run out, and another one goes on (L32, L42).
"""

import pytest

from offramp.testing.world import Crash
from tests.simulation.stories import LONG_AFTER, open_world, rest_of

POLICIES = tuple(LONG_AFTER)
DAYS_MAX = 20


def run(app, policy, *numbers):
    """Let a story happen, in which the process dies at these points of every single day."""
    world = open_world(app, policy)
    for day in range(DAYS_MAX):
        for number in numbers:
            world.die_at(day, number)
    world.run_until(LONG_AFTER[policy])
    return world


def differences(expected, found):
    return {key: (expected[key], found[key]) for key in expected if expected[key] != found[key]}


@pytest.mark.parametrize("policy", POLICIES)
def test_a_crash_at_any_point_ends_in_the_same_state_as_none(app, policy):
    """L32: same receipts, same rows, same certificates, nothing lost and nothing done twice."""
    undisturbed = run(app, policy)
    expected = rest_of(undisturbed, app)

    for number in range(max(len(points) for points in undisturbed.points)):
        world = run(app, policy, number)

        told = "\n".join([f"died at the points {number}", *world.trace])
        assert differences(expected, rest_of(world, app)) == {}, told
        ids = [sent.message.id for sent in world.mail.sent]
        assert len(ids) == len(set(ids)), told


@pytest.mark.parametrize("policy", POLICIES)
def test_two_crashes_in_a_row_change_nothing_either(app, policy):
    """L32: the process that takes over dies at its first point as well."""
    undisturbed = run(app, policy)
    expected = rest_of(undisturbed, app)

    for number in range(0, max(len(points) for points in undisturbed.points), 5):
        world = run(app, policy, number, number + 1, number + 2)

        assert differences(expected, rest_of(world, app)) == {}, "\n".join(world.trace)


def test_the_undisturbed_run_passes_every_point_of_the_protocol(app):
    """L42: a point that is passed by no story would be a death that nobody has tried."""
    days = [day for policy in POLICIES for day in run(app, policy).points]
    points = {point for day in days for point in day}

    assert points == {
        *("claimed uncommitted", "claimed", "started", "performed", "verified"),
        *("receipt written", "receipt", "settled uncommitted"),
        *("fanned out", "sending", "mail accepted", "delivery saved", "document written"),
        *("tombstone taken", "chunk fenced", "chunk committed", "chunk recorded"),
        *("rows gone", "key destroyed", "certificate written"),
    }


def test_a_crash_is_no_error_that_anybody_could_catch():
    assert not issubclass(Crash, Exception)
