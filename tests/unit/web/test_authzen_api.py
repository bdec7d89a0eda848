"""Questions about access as gateways ask them, answered by the standard they speak.

Source: OpenID AuthZEN Authorization API 1.0 (the numbers are its sections).
"""

import pytest
from fastapi.testclient import TestClient
from whenever import Instant

from offramp.ports import StoreUnavailable
from offramp.testing.memory_store import MemoryStore
from offramp.testing.world import World
from offramp.web.api.access_key import AccessKeys
from offramp.web.api.app import create_app
from tests.unit.web.acme import EXPIRED, START, acme

KEY = "k" * 32
HEADERS = {"Authorization": f"Bearer {KEY}"}
EVALUATION, EVALUATIONS = "/access/v1/evaluation", "/access/v1/evaluations"
SEARCH = "/access/v1/search/action"
ULF, ANNA = {"type": "user", "id": "ulf"}, {"type": "user", "id": "anna"}
NOTES = {"type": "organization", "id": "acme", "properties": {"product": "notes"}}
CREATE, UPDATE = {"name": "create"}, {"name": "update"}
QUESTION = {"subject": ULF, "action": CREATE, "resource": NOTES}


class LostStore(MemoryStore):
    """Cannot be read any more."""

    def revision(self, organization):
        raise StoreUnavailable(reason="it went away")


@pytest.fixture
def world():
    return acme()


@pytest.fixture
def client(world):
    app = create_app(world.context, access_keys=AccessKeys.parse(KEY))
    return TestClient(app, headers=HEADERS)


def decisions(answer):
    return [each["decision"] for each in answer.json()["evaluations"]]


@pytest.mark.parametrize(
    ("at", "creates"),
    [("2024-08-30T22:59:59.999Z", True), ("2024-08-30T23:00:00Z", False)],
)
def test_the_answer_changes_at_the_first_instant_without_any_worker_A2(client, world, at, creates):
    """L1, L7: it is the clock that decides, and a refusal is an answer like any other."""
    world.clock.advance_to(Instant.parse_iso(at))

    answer = client.post(EVALUATION, json=QUESTION)

    assert (answer.status_code, answer.json()["decision"]) == (200, creates)
    assert client.post(EVALUATION, json=QUESTION | {"action": UPDATE}).json()["decision"]


def test_what_was_committed_before_the_question_counts_A2(client, world):
    """L39: by whichever process; the answer in memory is good until something changes."""
    found = []

    for is_blocked in (False, True, False):
        with world.store.transaction() as transaction:
            transaction.set_block("acme", member="ulf", is_blocked=is_blocked)
        answer = client.post(EVALUATION, json=QUESTION).json()
        found.append((answer["decision"], answer["context"]["voter"]))

    assert found == [(True, "organization"), (False, "block"), (True, "organization")]


def test_an_answer_says_why_and_until_when_as_advice(client, world):
    world.clock.advance_to(EXPIRED)

    answer = client.post(EVALUATION, json=QUESTION).json()

    assert answer == {
        "decision": False,
        "context": {
            "stage": "expired",
            "level": "edit-only",
            "voter": "organization",
            "until": "2024-11-29T00:00:00Z",
        },
    }


@pytest.mark.parametrize(
    "change",
    [
        {"subject": {"type": "user", "id": "eve"}},
        {"subject": {"type": "robot", "id": "ulf"}},
        {"action": {"name": "fly"}},
        {"resource": {"type": "organization", "id": "nobody"}},
        {"resource": {"type": "record", "id": "acme"}},
        {"resource": {"type": "organization", "id": ""}},
    ],
)
def test_what_nobody_knows_is_denied_and_no_error(client, change):
    answer = client.post(EVALUATION, json=QUESTION | change)

    assert (answer.status_code, answer.json()["decision"]) == (200, False)
    assert answer.json()["context"]["voter"] == "unknown"


@pytest.mark.parametrize("body", [b"(\xff\xfe\x19", b"{", b"", b"[1"])
def test_a_body_that_is_no_json_is_answered_in_one_line_of_text(client, body):
    """10.1.3: an error is a string and no document, whatever was sent."""
    headers = {"Content-Type": "application/json"}

    answer = client.post(EVALUATION, content=body, headers=headers)

    assert answer.status_code == 400
    assert answer.headers["Content-Type"].startswith("text/plain")


def test_what_a_question_holds_beyond_the_standard_is_left_alone(client):
    """5: a receiver ignores what it does not know."""
    more = {
        "subject": ULF | {"properties": {"department": "sales"}},
        "action": CREATE | {"properties": {"method": "POST"}},
        "resource": NOTES | {"properties": {"product": "notes", "status": "draft"}, "owner": "x"},
        "context": {"time": "2024-08-02T12:00:00Z"},
        "extension": [1, 2],
    }

    assert client.post(EVALUATION, json=more).json()["decision"]


@pytest.mark.parametrize(
    ("body", "place"),
    [
        (b"{", "body"),
        (b"[]", "body"),
        (b"{}", "body.subject"),
        (b'{"subject": {"type": "user"}, "action": {"name": "read"}}', "body.subject.id"),
        (b'{"subject": {"type": "user", "id": 7}}', "body.subject.id"),
        (b'{"subject": {"type": "user", "id": "\\u0000"}}', "body.subject.id"),
    ],
)
@pytest.mark.parametrize("path", [EVALUATION, SEARCH])
def test_a_question_of_the_wrong_shape_is_refused_in_plain_words(client, path, body, place):
    """10.1.2: an error is a status and a message, and repeats nothing that was said."""
    answer = client.post(path, content=body, headers={"Content-Type": "application/json"})

    assert answer.status_code == 400
    assert answer.headers["Content-Type"].startswith("text/plain")
    assert f"{place}: " in answer.text


