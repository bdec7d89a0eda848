"""The simulation would notice: two wrong protocols that look right, and what becomes of them (L43).

Nothing of ours is replaced by a fake here; these are mutants, put in the place of the protocol to
see whether the tests above have teeth.
"""

from contextlib import contextmanager

import pytest
from whenever import Date

from offramp.core.policy import Action
from offramp.engine import offboarding as deeds
from offramp.engine import steps, sweep
from offramp.engine.work import Result
from offramp.ports import DeletionInFlight
from offramp.testing.memory_store import MemoryStore
from tests.simulation.laws import Finding, Laws
from tests.simulation.stories import LONG_AFTER, open_world, rest_of
from tests.simulation.test_crash import run

POLICY = "license-pool"


def give_receipt_before_effect(context, claimed, verdict):
    """Write down first that a notice went out, then send it: all is well until a crash."""
    if verdict.planned.action is not Action.NOTIFY:
        return steps.carry_out(context, claimed, verdict)
    work, _is_repeat = steps._start(context, claimed, verdict.planned)
    context.probe("started")
    carried = steps._finish(work, Result())
    steps.ACTIONS[work.planned.action].perform(work)
    return carried


class UnfencedStore(MemoryStore):
    """Judges the guards right before a chunk, and does not hold them while it runs."""

    @contextmanager
    def fence(self, claimed, *, now, deadline, judge):
        with self.transaction() as transaction:
            transaction.require_current(claimed)
            judge(transaction)
        yield _Unkept()


class _Unkept:
    def record(self, table, rows):
        """Keep nothing."""


def test_a_receipt_before_the_effect_is_caught_by_a_crash_between_them(app, monkeypatch):
    """L43, L32: a mail is lost, and the state differs from that of an undisturbed run."""
    monkeypatch.setattr(sweep, "carry_out", give_receipt_before_effect)
    undisturbed = run(app, POLICY)
    expected = rest_of(undisturbed, app)["mail"]
    died = undisturbed.points[1].index("receipt")

    world = run(app, POLICY, died)

    lost = expected - rest_of(world, app)["mail"]
    assert expected
    assert {subject for _, _, subject in lost} >= {"expiring-soon"}


@pytest.mark.parametrize(
    ("store", "caught"), [(MemoryStore, None), (UnfencedStore, "L18")], ids=["fence", "no fence"]
)
def test_a_guard_that_is_judged_but_not_held_is_caught_by_a_reactivation(app, store, caught):
    """L43, L18: rows go although the reactivation was granted."""
    world = open_world(app, POLICY, store=store())
    Laws(world, app, POLICY)
    answers = []

    def come_back():
        try:
            deeds.reactivate(world.context, "acme", until=Date(2030, 1, 1))
            answers.append("granted")
        except DeletionInFlight:
            answers.append("a deletion is in flight")

    world.meanwhile("chunk fenced", come_back, occurrence=2)

    try:
        world.run_until(LONG_AFTER[POLICY])
        found = None
    except Finding as finding:
        found = str(finding)

    assert answers == ["granted" if caught else "a deletion is in flight"]
    assert (found or "").split()[:1] == ([caught] if caught else [])
