"""Searches for people and organizations as gateways ask for them, page by page.

Source: OpenID AuthZEN Authorization API 1.0 (the numbers are its sections).
"""

from base64 import urlsafe_b64encode
from dataclasses import replace

import pytest
from fastapi.testclient import TestClient

from offramp.core.model import Role
from offramp.engine import access_search
from offramp.engine.offboarding import register
from offramp.web.api.access_key import AccessKeys
from offramp.web.api.app import create_app
from tests.unit.web.acme import EXPIRED, acme

KEY = "k" * 32
EVALUATION, CONFIGURATION = "/access/v1/evaluation", "/.well-known/authzen-configuration"
PEOPLE, PLACES = "/access/v1/search/subject", "/access/v1/search/resource"
NOTES = {"product": "notes"}
ANYBODY, ANYWHERE = {"type": "user"}, {"type": "organization", "properties": NOTES}
ACME, ULF = ANYWHERE | {"id": "acme"}, {"type": "user", "id": "ulf"}
UPDATE = {"name": "update"}
WHO = {"subject": ANYBODY, "action": UPDATE, "resource": ACME}
WHERE = {"subject": ULF, "action": UPDATE, "resource": ANYWHERE}


@pytest.fixture
def world():
    """Give Acme with anna, ulf and m0 to m4; ulf is in three other organizations as well."""
    world = acme()
    with world.store.transaction() as transaction:
        (pool,), customer = transaction.pools("acme"), transaction.organization("acme")
        ulf = transaction.member("acme", "ulf")
    others = [f"other-{number}" for number in range(3)]
    people = [replace(ulf, id=f"m{number}", roles=frozenset({Role.MEMBER})) for number in range(5)]
    register(
        world.context,
        organizations=[replace(customer, id=each) for each in others],
        pools=[replace(pool, organization=each) for each in others],
        members=[*people, *(replace(ulf, organization=each) for each in others)],
    )
    return world


@pytest.fixture
def client(world):
    app = create_app(world.context, access_keys=AccessKeys.parse(KEY))
    return TestClient(app, headers={"Authorization": f"Bearer {KEY}"})


def found(answer):
    assert answer.status_code == 200, answer.text
    return [each["id"] for each in answer.json()["results"]]


def block(world, organization, member):
    with world.store.transaction() as transaction:
        transaction.set_block(organization, member=member, is_blocked=True)


def test_whoever_may_is_found_and_nobody_else(client, world):
    """8.4: each of them is answered with true when asked about alone."""
    block(world, "acme", "m2")

    answer = client.post(PEOPLE, json=WHO)

    assert found(answer) == ["anna", "m0", "m1", "m3", "m4", "ulf"]
    assert answer.json()["page"] == {"next_token": "", "count": 6}
    for name in ("anna", "m2", "ulf"):
        question = WHO | {"subject": ANYBODY | {"id": name}}
        alone = client.post(EVALUATION, json=question).json()
        assert alone["decision"] is (name in found(answer))


def test_every_organization_is_found_in_which_somebody_may(client, world):
    block(world, "other-1", None)

    answer = client.post(PLACES, json=WHERE)

    assert answer.json()["results"][0] == {"type": "organization", "id": "acme"}
    assert found(answer) == ["acme", "other-0", "other-2"]


def test_what_is_found_ends_at_the_first_instant_A2(client, world):
    world.clock.advance_to(EXPIRED)
    create = {"action": {"name": "create"}}

    assert found(client.post(PEOPLE, json=WHO | create)) == []
    assert found(client.post(PLACES, json=WHERE | create)) == []
    assert len(found(client.post(PEOPLE, json=WHO))) == 7


@pytest.mark.parametrize("limit", [1, 2, 3, 7, 1000])
@pytest.mark.parametrize(("path", "search"), [(PEOPLE, WHO), (PLACES, WHERE)])
def test_page_after_page_gives_everything_once(client, path, search, limit):
    """8.2: a token leads to the next page, and an empty one says that there is none."""
    whole = found(client.post(path, json=search))
    seen, token = [], ""

    while True:
        answer = client.post(path, json=search | {"page": {"limit": limit, "token": token}})
        page = answer.json()["page"]
        assert page["count"] == len(found(answer)) <= limit
        seen += found(answer)
        token = page["next_token"]
        if not token:
            break

    assert seen == whole


