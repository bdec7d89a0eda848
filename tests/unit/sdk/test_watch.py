"""Changes that an application hears of at once, and what becomes of it when it does not."""

import logging
from threading import Event

import pytest

from offramp.core.policy import Capability
from offramp.sdk import guard as guards
from offramp.sdk.guard import FRESH_SECONDS
from offramp.sdk.transport import Answer, OfframpSilent
from offramp.sdk.watch import Watch
from offramp.web.api import access_snapshot
from tests.unit.sdk.test_guard import PATIENCE_SECONDS, may, wait_until
from tests.unit.sdk.wire import Product


@pytest.fixture(autouse=True)
def often(monkeypatch):
    """Let the server look often, and the thread of a guard make short pauses."""

    def hasty(ask, **known):
        return Watch(ask, retry_seconds=0.01, pause_seconds=0.01, **known)

    monkeypatch.setattr(access_snapshot, "LOOK_SECONDS", 0.01)
    monkeypatch.setattr(guards, "Watch", hasty)


@pytest.fixture
def product():
    product = Product()
    product.guard = product.make_guard(push=True, changes=product.wire.changes)
    yield product
    product.guard.close()


def block(product, *, is_blocked=True):
    with product.world.store.transaction() as transaction:
        transaction.set_block("acme", member="ulf", is_blocked=is_blocked)


def test_a_block_is_known_without_a_question_about_its_age(product):
    assert may(product).is_allowed

    for is_blocked in (True, False):
        block(product, is_blocked=is_blocked)
        wait_until(lambda is_blocked=is_blocked: may(product).is_allowed is not is_blocked)


def test_as_long_as_nothing_changes_nothing_is_fetched(product):
    rounds = []
    product.guard._changes = lambda held: rounds.append(held) or product.wire.changes(held)
    may(product)

    wait_until(lambda: len(rounds) > 2)

    assert product.wire.asked == ["acme"]
    assert set(rounds[0]) == {"acme"}


def test_an_organization_that_comes_to_be_is_heard_of():
    product = Product()
    asked = []
    told = Answer(status=200, body=b'{"organizations": ["nobody", "never asked about"]}')
    guard = product.make_guard(push=True, changes=lambda held: asked.append(dict(held)) or told)

    guard.may("nobody", "ulf", Capability.READ)
    wait_until(lambda: len(product.wire.asked) > 2)
    guard.close()

    assert asked[0] == {"nobody": ""}
    assert set(product.wire.asked) == {"nobody"}


@pytest.mark.parametrize(
    "answer",
    [
        Answer(status=404, body=b"{}"),
        Answer(status=503),
        Answer(status=200, body=b"<html>"),
        Answer(status=200, body=b"[]"),
        Answer(status=200, body=b'{"organizations": 7}'),
        Answer(status=200, body=b'{"organizations": [7]}'),
        None,
    ],
)
def test_what_is_no_answer_changes_nothing_and_is_asked_again(answer, caplog):
    product = Product()
    asked = Event()
    rounds = []

    def broken(held):
        rounds.append(held)
        if len(rounds) > 2:
            asked.set()
        if answer is None:
            raise OfframpSilent(reason="ConnectionResetError")
        return answer

    with caplog.at_level(logging.WARNING, logger="offramp.sdk"):
        guard = product.make_guard(push=True, changes=broken)
        assert guard.may("acme", "ulf", Capability.READ, product="notes").is_allowed
        assert asked.wait(PATIENCE_SECONDS)
    guard.close()

    assert product.wire.asked == ["acme"]
    assert all("waiting for changes" in each for each in caplog.messages)


def test_an_answer_that_takes_long_holds_nobody_up(product):
    gate = Event()

    def slow(held):
        assert gate.wait(PATIENCE_SECONDS)
        return product.wire.changes(held)

    guard = product.make_guard(push=True, changes=slow)
    asked = {"product": "notes"}
    assert guard.may("acme", "ulf", Capability.READ, **asked).is_allowed
    block(product)
    product.at(product.world.now.add(seconds=FRESH_SECONDS))

    guard.may("acme", "ulf", Capability.READ, **asked)

    wait_until(lambda: not guard.may("acme", "ulf", Capability.READ, **asked).is_allowed)
    guard.close()
    gate.set()


def test_news_that_cannot_be_fetched_is_tried_again(product):
    may(product)
    product.wire.is_cut = True
    block(product)
    wait_until(lambda: len(product.wire.asked) > 2)
    assert may(product).is_allowed

    product.wire.is_cut = False

    wait_until(lambda: not may(product).is_allowed)


def test_whoever_does_not_ask_for_it_has_no_thread(product):
    quiet = product.make_guard()
    quiet.may("acme", "ulf", Capability.READ)

    assert quiet._watch is None


def test_a_process_that_was_forked_waits_anew(product, monkeypatch):
    may(product)
    first = product.guard._watch
    monkeypatch.setattr("offramp.sdk.guard.os.getpid", lambda: -1)

    product.guard.refresh("acme")

    assert product.guard._watch not in (None, first)
    first.stop()
