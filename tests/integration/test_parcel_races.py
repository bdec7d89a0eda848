"""Many processes bring events at once, on both databases, and somebody is erased meanwhile."""

from threading import Event
from time import sleep

import pytest

from offramp.adapters.store.connection import connect
from offramp.adapters.store.migration import migrate
from offramp.adapters.store.store import SqlStore
from offramp.ports import OutboxEvent
from tests.contract.store_contract import LEDGER_KEY
from tests.contract.store_world import LATER, LEAVING, NOW, fill
from tests.integration.waiting import SECONDS_MAX, in_threads

OVERLAP_SECONDS = 0.05
WORKERS = 4
WANTED = {"crm": {"stage-changed"}}


@pytest.fixture
def store(database_url):
    engine = connect(database_url, lock_wait_seconds=SECONDS_MAX)
    migrate(engine)
    yield SqlStore(engine, ledger_key=LEDGER_KEY)
    engine.dispose()


def event(name):
    return OutboxEvent(id=name, kind="stage-changed", at=NOW, organization="acme")


def test_each_event_is_handed_over_and_sent_by_one_of_many(store):
    """L31."""
    names = [f"e-{number:03}" for number in range(60)]
    with store.transaction() as transaction:
        transaction.put_events([event(name) for name in names])

    def work():
        taken = []
        for _ in range(40):
            with store.transaction() as transaction:
                transaction.hand_over(WANTED, at=NOW, limit=3)
            with store.transaction() as transaction:
                taken += transaction.claim_parcels("crm", now=NOW, lease_until=LATER, limit=2)
        return taken

    taken = [parcel.event.id for part in in_threads(*[work] * WORKERS) for parcel in part]

    assert sorted(taken) == names


def test_what_is_handed_over_while_somebody_is_erased_goes_as_well(store):
    """L30: whoever is forgotten waits for whoever is handing over, and takes it back."""
    fill(store, LEAVING)
    with store.transaction() as transaction:
        transaction.put_events([event("e-1")])
    begun = Event()

    def hand_over():
        with store.transaction() as transaction:
            transaction.hand_over(WANTED, at=NOW, limit=9)
            begun.set()
            sleep(OVERLAP_SECONDS)

    def forget():
        begun.wait(SECONDS_MAX)
        with store.transaction() as transaction:
            return transaction.forget("acme", member=None, at=NOW)

    _, counts = in_threads(hand_over, forget)

    assert (counts["parcel"], counts["outbox"]) == (1, 1)
