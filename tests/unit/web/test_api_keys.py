"""The keys that programs show: made once, kept as digests, over at their end, on record by name."""

import pytest
from fastapi.testclient import TestClient
from whenever import Date, Instant

from offramp.core.operator import OperatorRole
from offramp.engine.api_keys import (
    ApiKeyExists,
    ApiKeyInvalid,
    ApiKeyUnknown,
    create_key,
    list_keys,
    revoke_key,
)
from offramp.ports import OrganizationUnknown
from offramp.web.api.access_key import AccessKeys
from offramp.web.api.app import create_app
from tests.unit.web.acme import START, acme

POOLS = "/v1/organizations/acme/pools"
SETTINGS_KEY = "k" * 32


@pytest.fixture
def world():
    return acme()


@pytest.fixture
def client(world):
    return TestClient(create_app(world.context, access_keys=AccessKeys.parse(SETTINGS_KEY)))


def make(world, name="sync", role=OperatorRole.OPERATOR, **more):
    return create_key(world.context, name, role=role, **more).secret


def ask(client, secret, path=POOLS, *, body=None):
    headers = {"Authorization": f"Bearer {secret}"}
    return client.request("POST" if body else "GET", path, json=body, headers=headers)


def events(world, *kinds):
    with world.store.reading() as transaction:
        return [entry.event for entry in transaction.ledger() if entry.event.kind in kinds]


def test_a_key_opens_the_interface_and_only_its_digest_is_kept(world, client):
    secret = make(world)

    assert ask(client, secret).status_code == 200
    (kept,) = list_keys(world.context)
    assert secret.startswith(kept.hint)
    assert len(secret) > len(kept.hint) + 32
    assert secret not in repr(kept)


def test_a_key_is_over_at_its_end_and_from_when_it_is_revoked(world, client):
    short, other = make(world, days=1), make(world, "other")

    before = ask(client, short).status_code, ask(client, other).status_code
    revoke_key(world.context, "other")
    revoked = ask(client, other).status_code
    world.clock.advance_to(START.add(hours=24))
    expired = ask(client, short).status_code

    assert before == (200, 200)
    assert (revoked, expired) == (401, 401)


def test_the_last_day_on_which_a_key_was_shown_is_known(world, client):
    secret = make(world)
    unused = list_keys(world.context)[0].used_on
    ask(client, secret)
    world.clock.advance_to(Instant.from_utc(2024, 8, 9, 23))
    ask(client, secret)
    ask(client, secret)

    assert (unused, list_keys(world.context)[0].used_on) == (None, Date(2024, 8, 9))


def test_what_a_program_does_is_on_record_under_the_name_of_its_key(world, client):
    secret = make(world)
    body = {"members": [{"member": "ulf", "ends_on": "2024-08-20"}]}

    for key in (secret, SETTINGS_KEY):
        assert ask(client, key, "/v1/organizations/acme/members/end", body=body).status_code == 200

    actors = [event.actor for event in events(world, "members-ended")]
    assert actors == ["api-key:sync", "api-key:settings"]


def test_making_and_revoking_are_on_record_without_the_key(world):
    secret = make(world, organization="acme")
    revoke_key(world.context, "sync")

    made, revoked = events(world, "api-key-made", "api-key-revoked")
    assert made.detail == {"key": "sync", "role": "operator", "is_bound": True}
    assert (made.actor, revoked.actor) == ("operator", "operator")
    assert secret not in f"{made}{revoked}"


def test_a_key_may_ask_who_may_do_what_unless_it_is_for_one_organization(world, client):
    everywhere, bound = (
        make(world, role=OperatorRole.VIEWER),
        make(world, "bound", organization="acme"),
    )
    question = {
        "subject": {"type": "user", "id": "ulf"},
        "action": {"name": "read"},
        "resource": {"type": "organization", "id": "acme"},
    }

    answers = [
        ask(client, secret, "/access/v1/evaluation", body=question).status_code
        for secret in (everywhere, bound, SETTINGS_KEY, "nobody's", "offramp_nobodys")
    ]

    assert answers == [200, 403, 200, 401, 401]


def test_a_name_is_used_once_even_after_its_key_is_over(world):
    make(world)
    revoke_key(world.context, "sync")

    with pytest.raises(ApiKeyExists):
        make(world)


@pytest.mark.parametrize("name", ["", "-", "Sync", "anna@acme.example", "a" * 61, "settings"])
def test_a_key_is_named_like_a_program(world, name):
    with pytest.raises(ApiKeyInvalid):
        make(world, name)


@pytest.mark.parametrize("days", [0, -1, 3651])
def test_a_key_lives_for_some_days(world, days):
    with pytest.raises(ApiKeyInvalid):
        make(world, days=days)


def test_a_key_is_for_an_organization_that_is_there(world):
    with pytest.raises(OrganizationUnknown):
        make(world, organization="nobody")


def test_only_a_good_key_is_revoked(world):
    with pytest.raises(ApiKeyUnknown):
        revoke_key(world.context, "sync")
