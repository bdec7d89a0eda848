"""Subscriptions at Stripe and the pools that they pay for: signed, in any order, never lost."""

import hmac
import itertools
import json
from dataclasses import replace
from hashlib import sha256

import pytest
from whenever import Date, Instant

from offramp.documents.stripe_event import read_stripe
from offramp.engine.billing import settle_kept, take_word
from offramp.web.api.billing import AGE_SECONDS_MAX, EVENT_BYTES_MAX, Stripe, StripeSecretWeak
from tests.unit.web.acme import START, acme
from tests.unit.web.api_client import client_of

SECRET, NEXT = "whsec_" + "a" * 32, "whsec_" + "b" * 32
PATH = "/v1/billing/stripe"
ROWS = "/v1/billing/subscriptions"
# One hour past midnight in Dublin, where it is still the day before in Stripe's own zone.
MIDNIGHT = Instant.from_utc(2024, 8, 30, 23)


@pytest.fixture
def world():
    return acme()


@pytest.fixture
def client(world):
    return client_of(world.context, stripe=Stripe.parse(f"{SECRET} {NEXT}"))


def event(number=1, *, at=START, pool="acme-notes", organization="acme", **subscription):
    told = {
        "id": "sub_1",
        "status": "active",
        "items": {"data": [{"current_period_end": MIDNIGHT.timestamp()}]},
        "metadata": {"offramp_organization": organization, "offramp_pool": pool} if pool else {},
        **subscription,
    }
    return json.dumps(
        {
            "id": f"evt_{number}",
            "type": "customer.subscription.updated",
            "created": at.add(seconds=number).timestamp(),
            "data": {"object": told},
        }
    ).encode()


def signature(body, *, at=START, secret=SECRET):
    signed = str(at.timestamp()).encode() + b"." + body
    return hmac.new(secret.encode(), signed, sha256).hexdigest()


def post(client, body, *, header=None, at=START):
    shown = f"t={at.timestamp()},v1={signature(body, at=at)}" if header is None else header
    return client.post(PATH, content=body, headers={"Stripe-Signature": shown, "Authorization": ""})


def ends(world):
    with world.store.reading() as transaction:
        (pool,) = transaction.pools("acme")
        return pool.ends


def rows(client):
    return client.get(ROWS).json()["subscriptions"]


def test_what_renews_by_itself_has_no_end_and_nobody_is_warned(world, client):
    answer = post(client, event())

    assert (answer.status_code, answer.json()) == (200, {"outcome": "applied"})
    assert ends(world) is None
    with world.store.reading() as transaction:
        (row,) = transaction.offboardings("acme")
        actors = {entry.event.actor for entry in transaction.ledger() if entry.event.offboarding}
    assert row.status.value == "canceled"
    assert "billing" in actors


def test_the_last_day_is_the_one_that_ends_with_the_period_where_the_organization_is(world, client):
    post(client, event(cancel_at_period_end=True))
    at_midnight = ends(world)
    post(client, event(2, cancel_at=MIDNIGHT.add(seconds=1).timestamp()))

    assert (at_midnight, ends(world)) == (Date(2024, 8, 30), Date(2024, 8, 31))


def test_a_cancellation_that_is_taken_back_and_a_pause_that_ends_leave_no_end(world, client):
    seen = []
    for number, told in enumerate(
        [
            {"cancel_at_period_end": True},
            {},
            {"status": "paused", "trial_end": MIDNIGHT.timestamp()},
            {"status": "active"},
            {"status": "past_due"},
            {"status": "canceled", "ended_at": MIDNIGHT.timestamp()},
        ]
    ):
        post(client, event(number, **told)).raise_for_status()
        seen.append(ends(world))

    last = Date(2024, 8, 30)
    assert seen == [last, None, last, None, None, last]


def test_in_whatever_order_and_however_often_the_last_word_counts():
    told = [
        event(1),
        event(2, cancel_at_period_end=True),
        event(3, status="past_due"),
        event(4, status="canceled", ended_at=Instant.from_utc(2024, 8, 12).timestamp()),
    ]

    found = set()
    for order in itertools.permutations(map(read_stripe, told)):
        world = acme()
        for said in (*order, order[0]):
            take_word(
                world.context,
                said.subscription,
                said.word,
                organization=said.organization,
                pool=said.pool,
            )
        found.add(ends(world))

    assert found == {Date(2024, 8, 12)}


