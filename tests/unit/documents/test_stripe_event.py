"""What Stripe says of a subscription, in both places where it writes down a period."""

import json

import pytest
from whenever import Instant

from offramp.documents.returned_event import EventsUnreadable
from offramp.documents.stripe_event import read_stripe

MADE = Instant.from_utc(2024, 8, 20, 12)
PERIOD = Instant.from_utc(2024, 8, 31, 14)
ENDED = Instant.from_utc(2024, 8, 25)


def event(*, kind="updated", **subscription):
    told = {
        "id": "sub_1",
        "status": "active",
        "items": {"data": [{"current_period_end": PERIOD.timestamp()}]},
        "metadata": {"offramp_organization": "acme", "offramp_pool": "basic", "else": "x"},
        **subscription,
    }
    return json.dumps(
        {
            "id": "evt_1",
            "object": "event",
            "type": f"customer.subscription.{kind}",
            "created": MADE.timestamp(),
            "data": {"object": told},
        }
    ).encode()


def end(**subscription):
    return read_stripe(event(**subscription)).word.ends_at


def test_it_says_what_it_is_about_and_when_it_was_so():
    told = read_stripe(event())

    assert (told.subscription, told.organization, told.pool) == ("sub_1", "acme", "basic")
    assert (told.word.event, told.word.at, told.word.is_over) == ("evt_1", MADE, False)


@pytest.mark.parametrize("status", ["active", "trialing", "past_due", "unpaid"])
def test_what_renews_by_itself_or_was_not_paid_yet_has_no_end(status):
    assert end(status=status) is None
    assert end(status=status, cancel_at_period_end=True) == PERIOD
    assert end(status=status, cancel_at=ENDED.timestamp()) == ENDED


def test_older_versions_write_the_period_on_the_subscription():
    old = {"items": {"data": [{}]}, "current_period_end": PERIOD.timestamp()}

    assert end(cancel_at_period_end=True, **old) == PERIOD


def test_of_several_items_the_last_one_to_end_counts():
    items = {"data": [{"current_period_end": e.timestamp()} for e in (PERIOD, ENDED)]}

    assert end(cancel_at_period_end=True, items=items) == PERIOD


def test_what_is_canceled_ended_for_good_when_it_did():
    told = read_stripe(event(kind="deleted", status="canceled", ended_at=ENDED.timestamp()))

    assert (told.word.is_over, told.word.ends_at) == (True, ENDED)
    assert end(status="canceled", canceled_at=ENDED.timestamp()) == ENDED
    assert end(status="canceled") == MADE


def test_a_pause_ends_with_the_trial_and_a_pause_of_collection_ends_nothing():
    assert end(kind="paused", status="paused", trial_end=ENDED.timestamp()) == ENDED
    assert end(kind="paused", status="paused") == MADE
    assert end(kind="resumed") is None
    assert end(pause_collection={"behavior": "void"}) is None


@pytest.mark.parametrize("status", ["incomplete", "incomplete_expired"])
def test_what_was_never_paid_says_nothing(status):
    assert read_stripe(event(status=status)) is None


def test_other_events_say_nothing():
    assert read_stripe(event().replace(b"customer.subscription.", b"invoice.")) is None


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"{}",
        event(status="asleep"),
        event(id=""),
        event(cancel_at=-1),
        event(cancel_at=10**18),
        event(metadata={"offramp_pool": 7}),
    ],
)
def test_what_is_no_event_is_refused_without_what_it_said(body):
    with pytest.raises(EventsUnreadable) as refused:
        read_stripe(body)

    assert "evt_1" not in str(refused.value)
