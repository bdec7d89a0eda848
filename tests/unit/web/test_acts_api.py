"""What is decided about one organization by way of a program: the same as by command, on record."""

import pytest
from whenever import Date, Instant

from tests.unit.web.acme import EXPIRED, acme
from tests.unit.web.api_client import client_of

BASE = "/v1/organizations/acme"
WHY = {"owner": "Legal", "reason": "a dispute"}


@pytest.fixture
def world():
    return acme()


@pytest.fixture
def client(world):
    return client_of(world.context)


def post(client, deed, **body):
    return client.post(f"{BASE}/{deed}", json=body or None)


def ends(world):
    with world.store.reading() as transaction:
        (pool,) = transaction.pools("acme")
        return pool.ends


def actors(world, *kinds):
    with world.store.reading() as transaction:
        events = [entry.event for entry in transaction.ledger()]
    return {event.actor for event in events if event.kind in kinds}


def test_a_term_is_extended_and_renewed(world, client):
    extended = post(client, "extend", ends_on="2024-09-30").json()
    corrected = ends(world)
    renewed = post(client, "renew", ends_on="2025-09-30").json()

    assert (extended, corrected) == ({"opened": 0, "moved": 1, "ended": 0}, Date(2024, 9, 30))
    assert renewed["opened"] + renewed["ended"] > 0
    assert ends(world) == Date(2025, 9, 30)
    assert actors(world, "offboarding-moved") == {"api-key:settings"}


def test_who_has_left_is_reactivated_and_who_has_not_is_told_so(world, client):
    early = post(client, "reactivate", ends_on="2025-09-30", by="admin")
    world.run_until(EXPIRED)
    back = post(client, "reactivate", ends_on="2025-09-30", by="admin")

    assert (early.status_code, early.json()["code"]) == (409, "NothingToReactivate")
    assert (back.status_code, ends(world)) == (200, Date(2025, 9, 30))


def test_a_hold_is_placed_listed_and_released(world, client):
    placed = post(client, "holds", **WHY, ends_at="2030-01-01T00:00:00Z").json()
    listed = client.get(f"{BASE}/holds").json()["holds"]
    foreign = client.delete(f"/v1/organizations/beta/holds/{placed['hold']}")
    released = client.delete(f"{BASE}/holds/{placed['hold']}")
    again = client.delete(f"{BASE}/holds/{placed['hold']}")

    assert listed == [placed]
    assert placed["ends_at"] == Instant.from_utc(2030, 1, 1).format_iso()
    assert (foreign.status_code, released.status_code, again.status_code) == (404, 200, 404)
    assert client.get(f"{BASE}/holds").json() == {"holds": []}
    assert actors(world, "hold-placed", "hold-released") == {"api-key:settings"}


def test_access_is_given_back_for_some_hours(world, client):
    granted = post(client, "unlocks", **WHY, member="ulf", hours=2).json()

    assert client.get(f"{BASE}/unlocks").json()["unlocks"] == [granted]
    assert granted["ends_at"] == world.now.add(hours=2).format_iso()


def test_an_organization_is_kept_out_of_deletion_and_put_back(world, client):
    def exempt(is_exempt):
        client.put(f"{BASE}/exemption", json={"is_exempt": is_exempt}).raise_for_status()
        with world.store.reading() as transaction:
            return transaction.is_exempt("acme")

    assert [exempt(True), exempt(False)] == [True, False]


def test_a_member_is_shut_out_and_let_in_again(world, client):
    def block(is_blocked):
        body = {**WHY, "member": "ulf", "is_blocked": is_blocked}
        client.put(f"{BASE}/block", json=body).raise_for_status()
        with world.store.reading() as transaction:
            return transaction.is_blocked("acme", member="ulf")

    assert [block(True), block(False)] == [True, False]


def test_nothing_is_put_back_where_nothing_was_given_up(client):
    assert post(client, "retry").json() == {"put_back": 0}


def test_messages_that_were_sent_go_again(world, client):
    before = post(client, "messages/resend", is_lost=False)
    world.run_until(EXPIRED.add(hours=24))
    after = post(client, "messages/resend", is_lost=False)
    lost = post(client, "messages/resend", is_lost=True)

    assert (before.status_code, before.json()["code"]) == (409, "NothingToResend")
    assert (after.status_code, after.json()["messages"] > 0) == (202, True)
    assert lost.json()["code"] == "NothingToResend"


def test_links_are_listed_and_there_is_none_to_send_again_or_to_revoke(client):
    assert client.get(f"{BASE}/links").json() == {"links": [], "copies": []}
    for deed in ("reissue", "revoke"):
        answer = client.post(f"{BASE}/links/{deed}", json={})
        assert (answer.status_code, answer.json()["code"]) == (409, "NoLinks")


@pytest.mark.parametrize(
    ("deed", "body"),
    [
        ("renew", {}),
        ("renew", {"ends_on": "soon"}),
        ("reactivate", {"ends_on": "2030-01-01", "by": "anybody"}),
        ("holds", {"owner": "Legal", "reason": ""}),
        ("holds", {"owner": "Legal", "reason": "line\nbreak"}),
        ("holds", {**WHY, "ends_at": "2030-01-01"}),
        ("unlocks", {**WHY, "hours": 0}),
        ("unlocks", {**WHY, "hours": 169}),
        ("unlocks", {**WHY, "days": 1}),
    ],
)
def test_what_has_the_wrong_shape_is_refused(client, deed, body):
    assert client.post(f"{BASE}/{deed}", json=body).status_code == 422
