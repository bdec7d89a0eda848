"""Decisions inside the application: right at midnight, quick, and there while Offramp is not."""

import asyncio
import logging
import time
from threading import Event, Thread
from urllib.error import URLError

import pytest

from offramp.core.access import UNKNOWN, Voter
from offramp.core.policy import Capability
from offramp.engine.access import may as store_may
from offramp.engine.people import Person, expire_members
from offramp.sdk.clock import ForwardClock
from offramp.sdk.guard import FRESH_SECONDS, RETRY_SECONDS, AccessDenied
from offramp.sdk.protected import protected
from offramp.sdk.transport import Answer, HttpTransport, OfframpAddressInvalid, OfframpSilent
from offramp.sdk.who import Who
from tests.unit.sdk.wire import Product, Wire
from tests.unit.web.acme import EXPIRED

CREATE, READ = Capability.CREATE, Capability.READ
PATIENCE_SECONDS = 10
ERASED = b'{"code": "OrganizationErased"}'


@pytest.fixture
def product():
    return Product()


def may(product, capability=CREATE, member="ulf", surface="app"):
    asked = {"surface": surface, "product": "notes"}
    return product.guard.may("acme", member, capability, **asked)


def wait_until(is_so):
    """Wait for something that another thread does."""
    begun = time.monotonic()
    while not is_so():
        assert time.monotonic() - begun < PATIENCE_SECONDS
        time.sleep(0.005)


def test_an_old_snapshot_is_right_at_midnight_with_everything_down_A2_B3(product):
    assert may(product).is_allowed
    product.wire.is_cut = True

    product.at(EXPIRED.subtract(nanoseconds=1))
    assert may(product).is_allowed
    product.at(EXPIRED)

    assert not may(product).is_allowed
    assert may(product, Capability.UPDATE).is_allowed
    assert (may(product).stage, may(product).level) == ("expired", "edit-only")


@pytest.mark.parametrize("member", ["ulf", "anna", "eve"])
@pytest.mark.parametrize("surface", ["app", "console"])
def test_it_answers_what_the_store_answers_L7(product, member, surface):
    for now in (EXPIRED.subtract(seconds=1), EXPIRED, EXPIRED.add(seconds=1)):
        product.at(now)
        for capability in Capability:
            asked = {"surface": surface, "product": "notes"}
            store = product.world.store
            expected = store_may(store, "acme", member, capability, now=now, **asked)
            assert may(product, capability, member, surface) == expected


def test_many_questions_are_one_request(product):
    for _ in range(100):
        may(product)

    assert product.wire.asked == ["acme"]


def test_news_is_fetched_behind_the_back_of_whoever_asks(product):
    may(product)
    expire_members(product.world.context, "acme", [Person(member="ulf")])
    assert may(product).is_allowed

    product.at(product.world.now.add(seconds=FRESH_SECONDS))
    may(product)

    wait_until(lambda: not may(product).is_allowed)
    assert product.wire.statuses == [200, 200]


def test_no_news_is_not_sent(product):
    may(product)
    product.at(product.world.now.add(seconds=FRESH_SECONDS))
    may(product)

    wait_until(lambda: product.wire.statuses == [200, 304])
    assert may(product).is_allowed


def test_an_event_may_ask_for_news_at_once(product):
    may(product)
    expire_members(product.world.context, "acme", [Person(member="ulf")])

    product.guard.refresh("acme")

    assert not may(product).is_allowed


@pytest.mark.parametrize("fail_open", [True, False])
def test_of_what_was_never_seen_the_vendor_has_decided(fail_open):
    product = Product(fail_open=fail_open)
    product.wire.is_cut = True

    decision = may(product)

    assert (decision.is_allowed, decision.voter) == (fail_open, Voter.UNKNOWN)


def test_who_is_not_answered_does_not_ask_again_with_every_request(product):
    product.wire.is_cut = True
    for _ in range(10):
        may(product)
    assert product.wire.asked == ["acme"]

    product.wire.is_cut = False
    product.at(product.world.now.add(seconds=RETRY_SECONDS))

    assert may(product).is_allowed


def test_what_was_seen_goes_on_to_be_served_while_offramp_is_down(product, caplog):
    may(product)
    product.wire.is_cut = True

    with caplog.at_level(logging.WARNING, logger="offramp.sdk"):
        for _ in range(3):
            product.at(product.world.now.add(hours=1))
            assert may(product).is_allowed
            asked = len(product.wire.asked)
            wait_until(lambda asked=asked: len(product.wire.asked) >= asked)

    wait_until(lambda: caplog.messages)
    assert "acme" in caplog.messages[0]
    assert "ConnectionRefusedError" in caplog.messages[0]
    with pytest.raises(OfframpSilent):
        product.guard.refresh("acme")
    assert may(product).is_allowed


def test_an_organization_that_nobody_knows_has_no_access_even_when_failing_open():
    product = Product(fail_open=True)

    assert product.guard.may("nobody", "ulf", READ) == UNKNOWN
    assert product.guard.holds("nobody")


