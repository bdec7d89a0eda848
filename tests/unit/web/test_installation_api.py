"""Policies, the ledger, the pause, two people and endpoints, by way of programs."""

import pytest
from whenever import Instant

from offramp.documents.policy import find_policy
from tests.unit.web.acme import acme
from tests.unit.web.api_client import ADMIN, APPROVER, client_of
from tests.unit.web.office import filled_office

THE_DAY_BEFORE = Instant.from_utc(2024, 9, 28, 20)


@pytest.fixture
def world():
    return acme()


@pytest.fixture
def client(world):
    (admin,) = client_of(world.context, ADMIN)
    return admin


def grace(**changes):
    """Write the policy as a program would send it."""
    policy = find_policy("edit-only-grace")
    return {**policy.model_dump(mode="json", by_alias=True, exclude_defaults=True), **changes}


def test_policies_are_listed_and_looked_at_as_they_were_published(client):
    listed = client.get("/v1/policies").json()["policies"]
    shown = client.get("/v1/policies/edit-only-grace")

    assert [each["policy"] for each in listed] == ["edit-only-grace"]
    assert shown.json() == grace()
    for missing in ("/v1/policies/nobodys", "/v1/policies/edit-only-grace?version=99"):
        assert client.get(missing).json()["code"] == "PolicyUnpublished"


def test_a_version_is_tried_before_it_is_published(world, client):
    version = find_policy("edit-only-grace").version + 1
    document = grace(version=version)
    tried = client.post("/v1/policies?dry_run=true", json=document).json()
    newest = client.get("/v1/policies").json()["policies"][0]["version"]
    published = client.post("/v1/policies", json=document).json()
    again = client.post("/v1/policies", json=document).json()

    assert (tried["in_flight"], tried["takes_over"], tried["is_published"]) == (1, 1, False)
    assert newest == version - 1
    assert published == {**tried, "is_published": True}
    assert (again["is_new"], again["is_published"]) == (False, False)
    with world.store.reading() as transaction:
        events = [entry.event for entry in transaction.ledger()]
    assert [e.actor for e in events if e.kind == "policy-published"][-1] == "api-key:admin-0"


@pytest.mark.parametrize(
    ("changes", "status", "code"),
    [
        ({"version": 0}, 422, "DocumentInvalid"),
        ({"steps": "none"}, 422, "DocumentInvalid"),
        ({"title": "Another title"}, 409, "PolicyVersionTaken"),
    ],
)
def test_a_policy_that_cannot_be_published_is_told_where_it_is_wrong(client, changes, status, code):
    answer = client.post("/v1/policies", json=grace(**changes))

    assert (answer.status_code, answer.json()["code"]) == (status, code)
    if status == 422:
        assert answer.json()["wrong"][0]["at"][0].split(".")[0] in changes


def test_the_ledger_is_read_page_by_page_and_again_from_where_it_ended(client):
    whole = client.get("/v1/events").json()
    found, after = [], 0
    while page := client.get("/v1/events", params={"after": after, "limit": 2}).json()["events"]:
        found += page
        after = page[-1]["number"]

    assert found == whole["events"]
    assert [each["number"] for each in found] == list(range(1, len(found) + 1))
    assert client.get("/v1/events", params={"after": after}).json() == {
        "events": [],
        "after": after,
    }


def test_everything_destructive_is_paused_and_goes_on(client):
    states = [client.get("/v1/pause").json()["is_paused"]]
    for is_paused in (True, False):
        client.put("/v1/pause", json={"is_paused": is_paused}).raise_for_status()
        states.append(client.get("/v1/pause").json()["is_paused"])

    assert states == [False, True, False]


def test_a_cap_is_set_and_taken_away(world, client):
    for most in (7, None):
        client.put("/v1/cap", json={"erasures_max": most}).raise_for_status()
        with world.store.reading() as transaction:
            assert transaction.daily_cap() == most
    assert client.put("/v1/cap", json={"erasures_max": -1}).status_code == 422


def test_many_deletions_take_two_keys():
    office = filled_office("acme", "beta")
    one, other = client_of(office.context, APPROVER, APPROVER)
    office.world.lie_still_until(THE_DAY_BEFORE)
    asked = one.post("/v1/requests", json={"reason": "the end of the season"})
    waiting = one.get("/v1/requests").json()["requests"]
    path = f"/v1/requests/{asked.json()['request']}/approve"
    alone, together, again = one.post(path), other.post(path), other.post(path)

    assert waiting == [asked.json()]
    assert (alone.status_code, alone.json()["code"]) == (409, "SamePerson")
    assert together.json()["owner"] == "api-key:approver-0"
    assert together.json()["approver"] == "api-key:approver-1"
    assert again.json()["code"] == "ArmingApproved"


def test_endpoints_are_listed_and_what_is_sent_again_has_to_be_said(client):
    assert client.get("/v1/webhooks").json() == {"endpoints": []}
    unsaid = client.post("/v1/webhooks/replay", json={})
    nobody = client.post("/v1/webhooks/crm/enable")
    unknown = client.post("/v1/webhooks/replay", json={"event": "e", "endpoint": "crm"})

    assert (unsaid.status_code, unsaid.json()["code"]) == (422, "EventsNotChosen")
    for answer in (unknown, nobody):
        assert (answer.status_code, answer.json()["code"]) == (404, "EndpointUnknown")
