"""Workers race each other, and people race workers, on real stores of both kinds (L18, L42)."""

import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from threading import Barrier, BrokenBarrierError

import pytest
from whenever import Date, Instant

from offramp.adapters.dispatch_in_process import InProcessDispatcher
from offramp.adapters.store.connection import connect
from offramp.adapters.store.migration import migrate
from offramp.adapters.store.store import SqlStore
from offramp.core.ledger import verify_chain
from offramp.core.transitions import OffboardingStatus, StepStatus
from offramp.engine import brake, steps, sweep
from offramp.engine import offboarding as deeds
from offramp.engine.context import Limits
from offramp.engine.offboarding import register
from offramp.engine.publication import publish
from offramp.engine.sweep import run_until_quiet
from offramp.ports import DeletionInFlight
from offramp.testing.world import World
from tests.simulation import shop
from tests.simulation.stories import LONG_AFTER, POLICIES, START

POLICY = "license-pool"
SLUGS = tuple(f"racer{number}" for number in range(6))
LIMITS = Limits(
    chunk_rows_max=1, mails_per_batch=2, claims_max=2, lock_tries_max=40, late_watch_days=0
)
ERASE_DAY = Instant.parse_iso("2024-09-29T00:59:00Z")


@pytest.fixture
def store(database_url):
    engine = connect(database_url, lock_wait_seconds=0.5)
    migrate(engine)
    yield SqlStore(engine, ledger_key=b"k" * 32)
    engine.dispose()


@pytest.fixture
def app(tmp_path):
    app = shop.open_shop(tmp_path)
    yield app
    app.engine.dispose()
    app.data.sources["app"].close()


@pytest.fixture
def world(app, store):
    """Give a world in which six organizations leave on the same day."""
    app.fill(*SLUGS)
    world = World(START, data=app.data, store=store, limits=LIMITS)
    publish(world.context, POLICIES[POLICY])
    register(
        world.context,
        organizations=[shop.organization(slug) for slug in SLUGS],
        pools=[shop.pool(slug) for slug in SLUGS],
        members=[member for slug in SLUGS for member in shop.members(slug)],
    )
    return world


def another_worker(world):
    """Give the context of a second process; what is outside of it is the same."""
    return replace(world.context, dispatcher=InProcessDispatcher(), pause=time.sleep)


def rows_of(world):
    with world.store.transaction() as transaction:
        rows = transaction.offboardings()
        entries, head = transaction.ledger(), transaction.ledger_head()
        steps = {row.subject.organization: transaction.steps(row.id) for row in rows}
    verify_chain(entries, key=b"k" * 32, heads=[head])
    return rows, steps, entries


def test_two_workers_on_the_same_claims_do_everything_exactly_once(world, app):
    """L42, L8, L31: no step twice, no mail twice, nothing left, one unbroken ledger."""
    workers = [another_worker(world) for _ in range(2)]
    with ThreadPoolExecutor(2) as pool:
        while world.now < LONG_AFTER[POLICY]:
            for done in [pool.submit(run_until_quiet, worker) for worker in workers]:
                done.result()
            with world.store.transaction() as transaction:
                due_at = transaction.next_due_at() or LONG_AFTER[POLICY]
            world.lie_still_until(max(due_at, world.now))

    rows, steps, entries = rows_of(world)
    assert {row.status for row in rows} == {OffboardingStatus.COMPLETED}
    assert {step.status for each in steps.values() for step in each} == {StepStatus.DONE}
    finished = [(e.event.offboarding, e.event.step) for e in entries if e.event.kind == "step-done"]
    assert len(finished) == len(set(finished)) == 5 * len(SLUGS)
    ids = [sent.message.id for sent in world.mail.sent]
    assert len(ids) == len(set(ids)) == len(SLUGS) * (1 + 4 + 1 + 1)
    assert sum(app.total(slug) for slug in SLUGS) == 0


