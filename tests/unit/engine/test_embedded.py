"""A worker inside of a server: it does what is due, and a mistake of ours is seen and outlived."""

import json
import threading
from dataclasses import replace
from threading import Event

import pytest
from whenever import Instant

from offramp.adapters.report_prometheus import PrometheusReport
from offramp.documents.policy import find_policy
from offramp.engine.courier import carrying
from offramp.engine.embedded import EmbeddedWorker
from offramp.engine.offboarding import register
from offramp.engine.publication import publish
from offramp.engine.watch import Pulse
from offramp.ports import StoreUnavailable
from offramp.testing.memory_store import MemoryStore
from offramp.testing.world import World
from offramp.web.monitor import Monitor
from tests.simulation import shop

BEFORE, DUE = Instant.from_utc(2024, 8, 15, 9), Instant.from_utc(2024, 8, 17)


class MoodyStore(MemoryStore):
    """Fails at whatever is asked of it, for as long as it is told to."""

    error = None

    def transaction(self):
        if self.error is not None:
            raise self.error
        return super().transaction()


@pytest.fixture
def world():
    world = World(BEFORE, store=MoodyStore())
    publish(world.context, find_policy("license-pool"))
    register(
        world.context,
        organizations=[shop.organization("acme")],
        pools=[shop.pool("acme")],
        members=shop.members("acme"),
    )
    world.lie_still_until(DUE)
    return world


@pytest.fixture
def worker(world):
    pulse = Pulse(elapsed=world.context.elapsed)
    return EmbeddedWorker(context=replace(world.context, report=pulse), pulse=pulse)


def health(worker):
    metrics = PrometheusReport(version="1")
    answer = Monitor(worker.context, metrics=metrics, pulse=worker.pulse).answer("GET", "/healthz")
    return answer.status, json.loads(answer.body).get("is_broken", False)


def test_a_server_with_a_worker_inside_carries_out_what_is_due(world, worker):
    assert world.mail.sent == []

    assert worker.sweep() == 1

    assert world.mail.sent != []
    assert worker.sweep() == 0
    assert health(worker) == (200, False)


def test_a_worker_that_met_a_mistake_of_ours_is_not_healthy_until_a_sweep_goes_well(world, worker):
    world.store.error = ZeroDivisionError()
    with pytest.raises(ZeroDivisionError):
        worker.sweep()

    assert health(worker) == (503, True)

    world.store.error = None
    worker.sweep()
    assert health(worker) == (200, False)


def test_an_outage_of_the_store_is_no_mistake_of_the_worker(world, worker):
    world.store.error = StoreUnavailable(reason="down")
    with pytest.raises(StoreUnavailable):
        worker.sweep()

    assert health(worker) == (200, False)


def test_sweeps_go_on_beside_everything_else_until_the_block_ends(world):
    swept, done = [], Event()

    def sweep():
        swept.append(threading.current_thread().name)
        if len(swept) == 3:
            done.set()
        return len(swept) < 3

    with carrying(world.context, sweep=sweep):
        assert done.wait(timeout=10)

    assert not {thread.name for thread in threading.enumerate()} & set(swept)
