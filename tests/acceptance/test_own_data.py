"""A person who was signed out for good asks for their own data, by way of the vendor (B9)."""

import json
import os
import tracemalloc
from contextlib import suppress
from dataclasses import replace
from functools import partial
from io import BytesIO
from pathlib import Path
from uuid import uuid4
from zipfile import ZipFile

import pytest
import sqlalchemy as sa
from fastapi.testclient import TestClient

from offramp.core.model import Role
from offramp.core.policy import Capability
from offramp.data.restoration.document_reader import open_document
from offramp.engine import brake
from offramp.engine.access import may
from offramp.engine.handover import Request
from offramp.engine.link import PIECE_BYTES
from offramp.web.api.access_key import AccessKeys
from offramp.web.api.app import create_app
from offramp.web.api.download import pieces_of, written
from tests.acceptance.departure import NOTES, depart, on_each_kind
from tests.acceptance.installation import ACCESS_KEY, LEAVING, OWNER, served
from tests.integration.waiting import eventually

SIGNED_OUT, EVE, GONE = "2024-12-15T12:00:00Z", "2025-09-25T00:00:00Z", "2026-04-01T00:00:00Z"
FEW_NOTES, MANY_NOTES, NOTE_LETTERS = 200, 8_000, 2_000
MEGABYTE = 1024 * 1024
MORE_BYTES_MAX = 8 * MEGABYTE
EXPORT = "/v1/organizations/{}/members/{}/export"
HEADERS = {"Authorization": f"Bearer {ACCESS_KEY}"}


@pytest.fixture
def departure(request, tmp_path):
    """Give the note-taking product."""
    kind = getattr(request, "param", "sqlite")
    with depart(NOTES, kind, tmp_path, request) as departure:
        yield departure


@pytest.fixture
def person(departure):
    """Somebody who leaves together with their university, and administers nothing."""
    with departure.context.store.transaction() as transaction:
        (university,) = [o for o in transaction.organizations() if o.name == "Liffey University"]
        members = transaction.members(university.id)
    return next(m for m in members if Role.ADMIN not in m.roles and m.ends is None)


@pytest.fixture
def ask(departure, person):
    """Ask for that person's data, as the vendor's backend does."""
    keys = AccessKeys.parse(ACCESS_KEY)
    client = TestClient(create_app(departure.context, access_keys=keys))

    def asked(*, organization=person.organization, member=person.id, **query):
        return client.post(EXPORT.format(organization, member), params=query, headers=HEADERS)

    return asked


def users_of(answer):
    return [str(row["id"]) for row in answer.json()["data"]["users"]]


@on_each_kind
def test_whoever_is_signed_out_for_good_downloads_what_is_their_own(
    departure, person, ask, tmp_path
):
    """B9."""
    departure.run_until(SIGNED_OUT)
    may_sign_in = may(
        departure.context.store,
        person.organization,
        person.id,
        Capability.SIGN_IN,
        surface="app",
        product="notes",
        now=departure.now,
    )

    answer = ask()

    (tmp_path / "mine.json").write_bytes(answer.content)
    with open_document(tmp_path / "mine.json") as document:  # which proves every digest
        assert document.manifest.member == person.id
    assert not may_sign_in.is_allowed
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["content-length"] == str(len(answer.content))
    assert answer.headers["content-disposition"] == 'attachment; filename="data.json"'
    assert answer.headers["cache-control"] == "no-store"
    assert users_of(answer) == [person.id]


def test_only_what_they_wrote_is_handed_over_where_that_is_asked_for(departure, ask):
    """B9."""
    departure.run_until(SIGNED_OUT)

    answer = ask(content_only=True)

    assert "users" not in answer.json()["data"]
    assert answer.json()["data"]["notes"]


def test_files_come_along_in_a_zip_where_they_are_asked_for(departure, person, ask):
    answer = ask(with_files=True)

    with ZipFile(BytesIO(answer.content)) as archive:
        document = json.loads(archive.read("data.json"))
    assert answer.headers["content-type"] == "application/zip"
    assert [str(row["id"]) for row in document["data"]["users"]] == [person.id]


def test_a_hold_keeps_nobody_from_their_own_data(departure, person, ask):
    """B9, L17."""
    departure.run_until(SIGNED_OUT)
    brake.place_hold(departure.context, person.organization, reason="dispute", owner="legal")

    assert users_of(ask()) == [person.id]


def test_what_was_handed_over_is_on_record_without_a_name(departure, person, ask):
    ask()

    entries = departure.store_tables()["ledger"]
    (entry,) = [each for each in entries if each["kind"] == "export-handed-over"]
    assert entry["actor"] == "user"
    assert person.email not in repr(entry)
    assert person.name not in repr(entry)


