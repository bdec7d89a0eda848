"""Whoever stops a deletion wins at its next chunk, in hundreds of races on real stores (L18, L25).

Two workers delete as fast as they can, chunk by chunk; somebody stops them at a random moment. What
happens is noted in its order: once the decision is kept, no chunk is running and none begins.
"""

import os
import random
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace
from itertools import count

import pytest

from offramp.adapters.store.connection import connect
from offramp.adapters.store.migration import migrate
from offramp.adapters.store.store import SqlStore
from offramp.core.errors import Refused
from offramp.engine.context import Limits
from offramp.ports import DeletionInFlight, StaleClaim
from tests.contract.store_world import HOLD, LEAVING, NOW, chunk, claim_one, fill, read

SEED = int(os.environ.get("SEED", "17"))
ROUNDS = 34  # for each kind of store and each way to stop: two hundred races and more
CHUNK_SECONDS_MAX = 0.002
UNTIL_DECIDED_SECONDS_MAX = 0.02
COMES_BACK_AFTER_SECONDS = Limits().lock_wait_seconds
PATIENCE_SECONDS = 30
BEGUN, ENDED, ASKED, DECIDED = "begun", "ended", "asked", "decided"
WORKERS = 2
CHUNKS_MAX = 2 * WORKERS  # one of each that runs, one that began before the question was heard

numbers = count(1)


class SomebodyMinds(Refused):
    """There is a hold, or everything is paused."""


def require_nobody_minds(transaction):
    if any(hold.is_active(NOW) for hold in transaction.holds("acme")) or transaction.is_paused():
        raise SomebodyMinds()


def reactivate(transaction):
    row = transaction.lock(LEAVING.id, now=NOW)
    transaction.save_offboarding(replace(row, episode=2), expected_episode=1)


STOPPERS = {
    "reactivation": reactivate,
    "hold": lambda transaction: transaction.place_hold(replace(HOLD, id=f"hold-{next(numbers)}")),
    "pause": lambda transaction: transaction.set_paused(is_paused=True, now=NOW),
}


@pytest.fixture
def store(database_url):
    engine = connect(database_url, lock_wait_seconds=PATIENCE_SECONDS)
    migrate(engine)
    yield SqlStore(engine, ledger_key=b"k" * 32)
    engine.dispose()


def race(store, claimed, stop, chance):
    """Let two workers and a person run at once, and give what happened in its order."""
    happened = []
    chunk_seconds = chance.uniform(0, CHUNK_SECONDS_MAX)
    decides_after_seconds = chance.uniform(0, UNTIL_DECIDED_SECONDS_MAX)

    def delete():
        until = time.monotonic() + PATIENCE_SECONDS
        try:
            while time.monotonic() < until:
                with chunk(store, claimed, judge=require_nobody_minds) as record:
                    happened.append(BEGUN)
                    time.sleep(chunk_seconds)
                    record.record("notes", 1)
                    happened.append(ENDED)
        except (SomebodyMinds, StaleClaim):
            return
        raise AssertionError("nobody stopped it")

    def decide():
        time.sleep(decides_after_seconds)
        while True:
            try:
                read(store, stop)
            except DeletionInFlight:
                happened.append(ASKED)
                time.sleep(COMES_BACK_AFTER_SECONDS)
            else:
                return happened.append(DECIDED)

    with ThreadPoolExecutor(WORKERS + 1) as pool:
        for done in [pool.submit(work) for work in (*[delete] * WORKERS, decide)]:
            done.result(PATIENCE_SECONDS)
    return happened


@pytest.mark.parametrize("name", STOPPERS)
def test_whoever_stops_a_deletion_wins_at_the_next_chunk_whenever_they_come(store, name):
    chance = random.Random(f"{SEED} {name}")
    fill(store, LEAVING)
    claimed = claim_one(store)

    for number in range(ROUNDS):
        happened = race(store, claimed, STOPPERS[name], chance)

        decided = happened.index(DECIDED)
        before, after = happened[:decided], happened[decided + 1 :]
        assert before.count(BEGUN) == before.count(ENDED), f"round {number}: one was running"
        assert BEGUN not in after, f"round {number}: one began"
        asked = happened.index(ASKED) if ASKED in happened else decided
        assert happened[asked:decided].count(BEGUN) <= CHUNKS_MAX, f"round {number}: kept out"
        begin_again(store, claimed)


def begin_again(store, claimed):
    """Take back whatever stopped the deletion."""
    with store.transaction() as transaction:
        row = transaction.lock(LEAVING.id, now=NOW)
        transaction.save_offboarding(
            replace(row, episode=claimed.episode), expected_episode=row.episode
        )
        transaction.set_paused(is_paused=False, now=NOW)
        for hold in transaction.holds("acme"):
            transaction.release_hold(hold.id, at=NOW)


def test_whoever_was_refused_has_the_turn_though_the_chunk_ended_before_they_could_ask(
    tmp_path, monkeypatch
):
    """L18: of two transactions, the second one may come late; the next chunk knows anyway."""
    engine = connect(f"sqlite:///{tmp_path / 'store.sqlite'}")
    migrate(engine)
    store = SqlStore(engine, ledger_key=b"k" * 32)
    fill(store, LEAVING)
    claimed = claim_one(store)
    ask = store._ask

    with ExitStack() as running:
        running.enter_context(chunk(store, claimed))

        def ask_late(*asked):
            running.close()
            ask(*asked)

        monkeypatch.setattr(store, "_ask", ask_late)
        with pytest.raises(DeletionInFlight):
            read(store, lambda t: t.place_hold(HOLD))

    assert read(store, lambda t: t.is_asked_for(claimed))