PAID_UNTIL = Instant.from_utc(2024, 8, 9, 23)  # midnight in Dublin: the 9th is the last day
OWED = {
    "status": "past_due",
    "items": {"data": [{"current_period_start": PAID_UNTIL.timestamp()}]},
}
NEXT_PERIOD = {
    "status": "unpaid",
    "items": {"data": [{"current_period_start": PAID_UNTIL.add(hours=24 * 31).timestamp()}]},
}


def grace(days):
    world = acme()
    world.context = replace(world.context, limits=replace(world.context.limits, unpaid_days=days))
    return world, client_of(world.context, stripe=Stripe.parse(SECRET))


@pytest.mark.parametrize(
    ("days", "last"), [(None, None), (0, Date(2024, 8, 9)), (14, Date(2024, 8, 23))]
)
def test_what_was_not_paid_ends_the_pool_so_many_days_after_the_last_paid_one(days, last):
    world, client = grace(days)
    post(client, event(1))

    post(client, event(2, **OWED)).raise_for_status()

    assert ends(world) == last
    (row,) = client.get(ROWS).json()["subscriptions"]
    assert row["owed_since"] == "2024-08-09T23:00:00Z"


def test_what_is_paid_later_puts_the_pool_back_also_after_its_end():
    world, client = grace(0)
    post(client, event(1, **OWED))
    world.run_until(Instant.from_utc(2024, 8, 12))
    before = stages(world)

    post(client, event(2), at=world.now).raise_for_status()

    assert before == ["open"]
    assert ends(world) is None
    assert stages(world) == ["canceled"]


def stages(world):
    with world.store.reading() as transaction:
        rows = [row for row in transaction.offboardings("acme") if row.ends == Date(2024, 8, 9)]
    return [row.status.value for row in rows]


def test_what_stays_unpaid_for_another_period_ends_when_it_did():
    world, client = grace(3)
    seen = []
    for number, told in enumerate([OWED, NEXT_PERIOD, {"status": "canceled", "canceled_at": LATE}]):
        post(client, event(number, **told)).raise_for_status()
        seen.append(ends(world))

    assert seen == [Date(2024, 8, 12)] * 3


LATE = Instant.from_utc(2024, 12, 1).timestamp()


def test_in_whatever_order_and_however_often_what_is_owed_counts_from_the_last_payment():
    told = [event(1, **OWED), event(2), event(3, **NEXT_PERIOD), event(4, **NEXT_PERIOD)]

    found = set()
    for order in itertools.permutations(map(read_stripe, told)):
        world, _ = grace(0)
        for said in (*order, order[0]):
            take_word(
                world.context,
                said.subscription,
                said.word,
                organization=said.organization,
                pool=said.pool,
                payment=said.payment,
            )
        found.add(ends(world))

    assert found == {Date(2024, 9, 9)}


def test_what_is_said_late_moves_no_subscription_to_another_pool(world, client):
    post(client, event(2, **OWED))

    post(client, event(1, pool="acme-others")).raise_for_status()

    assert rows(client)[0]["pool"] == "acme-notes"


def test_what_is_said_twice_or_late_is_known(world, client):
    newer, older = event(2), event(1, cancel_at_period_end=True)

    outcomes = [post(client, body).json()["outcome"] for body in (newer, newer, older)]

    assert outcomes == ["applied", "known", "known"]
    assert ends(world) is None


def test_a_pool_that_two_pay_for_is_open_as_long_as_one_of_them(world, client):
    early = Instant.from_utc(2024, 8, 12).timestamp()
    post(client, event(1, id="sub_1"))
    post(client, event(2, id="sub_2", cancel_at_period_end=True))
    both = ends(world)
    post(client, event(3, id="sub_1", status="canceled", ended_at=early))

    assert (both, ends(world)) == (None, Date(2024, 8, 30))


def test_what_nobody_knows_the_pool_of_is_kept_and_counts_once_somebody_says_it(world, client):
    answer = post(client, event(pool=None, cancel_at=START.add(hours=240).timestamp()))
    (kept,) = rows(client)
    before = ends(world)
    body = {"organization": "acme", "pool": "acme-notes"}
    said = client.put(f"{ROWS}/sub_1", json=body).json()
    late = post(client, event(2, pool="else", status="past_due"))

    assert (answer.status_code, answer.json()) == (202, {"outcome": "kept"})
    assert (kept["problem"], before) == ("Unassigned", Date(2024, 8, 30))
    assert (said["problem"], said["is_assigned"]) == (None, True)
    assert late.json() == {"outcome": "applied"}
    assert rows(client)[0]["pool"] == "acme-notes"


