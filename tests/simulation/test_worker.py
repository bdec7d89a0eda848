"""What one worker does from sweep to sweep, on a queue that a test is in charge of."""

from dataclasses import replace

import pytest
from whenever import Instant

from offramp.core.transitions import OffboardingStatus
from offramp.engine import worker as workers
from offramp.engine.context import Limits
from offramp.engine.offboarding import register
from offramp.engine.publication import publish
from offramp.engine.worker import Hands, Worker, serve
from offramp.ports import StoreUnavailable
from offramp.testing.queue import MemoryQueue
from offramp.testing.world import World
from tests.simulation import shop
from tests.simulation.stories import POLICIES, START

LEASE = 20
NOTICE = Instant.parse_iso("2024-08-16T08:00:00Z")
SLUGS = ("acme", "beta", "coda")


@pytest.fixture
def world(app):
    """Give a world in which three organizations are to be told today that they leave."""
    app.fill(*SLUGS)
    world = World(START, data=app.data, limits=Limits(lease_seconds=LEASE))
    publish(world.context, POLICIES["license-pool"])
    register(
        world.context,
        organizations=[shop.organization(slug) for slug in SLUGS],
        pools=[shop.pool(slug) for slug in SLUGS],
        members=[member for slug in SLUGS for member in shop.members(slug)],
    )
    world.lie_still_until(NOTICE)
    return world


@pytest.fixture
def queue(world):
    return MemoryQueue(now=world.clock.now)


@pytest.fixture
def worker(world, queue):
    context = replace(world.context, elapsed=lambda: world.now.timestamp())
    return Worker(context=context, queue=queue, hands=Hands(context))


def leases(world):
    with world.store.transaction() as transaction:
        rows = transaction.offboardings(status=OffboardingStatus.OPEN)
    return {row.lease_until for row in rows}


def pass_seconds(world, seconds):
    world.lie_still_until(world.now.add(seconds=seconds))


def test_what_is_due_waits_as_tickets_and_is_carried_out_from_them(world, worker, queue):
    assert worker.sweep() == len(SLUGS)
    assert worker.sweep() == 0

    with queue.serving(worker.hands.carry):
        tickets = [queue.give() for _ in SLUGS]

    assert len({ticket.offboarding for ticket in tickets}) == len(SLUGS)
    assert {sent.message.to.partition("@")[2].partition(".")[0] for sent in world.mail.sent} == set(
        SLUGS
    )
    assert leases(world) == {None}


def test_no_more_waits_than_the_queue_takes(worker, queue, monkeypatch):
    monkeypatch.setattr(workers, "WAITING_MAX", 2)

    assert [worker.sweep(), worker.sweep()] == [2, 0]
    with queue.serving(worker.hands.carry):
        queue.give()

    assert worker.sweep() == 1


def test_what_waits_is_kept_for_as_long_as_it_takes(world, worker, queue):
    """A queue is no reason to lose a claim: it would only be handed over again."""
    worker.sweep()

    for _ in range(10):
        pass_seconds(world, LEASE / 2)
        assert worker.sweep() == 0

    assert len(queue.waiting(limit=9)) == len(SLUGS)
    assert min(leases(world)) > world.now


def test_a_ticket_that_is_lost_on_its_way_comes_again_when_its_lease_has_run_out(
    world, worker, queue
):
    """L31: nobody keeps the lease of what a process was given and never took up."""
    worker.sweep()
    lost = queue.lose()
    pass_seconds(world, LEASE - 1)
    assert worker.sweep() == 0

    pass_seconds(world, 2)

    assert worker.sweep() == 1
    (again,) = [t for t in queue.waiting(limit=9) if t.offboarding == lost.offboarding]
    assert again.attempt == lost.attempt + 1


def test_a_worker_keeps_what_it_has_in_hand_and_a_peer_does_not_get_it(world, worker, queue):
    """L31: a step may take many times as long as a lease, while its process lives."""
    worker.sweep()
    seen = []

    def work_for_long():
        if not seen:
            for _ in range(10):
                pass_seconds(world, LEASE / 2)
                seen.append(worker.sweep())

    world.meanwhile("started", work_for_long)

    with queue.serving(worker.hands.carry):
        ticket = queue.give()

    assert seen == [0] * 10
    assert worker.hands.tickets() == ()
    with world.store.transaction() as transaction:
        assert transaction.offboarding(ticket.offboarding).attempt == ticket.attempt + 1


def test_the_same_ticket_given_twice_is_carried_out_once(world, worker, queue):
    worker.sweep()
    twice = queue.waiting(limit=1)[0]

    worker.hands.carry(twice)
    sent = len(world.mail.sent)
    worker.hands.carry(twice)

    assert len(world.mail.sent) == sent > 0
    assert any(" void " in line for line in world.trace)


def test_what_was_finished_long_ago_is_forgotten_and_so_is_what_was_lost(world, worker, queue):
    worker.sweep()
    lost = queue.lose()
    pass_seconds(world, LEASE + 1)
    worker.sweep()
    with queue.serving(worker.hands.carry):
        finished = {queue.give() for _ in SLUGS}
    assert set(queue.finished(before=world.now.add(seconds=1), limit=9)) == finished
    assert queue.begun(before=world.now, limit=9) == (lost,)

    pass_seconds(world, workers.REMEMBERED_SECONDS + 1)
    worker.sweep()

    assert queue.finished(before=world.now, limit=9) == ()
    assert queue.begun(before=world.now, limit=9) == ()


def test_more_than_can_be_forgotten_at_once_goes_in_the_next_sweeps(
    world, worker, queue, monkeypatch
):
    monkeypatch.setattr(workers, "PRUNED_MAX", 1)
    worker.sweep()
    with queue.serving(worker.hands.carry):
        for _ in SLUGS:
            queue.give()
    pass_seconds(world, workers.REMEMBERED_SECONDS + 1)

    left = []
    for _ in SLUGS:
        worker.sweep()
        left.append(len(queue.finished(before=world.now, limit=9)))

    assert left == [2, 1, 0]


def test_an_outage_ends_a_sweep_and_not_the_worker(world, queue):
    """It is told, waited out, and nothing is lost."""
    told, turns = [], iter(range(4))
    context = replace(world.context, is_stopping=lambda: next(turns, None) is None)
    store = Failing(world.store, times=2)

    left = serve(replace(context, store=store), queue, after_sweep=told.append)

    assert left == 0
    assert [type(outage) for outage in told] == [
        StoreUnavailable,
        StoreUnavailable,
        *[type(None)] * 2,
    ]
    assert len(queue.waiting(limit=9)) == len(SLUGS)


class Failing:
    """A store that cannot be reached so many times."""

    def __init__(self, store, *, times):
        self._store, self._times = store, times

    def transaction(self):
        if self._times:
            self._times -= 1
            raise StoreUnavailable(reason="it is down")
        return self._store.transaction()
