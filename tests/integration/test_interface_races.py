"""Requests and events that come at once to several servers, on both databases."""

from functools import partial

import pytest
from whenever import Date, Instant

from offramp.adapters.store.connection import connect
from offramp.adapters.store.migration import migrate
from offramp.adapters.store.store import SqlStore
from offramp.core.subscription import Word
from offramp.documents.policy import find_policy
from offramp.engine.billing import take_word
from offramp.engine.offboarding import register
from offramp.engine.publication import publish
from offramp.engine.repetition import Asked, RepetitionRunning, begin
from offramp.ports import KeptAnswer
from offramp.testing.world import World
from tests.contract.store_contract import LEDGER_KEY
from tests.integration.waiting import SECONDS_MAX, in_threads
from tests.simulation import shop

AT_ONCE = 6
START = Instant.from_utc(2024, 8, 1)
ASKED = Asked(caller="sync", key="one", request=[b"POST", b"/", b"", b"{}"])


@pytest.fixture
def world(database_url):
    engine = connect(database_url, lock_wait_seconds=SECONDS_MAX)
    migrate(engine)
    yield World(START, store=SqlStore(engine, ledger_key=LEDGER_KEY))
    engine.dispose()


def test_of_many_that_come_at_once_under_one_key_one_is_carried_out(world):
    def ask():
        try:
            return begin(world.context, ASKED)
        except RepetitionRunning as refused:
            return refused

    answers = in_threads(*[ask] * AT_ONCE)

    kinds = [type(answer) for answer in answers]
    assert (kinds.count(KeptAnswer), kinds.count(RepetitionRunning)) == (1, AT_ONCE - 1)


def test_words_about_all_that_pay_for_a_pool_come_at_once_and_none_is_forgotten(world):
    publish(world.context, find_policy("license-pool"))
    pool = shop.pool("acme")
    register(
        world.context,
        organizations=[shop.organization("acme", policy="license-pool")],
        pools=[pool],
    )

    def say(day):
        ends_at = Instant.from_utc(2024, 9, day, 12)
        word = Word(event=f"evt_{day}", at=START, is_over=False, ends_at=ends_at)
        take_word(world.context, f"sub_{day}", word, organization="acme", pool=pool.id)

    in_threads(*[partial(say, day) for day in range(1, AT_ONCE + 1)])

    with world.store.reading() as transaction:
        (found,) = transaction.pools("acme")
    assert found.ends == Date(2024, 9, AT_ONCE)
