"""What every route of the API has in common: keys, problems, headers, limits."""

import json
from dataclasses import replace

import pytest
from fastapi import APIRouter, Depends
from fastapi.testclient import TestClient
from whenever import Instant

from offramp.core.errors import Refused, Unavailable
from offramp.core.operator import OperatorRole
from offramp.ports import Happening, StoreUnavailable
from offramp.testing.memory_store import MemoryStore
from offramp.testing.world import World
from offramp.web.api.access_key import AccessKeys, AccessKeyWeak
from offramp.web.api.app import BODY_BYTES_MAX, create_app
from offramp.web.api.caller import Gate, Need
from offramp.web.api.guard import SAFE
from offramp.web.api.pace import Pace

NOW = Instant.from_utc(2024, 8, 31)
KEY, NEXT_KEY = "first-" + "k" * 32, "second-" + "k" * 32
EVE = "eve@stranger.example"


class Fragile(Refused):
    """The order of {organization} is refused."""


class Asleep(Unavailable):
    """Nobody is awake."""


class LostStore(MemoryStore):
    """Cannot be read any more."""

    def reading(self):
        raise StoreUnavailable(reason="it went away")


def odd_routes():
    """Give routes that fail in every way there is."""
    routes = APIRouter()

    @routes.get("/refused")
    def refused():
        raise Fragile(organization="acme", hint="ask again")

    @routes.get("/asleep")
    def asleep():
        raise Asleep

    @routes.get("/mistake")
    def mistake():
        raise KeyError(EVE)

    @routes.get("/number/{number}")
    def count(number: int):
        return number

    @routes.post("/letters")
    def letters(body: dict[str, str]):
        return len(json.dumps(body))

    return routes


@pytest.fixture
def told():
    """Everything that was reported."""
    return []


@pytest.fixture
def client(told):
    """Somebody who asks an application that has the odd routes too."""
    context = replace(
        World(NOW).context, report=lambda event, facts: told.append((event, dict(facts)))
    )
    keys = AccessKeys.parse(f"{KEY} {NEXT_KEY}")
    app = create_app(context, access_keys=keys)
    gate = Gate(context=context, access_keys=keys, pace=Pace(per_minute=None, elapsed=float))
    need = Need(gate=gate, role=OperatorRole.VIEWER)
    app.include_router(odd_routes())
    app.include_router(odd_routes(), prefix="/v1", dependencies=[Depends(need)])
    return TestClient(app, raise_server_exceptions=False)


def test_an_error_of_ours_is_told_with_its_code_and_its_hint(client):
    answer = client.get("/refused")

    assert answer.status_code == 409
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json() == {
        "type": "about:blank",
        "title": "Conflict",
        "status": 409,
        "code": "Fragile",
        "detail": "The order of acme is refused.",
        "hint": "ask again",
        "is_worth_another_try": False,
    }


def test_an_outage_is_told_as_worth_another_try(client):
    answer = client.get("/asleep")

    assert answer.status_code == 503
    assert answer.json()["is_worth_another_try"] is True


def test_a_mistake_is_reported_by_its_place_and_nobody_hears_its_message(client, told):
    answer = client.get("/mistake")

    assert answer.status_code == 500
    assert answer.json()["detail"] == "This is a mistake of ours."
    [(event, facts)] = told
    assert event == Happening.UNEXPECTED
    assert facts["error"] == "KeyError"
    assert facts["frames"][0].startswith("test_api.py, line")
    assert EVE not in answer.text + str(told)


def test_a_wrong_request_hears_what_is_wrong_and_not_what_it_said(client):
    answer = client.get("/number/eve@stranger.example")

    assert answer.status_code == 422
    assert answer.json()["wrong"] == [
        {
            "at": ["path", "number"],
            "problem": "Input should be a valid integer, unable to parse string as an integer",
        }
    ]
    assert EVE not in answer.text


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/nothing", 404), ("POST", "/refused", 405), ("GET", "/docs", 404)],
)
def test_what_is_not_there_is_told_in_the_same_shape(client, method, path, status):
    answer = client.request(method, path)

    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["status"] == status