def begun_by_two(world, monkeypatch, *, limits):
    """Let two workers meet where both have seen that there is room; count what they begin."""
    world.lie_still_until(ERASE_DAY.add(minutes=2))
    meeting = Barrier(2, timeout=20)

    def carry_out(context, claimed, verdict):
        if verdict.planned.is_destructive:
            with suppress(BrokenBarrierError):
                meeting.wait()
            meeting.abort()  # only the first two meet
        return steps.carry_out(context, claimed, verdict)

    monkeypatch.setattr(sweep, "carry_out", carry_out)
    workers = [replace(another_worker(world), limits=limits) for _ in range(2)]
    with ThreadPoolExecutor(2) as pool:
        for done in [pool.submit(sweep.tick, worker) for worker in workers]:
            assert done.result().claimed == 1
    _rows, rows_by_organization, _entries = rows_of(world)
    return [
        row
        for rows in rows_by_organization.values()
        for row in rows
        if row.is_destructive and row.started_at is not None
    ]


def test_two_workers_at_once_begin_no_more_deletions_than_the_cap_allows(world, monkeypatch):
    """D3, L26: both have seen that there is room for one; only one of them begins."""
    world.run_until(ERASE_DAY)
    brake.set_daily_cap(world.context, 1)

    begun = begun_by_two(world, monkeypatch, limits=replace(LIMITS, claims_max=1))

    assert len(begun) == 1


def test_two_workers_at_once_begin_no_more_than_one_person_may_let_go(world, monkeypatch):
    """L26: even where nobody had foreseen when the deletions begin."""
    world.run_until(ERASE_DAY)
    with world.store.transaction() as transaction:
        for row in transaction.offboardings():
            unforeseen = replace(row, erases_at=None)
            transaction.save_offboarding(unforeseen, expected_episode=row.episode)
    limits = replace(LIMITS, claims_max=1, bulk_organizations_max=1)

    begun = begun_by_two(world, monkeypatch, limits=limits)

    assert len(begun) == 1


def reactivate(context):
    deeds.reactivate(context, SLUGS[0], until=Date(2030, 1, 1))


def hold(context):
    brake.place_hold(context, SLUGS[0], owner="legal", reason="dispute")


def pause(context):
    brake.set_paused(context, is_paused=True)


@pytest.mark.parametrize("deed", [reactivate, hold, pause])
def test_a_person_who_races_a_running_chunk_wins_before_the_deletion_is_over(world, app, deed):
    """L18, L25: asked for in the middle of a chunk, granted between two; then no row goes."""
    world.run_until(ERASE_DAY)
    person = another_worker(world)
    left = []
    asked = []

    def act():
        deed(person)
        left.append(app.total(SLUGS[0]))

    def breathe(point):
        if point == "chunk recorded":
            time.sleep(0.02)

    world.watch = breathe
    with ThreadPoolExecutor(1) as pool:
        world.meanwhile("chunk fenced", lambda: asked.append(pool.submit(act)), occurrence=2)
        world.run_until(LONG_AFTER[POLICY])
        asked[0].result()

    assert 0 < left[0] < 12
    assert app.total(SLUGS[0]) == left[0]
    rows_of(world)


def test_a_worker_that_was_frozen_past_its_lease_can_write_nothing_any_more(world, app):
    """L18, L31: another one has taken over and finished; the first is refused its next chunk."""
    world.run_until(ERASE_DAY)
    rival = another_worker(world)
    seen = []

    def freeze():
        world.lie_still_until(world.now.add(seconds=LIMITS.lease_seconds))
        run_until_quiet(rival)
        seen.append({slug: app.total(slug) for slug in SLUGS})

    world.meanwhile("chunk recorded", freeze, occurrence=2)

    world.run_until(LONG_AFTER[POLICY])

    _, _, entries = rows_of(world)
    assert set(seen[0].values()) == {0}
    assert any(" overtaken " in line for line in world.trace)
    erased = [e.event.offboarding for e in entries if e.event.kind == "step-done"]
    assert {erased.count(offboarding) for offboarding in set(erased)} == {5}


def test_a_frozen_chunk_is_reported_and_nothing_is_promised(world, app):
    """L18: on both stores, whoever asks while rows are going is told so."""
    world.run_until(ERASE_DAY)
    impatient = replace(
        another_worker(world), limits=replace(LIMITS, lock_tries_max=2, lock_wait_seconds=0.01)
    )
    told = []

    def ask():
        with pytest.raises(DeletionInFlight):
            reactivate(impatient)
        told.append(True)

    world.meanwhile("chunk fenced", ask, occurrence=2)

    world.run_until(LONG_AFTER[POLICY])

    assert told == [True]
    assert app.total(SLUGS[0]) == 0
