"""Off-boardings by way of a program: how far they are, what was written, and the proof."""

import pytest
from whenever import Instant

from tests.unit.web.acme import acme
from tests.unit.web.api_client import client_of
from tests.unit.web.office import filled_office

BASE = "/v1/organizations/acme/offboardings"
AFTER_THE_END = Instant.from_utc(2024, 9, 5)


@pytest.fixture(scope="module")
def left():
    """Acme has left, and its people were written to; beta has not begun."""
    office = filled_office("acme", "beta", policy="edit-only-grace")
    office.world.run_until(AFTER_THE_END)
    return office


@pytest.fixture(scope="module")
def client(left):
    return client_of(left.context)


def one(client):
    (row,) = client.get(BASE).json()["offboardings"]
    return row["offboarding"]


def test_an_off_boarding_is_shown_with_its_stages_and_every_step(client):
    shown = client.get(f"{BASE}/{one(client)}").json()

    steps = {each["step"]: each for each in shown["steps"]}
    assert shown["ends_on"] == "2024-08-30"
    assert shown["stage"] in {each["stage"] for each in shown["stages"]}
    assert {each["status"] for each in steps.values()} >= {"done", "pending"}
    assert any(each["action"] == "erase" and each["expected_at"] for each in shown["steps"])
    assert any(sum(each["deliveries"].values()) for each in shown["steps"])


def test_every_message_is_on_one_page_with_what_the_receiving_server_said(client):
    path = f"{BASE}/{one(client)}/deliveries"
    whole = client.get(path).json()
    found, after = [], None
    while True:
        page = client.get(path, params={"limit": 2} | ({"after": after} if after else {})).json()
        found += page["deliveries"]
        after = page["after"]
        if after is None:
            break

    assert found == whole["deliveries"]
    assert len(found) > 2
    assert whole["after"] is None
    assert [each["status"] for each in found[0]["history"]][-1] == found[0]["status"] == "accepted"


def test_episodes_come_page_by_page(left):
    world = acme()
    client = client_of(world.context)
    people = [{"member": name, "ends_on": "2024-08-20"} for name in ("anna", "ulf")]
    client.post("/v1/organizations/acme/members/end", json={"members": people})
    whole = client.get(BASE).json()["offboardings"]
    first = client.get(BASE, params={"limit": 2}).json()
    second = client.get(BASE, params={"limit": 2, "after": first["after"]}).json()

    assert [each["member"] for each in whole] == [None, "anna", "ulf"]
    assert [*first["offboardings"], *second["offboardings"]] == whole
    assert second["after"] is None


@pytest.mark.parametrize("rest", ["", "/deliveries", "/certificate"])
def test_the_off_boarding_of_somebody_else_is_not_there(client, rest):
    found = one(client)

    answer = client.get(f"/v1/organizations/beta/offboardings/{found}{rest}")

    assert (answer.status_code, answer.json()["code"]) == (404, "OffboardingUnknown")


@pytest.mark.parametrize("after", ["!", "bnVsbA", "WzEsMl0", "e30", "W10"])
def test_a_page_begins_where_another_one_ended(client, after):
    answer = client.get(f"{BASE}/{one(client)}/deliveries", params={"after": after})

    assert (answer.status_code, answer.json()["code"]) == (404, "PagePlaceUnknown")


def test_a_certificate_is_given_byte_for_byte_once_there_is_one(left, client):
    found = one(client)
    path = f"{BASE}/{found}/certificate"

    before = client.get(path)
    with left.context.vault.write(f"proofs/{found}/certificate.json") as sink:
        sink.write(b'{"certificate": 1}')
    after = client.get(path)

    assert (before.status_code, before.json()["code"]) == (404, "CertificateMissing")
    assert after.content == b'{"certificate": 1}'
