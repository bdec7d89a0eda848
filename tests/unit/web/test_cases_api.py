"""What a person says went wrong, by way of a program of the vendor, and its repair (A12)."""

import pytest
from fastapi.testclient import TestClient
from whenever import Instant

from offramp.core.policy import Capability
from offramp.engine.access import may
from offramp.engine.cases import WORDS_MAX
from offramp.web.api.access_key import AccessKeys
from offramp.web.api.app import create_app
from tests.unit.web.acme import EXPIRED, acme

KEY = "k" * 32
BASE = "/v1/organizations/acme/cases"
WORDS = "Why am I shut out?"


@pytest.fixture
def world():
    return acme()


@pytest.fixture
def client(world):
    app = create_app(world.context, access_keys=AccessKeys.parse(KEY))
    return TestClient(app, headers={"Authorization": f"Bearer {KEY}"})


def complain(client, complaint="no-access", **more):
    answer = client.post(BASE, json={"complaint": complaint, "member": "ulf", **more})
    assert answer.status_code == 201, answer.text
    return answer.json()


def look(client, case):
    return client.get(f"/v1/cases/{case['case']}").json()


def do(client, case, deed, **said):
    return client.post(f"/v1/cases/{case['case']}/{deed}", json=said or None)


def allowed(world):
    """Say whether ulf may write new notes."""
    place = {"surface": "app", "product": "notes"}
    decision = may(world.store, "acme", "ulf", Capability.CREATE, now=world.clock.now(), **place)
    return decision.is_allowed


def test_a_case_opens_with_what_is_known_and_one_action_mends_it_A12(world, client):
    world.run_until(EXPIRED)

    case = complain(client, about="2024-08-31", words=WORDS)
    known = look(client, case)
    before = allowed(world)
    repaired = do(client, case, "repair").json()

    (account,) = known["accounts"]
    assert (account["is_allowed"], account["voter"]) == (True, "organization")
    assert account["stage"] == "expired"
    assert account["at"] == EXPIRED.format_iso()  # the first instant of the day, in Dublin
    assert [note["text"] for note in known["notes"]] == [WORDS]
    assert known["repair"] == repaired["repair"] == "unlock"
    assert repaired["unlocked_until"] == EXPIRED.add(hours=24).format_iso()
    assert (before, allowed(world)) == (False, True)


def test_whoever_complains_waits_until_somebody_answers_and_again_once_they_write(world, client):
    case = complain(client)
    world.clock.advance_to(Instant.from_utc(2024, 8, 2))
    late = look(client, case)
    answered = do(client, case, "notes", words="It is mended.", by="operator").json()
    again = do(client, case, "notes", words="It is not.").json()

    assert (case["state"], case["is_late"]) == ("waiting", False)
    assert (late["state"], late["is_late"]) == ("waiting", True)
    assert (answered["state"], answered["is_late"]) == ("answered", False)
    assert (again["state"], again["is_late"]) == ("waiting", False)
    assert again["answer_by"] == Instant.from_utc(2024, 8, 3).format_iso()
    actors = [note["actor"] for note in look(client, case)["notes"]]
    assert actors == ["operator", "user"]


def test_cases_are_listed_until_they_are_closed(world, client):
    first, second = complain(client), complain(client, "other")

    closed = do(client, first, "close").json()
    again = do(client, first, "close")

    def listed(path, **query):
        return [case["case"] for case in client.get(path, params=query).json()["cases"]]

    assert closed["state"] == "closed"
    assert (again.status_code, again.json()["code"]) == (409, "CaseClosed")
    assert listed(BASE) == listed("/v1/cases") == [second["case"]]
    assert listed(BASE, is_closed=True) == [first["case"]]
    assert do(client, first, "notes", words="More.").json()["code"] == "CaseClosed"
    assert do(client, first, "repair").json()["code"] == "CaseClosed"


def test_what_nothing_mends_in_one_go_is_answered_by_people(client):
    case = complain(client, "other", words="The logo is ugly.")

    assert look(client, case)["repair"] is None
    assert do(client, case, "repair").json()["code"] == "NothingToRepair"


def test_where_nobody_is_named_the_access_of_administrators_tells(world, client):
    world.run_until(EXPIRED)

    case = complain(client, member=None)
    accounts = look(client, case)["accounts"]
    do(client, case, "repair")

    assert {account["member"] for account in accounts} == {"anna"}
    assert allowed(world)  # the whole organization is unlocked


def test_nothing_of_what_was_said_is_put_on_record(world, client):
    case = complain(client, words=WORDS)
    do(client, case, "notes", words="Anna knows.", by="operator")
    do(client, case, "close")

    with world.store.reading() as transaction:
        entries = [entry.event for entry in transaction.ledger()]
    ours = [event for event in entries if event.kind.startswith("case-")]
    assert [event.kind for event in ours] == ["case-opened", "case-noted", "case-closed"]
    assert WORDS not in str(entries)
    assert "Anna" not in str(ours)


@pytest.mark.parametrize(
    ("asked", "status", "code"),
    [
        ({"complaint": "no-coffee"}, 422, "RequestInvalid"),
        ({"complaint": "other", "words": "x" * (WORDS_MAX + 1)}, 422, "RequestInvalid"),
        ({"complaint": "other", "about": "yesterday"}, 422, "RequestInvalid"),
        ({"complaint": "other", "member": "nobody"}, 404, "MemberUnknown"),
    ],
)
def test_what_cannot_be_a_case_is_refused(client, asked, status, code):
    answer = client.post(BASE, json=asked)

    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert client.get("/v1/cases").json() == {"cases": []}


def test_a_case_goes_with_the_organization(world, client):
    case = complain(client, words=WORDS)
    with world.store.transaction() as transaction:
        transaction.forget("acme", member=None, at=EXPIRED)

    answer = client.get(f"/v1/cases/{case['case']}")

    assert (answer.status_code, answer.json()["code"]) == (404, "CaseUnknown")
    assert client.get(BASE).json()["code"] == "OrganizationErased"


def test_a_note_among_operators_answers_nobody_A12(world, client):
    case = complain(client, words=WORDS)

    noted = do(client, case, "notes", words="Call them.", by="operator", is_private=True).json()

    assert noted["state"] == "waiting"
    assert [note["is_private"] for note in look(client, case)["notes"]] == [False, True]
