"""Handing over, looking at an erasure, and checking afterwards, as an operator types it."""

import json

import pytest
from whenever import Instant

from offramp.adapters.keys_folder import FolderKeys
from offramp.adapters.store.connection import connect
from offramp.adapters.store.store import SqlStore
from offramp.core.ledger import Event
from offramp.data.proof.certificate import sign_certificate
from tests.acceptance.installation import LEAVING, OWNER, SIBLING


def test_an_export_is_one_private_file_with_everything_in_it(installation):  # A8, E1
    answer = installation.ask("export", LEAVING, "--out", "data.json")

    file = installation.folder / "data.json"
    document = json.loads(file.read_text())
    assert file.stat().st_mode & 0o077 == 0
    assert [row["slug"] for row in document["data"]["companies"]] == ["ohara-mueller"]
    assert answer["rows"] == sum(len(rows) for rows in document["data"].values())
    assert not (installation.folder / "data.json.part").exists()


def test_an_export_of_one_member_holds_nobody_else(installation):  # B9
    installation.say("export", LEAVING, "--member", OWNER, "--out", "mine.json")

    document = json.loads((installation.folder / "mine.json").read_text())

    assert [str(row["id"]) for row in document["data"]["users"]] == [OWNER]
    assert "companies" not in document["data"]


def test_an_export_of_content_alone_leaves_the_account_out(installation):  # B9
    installation.say("export", LEAVING, "--member", OWNER, "--content-only", "--out", "mine.json")

    document = json.loads((installation.folder / "mine.json").read_text())

    assert set(document["data"]) == {"comments", "lesson_progress"}


def test_an_export_leaves_a_trace_without_a_name(installation):
    installation.say("export", LEAVING, "--out", "data.json")

    last = json.loads(installation.say("ledger", "show", "--json").splitlines()[-1])

    assert last["kind"] == "export-handed-over"
    assert set(last["detail"]) == {"scope", "tables", "rows", "sha256"}


def test_an_export_is_refused_once_rows_have_gone(installation):  # L36
    row = installation.leaving(LEAVING)["offboarding"]
    installation.change(
        'INSERT INTO erasure_cursor (offboarding, "table", "rows") VALUES (?, ?, ?)',
        row,
        "app.seats",
        5,
    )
    before = installation.contents()

    finished = installation.run("export", LEAVING, "--out", "data.json")

    assert finished.code == 3
    assert "The deletion of 2 has begun" in finished.err
    assert installation.contents() == before


def test_a_dry_run_prints_every_statement_and_changes_nothing(installation):  # L27
    before = installation.contents()

    statements = installation.ask("erase", LEAVING, "--dry-run")
    printed = installation.say("erase", LEAVING, "--dry-run")

    deleted = [each["table"] for each in statements if each["text"].startswith("DELETE")]
    assert deleted[-1] == "app.companies"
    assert "app.courses" not in deleted
    assert deleted.index("app.seats") < deleted.index("app.users")
    assert all(each["text"] in printed for each in statements)
    assert "parameters: organization" in printed
    assert installation.contents() == before


def test_an_erasure_by_hand_is_refused(installation):
    before = installation.contents()

    finished = installation.run("erase", LEAVING)

    assert finished.code == 3
    assert "nobody does it by hand" in finished.err
    assert installation.contents() == before


def test_the_ledger_verifies_and_knows_the_end_that_was_kept(installation):  # L41
    head = installation.ask("ledger", "verify")["head"]
    installation.say("pause")

    answer = installation.ask("ledger", "verify", "--head", head)

    assert answer["entries"] == int(head.partition(":")[0]) + 1


def test_a_ledger_that_was_changed_or_cut_is_told(installation):  # L41
    head = installation.ask("ledger", "verify")["head"]
    number = int(head.partition(":")[0])

    installation.change("DELETE FROM ledger WHERE number = ?", number)
    cut = installation.run("ledger", "verify", "--head", head)
    installation.change("UPDATE ledger SET actor = 'admin' WHERE number = 1")
    changed = installation.run("ledger", "verify", "--json")

    assert (cut.code, changed.code) == (70, 70)
    assert f"at entry {number}: it was anchored and is not there any more" in cut.err
    assert changed.data["error"]["message"] == (
        "The ledger does not verify at entry 1: its seal does not match."
    )


def write_anew(installation, *, after, number):
    """Replace the ledger past an entry, as somebody could who has the key of the folder."""
    key = FolderKeys(installation.folder / "offramp-data" / "keys").ledger_key()
    installation.change("DELETE FROM ledger WHERE number > ?", after)
    engine = connect(f"sqlite:///{installation.store}")
    with SqlStore(engine, ledger_key=key).transaction() as transaction:
        transaction.append([Event(kind="resumed", at=Instant.now())] * (number - after))
    engine.dispose()


