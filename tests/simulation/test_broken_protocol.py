"""The simulation would notice: four wrong protocols that look right, and what comes of them (L43).

Each is caught by stories that nobody wrote for it, within so many seeds; two of them also by the
shortest story that shows what is wrong.
"""

import pytest
from whenever import Date

from offramp.engine import offboarding as deeds
from offramp.engine import sweep
from offramp.engine.sweep import NeverQuiet
from offramp.ports import DeletionInFlight
from offramp.testing.keys import MemoryKeys
from offramp.testing.memory_store import MemoryStore
from tests.simulation.laws import Finding, Laws
from tests.simulation.mutant import (
    FlaggingStore,
    OneDayStore,
    UnfencedStore,
    give_receipt_before_effect,
)
from tests.simulation.stories import LONG_AFTER, open_world, rest_of
from tests.simulation.story import Story
from tests.simulation.test_crash import run

POLICY = "license-pool"
SEEDS_MAX = 20


def receipt_before_effect(monkeypatch):
    monkeypatch.setattr(sweep, "carry_out", give_receipt_before_effect)
    return {}


def guard_outside_the_transaction(_monkeypatch):
    return {"store": UnfencedStore(ledger_key=MemoryKeys().ledger_key())}


def date_equality(_monkeypatch):
    return {"seen": OneDayStore}


def flag_per_record(_monkeypatch):
    return {"seen": FlaggingStore}


@pytest.mark.parametrize(
    ("break_it", "laws"),
    [
        (receipt_before_effect, {"L32"}),
        (guard_outside_the_transaction, {"L1", "L18", "L25", "L26"}),
        (date_equality, {"NeverQuiet"}),
        (flag_per_record, {"L10"}),
    ],
)
def test_a_wrong_protocol_is_caught_by_random_stories_within_twenty_seeds(
    app, monkeypatch, break_it, laws
):
    """L43, L2, L9, L18, L32."""
    found = None
    seeds = iter(range(SEEDS_MAX))

    while found is None and (seed := next(seeds, None)) is not None:
        found = finding_of(Story(app, seed, **break_it(monkeypatch)))

    assert found in laws


def finding_of(story):
    """Tell a story and say which law it broke first; none where it kept them all."""
    try:
        story.tell()
    except Finding as finding:
        return str(finding).split()[0]
    except NeverQuiet:
        return "NeverQuiet"
    return None


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