def test_nobody_is_answered_without_a_key(world):
    client = TestClient(create_app(world.context, access_keys=AccessKeys.parse(KEY)))

    for path in (EVALUATION, EVALUATIONS, SEARCH):
        answer = client.post(path, json=QUESTION)

        assert answer.status_code == 401
        assert answer.headers["WWW-Authenticate"] == "Bearer"
        assert answer.headers["Content-Type"].startswith("text/plain")


def test_a_store_that_is_down_is_no_answer_at_all():
    world = World(START, store=LostStore())
    client = TestClient(create_app(world.context, access_keys=AccessKeys.parse(KEY)))

    answer = client.post(EVALUATION, json=QUESTION, headers=HEADERS)

    assert (answer.status_code, "it went away" in answer.text) == (503, True)


@pytest.mark.parametrize("path", [EVALUATION, "/.well-known/authzen-configuration"])
def test_the_id_of_a_request_comes_back(client, path):
    """10.1.3: whoever asked can find the answer to their question."""
    method = "POST" if path == EVALUATION else "GET"

    answer = client.request(method, path, json=QUESTION, headers={"X-Request-ID": "bfe9eb29"})

    assert answer.headers["X-Request-ID"] == "bfe9eb29"


def test_an_id_of_a_request_that_is_none_does_not_come_back(client):
    answer = client.post(EVALUATION, json=QUESTION, headers={"X-Request-ID": "x" * 201})

    assert "X-Request-ID" not in answer.headers


def test_several_questions_are_answered_in_their_order(client, world):
    """7.1: what a question leaves out is what stands above all of them, and replaces it whole."""
    world.clock.advance_to(EXPIRED)

    answer = client.post(
        EVALUATIONS,
        json={
            "subject": ULF,
            "resource": NOTES,
            "evaluations": [
                {"action": CREATE},
                {"action": UPDATE},
                {"action": {"name": "read"}, "subject": ANNA},
                {"action": UPDATE, "resource": {"type": "organization", "id": "nobody"}},
            ],
        },
    )

    assert decisions(answer) == [False, True, True, False]


@pytest.mark.parametrize(
    ("semantic", "expected"),
    [
        ("execute_all", [True, False, True]),
        ("deny_on_first_deny", [True, False]),
        ("permit_on_first_permit", [True]),
    ],
)
def test_questions_end_where_the_options_say_so(client, world, semantic, expected):
    """7.1.2"""
    world.clock.advance_to(EXPIRED)
    actions = [UPDATE, CREATE, {"name": "read"}]

    answer = client.post(
        EVALUATIONS,
        json={
            "subject": ULF,
            "resource": NOTES,
            "evaluations": [{"action": action} for action in actions],
            "options": {"evaluations_semantic": semantic, "unheard_of": True},
        },
    )

    assert decisions(answer) == expected


@pytest.mark.parametrize("more", [{}, {"evaluations": []}])
def test_without_a_list_it_is_one_question(client, more):
    """7.1: so that nobody has to choose an endpoint by the number of questions."""
    answer = client.post(EVALUATIONS, json=QUESTION | more)

    assert answer.json() == client.post(EVALUATION, json=QUESTION).json()


@pytest.mark.parametrize(
    "several",
    [
        {"subject": ULF, "resource": NOTES, "evaluations": [{"action": CREATE}, {}]},
        {"subject": ULF, "resource": NOTES},
        QUESTION | {"evaluations": [{"action": "create"}]},
        QUESTION | {"options": {"evaluations_semantic": "any"}},
    ],
)
def test_one_question_that_is_not_whole_refuses_all(client, several):
    answer = client.post(EVALUATIONS, json=several)

    assert answer.status_code == 400


def test_all_that_somebody_may_do_is_found(client, world):
    """8.4: it is what each single question would be answered."""
    world.clock.advance_to(EXPIRED)

    found = client.post(SEARCH, json={"subject": ULF, "resource": NOTES}).json()["results"]

    assert {"name": "update"} in found
    for name in ("sign-in", "read", "create", "update", "delete", "export", "bill"):
        answer = client.post(EVALUATION, json=QUESTION | {"action": {"name": name}})
        assert answer.json()["decision"] is ({"name": name} in found), name


def test_nothing_is_found_for_whom_nobody_knows(client):
    eve = {"subject": {"type": "user", "id": "eve"}, "resource": NOTES}

    assert client.post(SEARCH, json=eve).json() == {"results": []}


def test_where_questions_are_answered_can_be_found_by_anybody(world):
    """9: the addresses are those by which the server is reached."""
    app = create_app(world.context, access_keys=AccessKeys.parse(KEY))
    client = TestClient(app, base_url="https://off.example")

    told = client.get("/.well-known/authzen-configuration").json()

    assert told == {
        "policy_decision_point": "https://off.example",
        "access_evaluation_endpoint": f"https://off.example{EVALUATION}",
        "access_evaluations_endpoint": f"https://off.example{EVALUATIONS}",
        "search_action_endpoint": f"https://off.example{SEARCH}",
        "search_subject_endpoint": "https://off.example/access/v1/search/subject",
        "search_resource_endpoint": "https://off.example/access/v1/search/resource",
    }