def test_ends_that_are_kept_in_a_file_find_a_ledger_that_was_written_anew(installation, tmp_path):
    """L41: with the key itself, so that every seal is right."""
    anchor = tmp_path / "elsewhere.txt"
    first = installation.ask("ledger", "verify", "--anchor", anchor)
    again = installation.ask("ledger", "verify", "--anchor", anchor)
    installation.say("pause")
    grown = installation.ask("ledger", "verify", "--anchor", anchor)

    write_anew(installation, after=2, number=grown["entries"])

    alone = installation.ask("ledger", "verify")
    found = installation.run("ledger", "verify", "--anchor", anchor)
    assert (first["anchors"], again["anchors"], grown["anchors"]) == (0, 1, 1)
    assert anchor.read_text().splitlines() == [first["head"], grown["head"]]
    assert alone["entries"] == grown["entries"]
    assert found.code == 70
    assert "it is not the entry that was anchored" in found.err


def test_the_ledger_is_shown_without_a_name_or_an_address(installation):
    shown = installation.say("ledger", "show")

    assert "offboarding-opened" in shown
    assert "ohara" not in shown.lower()


@pytest.fixture
def certificate(installation):
    """Write a certificate that the installation's own key has signed."""
    keys = FolderKeys(installation.folder / "offramp-data" / "keys")
    content = {"certificate": "erasure", "erased_at": "2026-01-01T00:00:00Z", "issued_at": "later"}
    file = installation.folder / "certificate.json"
    file.write_bytes(sign_certificate(content, private_key=keys.signing_key()))
    return file


def test_a_certificate_is_checked_with_the_public_key(installation, certificate):
    key = installation.folder / "public.key"
    key.write_text(installation.say("keys", "public"))

    printed = installation.say("certificate", "verify", certificate, "--public-key", key)

    assert "signed with this key and unchanged" in printed
    assert "2026-01-01" in printed


def test_a_forged_certificate_is_told(installation, certificate):
    key = installation.folder / "public.key"
    key.write_text(installation.say("keys", "public"))
    certificate.write_bytes(certificate.read_bytes().replace(b"2026", b"2025"))

    finished = installation.run("certificate", "verify", certificate, "--public-key", key)

    assert finished.code == 70
    assert "The certificate does not stand" in finished.err


@pytest.mark.parametrize(
    ("command", "code", "words"),
    [
        (("export", "nobody", "--out", "x.json"), 4, "There is no organization nobody."),
        (("export", LEAVING, "--member", "99", "--out", "x.json"), 4, "has no member 99."),
        (("export", LEAVING, "--out", "none/x.json"), 2, "none/x.json cannot be written"),
        (("erase", "nobody", "--dry-run"), 4, "There is no organization nobody."),
        (("erase", SIBLING, "--member", "99", "--dry-run"), 4, "has no member 99."),
        (("ledger", "verify", "--head", "12"), 2, "--head 12 is not understood."),
        (("certificate", "verify", "none", "--public-key", "none"), 2, "none cannot be read"),
    ],
)
def test_a_mistake_is_told_in_one_sentence_and_changes_nothing(installation, command, code, words):
    before = installation.contents()

    finished = installation.run(*command)

    assert finished.code == code, finished.err
    assert words in finished.err
    assert "Traceback" not in finished.err
    assert installation.contents() == before


def test_a_file_that_is_no_public_key_is_refused(installation, certificate):
    finished = installation.run("certificate", "verify", certificate, "--public-key", certificate)

    assert finished.code == 2
    assert "holds no public key" in finished.err


def test_data_without_a_data_map_is_asked_for_in_vain(installation):
    settings = installation.folder / "offramp.toml"
    settings.write_text(settings.read_text().replace("\ndatamap", "\n# datamap"))

    finished = installation.run("export", LEAVING, "--out", "x.json")

    assert finished.code == 5
    assert "set OFFRAMP_DATAMAP" in finished.err
    assert not (installation.folder / "x.json").exists()


def test_a_vendors_database_that_is_down_is_told_without_its_password(installation):
    installation.settings["TRAINING_DATABASE_URL"] = "postgresql://anna:hunter2@127.0.0.1:1/app"

    finished = installation.run("export", LEAVING, "--out", "x.json")

    assert finished.code == 5
    assert "The source app cannot be reached" in finished.err
    assert "hunter2" not in finished.err
    assert list(installation.folder.glob("x.json*")) == []