def test_a_page_without_room_leads_on_and_holds_nothing(client):
    answer = client.post(PEOPLE, json=WHO | {"page": {"limit": 0}})
    token = answer.json()["page"]["next_token"]

    assert found(answer) == []
    assert found(client.post(PEOPLE, json=WHO | {"page": {"token": token}}))[0] == "anna"


def test_a_page_looks_at_so_many_organizations_and_no_more(client, world, monkeypatch):
    monkeypatch.setattr(access_search, "LOOKS_MAX", 2)
    block(world, "acme", None)
    block(world, "other-0", None)

    first = client.post(PLACES, json=WHERE)
    token = first.json()["page"]["next_token"]
    second = client.post(PLACES, json=WHERE | {"page": {"token": token}})

    assert (found(first), found(second)) == ([], ["other-1", "other-2"])


@pytest.mark.parametrize(
    "page",
    [
        {"token": "!"},
        {"token": "é"},
        {"token": "e30="},
        {"token": urlsafe_b64encode(b"[" * 40_000).decode()},
        {"token": urlsafe_b64encode(b'["0000000000000000", "m2"]').decode()},
        {"limit": -1},
        {"limit": "3"},
        {"limit": True},
        7,
    ],
)
def test_a_page_that_is_none_of_ours_is_refused(client, page):
    answer = client.post(PEOPLE, json=WHO | {"page": page})

    assert answer.status_code == 400
    assert answer.headers["Content-Type"].startswith("text/plain")


def test_the_token_of_one_search_is_no_token_of_another(client):
    """8.2: nothing but the page may change from page to page."""
    page = client.post(PEOPLE, json=WHO | {"page": {"limit": 1}}).json()["page"]
    another = WHO | {"action": {"name": "read"}, "page": {"token": page["next_token"]}}

    answer = client.post(PEOPLE, json=another)

    assert (answer.status_code, "another search" in answer.text) == (400, True)


@pytest.mark.parametrize(
    ("path", "search"),
    [
        (PEOPLE, WHO | {"subject": {"type": "robot"}}),
        (PEOPLE, WHO | {"action": {"name": "fly"}}),
        (PEOPLE, WHO | {"resource": {"type": "organization", "id": "nobody"}}),
        (PEOPLE, WHO | {"resource": {"type": "record", "id": "acme"}}),
        (PLACES, WHERE | {"subject": {"type": "user", "id": "eve"}}),
        (PLACES, WHERE | {"subject": {"type": "robot", "id": "ulf"}}),
        (PLACES, WHERE | {"resource": {"type": "record"}}),
        (PLACES, WHERE | {"action": {"name": "fly"}}),
    ],
)
def test_of_what_nobody_knows_nothing_is_found_and_that_is_no_error(client, path, search):
    answer = client.post(path, json=search)

    assert answer.json() == {"page": {"next_token": "", "count": 0}, "results": []}


@pytest.mark.parametrize("ignored", ["m2", 7, None])
def test_the_id_of_what_is_sought_is_left_alone(client, ignored):
    """8.4, 8.5"""
    who = WHO | {"subject": ANYBODY | {"id": ignored}, "context": {"time": "now"}}
    where = WHERE | {"resource": ANYWHERE | {"id": ignored}}

    assert len(found(client.post(PEOPLE, json=who))) == 7
    assert len(found(client.post(PLACES, json=where))) == 4


@pytest.mark.parametrize(
    ("path", "search", "place"),
    [
        (PEOPLE, {"action": UPDATE, "resource": ACME}, "body.subject"),
        (PEOPLE, {"subject": ANYBODY, "resource": ACME}, "body.action"),
        (PEOPLE, WHO | {"resource": ANYWHERE}, "body.resource.id"),
        (PLACES, WHERE | {"subject": ANYBODY}, "body.subject.id"),
        (PLACES, WHERE | {"resource": {}}, "body.resource.type"),
    ],
)
def test_a_search_that_lacks_something_is_refused(client, path, search, place):
    answer = client.post(path, json=search)

    assert (answer.status_code, f"{place}: " in answer.text) == (400, True)


def test_nobody_searches_without_a_key(world):
    client = TestClient(create_app(world.context, access_keys=AccessKeys.parse(KEY)))

    assert [client.post(path, json=WHO).status_code for path in (PEOPLE, PLACES)] == [401, 401]


def test_where_to_search_can_be_found_by_anybody(client):
    """9: what is not named there is not there."""
    told = client.get(CONFIGURATION).json()

    assert told["search_subject_endpoint"].endswith(PEOPLE)
    assert told["search_resource_endpoint"].endswith(PLACES)
