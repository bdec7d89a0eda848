"""The rounds of one process: nobody waits for anybody else, and a round that fails is told."""

import threading
import time
from dataclasses import replace

import pytest
from whenever import Instant

from offramp.core.parcel import Reply
from offramp.documents.returned_mail import read_returned
from offramp.engine import courier as couriers
from offramp.engine.courier import carry_once, carrying
from offramp.ports import DeliveryStatus, Happening, StoreUnavailable
from offramp.testing.endpoint import MemoryEndpoint
from offramp.testing.mailbox import MemoryMailbox
from tests.contract.mailbox_contract import report
from tests.simulation.stories import open_world
from tests.simulation.trouble import FailingStore

MIDDLE = Instant.from_utc(2024, 9, 5)
SOON = 5.0


@pytest.fixture
def endpoints():
    return {"crm": MemoryEndpoint(), "slow": MemoryEndpoint()}


@pytest.fixture
def told():
    return []


@pytest.fixture
def context(app, endpoints, told, monkeypatch):
    """Give the context of a world in which events wait, on the true clock of threads."""
    monkeypatch.setattr(couriers, "REST_SECONDS", 0.02)
    monkeypatch.setattr(couriers, "TROUBLE_SECONDS", 0.05)
    monkeypatch.setattr(couriers, "LOOK_SECONDS", 0.01)
    world = open_world(app, "license-pool")
    world.run_until(MIDDLE)
    return replace(
        world.context,
        endpoints=endpoints,
        elapsed=time.monotonic,
        pause=time.sleep,
        report=lambda event, facts: told.append((event, facts)),
        probe=lambda point: None,
    )


def outages(told):
    return [facts["error"] for event, facts in told if event == Happening.UNAVAILABLE]


def wait_for(holds):
    until = time.monotonic() + SOON
    while not holds() and time.monotonic() < until:
        time.sleep(0.01)
    assert holds()


def kinds(context):
    with context.store.transaction() as transaction:
        return {event.id for event in transaction.events(limit=100)}


def test_an_endpoint_that_hangs_holds_up_no_other_one(context, endpoints):
    """L33."""
    released = threading.Event()
    endpoints["slow"].meanwhile = lambda: released.wait(SOON)

    with carrying(context):
        wait_for(lambda: set(endpoints["crm"].taken) == kinds(context))
        arrived_meanwhile = len(endpoints["slow"].arrived)
        released.set()

    assert arrived_meanwhile == 0


def test_who_stops_ends_the_event_in_hand_and_gives_the_others_back(context, endpoints):
    hanging, released = threading.Event(), threading.Event()

    def hang():
        hanging.set()
        released.wait(SOON)

    endpoints["slow"].meanwhile = hang
    with carrying(context):
        hanging.wait(SOON)
        threading.Timer(0.1, released.set).start()

    assert len(endpoints["slow"].arrived) == 1
    with context.store.transaction() as transaction:
        again = transaction.claim_parcels(
            "slow", now=context.clock.now(), lease_until=MIDDLE.add(hours=1), limit=99
        )
    assert len(again) == len(kinds(context)) - 1


def test_a_round_that_fails_is_told_and_the_next_one_goes_on(context, endpoints, told):
    failures = [KeyError("a person's name"), None]

    def fail_once():
        if failure := failures.pop(0) if failures else None:
            raise failure

    endpoints["slow"].meanwhile = fail_once
    later = replace(context, clock=Later(context.clock))
    with carrying(later):
        wait_for(lambda: set(endpoints["slow"].taken) == kinds(context))

    (facts,) = [facts for event, facts in told if event == Happening.UNEXPECTED]
    assert facts["error"] == "KeyError"
    assert "a person's name" not in repr(facts)


class Later:
    """A clock on which every lease has run out at the next look."""

    def __init__(self, clock):
        self._clock, self._looks = clock, 0

    def now(self):
        self._looks += 1
        return self._clock.now().add(seconds=200 * self._looks)


def test_an_outage_of_the_store_is_told_and_waited_out(context, endpoints, told):
    store = FailingStore(context.store)
    store.trouble.extend(["down"] * 3)

    with carrying(replace(context, store=store)):
        wait_for(lambda: set(endpoints["crm"].taken) == kinds(context))

    assert set(outages(told)) == {StoreUnavailable.__name__}


def test_a_command_that_does_not_go_on_brings_what_is_due(context, endpoints):
    carry_once(context)

    assert set(endpoints["crm"].taken) == set(endpoints["slow"].taken) == kinds(context)


def test_a_command_that_does_not_go_on_gives_up_soon(context, endpoints, monkeypatch):
    monkeypatch.setattr(couriers, "ONCE_SECONDS", 0.3)
    endpoints["slow"].meanwhile = lambda: time.sleep(0.2)
    endpoints["slow"].then(*[Reply(status=None, reason="ReadTimeout")] * 100)
    began = time.monotonic()

    carry_once(context)

    assert time.monotonic() - began < 2
    assert set(endpoints["crm"].taken) == kinds(context)


def test_without_endpoints_events_are_handed_over_to_nobody(context, endpoints):
    """Who is declared later begins with what happens later."""
    carry_once(replace(context, endpoints={}))

    carry_once(context)

    assert endpoints["crm"].arrived == []


@pytest.fixture
def mailbox():
    return MemoryMailbox(read=read_returned)


def test_a_worker_looks_for_mail_that_came_back_beside_its_work(context, mailbox):
    achievements = [d for d in deliveries(context) if d.step == "achievements"]
    mailbox.letters = [report(delivery.message) for delivery in achievements]

    carry_once(replace(context, returns=mailbox))

    found = {d.status for d in deliveries(context) if d.step == "achievements"}
    assert (mailbox.letters, found) == ([], {DeliveryStatus.BOUNCED})


def test_a_mailbox_that_is_down_is_told_and_left_alone_for_a_while(context, mailbox, told):
    """A server that is asked every second with a wrong password shuts the account."""
    mailbox.is_down = True

    with carrying(replace(context, returns=mailbox)):
        wait_for(lambda: outages(told))
        time.sleep(0.3)

    assert outages(told) == ["MailboxUnavailable"]


def deliveries(context):
    with context.store.transaction() as transaction:
        return [
            delivery
            for row in transaction.offboardings("acme")
            for delivery in transaction.deliveries(row.id)
        ]