@pytest.mark.parametrize(
    ("told", "problem"),
    [
        ({"organization": "nobody"}, "OrganizationUnknown"),
        ({"pool": "more"}, "PoolUnknown"),
    ],
)
def test_what_was_said_before_its_pool_was_known_is_kept(world, client, told, problem):
    answer = post(client, event(**told))

    assert (answer.status_code, rows(client)[0]["problem"]) == (202, problem)


def test_what_was_kept_counts_when_its_pool_is_told_of(world, client):
    post(client, event(pool="more", cancel_at_period_end=True))
    facts = {"product": "notes", "kind": "seat", "seats": 1, "ends_on": None}
    early = settle_kept(world.context)
    client.put("/v1/organizations/acme/pools/more", json=facts).raise_for_status()
    settled = settle_kept(world.context)

    assert (early, settled, rows(client)[0]["problem"]) == (0, 1, None)
    more = client.get("/v1/organizations/acme/pools/more").json()
    assert more["ends_on"] == "2024-08-30"


def test_what_pays_for_another_pool_now_lets_go_of_the_one_before(world, client):
    facts = {"product": "notes", "kind": "seat", "seats": 1, "ends_on": None}
    client.put("/v1/organizations/acme/pools/more", json=facts).raise_for_status()
    post(client, event(1, id="sub_1"))
    post(client, event(2, id="sub_2", cancel_at_period_end=True))
    post(client, event(3, id="sub_1", pool="more"))

    assert world.store is not None
    answer = client.get("/v1/organizations/acme/pools/acme-notes").json()
    assert answer["ends_on"] == "2024-08-30"


def test_only_a_pool_that_is_there_is_paid_for(client):
    for body in ({"organization": "acme", "pool": "x"}, {"organization": "x", "pool": "x"}):
        assert client.put(f"{ROWS}/sub_1", json=body).status_code == 404
    assert rows(client) == []


@pytest.mark.parametrize("secret", [SECRET, NEXT])
def test_each_secret_is_good_while_one_takes_over_from_another(client, secret):
    body = event()
    old = "0" * 64
    header = f"t={START.timestamp()},v1={old},v1={signature(body, secret=secret)},v0=x"

    assert post(client, body, header=header).status_code == 200


T = START.timestamp()


@pytest.mark.parametrize(
    "header",
    [
        "",
        "v1=" + signature(event()),
        f"t={T}",
        f"t={T},v1=",
        f"t={T},v1={signature(event(2))}",
        f"t={T},v1={signature(event(), secret='whsec_' + 'c' * 32)}",
        f"t={T + 1},v1={signature(event())}",
        f"t=soon,v1={signature(event())}",
        f"t={T},v0={signature(event())}",
        f"t={T},v1={signature(event()).upper()}",
        f"t={T},v1=\u00e9".encode(),
    ],
)
def test_what_stripe_has_not_signed_changes_nothing(world, client, header):
    answer = post(client, event(), header=header)

    assert answer.status_code == 401
    assert rows(client) == []
    assert ends(world) == Date(2024, 8, 30)


@pytest.mark.parametrize("seconds", [-AGE_SECONDS_MAX - 1, AGE_SECONDS_MAX + 1])
def test_what_was_signed_long_ago_or_in_the_future_is_refused(client, seconds):
    assert post(client, event(), at=START.add(seconds=seconds)).status_code == 401


def test_what_is_signed_and_no_event_is_told_so(client):
    answer = post(client, b"{}")

    assert (answer.status_code, answer.json()["code"]) == (422, "EventsUnreadable")
    assert post(client, b"x" * (EVENT_BYTES_MAX + 1)).status_code == 413


def test_without_a_secret_nobody_may_say_anything(world):
    assert post(client_of(world.context), event()).status_code == 404


def test_a_secret_that_is_none_is_refused():
    with pytest.raises(StripeSecretWeak):
        Stripe.parse(f"{SECRET} whsec_")
