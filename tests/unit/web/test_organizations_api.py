"""Organizations, their people and pools, by way of a program: listed in pages, told, not lost."""

import pytest
from whenever import Date

from offramp.engine.directory import PAGE_ROWS
from tests.unit.web.acme import acme
from tests.unit.web.api_client import client_of
from tests.unit.web.office import filled_office

BASE = "/v1/organizations"
ACME = {
    "name": "Acme & Sons",
    "zone": "Europe/Dublin",
    "locale": "de",
    "policy": "edit-only-grace",
    "overrides": {},
}
POOL = {"product": "notes", "kind": "seat", "seats": 9, "ends_on": "2024-09-30"}


@pytest.fixture
def world():
    return acme()


@pytest.fixture
def client(world):
    return client_of(world.context)


def pool(world, name="acme-notes"):
    with world.store.reading() as transaction:
        return next(each for each in transaction.pools("acme") if each.id == name)


def walk(client, path, kind, **query):
    """Follow the pages to the last one."""
    found, after = [], None
    while True:
        params = query if after is None else {**query, "after": after}
        answer = client.get(path, params=params).json()
        found.append(answer[kind])
        after = answer["after"]
        if after is None:
            return found


def test_every_organization_is_on_one_page_of_the_list():
    slugs = [f"org-{number:02}" for number in range(2 * PAGE_ROWS + 1)]
    client = client_of(filled_office(*slugs).context)

    pages = walk(client, BASE, "organizations")

    assert [len(page) for page in pages] == [PAGE_ROWS, PAGE_ROWS, 1]
    assert sorted(each["organization"] for page in pages for each in page) == slugs


def test_the_list_says_where_each_stands_and_is_filtered_by_it(world, client):
    def listed(**query):
        answer = client.get(BASE, params=query).json()["organizations"]
        return [each["organization"] for each in answer]

    (found,) = client.get(BASE).json()["organizations"]

    assert found["parts"][0]["stage"] == "active"
    assert found["parts"][0]["ends_on"] == "2024-08-30"
    assert listed(state="leaving", stage="active") == ["acme"]
    assert listed(state="stopped") == listed(stage="expired") == []


@pytest.mark.parametrize("text", ["ac", "acme", "ULF@example.com"])
def test_a_name_an_id_and_an_address_are_searched_for_in_a_body(client, text):
    found = client.post("/v1/search/organizations", json={"text": text}).json()["organizations"]

    assert [each["organization"] for each in found] == ["acme"]


def test_a_list_goes_on_from_an_organization_that_is_there(client):
    answer = client.get(BASE, params={"after": "nobody"})

    assert (answer.status_code, answer.json()["code"]) == (404, "OrganizationUnknown")


def test_members_come_page_by_page_by_their_ids(world, client):
    pages = walk(client, f"{BASE}/acme/members", "members", limit=1)

    assert [[each["member"] for each in page] for page in pages] == [["anna"], ["ulf"]]
    assert pages[0][0]["roles"] == ["admin"]


def test_an_organization_is_told_of_and_told_again_without_a_change(world, client):
    told = client.put(f"{BASE}/beta", json={**ACME, "overrides": {}})
    with world.store.reading() as transaction:
        head = transaction.ledger_head()
    again = client.put(f"{BASE}/beta", json=ACME)
    seen = client.get(f"{BASE}/beta")

    assert told.status_code == again.status_code == 200
    assert told.json() == again.json() == seen.json() == {"organization": "beta", **ACME}
    assert told.headers["etag"] == seen.headers["etag"]
    with world.store.reading() as transaction:
        assert transaction.ledger_head() == head


def test_what_somebody_else_has_changed_is_not_overwritten(world, client):
    etag = client.get(f"{BASE}/acme").headers["etag"]
    first = client.put(f"{BASE}/acme", json=ACME, headers={"If-Match": etag})
    late = client.put(f"{BASE}/acme", json={**ACME, "name": "Lost"}, headers={"If-Match": etag})
    new = client.put(f"{BASE}/nobody", json=ACME, headers={"If-Match": "*"})

    assert (first.status_code, late.status_code, new.status_code) == (200, 412, 412)
    assert late.json()["code"] == "ChangedMeanwhile"
    assert client.get(f"{BASE}/acme").json()["name"] == ACME["name"]


def test_the_end_of_a_pool_moves_unless_it_was_moved_meanwhile(world, client):
    path = f"{BASE}/acme/pools/acme-notes"
    seen = client.get(path)
    moved = client.put(path, json=POOL, headers={"If-Match": seen.headers["etag"]})
    late = client.put(
        path, json={**POOL, "ends_on": None}, headers={"If-Match": seen.headers["etag"]}
    )

    assert seen.json()["ends_on"] == "2024-08-30"
    assert moved.json() == {"pool": "acme-notes", **POOL}
    assert (late.status_code, pool(world).ends) == (412, Date(2024, 9, 30))


def test_a_pool_is_added_and_its_absence_is_told(world, client):
    missing = client.get(f"{BASE}/acme/pools/more")
    client.put(f"{BASE}/acme/pools/more", json=POOL).raise_for_status()

    assert (missing.status_code, missing.json()["code"]) == (404, "PoolUnknown")
    assert pool(world, "more").seats == 9


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("acme", {**ACME, "zone": "Middle/Earth"}, 422),
        ("acme", {**ACME, "policy": "nobodys"}, 404),
        ("acme", {**ACME, "overrides": {"grace": "soon"}}, 422),
        ("a*", ACME, 422),
        ("acme/pools/p", {**POOL, "seats": -1}, 422),
        ("acme/pools/p", {**POOL, "ends_on": "soon"}, 422),
        ("nobody/pools/p", POOL, 404),
    ],
)
def test_what_cannot_be_is_refused_and_changes_nothing(world, client, path, body, status):
    def facts():
        with world.store.reading() as transaction:
            return transaction.organizations(), transaction.pools("acme")

    before = facts()

    assert client.put(f"{BASE}/{path}", json=body).status_code == status
    assert facts() == before
