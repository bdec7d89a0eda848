"""A request that comes twice under one Idempotency-Key is carried out once, and answered alike."""

import json

import pytest
from fastapi.routing import iter_route_contexts

from offramp.engine.repetition import KEPT_HOURS, Asked, begin, tidy_answers
from tests.unit.web.acme import START, acme
from tests.unit.web.api_client import ADMIN, client_of

BASE = "/v1/organizations/acme"
WHY = {"owner": "Legal", "reason": "a dispute about ulf@example.com"}


@pytest.fixture
def world():
    return acme()


@pytest.fixture
def client(world):
    return client_of(world.context)


def post(client, path="holds", body=WHY, *, key="one", **headers):
    return client.post(f"{BASE}/{path}", json=body, headers={"Idempotency-Key": key, **headers})


def holds(client):
    return client.get(f"{BASE}/holds").json()["holds"]


def kept(world):
    return list(world.store._tables.kept_answers.values())


def test_what_comes_again_is_answered_alike_and_done_once(client):
    first, again = post(client), post(client)

    assert first.json() == again.json() == holds(client)[0]
    assert len(holds(client)) == 1
    assert "idempotency-replayed" not in first.headers
    assert again.headers["idempotency-replayed"] == "true"
    assert again.headers["content-type"] == first.headers["content-type"]


def test_without_a_key_and_with_another_one_it_is_done_again(client):
    post(client)
    post(client, key="two")
    client.post(f"{BASE}/holds", json=WHY)

    assert len(holds(client)) == 3


def test_another_request_with_the_same_key_is_refused(client):
    post(client)

    for other in (post(client, body={**WHY, "owner": "else"}), post(client, "unlocks")):
        assert (other.status_code, other.json()["code"]) == (422, "RepetitionDiffers")
    assert len(holds(client)) == 1


def test_another_program_has_keys_of_its_own(world, client):
    (other,) = client_of(world.context, ADMIN)
    post(client)

    assert "idempotency-replayed" not in post(other).headers
    assert len(holds(client)) == 2


def test_what_was_refused_may_come_again(world, client):
    wrong = post(client, "renew", {"ends_on": "2020-01-01"})
    misread = post(client, "renew", {"ends_on": "soon"})
    right = post(client, "renew", {"ends_on": "2025-01-01"})

    assert (wrong.status_code, misread.status_code, right.status_code) == (409, 422, 200)


def test_what_is_being_worked_on_is_not_begun_again(world, client):
    body = json.dumps(WHY).encode()
    parts = [b"POST", f"{BASE}/holds".encode(), b"", body]
    begin(world.context, Asked(caller="settings", key="one", request=parts))

    answer = client.post(
        f"{BASE}/holds",
        content=body,
        headers={"Idempotency-Key": "one", "Content-Type": "application/json"},
    )

    assert (answer.status_code, answer.json()["code"]) == (409, "RepetitionRunning")
    assert holds(client) == []


def test_it_is_known_for_a_day_and_not_longer(world, client):
    post(client)
    world.clock.advance_to(START.add(hours=KEPT_HOURS))
    tidied = tidy_answers(world.context)
    post(client)

    assert (tidied, len(holds(client))) == (1, 2)


def test_neither_the_request_nor_the_answer_can_be_read_in_the_store(world, client):
    post(client, key="a-key-of-theirs")

    (row,) = kept(world)
    for text in ("ulf@example.com", "a-key-of-theirs", "Legal", "api-key", "settings"):
        assert text not in repr(row)
        assert text.encode() not in row.answer


def test_the_version_of_what_was_changed_is_given_again(client):
    body = {"product": "notes", "kind": "seat", "seats": 9, "ends_on": "2024-09-30"}
    answers = [
        client.put(f"{BASE}/pools/more", json=body, headers={"Idempotency-Key": "one"})
        for _ in range(2)
    ]

    assert answers[0].headers["etag"] == answers[1].headers["etag"]


def test_what_is_only_looked_at_is_never_kept(world, client):
    client.get(f"{BASE}/holds", headers={"Idempotency-Key": "one"}).raise_for_status()

    assert kept(world) == []


@pytest.mark.parametrize("key", ["", "x" * 256, "tab\tkey"])
def test_a_key_that_is_none_is_refused(client, key):
    answer = post(client, key=key)

    assert (answer.status_code, answer.json()["code"]) == (422, "IdempotencyKeyInvalid")


def test_without_an_api_key_nothing_is_kept(world, client):
    answer = post(client, Authorization="Bearer nobody")

    assert (answer.status_code, kept(world)) == (401, [])


def test_every_route_of_the_interface_can_be_repeated(client):
    changing = [
        each.original_route
        for each in iter_route_contexts(client.app.routes)
        if (each.path or "").startswith("/v1") and each.methods & {"POST", "PUT", "DELETE"}
    ]

    assert changing
    assert {type(route).__name__ for route in changing} == {"RepeatableRoute"}
