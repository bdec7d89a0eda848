"""Tickets on DBOS: written with the claim, spread over processes, and worth what the store says.

Each trap of DBOS that was found by running it has its test here.
"""

import subprocess
import sys
from pathlib import Path
from threading import Event

import pytest
from dbos import DBOS
from whenever import Instant

from offramp.adapters.dispatch_dbos import POLL_SECONDS, QUEUE, DbosQueue
from offramp.adapters.store.connection import connect
from offramp.adapters.store.migration import migrate
from offramp.adapters.store.store import SqlStore
from offramp.ports import StoreUnavailable
from tests.contract.store_world import LATER, fill, leaving
from tests.integration.waiting import eventually

ROOT = Path(__file__).parents[2]
NAMES = tuple(f"person-{number}" for number in range(5))
ALL = 100
IN_A_YEAR = Instant.now().add(hours=24 * 365)
A_YEAR_AGO = Instant.now().subtract(hours=24 * 365)


@pytest.fixture
def engine(database_url):
    engine = connect(database_url)
    migrate(engine)
    yield engine
    engine.dispose()


@pytest.fixture
def store(engine):
    store = SqlStore(engine, ledger_key=b"k" * 32)
    fill(store, *(leaving(name) for name in NAMES))
    return store


class Desk:
    """Notes the tickets that arrive, and keeps them until it is opened."""

    def __init__(self, *, is_open=True):
        self.tickets = []
        self._may_go_on = Event()
        if is_open:
            self.open()

    def open(self):
        self._may_go_on.set()

    def __call__(self, ticket):
        self.tickets.append(ticket)
        self._may_go_on.wait(timeout=20)


def queue_on(engine, *, concurrency=8):
    return DbosQueue(engine, executor_id="here", concurrency=concurrency)


def claim_into(queue, store):
    """Claim everything that is due, and hand it over in the same transaction."""
    with store.transaction() as transaction:
        tickets = transaction.claim_tickets(now=LATER, lease_until=LATER.add(seconds=20), limit=ALL)
        queue.enqueue(tickets, transaction=transaction)
    return tickets


def test_every_claim_arrives_once(engine, store):
    queue, desk = queue_on(engine), Desk()

    with queue.serving(desk):
        tickets = claim_into(queue, store)
        eventually(lambda: len(queue.finished(before=IN_A_YEAR, limit=ALL)) == len(NAMES))

    assert len(desk.tickets) == len(NAMES)
    assert set(desk.tickets) == set(tickets)


def test_what_is_taken_back_was_never_handed_over(engine, store):
    """L34: the claim and its ticket stand or fall together."""
    queue = queue_on(engine)
    with queue.serving(Desk()):
        pass

    with store.transaction() as transaction:
        tickets = transaction.claim_tickets(now=LATER, lease_until=LATER.add(seconds=9), limit=ALL)
        queue.enqueue(tickets, transaction=transaction)
        transaction.connection.rollback()

    assert len(tickets) == len(NAMES)
    assert queue.waiting(limit=ALL) == ()


def test_no_claims_are_no_tickets(engine, store):
    queue = queue_on(engine)
    with queue.serving(Desk()):
        with store.transaction() as transaction:
            queue.enqueue([], transaction=transaction)

        assert queue.waiting(limit=ALL) == ()


def test_one_attempt_is_one_ticket_however_often_it_is_handed_over(engine, store):
    queue, desk = queue_on(engine, concurrency=1), Desk(is_open=False)
    with queue.serving(desk):
        tickets = claim_into(queue, store)
        eventually(lambda: desk.tickets)

        with store.transaction() as transaction:
            queue.enqueue(tickets, transaction=transaction)

        assert len(queue.waiting(limit=ALL)) == len(NAMES) - 1
        desk.open()
        eventually(lambda: len(queue.finished(before=IN_A_YEAR, limit=ALL)) == len(NAMES))
    assert len(desk.tickets) == len(NAMES)


def test_a_process_works_on_so_many_at_once_and_looks_often(engine, store):
    """By default there is no limit, and a look a second."""
    queue, desk = queue_on(engine, concurrency=2), Desk(is_open=False)
    with queue.serving(desk):
        tickets = claim_into(queue, store)
        eventually(lambda: len(desk.tickets) == 2)

        begun = queue.begun(before=IN_A_YEAR, limit=ALL)
        waiting = queue.waiting(limit=ALL)
        poll_seconds = DBOS.retrieve_queue(QUEUE).polling_interval_sec
        desk.open()

    assert set(begun) == set(desk.tickets[:2])
    assert (len(begun), len(waiting)) == (2, len(NAMES) - 2)
    assert {*begun, *waiting} == set(tickets)
    assert poll_seconds == POLL_SECONDS


@pytest.mark.parametrize(("name", "is_given_it"), [("there", False), ("here", True)])
def test_work_in_hand_is_given_only_to_a_namesake(engine, store, name, is_given_it):
    """By default all processes have the same executor id, and DBOS runs their work twice."""
    queue, desk = queue_on(engine), Desk(is_open=False)
    url = engine.url.render_as_string(hide_password=False)
    with queue.serving(desk):
        claim_into(queue, store)
        eventually(lambda: len(desk.tickets) == len(NAMES))

        colleague = subprocess.run(
            [sys.executable, "-m", "tests.integration.colleague", url, name],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=True,
        )
        desk.open()

    assert bool(colleague.stdout) is is_given_it


def test_a_ticket_is_carried_out_by_any_version_of_the_code(engine, store):
    """By default only the version that wrote it would, named after its source."""
    queue, desk = queue_on(engine), Desk()
    with queue.serving(Desk()):
        pass
    claim_into(queue, store)

    @DBOS.workflow()
    def something_that_the_older_version_did_not_have():
        """Change the name that DBOS would give to this version."""

    with queue.serving(desk):
        eventually(lambda: len(desk.tickets) == len(NAMES))


def test_what_fails_is_not_tried_again_by_the_queue(engine, store):
    """When to try again is a date in the schedule (L31, L33)."""
    queue, arrived = queue_on(engine), []

    def fail(ticket):
        arrived.append(ticket)
        raise ZeroDivisionError

    with queue.serving(fail):
        claim_into(queue, store)
        eventually(lambda: len(queue.finished(before=IN_A_YEAR, limit=ALL)) == len(NAMES))

    assert len(arrived) == len(NAMES)


def test_what_is_over_is_remembered_for_as_long_as_one_likes(engine, store):
    queue = queue_on(engine)
    with queue.serving(Desk()):
        tickets = claim_into(queue, store)
        eventually(lambda: len(queue.finished(before=IN_A_YEAR, limit=ALL)) == len(NAMES))
        first, *others = tickets

        queue.forget([first])

        assert set(queue.finished(before=IN_A_YEAR, limit=ALL)) == set(others)
        assert queue.finished(before=A_YEAR_AGO, limit=ALL) == ()
        assert len(queue.finished(before=IN_A_YEAR, limit=2)) == 2
        queue.forget(others)
        assert queue.finished(before=IN_A_YEAR, limit=ALL) == ()


def test_a_database_that_is_not_there_is_an_outage():
    engine = connect("postgresql://nobody@127.0.0.1:9/nothing")

    with (
        pytest.raises(StoreUnavailable),
        DbosQueue(engine, executor_id="here", concurrency=1).serving(Desk()),
    ):
        pass
