"""A link is noted, used and ended while its reader is erased, on both databases."""

from functools import partial
from threading import Event
from time import sleep

import pytest

from offramp.adapters.store.connection import connect
from offramp.adapters.store.migration import migrate
from offramp.adapters.store.store import SqlStore
from tests.contract.store_contract import LEDGER_KEY
from tests.contract.store_link_contract import LINK, find, links, write
from tests.contract.store_world import NOW
from tests.integration.waiting import SECONDS_MAX, in_threads

OVERLAP_SECONDS = 0.05
READERS = 6


@pytest.fixture
def store(database_url):
    engine = connect(database_url, lock_wait_seconds=SECONDS_MAX)
    migrate(engine)
    yield SqlStore(engine, ledger_key=LEDGER_KEY)
    engine.dispose()


def put(store, begun, waited_for=None):
    if waited_for is not None:
        waited_for.wait(SECONDS_MAX)
    with store.transaction() as transaction:
        transaction.put_link(LINK)
        begun.set()
        sleep(OVERLAP_SECONDS)


def forget(store, begun, waited_for=None):
    if waited_for is not None:
        waited_for.wait(SECONDS_MAX)
    with store.transaction() as transaction:
        transaction.forget("acme", member=None, at=NOW)
        begun.set()
        sleep(OVERLAP_SECONDS)


@pytest.mark.parametrize(("first", "second"), [(put, forget), (forget, put)])
def test_whichever_comes_first_no_link_is_left_of_whoever_is_erased(store, first, second):
    """L30: a worker may be in the middle of a mail."""
    write(store)
    begun = Event()

    in_threads(partial(first, store, begun), partial(second, store, Event(), begun))

    assert links(store) == ()


def test_no_download_of_many_at_once_is_lost(store):
    write(store, LINK)

    def download():
        with store.transaction() as transaction:
            return transaction.count_download(LINK.digest, at=NOW)

    counts = in_threads(*[download] * READERS)

    assert sorted(counts) == list(range(1, READERS + 1))
    assert find(store, LINK.digest).downloads == READERS
