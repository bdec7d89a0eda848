"""Every event reaches every endpoint that wants it, under one id, whatever dies on the way."""

from dataclasses import replace

import pytest
from whenever import Instant

from offramp.core.event_kind import EventKind
from offramp.core.parcel import ATTEMPTS_MAX, Reply
from offramp.engine import webhook
from offramp.engine.webhook import hand_over, send_again, send_round
from offramp.testing.endpoint import MemoryEndpoint
from tests.simulation.laws import Finding, Laws
from tests.simulation.stories import START, open_world

POLICY = "license-pool"
MIDDLE = Instant.from_utc(2024, 9, 5)  # the access has ended, and nothing was erased yet
NO_ANSWER = Reply(status=None, reason="ReadTimeout")
GONE = Reply(status=410, reason="410")
ON_THE_WAY = {
    *("events handed over", "parcels claimed", "sending event", "event sent", "parcel settled"),
}


@pytest.fixture
def endpoints():
    return {"crm": MemoryEndpoint(), "audit": MemoryEndpoint(["stage-changed"])}


@pytest.fixture
def world(app, endpoints):
    return open_world(app, POLICY, endpoints=endpoints)


def run(app, *numbers):
    """Let the first weeks happen; the process dies at these points of every single day."""
    endpoints = {"crm": MemoryEndpoint(), "audit": MemoryEndpoint(["stage-changed"])}
    world = open_world(app, POLICY, endpoints=endpoints)
    for number in numbers:
        for day in range(20):
            world.die_at(day, number)
    world.run_until(MIDDLE)
    return world, Laws(world, app, POLICY, endpoints=endpoints)


def events(world):
    with world.store.transaction() as transaction:
        return transaction.events(limit=1000)


def load(world, name="crm"):
    with world.store.transaction() as transaction:
        return transaction.endpoint_loads([name])[name]


def test_every_event_arrives_once_where_nothing_goes_wrong(world, endpoints):
    world.run_until(MIDDLE)

    assert sorted(endpoints["crm"].taken) == sorted(event.id for event in events(world))
    assert {each.body["type"] for each in endpoints["audit"].arrived} == {"offramp.stage-changed"}


def test_a_crash_at_any_point_loses_no_event_and_renames_none(app):
    """L32, L34, L35: what may have arrived is sent again under the same id."""
    undisturbed, _ = run(app)
    numbers = range(max(len(points) for points in undisturbed.points))

    for number in numbers:
        _, laws = run(app, number)

        laws.every_event_arrived()
        laws.one_id_is_one_event()

    assert {point for points in undisturbed.points for point in points} >= ON_THE_WAY


def test_a_process_that_dies_before_it_notes_the_answer_is_followed_by_the_same_id(
    world, endpoints
):
    arrived = endpoints["crm"].arrived
    world.meanwhile("event sent", lambda: world.die_at(*place(world)))

    world.run_until(MIDDLE)

    assert arrived[0].id == arrived[1].id
    assert arrived[0].body == arrived[1].body
    assert arrived[0].at < arrived[1].at


def place(world):
    """Name the point that is being passed."""
    return len(world.points) - 1, len(world.points[-1]) - 1


def test_a_receipt_before_the_effect_is_caught_by_a_crash_between_them(app, monkeypatch):
    """L43: who notes first that an event has arrived loses it."""

    def note_first(context, parcel):
        settled = replace(parcel, status=webhook.ParcelStatus.DELIVERED)
        with context.store.transaction() as transaction:
            transaction.settle_parcel(settled)
        context.probe("sending event")
        return webhook._post(
            context, context.endpoints[parcel.endpoint], parcel.event, at=context.clock.now()
        )

    monkeypatch.setattr(webhook, "_send", note_first)
    undisturbed, _ = run(app)
    number = next(
        day.index("sending event") for day in undisturbed.points if "sending event" in day
    )

    _, laws = run(app, number)

    with pytest.raises(Finding, match="L34 events are lost"):
        laws.every_event_arrived()


