"""What is of the portal is made, spent and finished while its member is erased."""

from dataclasses import replace
from functools import partial
from threading import Event
from time import sleep

import pytest

from offramp.adapters.store.connection import connect
from offramp.adapters.store.migration import migrate
from offramp.adapters.store.store import SqlStore
from tests.contract.store_contract import LEDGER_KEY
from tests.contract.store_portal_contract import COPY, LINK, SESSION, do
from tests.contract.store_world import LATER, NOW, fill
from tests.integration.waiting import SECONDS_MAX, in_threads

OVERLAP_SECONDS = 0.05
MANY = 6


@pytest.fixture
def store(database_url):
    engine = connect(database_url, lock_wait_seconds=SECONDS_MAX)
    migrate(engine)
    store = SqlStore(engine, ledger_key=LEDGER_KEY)
    fill(store)
    yield store
    engine.dispose()


def change(store, act, begun, waited_for=None):
    """Do something in a transaction that lasts for a while, perhaps once another one has begun."""
    if waited_for is not None:
        waited_for.wait(SECONDS_MAX)
    with store.transaction() as transaction:
        act(transaction)
        begun.set()
        sleep(OVERLAP_SECONDS)


def forget(transaction):
    transaction.forget("acme", member="anna", at=NOW)


MADE = {
    "link": lambda t: t.put_portal_link(LINK),
    "session": lambda t: t.open_portal_session(SESSION),
    "copy": lambda t: t.put_own_copy(COPY),
}


@pytest.mark.parametrize("made", MADE)
@pytest.mark.parametrize("is_made_first", [True, False])
def test_whichever_comes_first_nothing_is_left_of_whoever_is_erased(store, made, is_made_first):
    """L30."""
    first, second = (MADE[made], forget) if is_made_first else (forget, MADE[made])
    begun = Event()

    in_threads(partial(change, store, first, begun), partial(change, store, second, Event(), begun))

    assert do(store, "portal_link", "link") is None
    assert do(store, "portal_session", "browser") is None
    assert do(store, "own_copies", "acme", member=None) == ()


def test_a_deletion_waits_for_whoever_is_just_finishing_a_copy(store):
    """L30: the file has its name before the deletion takes it away."""
    do(store, "put_own_copy", COPY)
    begun, order = Event(), []

    def finish(transaction):
        assert transaction.save_own_copy(replace(COPY, written_at=NOW), claim=0)
        begun.set()
        sleep(OVERLAP_SECONDS)
        order.append("named")

    def drop(transaction):
        transaction.drop_own_copies("acme", member="anna")
        order.append("dropped")

    in_threads(
        partial(change, store, finish, Event()), partial(change, store, drop, Event(), begun)
    )

    assert order == ["named", "dropped"]


def test_of_many_who_spend_one_link_at_once_one_gets_in(store):
    do(store, "put_portal_link", LINK)

    spent = in_threads(*[partial(do, store, "spend_portal_link", "link", at=NOW)] * MANY)

    assert sum(each is not None for each in spent) == 1


def test_of_many_workers_each_copy_is_taken_by_one(store):
    for member in ("anna", "ben"):
        do(store, "put_own_copy", replace(COPY, member=member, id=member))

    claim = partial(do, store, "claim_own_copy", now=NOW, lease_until=LATER)
    taken = [each.id for each in in_threads(*[claim] * MANY) if each is not None]

    assert sorted(taken) == sorted(set(taken))
    assert len(taken) == len(set(taken)) <= 2
    assert {*taken, *(each.id for each in (claim(), claim()) if each)} == {"anna", "ben"}
