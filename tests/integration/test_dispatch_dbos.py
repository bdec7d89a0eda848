"""Tickets on DBOS: written with the claim, spread over processes, and worth what the store says.

Each trap of DBOS that was found by running it has its test here.
"""

from threading import Event, Lock

import pytest

from offramp.adapters.dispatch_dbos import DbosQueue
from offramp.adapters.store.connection import connect
from offramp.adapters.store.migration import migrate
from offramp.adapters.store.store import SqlStore
from offramp.ports import Ticket
from tests.contract.store_world import LATER, NOW, fill, leaving
from tests.integration.waiting import eventually

PEOPLE = tuple(f"person-{number}" for number in range(5))
LONG_FROM_NOW = NOW.add(hours=24 * 365 * 50)


@pytest.fixture
def engine(database_url):
    engine = connect(database_url)
    migrate(engine)
    yield engine
    engine.dispose()


@pytest.fixture
def store(engine):
    store = SqlStore(engine, ledger_key=b"k" * 32)
    fill(store, *(leaving(person) for person in PEOPLE))
    return store


def open_queue(engine, *, executor_id="here", concurrency=8):
    return DbosQueue(engine, executor_id=executor_id, concurrency=concurrency)


class Desk:
    """Notes the tickets that arrive, and keeps them waiting until it is opened."""

    def __init__(self, *, is_open=True):
        self.tickets = []
        self.may_go_on = Event()
        self._lock = Lock()
        if is_open:
            self.may_go_on.set()

    def __call__(self, ticket):
        with self._lock:
            self.tickets.append(ticket)
        self.may_go_on.wait(timeout=20)


def claim_into(queue, store, *, limit=100):
    with store.transaction() as transaction:
        claims = transaction.claim_due(now=LATER, lease_until=LATER.add(seconds=20), limit=limit)
        queue.enqueue(claims, transaction=transaction)
    return {Ticket(offboarding=claimed.id, attempt=claimed.attempt) for claimed in claims}


def test_every_claim_reaches_a_handler_once(engine, store):
    queue, desk = open_queue(engine), Desk()

    with queue.serving(desk):
        claims = claim_into(queue, store)
        eventually(lambda: len(desk.tickets) == len(PEOPLE))

    assert len(claims) == len(PEOPLE)
    assert sorted(desk.tickets, key=str) == sorted(claims, key=str)