@pytest.mark.parametrize("key", [KEY, NEXT_KEY])
def test_each_of_the_keys_opens_the_door(client, key):
    assert client.get("/v1/number/7", headers={"Authorization": f"Bearer {key}"}).json() == 7


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": f"Bearer {KEY[:-1]}"},
        {"Authorization": f"Bearer {KEY}x"},
        {"Authorization": "Bearer"},
        {"Authorization": f"Basic {KEY}"},
        {"Authorization": "Bearer schlüssel".encode()},
    ],
)
def test_without_a_key_that_fits_the_door_stays_shut(client, headers):
    answer = client.get("/v1/number/7", headers=headers)

    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == "Bearer"
    assert answer.json()["title"] == "Unauthorized"


def test_where_no_key_is_set_none_fits():
    keys = AccessKeys.parse("  ")

    assert not keys.fits("")
    assert not keys.fits("  ")


def test_a_key_that_could_be_guessed_is_refused():
    with pytest.raises(AccessKeyWeak) as caught:
        AccessKeys.parse(f"{KEY} letmein")

    assert "letmein" not in f"{caught.value} {caught.value.hint}"


@pytest.mark.parametrize("path", ["/number/7", "/refused", "/mistake", "/nothing", "/healthz"])
def test_every_answer_says_that_nothing_is_kept_and_nothing_guessed(client, path):
    answer = client.get(path)

    assert {name: answer.headers.get(name) for name in SAFE} == SAFE


@pytest.mark.parametrize("is_announced", [True, False])
def test_a_letter_that_is_too_long_is_not_read(client, is_announced):
    letter = b"x" * (BODY_BYTES_MAX + 1)
    answer = client.post("/letters", content=letter if is_announced else iter([letter]))

    assert (answer.status_code, answer.json()["status"]) == (413, 413)
    assert answer.headers["content-type"] == "application/problem+json"
    assert {name: answer.headers.get(name) for name in SAFE} == SAFE


def test_a_question_that_is_too_long_is_told_so_in_a_line(client):
    answer = client.post("/access/v1/evaluation", content=b"x" * (BODY_BYTES_MAX + 1))

    assert answer.status_code == 413
    assert answer.headers["content-type"].startswith("text/plain")


def test_the_server_is_ready_while_its_store_answers(client):
    assert client.get("/healthz").json() == {"is_alive": True}
    assert client.get("/readyz").json() == {"is_ready": True, "has_datamap": False}


@pytest.mark.parametrize(
    ("guessed", "true"), [("health", "healthz"), ("openapi.json", "v1/openapi.json")]
)
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_an_address_that_people_try_first_leads_to_the_true_one(client, method, guessed, true):
    """Below whatever path a proxy has put us: where it leads is said from where one is."""
    answer = client.request(method, f"/{guessed}?x=//evil.example", follow_redirects=False)

    assert (answer.status_code, answer.headers["location"]) == (308, true)
    assert client.get(f"/{guessed}").json() == client.get(f"/{true}").json()


def test_only_whoever_shows_a_key_reads_the_metrics_of_a_server():
    keys = AccessKeys.parse("k" * 32)
    client = TestClient(create_app(World(NOW).context, access_keys=keys))

    answer = client.get("/metrics", headers={"Authorization": f"Bearer {'k' * 32}"})

    assert client.get("/metrics").status_code == 401
    assert "offramp_store_up 1" in answer.text
    assert answer.headers["content-type"].startswith("text/plain; version=")


def test_a_server_whose_store_is_lost_lives_and_is_not_ready():
    world = World(NOW, store=LostStore())
    client = TestClient(create_app(world.context, access_keys=AccessKeys()))

    answer = client.get("/readyz")

    assert client.get("/healthz").status_code == 200
    assert answer.status_code == 503
    assert answer.json() == {"is_ready": False, "reason": "StoreUnavailable"}
