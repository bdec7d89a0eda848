"""What a program of the vendor does for an administrator: ends, expiry, return, and seats."""

import pytest
from fastapi.testclient import TestClient
from whenever import Date, Instant

from offramp.web.api.access_key import AccessKeys
from offramp.web.api.app import create_app
from offramp.web.api.people import MEMBERS_MAX
from tests.unit.web.acme import acme

KEY = "k" * 32
BASE = "/v1/organizations/acme"


@pytest.fixture
def world():
    return acme()


@pytest.fixture
def client(world):
    app = create_app(world.context, access_keys=AccessKeys.parse(KEY))
    return TestClient(app, headers={"Authorization": f"Bearer {KEY}"})


def post(client, deed, *members, **more):
    return client.post(f"{BASE}/members/{deed}", json={"members": list(members), **more})


def ulf(world):
    with world.store.transaction() as transaction:
        return transaction.member("acme", "ulf")


def test_an_end_is_given_changed_and_taken_away_B11(world, client):
    given = post(client, "end", {"member": "ulf", "ends_on": "2024-08-20"})
    moved = post(client, "end", {"member": "ulf", "ends_on": "2024-08-22"})
    end = ulf(world).ends
    taken = post(client, "end", {"member": "ulf", "ends_on": None})

    assert given.json() == {"opened": 1, "moved": 0, "ended": 0}
    assert (moved.json()["moved"], end) == (1, Date(2024, 8, 22))
    assert (taken.json()["ended"], ulf(world).ends) == (1, None)


def test_members_expire_and_come_back_and_their_seat_is_free_meanwhile_B11(world, client):
    def free():
        (pool,) = client.get(f"{BASE}/pools").json()["pools"]
        return pool["free"]

    before = free()
    world.run_until(Instant.from_utc(2024, 8, 10))
    post(client, "expire", {"member": "ulf"}, {"member": "anna", "product": "notes"})
    meanwhile = free()
    back = post(client, "reactivate", {"member": "ulf", "ends_on": "2024-08-25"}, by="owner")

    assert (before, meanwhile, free()) == (3, 5, 4)
    assert (back.status_code, ulf(world).ends) == (200, Date(2024, 8, 25))


def test_a_removed_member_loses_the_seat(world, client):
    answer = post(client, "remove", {"member": "ulf"})

    assert (answer.status_code, ulf(world).removed_at) == (200, world.now)


def test_every_mistake_is_named_and_nothing_is_changed(world, client):
    answer = post(
        client,
        "end",
        {"member": "anna", "ends_on": "2024-08-20"},
        {"member": "nobody", "ends_on": "2024-08-20"},
        {"member": "ulf", "ends_on": "2020-01-01"},
    )

    told = answer.json()
    assert (answer.status_code, told["code"]) == (404, "MemberUnknown")
    assert [each["at"] for each in told["wrong"]] == [["nobody"], ["ulf"]]
    with world.store.transaction() as transaction:
        assert transaction.member("acme", "anna").ends is None


def test_who_moves_to_a_pool_that_nobody_bought_is_told_so(client):
    answer = post(client, "move", {"member": "ulf", "from": "acme-notes", "to": "acme-more"})

    assert (answer.status_code, answer.json()["code"]) == (404, "PoolUnknown")


@pytest.mark.parametrize(
    ("deed", "member"),
    [
        ("end", {"member": "ulf"}),
        ("end", {"member": "ulf", "ends_on": "soon"}),
        ("end", {"member": "ulf", "ends_on": 20240830}),
        ("expire", {"member": "ulf", "ends_on": "2024-08-20"}),
        ("remove", {"member": "ulf", "product": "notes"}),
        ("reactivate", {}),
        ("move", {"member": "ulf"}),
    ],
)
def test_what_has_the_wrong_shape_is_refused(client, deed, member):
    assert post(client, deed, member).status_code == 422


@pytest.mark.parametrize("count", [0, MEMBERS_MAX + 1])
def test_a_request_is_about_somebody_and_not_about_too_many(client, count):
    assert post(client, "expire", *[{"member": "m"}] * count).status_code == 422


def test_without_a_key_nothing_is_done(world, client):
    answer = client.post(
        f"{BASE}/members/remove",
        json={"members": [{"member": "ulf"}]},
        headers={"Authorization": ""},
    )

    assert (answer.status_code, ulf(world).removed_at) == (401, None)