def test_an_organization_that_is_erased_has_no_access_whatever_was_at_hand(product):
    answers = [product.wire("acme", etag=None), Answer(status=409, body=ERASED)]
    guard = product.make_guard(fail_open=True, transport=lambda *_, etag: answers.pop(0))
    assert guard.may("acme", "ulf", READ, product="notes").is_allowed

    guard.refresh("acme")

    assert guard.may("acme", "ulf", READ, product="notes") == UNKNOWN


@pytest.mark.parametrize(
    "answer",
    [
        Answer(status=401),
        Answer(status=409),
        Answer(status=404, body=b"<html>a proxy's page"),
        Answer(status=404, body=b"[]"),
        Answer(status=302, headers={"location": "https://elsewhere.example"}),
        Answer(status=304),
        Answer(status=200, body=b"<html>"),
        Answer(status=500),
    ],
)
def test_what_is_no_answer_about_an_organization_shuts_nobody_out_who_was_to_be_let_in(answer):
    product = Product(fail_open=True)
    transport = lambda organization, *, etag: answer  # noqa: E731
    guard = product.make_guard(fail_open=True, transport=transport)

    assert guard.may("acme", "ulf", CREATE).is_allowed
    assert not guard.holds("acme")


def test_a_snapshot_of_another_organization_is_refused(product):
    wire = product.wire
    guard = product.make_guard(transport=lambda organization, *, etag: wire("acme", etag=etag))

    assert not guard.may("sibling", "ulf", READ, product="notes").is_allowed
    assert not guard.holds("sibling")


def test_a_wrong_key_is_told_to_whoever_waits_for_news(product):
    guard = product.make_guard(transport=Wire(product.world, key="x" * 32))

    with pytest.raises(OfframpSilent) as silent:
        guard.refresh("acme")

    assert "401" in str(silent.value)
    assert "access key" in silent.value.hint


def test_those_who_come_together_wait_for_one_request(product):
    gate = Event()
    wire = product.wire

    def slow(organization, *, etag):
        assert gate.wait(PATIENCE_SECONDS)
        return wire(organization, etag=etag)

    guard = product.make_guard(transport=slow)
    answers = []
    ask = lambda: answers.append(guard.may("acme", "ulf", READ, product="notes"))  # noqa: E731
    threads = [Thread(target=ask) for _ in range(5)]
    for thread in threads:
        thread.start()
    gate.set()
    for thread in threads:
        thread.join(PATIENCE_SECONDS)

    assert wire.asked == ["acme"]
    assert [answer.is_allowed for answer in answers] == [True] * 5


def test_only_so_many_organizations_are_kept_and_the_longest_unasked_goes():
    product = Product(organizations_max=2)
    for name in ("a", "b", "a", "c"):
        product.guard.may(name, "ulf", READ)

    assert [name for name in "abc" if product.guard.holds(name)] == ["a", "c"]


def test_a_process_that_was_forked_goes_on_with_what_is_at_hand(product, monkeypatch):
    """Locks that were held at the moment of the fork are never given back."""
    may(product)
    held = product.guard._entries["acme"].turn
    held.acquire()
    monkeypatch.setattr("offramp.sdk.guard.os.getpid", lambda: -1)
    product.at(product.world.now.add(seconds=FRESH_SECONDS))

    assert may(product).is_allowed

    wait_until(lambda: product.wire.statuses == [200, 304])


def test_who_may_not_is_refused_with_the_decision(product):
    product.at(EXPIRED)
    product.guard.require("acme", "ulf", READ, product="notes")

    with pytest.raises(AccessDenied) as denied:
        product.guard.require("acme", "ulf", CREATE, product="notes")

    assert denied.value.decision == may(product)
    assert str(denied.value) == "The stage expired does not allow it: create."


def test_a_function_is_called_for_those_alone_who_may(product):
    made = []

    def caller(text, *, by):
        return Who(organization="acme", member=by, product="notes")

    @protected(product.guard, CREATE, who=caller)
    def make(text, *, by):
        made.append(text)
        return text.upper()

    @protected(product.guard, CREATE, who=caller)
    async def make_later(text, *, by):
        return make(text, by=by)

    assert asyncio.run(make_later("a", by="ulf")) == "A"
    assert (make("b", by="ulf"), make.__name__) == ("B", "make")
    product.at(EXPIRED)
    for attempt in (lambda: make("c", by="ulf"), lambda: asyncio.run(make_later("d", by="ulf"))):
        with pytest.raises(AccessDenied):
            attempt()
    assert made == ["a", "b"]


@pytest.mark.parametrize("url", ["offramp.internal", "file:///etc/passwd", "ftp://example.com", ""])
def test_an_address_that_is_none_of_the_web_is_refused(url):
    with pytest.raises(OfframpAddressInvalid):
        HttpTransport(url, "k" * 32)


def test_the_clock_of_an_application_never_goes_back_L6():
    clock = ForwardClock()
    now = clock()
    ahead = now.add(hours=1)
    clock._latest = ahead

    assert clock() == ahead


def test_whoever_reads_the_log_is_told_what_the_network_did(monkeypatch):
    """The library has one error for all of it."""
    transport = HttpTransport("https://offramp.example", "k" * 32)

    def refuse(*_, **__):
        raise URLError(ConnectionRefusedError())

    monkeypatch.setattr(transport._opener, "open", refuse)

    with pytest.raises(OfframpSilent, match="ConnectionRefusedError"):
        transport("acme", etag=None)