def test_an_endpoint_that_never_answers_is_tried_ten_times_and_holds_up_nobody(world, endpoints):
    endpoints["crm"].then(*[NO_ANSWER] * 1000)

    world.run_until(MIDDLE)

    assert endpoints["audit"].taken
    assert endpoints["crm"].taken == []
    failed = [event for event in events(world) if event.kind != "endpoint-disabled"]
    assert load(world).failed + load(world).waiting == len(failed)
    tries = [each.at for each in endpoints["crm"].arrived if each.id == failed[0].id]
    assert len(tries) == ATTEMPTS_MAX
    assert 70 < (tries[-1] - tries[0]).total("hours") < 80


def test_an_endpoint_that_answers_410_gets_nothing_more_and_the_others_are_told(world, endpoints):
    """L35."""
    endpoints["crm"].then(GONE)
    endpoints["audit"].kinds |= {EventKind.ENDPOINT_DISABLED}

    world.run_until(MIDDLE)

    assert len(endpoints["crm"].arrived) == 1
    assert load(world).disabled_at == endpoints["crm"].arrived[0].at
    disabled = [each for each in endpoints["audit"].arrived if "disabled" in each.body["type"]]
    assert [each.body["data"] for each in disabled] == [{"endpoint": "crm"}]


def test_what_has_waited_goes_out_when_the_endpoint_is_enabled(world, endpoints):
    endpoints["crm"].then(GONE)
    world.run_until(MIDDLE)

    assert webhook.enable(world.context, "crm")
    assert not webhook.enable(world.context, "crm")
    world.run_until(MIDDLE.add(hours=1))

    assert set(endpoints["crm"].taken) == {event.id for event in events(world)}


def test_events_are_sent_again_by_hand_under_their_own_ids(world, endpoints):
    world.run_until(MIDDLE)
    first = list(endpoints["crm"].taken)

    count = send_again(world.context, endpoint="crm", event=None, since=START)
    one = send_again(world.context, endpoint=None, event=first[0], since=None)
    world.run_until(MIDDLE.add(hours=1))

    assert (count, one) == (len(first), 1 + (first[0] in endpoints["audit"].taken))
    assert sorted(endpoints["crm"].taken) == sorted(first * 2)


@pytest.mark.parametrize(
    ("asked", "error"),
    [
        ({"event": None, "since": None}, webhook.EventsNotChosen),
        ({"event": "e", "since": START}, webhook.EventsNotChosen),
        ({"event": "e", "since": None}, webhook.EventUnknown),
        ({"event": None, "since": START, "endpoint": "none"}, webhook.EndpointUnknown),
    ],
)
def test_what_cannot_be_sent_again_is_refused(world, asked, error):
    with pytest.raises(error):
        send_again(world.context, **{"endpoint": None, **asked})


def test_two_workers_at_once_send_each_event_once(world, endpoints):
    """L31: what one of them has claimed is not the other one's."""
    endpoints["crm"].meanwhile = lambda: send_round(world.context, "crm", is_stopping=lambda: False)

    world.run_until(MIDDLE)

    taken = endpoints["crm"].taken
    assert len(taken) == len(set(taken)) > 0


def test_who_is_erased_is_told_of_no_more_but_the_end(world, endpoints):
    """L30: what waited is gone with the organization; the last events name only its id."""
    endpoints["crm"].then(GONE)

    world.run_until(Instant.from_utc(2024, 10, 15))

    assert {each.kind for each in events(world)} == {
        "erased",
        "offboarding-canceled",
        "endpoint-disabled",
    }
    assert load(world).waiting == len(events(world))


def test_an_endpoint_is_tested_with_an_event_that_is_never_put(world, endpoints):
    before = events(world)
    endpoints["crm"].then(Reply(status=302, reason="302"))

    with pytest.raises(webhook.EndpointFails, match="302"):
        webhook.send_test(world.context, "crm")
    reply = webhook.send_test(world.context, "crm")

    assert reply.is_yes
    assert endpoints["crm"].arrived[-1].body["type"] == "offramp.endpoint-tested"
    assert events(world) == before
    assert hand_over(world.context) == len(before)
