"""A roster is shown before it is taken over, and taken over as it was shown or not at all."""

import json

import pytest

from offramp.web.api import imports
from offramp.web.api.imports import IMPORT_BYTES_MAX, SUFFIXES
from tests.unit.documents.workbook import workbook
from tests.unit.web.acme import acme
from tests.unit.web.api_client import client_of

CSV, JSON, XLSX = SUFFIXES
PATH = "/v1/imports"
MEMBERS = (
    *("organization", "member", "email", "name", "roles"),
    *("locale", "zone", "pools", "ends_on"),
)
EVE = ("acme", "eve", "eve@example.com", "Eve", "member", "", "", "acme-notes", "")
ULF = ("acme", "ulf", "ulf@example.com", "Ulfric", "member", "pl", "", "acme-notes", "")
UNKNOWN = ("acme", "eve", "eve@example.com", "Eve", "member", "", "", "nothing", "")
ORGANIZATIONS = {
    "organizations": [
        {
            "organization": "beta",
            "name": "Beta",
            "zone": "UTC",
            "locale": "en",
            "policy": "edit-only-grace",
        }
    ]
}


@pytest.fixture
def world():
    return acme()


@pytest.fixture
def client(world):
    return client_of(world.context)


def table(*rows):
    return "\r\n".join(",".join(row) for row in (MEMBERS, *rows)).encode()


def send(client, body, kind=CSV, **query):
    return client.post(PATH, content=body, headers={"Content-Type": kind}, params=query)


def facts(world):
    with world.store.reading() as transaction:
        return (
            transaction.organizations(),
            transaction.members("acme"),
            transaction.offboardings(),
            transaction.ledger_head(),
        )


@pytest.mark.parametrize(
    ("kind", "body"), [(CSV, table(EVE, ULF)), (XLSX, workbook(MEMBERS, EVE, ULF))]
)
def test_a_roster_is_shown_first_and_nothing_is_changed(world, client, kind, body):
    before = facts(world)
    shown = send(client, body, kind).json()
    unchanged = facts(world)
    taken = send(client, body, kind, digest=shown["digest"]).json()

    assert shown["members"] == {"created": 1, "changed": 1, "same": 0}
    assert (shown["is_applied"], taken["is_applied"]) == (False, True)
    assert unchanged == before
    assert {**taken, "is_applied": False} == shown
    assert [member.name for member in facts(world)[1]] == ["Anna", "Eve", "Ulfric"]


def test_what_was_taken_over_changes_nothing_a_second_time(client):
    body = json.dumps(ORGANIZATIONS).encode()
    first = send(client, body, JSON).json()
    send(client, body, JSON, digest=first["digest"]).raise_for_status()
    again = send(client, body, JSON).json()

    assert first["organizations"] == {"created": 1, "changed": 0, "same": 0}
    assert again["organizations"] == {"created": 0, "changed": 0, "same": 1}
    assert again["digest"] != first["digest"]


def test_what_has_changed_since_it_was_shown_is_looked_at_again(world, client):
    shown = send(client, table(ULF)).json()
    other = send(client, table(EVE), digest=shown["digest"])
    client.post(
        "/v1/organizations/acme/members/end",
        json={"members": [{"member": "ulf", "ends_on": "2024-08-20"}]},
    ).raise_for_status()
    before = facts(world)
    late = send(client, table(ULF), digest=shown["digest"])

    for answer in (other, late):
        assert (answer.status_code, answer.json()["code"]) == (409, "ImportStale")
    assert facts(world) == before


def test_every_line_that_is_wrong_is_named_and_nobody_on_it(world, client):
    before = facts(world)
    answer = send(client, table(ULF, UNKNOWN, ("acme", "*", "no address", *EVE[3:])))

    told = answer.json()
    assert (answer.status_code, told["code"]) == (422, "ImportInvalid")
    assert [each["at"] for each in told["wrong"]] == [["line 3, pools"], ["line 4, member"]]
    assert "example.com" not in answer.text
    assert "/tmp" not in answer.text
    assert facts(world) == before


@pytest.mark.parametrize(
    ("kind", "body", "status"),
    [
        ("text/plain", table(EVE), 415),
        ("", table(EVE), 415),
        (CSV, b"", 422),
        (CSV, b"\xff\xfe", 422),
        (CSV, b"color\r\nred", 422),
        (JSON, b"[]", 422),
        (JSON, b"[" * 100_000, 422),
        (XLSX, table(EVE), 422),
        (XLSX, workbook(MEMBERS, ("=1", *EVE[1:])), 422),
    ],
)
def test_what_is_no_roster_is_refused(client, kind, body, status):
    assert send(client, body, kind).status_code == status


def test_only_so_many_rosters_are_read_at_once(client, monkeypatch):
    read, answers = imports._read, []

    def slowly(*about, **how):
        answers.append(send(client, table(EVE)))
        return read(*about, **how)

    monkeypatch.setattr(imports, "_read", slowly)
    outer = send(client, table(EVE))

    refused, *accepted = answers
    assert (refused.status_code, refused.json()["code"]) == (503, "ImportsBusy")
    assert [outer.status_code, *(each.status_code for each in accepted)] == [200, 200]


def test_a_roster_that_is_too_large_is_not_read(client):
    answer = send(client, b"x" * (IMPORT_BYTES_MAX + 1))

    assert (answer.status_code, answer.headers["content-type"]) == (413, "application/problem+json")


def test_who_was_never_told_of_has_no_members(client):
    nobody = ("nobody", *EVE[1:])

    answer = send(client, table(nobody))

    assert answer.json()["wrong"][0]["problem"] == "there is no organization nobody"