def test_once_a_deletion_has_begun_nothing_is_handed_over_any_more(departure, person, ask):
    """B9: what is left is not whole, and afterwards there is nothing."""
    departure.run_until(EVE)
    before, during = ask(), []

    def ask_meanwhile(point):
        if (point, during) == ("chunk recorded", []):
            during.append(ask())

    departure.context = replace(departure.context, probe=ask_meanwhile)

    departure.run_until(GONE)
    after = ask()

    assert users_of(before) == [person.id]
    assert [(each.status_code, each.json()["code"]) for each in during] == [(409, "ErasureBegun")]
    assert (after.status_code, after.json()["code"]) == (409, "OrganizationErased")


@on_each_kind
def test_a_deletion_that_begins_ends_a_download_under_way(departure, person):
    """B9: no copy outlives the deletion; whoever was reading notices that it is not whole."""
    write_much(departure.engine, person, number=FEW_NOTES)
    context = departure.context
    request = Request(organization=person.organization, member=person.id)
    copy = written(context, request)
    reading = pieces_of(context, request, copy)

    first = next(reading)
    departure.run_until(GONE)

    assert len(first) == PIECE_BYTES
    assert list(reading) == []
    assert copy.closed


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ({"organization": "nobody"}, "OrganizationUnknown"),
        ({"member": "nobody"}, "MemberUnknown"),
    ],
    ids=str,
)
def test_of_whom_nobody_knows_nothing_is_handed_over(ask, asked, code):
    answer = ask(**asked)

    assert (answer.status_code, answer.json()["code"]) == (404, code)
    assert answer.headers["content-type"] == "application/problem+json"


def test_where_the_data_is_said_nowhere_that_is_answered(departure, person):
    context = replace(departure.context, data=None)
    client = TestClient(create_app(context, access_keys=AccessKeys.parse(ACCESS_KEY)))

    answer = client.post(EXPORT.format(person.organization, person.id), headers=HEADERS)

    assert (answer.status_code, answer.json()["code"]) == (503, "DataMapMissing")


def test_whoever_comes_too_many_may_come_again(departure, person):
    """Each copy that is being written keeps the vendor's database busy."""
    refused = []

    def ask_meanwhile(event, facts):
        if not refused:
            answer = ask()
            refused.extend([answer] if answer.status_code != 200 else [])

    context = replace(departure.context, report=ask_meanwhile)
    client = TestClient(create_app(context, access_keys=AccessKeys.parse(ACCESS_KEY)))
    ask = partial(client.post, EXPORT.format(person.organization, person.id), headers=HEADERS)

    first = ask()

    (answer,) = refused
    assert (answer.status_code, answer.json()["code"]) == (503, "DownloadsBusy")
    assert answer.json()["is_worth_another_try"]
    assert first.status_code == ask().status_code == 200


@on_each_kind
def test_the_memory_of_whoever_hands_over_does_not_grow_with_the_document(departure, person):
    """L14."""
    write_much(departure.engine, person, number=MANY_NOTES)
    request = Request(organization=person.organization, member=person.id)

    tracemalloc.start()
    copy = written(departure.context, request)
    size_bytes = sum(map(len, pieces_of(departure.context, request, copy)))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert size_bytes > MANY_NOTES * NOTE_LETTERS
    assert peak < MORE_BYTES_MAX


def write_much(engine, person, *, number):
    """Let one person have written so many more notes."""
    notes = sa.Table("notes", sa.MetaData(), autoload_with=engine)
    with engine.begin() as connection:
        known = connection.execute(sa.select(notes).limit(1)).mappings().one()
        mine = {**known, "owner_id": person.id, "last_edited_by": person.id, "folder_id": None}
        body = ("What I think of it. " * NOTE_LETTERS)[:NOTE_LETTERS]
        rows = [{**mine, "id": str(uuid4()), "body": body} for _ in range(number)]
        connection.execute(notes.insert(), rows)


def test_a_program_of_the_vendor_fetches_it_over_the_wire_and_nothing_is_left(installation):
    """B9: with a key alone, and no file of it stays behind."""
    path = EXPORT.format(LEAVING, OWNER)
    before = set(installation.contents()[0])
    with served(installation) as server:
        refused = server.ask("POST", path, key=None)
        answer = server.ask("POST", path)
        # It is closed after its last byte was sent, and we may be faster.
        eventually(lambda: not any("(deleted)" in each for each in open_paths(server.process)))
        code, printed, told = server.stop()

    assert refused.status_code == 401
    assert users_of(answer) == [OWNER]
    assert set(installation.contents()[0]) == before
    assert (code, printed, told) == (0, "", "")


def open_paths(process):
    folder = Path(f"/proc/{process.pid}/fd")
    found = []
    for each in folder.iterdir():
        with suppress(FileNotFoundError):
            found.append(os.readlink(each))
    return found
