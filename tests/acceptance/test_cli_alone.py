"""The data engine alone: a data map and a database, no installation, nobody registered."""

import contextlib
import gzip
import json
import os
import pty
import random
import shutil
import sqlite3
import subprocess
import time
from contextlib import closing
from datetime import date

import pytest
import sqlalchemy as sa

from examples.training_platform.companies import TINY
from examples.training_platform.database import open_engine
from examples.training_platform.generate import build
from tests.acceptance.installation import (
    COMMAND,
    DATAMAP,
    LEAVING,
    MEMBER,
    SIBLING,
    Installation,
)
from tests.archive import faults
from tests.integration.waiting import eventually

MAP = ("--map", DATAMAP)
WHOSE = (*MAP, "--organization", LEAVING)
ERASE = ("erase", *WHOSE, "--certificate", "gone.json", "--export", "data.json", "--yes")


@pytest.fixture(scope="module")
def exported_folder(vendor_folder, tmp_path_factory):
    """Export two companies of the SQLite database once, with nothing but a map."""
    folder = tmp_path_factory.mktemp("exported")
    shutil.copy(vendor_folder / "app.sqlite", folder)
    lonely = Installation(folder)
    lonely.say("export", *WHOSE, "--out", "data.json")
    lonely.say("export", *MAP, SIBLING, "--out", "sibling.json")
    return folder


@pytest.fixture
def exported(exported_folder, tmp_path):
    """Give a folder with a database and two exports, and nothing else."""
    folder = tmp_path / "exported"
    shutil.copytree(exported_folder, folder)
    return Installation(folder)


@pytest.fixture(params=["sqlite", "postgresql"])
def anywhere(request, exported):
    """The same on each kind of database."""
    if request.param == "postgresql":
        url = request.getfixturevalue("postgres_url")
        build(url, seed=7, leaving_on=date(2024, 8, 30), members=TINY)
        exported.settings["TRAINING_DATABASE_URL"] = url
        exported.say("export", *WHOSE, "--out", "data.json")
    return exported


WAITING = sa.text("SELECT count(*) FROM pg_locks WHERE NOT granted")


def write(lonely, statement):
    """Change the vendor's database behind everybody's back."""
    engine = open_engine(lonely.environment["TRAINING_DATABASE_URL"])
    with engine.begin() as connection:
        connection.execute(sa.text(statement))
    engine.dispose()


def rows_of(lonely):
    """Give every row of the SQLite database."""
    with closing(sqlite3.connect(lonely.folder / "app.sqlite")) as connection:
        return set(connection.iterdump())


def document_of(lonely, organization):
    """Give what an export holds of somebody, but for the instant that it was taken at."""
    lonely.say("export", organization, *MAP, "--out", "now.json")
    document = json.loads((lonely.folder / "now.json").read_text())
    return document["data"]


def certificate_of(lonely, name="gone.json"):
    return json.loads((lonely.folder / name).read_text())["certificate"]


def test_an_organization_goes_and_comes_back_with_a_map_alone(anywhere):  # A9, A10, L28
    exported = anywhere
    sibling = document_of(exported, SIBLING)
    before = json.loads((exported.folder / "data.json").read_text())

    erased = exported.ask(*ERASE)
    left = exported.ask("verify", *WHOSE, "--export", "data.json")
    again = document_of(exported, SIBLING)
    exported.say("restore", "data.json", *MAP)
    exported.say("export", *WHOSE, "--out", "again.json")

    assert erased["organization"] == LEAVING
    assert left["clean"] is True
    assert set(left["verification"]["counts"].values()) == {0}
    assert again == sibling
    assert json.loads((exported.folder / "again.json").read_text())["data"] == before["data"]


def test_the_certificate_says_what_was_seen_and_what_was_not(exported):  # L28
    exported.say(*ERASE)

    said = certificate_of(exported)
    exports = json.loads((exported.folder / "data.json").read_text())["manifest"]["tables"]
    deleted = {name: entry["rows"] for name, entry in exports.items() if name != "app.invoices"}
    assert said["tables"] == deleted
    (kept,) = said["retained"]
    assert (kept["table"], kept["rows"], kept["basis"]) == ("app.invoices", 3, "tax law, 10 years")
    assert kept["until"] == "issued_on + P10Y"
    assert sum(kept["ends"].values()) == 3
    assert said["pseudonymized"] == {"app.invoices": ["company_reference", "contact_name"]}
    assert said["handed_over"][0]["rows"] == sum(entry["rows"] for entry in exports.values())
    assert said["key_destroyed_at"] >= said["erased_at"]
    assert any("Backups" in sentence for sentence in said["not_verified"])
    assert any("SHA-256 of every table" in sentence for sentence in said["verified"])
    assert "anonym" not in json.dumps(said).lower()


def test_nothing_is_left_of_an_erasure_but_the_certificate_and_its_public_key(exported):  # L23
    printed = exported.say(*ERASE)

    names = sorted(file.name for file in exported.folder.iterdir())
    key = (exported.folder / "gone.json.pub").read_text().strip()
    assert names == ["app.sqlite", "data.json", "gone.json", "gone.json.pub", "sibling.json"]
    assert key in printed
    assert (exported.folder / "gone.json").stat().st_mode & 0o077 == 0
    assert "signed with this key and unchanged" in exported.say(
        "certificate", "verify", "gone.json", "--public-key", key
    )


def test_a_certificate_is_signed_with_the_key_that_is_given(exported):
    make = ["openssl", "genpkey", "-algorithm", "ed25519", "-out", "key.pem"]
    subprocess.run(make, cwd=exported.folder, check=True)
    show = ["openssl", "pkey", "-in", "key.pem", "-pubout", "-out", "public.pem"]
    subprocess.run(show, cwd=exported.folder, check=True)

    exported.say(*ERASE, "--signing-key", "key.pem")

    assert not (exported.folder / "gone.json.pub").exists()
    exported.say("certificate", "verify", "gone.json", "--public-key", "public.pem")


def test_a_certificate_is_printed_at_once_or_later(exported):
    exported.say(*ERASE, "--pdf", "gone.pdf")
    key = (exported.folder / "gone.json.pub").read_text().strip()

    exported.say("certificate", "print", "gone.json", "--public-key", key, "--out", "later.pdf")

    printed = (exported.folder / "gone.pdf").read_bytes()
    assert faults(printed) == []
    assert printed == (exported.folder / "later.pdf").read_bytes()


def test_an_erasure_by_map_needs_no_second_run_and_the_second_changes_nothing(exported):
    first = exported.ask(*ERASE)
    certificate = (exported.folder / "gone.json").read_bytes()

    second = exported.ask(*ERASE)

    assert second == first
    assert (exported.folder / "gone.json").read_bytes() == certificate


def test_a_database_that_deletes_one_chunk_at_a_time_does_so_whatever_is_asked(exported):
    exported.say(*ERASE, "--connections", "2")

    exported.say("verify", LEAVING, *MAP)


def test_a_row_that_was_written_since_the_export_refuses_the_erasure(exported):  # L28
    write(exported, "UPDATE users SET first_name = 'Late' WHERE id = 2")
    before = rows_of(exported)

    finished = exported.run(*ERASE)

    assert finished.code == 3
    assert "The rows of app.users changed since the export data.json" in finished.err
    assert "Late" not in finished.err
    assert rows_of(exported) == before


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("erase", *WHOSE, "--yes", "--export", "data.json"), 2, "--certificate has to be given"),
        (("erase", *WHOSE, "--yes", "--certificate", "c.json"), 2, "--export has to be given"),
        ((*ERASE, "--without-export"), 2, "exclude each other"),
        (("erase", *MAP, "--yes"), 2, "--organization has to be given"),
        (("erase", LEAVING, *WHOSE, "--yes"), 2, "ORG and --organization exclude each other"),
        (("erase", LEAVING, "--yes"), 2, "--map has to be given"),
        (("erase", LEAVING, "--connections", "2"), 2, "--map has to be given"),
        (("erase", LEAVING), 3, "nobody does it by hand"),
        (tuple(each for each in ERASE if each != "--yes"), 3, "there is no terminal to ask at"),
        (("export", *MAP, "--organization", " ", "--out", "x.json"), 3, "must name exactly one"),
        (("erase", *MAP, "--organization", "%", "--dry-run"), 3, "must name exactly one"),
        (("verify", *MAP, "--organization", "*"), 3, "must name exactly one"),
        (("verify", *WHOSE, "--export", "sibling.json"), 2, "taken of somebody else"),
        (("export", *WHOSE, "--category", "user.contract", "--out", "x.json"), 2, "user.contact"),
        (("export", *WHOSE, "--category", "user.sensor", "--out", "x.json"), 2, "No column"),
    ],
)
def test_what_cannot_be_meant_is_refused_and_nothing_is_changed(  # L16, L26
    exported, arguments, code, words
):
    before = rows_of(exported)

    finished = exported.run(*arguments)

    assert finished.code == code, finished.err
    assert words in finished.err
    assert rows_of(exported) == before
    assert not (exported.folder / "x.json").exists()


def test_an_id_that_nobody_has_is_not_certified(exported):  # L16, L28
    gone = ("--certificate", "gone.json", "--without-export", "--yes")

    finished = exported.run("erase", *MAP, "--organization", "4711", *gone)

    assert finished.code == 4
    assert "There is not one row of the organization 4711" in finished.err
    assert not (exported.folder / "gone.json").exists()


def test_what_was_not_handed_over_goes_only_when_that_is_said(exported):
    gone = ("--certificate", "gone.json", "--without-export", "--yes")

    exported.say("erase", *WHOSE, *gone)

    said = certificate_of(exported)
    assert said["handed_over"] == []
    assert said["not_verified"][0].startswith("Whether everything had been handed over")


def test_an_export_of_somebody_else_or_of_a_part_does_not_count(exported):
    exported.say("export", *WHOSE, "--content-only", "--out", "part.json")
    answers = {
        name: exported.run(*(name if each == "data.json" else each for each in ERASE))
        for name in ("sibling.json", "part.json")
    }

    assert {answer.code for answer in answers.values()} == {2}
    assert "it was taken of somebody else" in answers["sibling.json"].err
    assert "it holds only a part" in answers["part.json"].err


def test_verify_fails_while_one_row_is_left(exported):  # L21
    exported.say(*ERASE)
    write(
        exported,
        "INSERT INTO audit_log (company_id, action, ip, payload, at)"
        f" SELECT {SIBLING}, 'note', '::1', NULL, at FROM audit_log WHERE company_id = {SIBLING}"
        " LIMIT 1",
    )
    mail = json.loads((exported.folder / "data.json").read_text())["data"]["users"][0]["email"]
    write(exported, f"UPDATE audit_log SET action = 'wrote to {mail}' WHERE action = 'note'")

    unaware = exported.run("verify", *WHOSE)
    finished = exported.run("verify", *WHOSE, "--export", "data.json", "--json")

    assert unaware.code == 0
    assert "none were known" in unaware.out
    assert finished.code == 3
    assert json.loads(finished.out)["verification"]["residue"] == {"app.audit_log.action": 1}
    assert mail not in finished.out + finished.err


def test_rows_that_came_back_do_not_hide_behind_an_old_certificate(exported):  # L29
    exported.say(*ERASE)
    exported.say("restore", "data.json", *MAP)

    finished = exported.run(*ERASE)

    assert finished.code == 3
    assert "in the database again" in finished.err


def test_a_certificate_never_replaces_another_file(exported):
    (exported.folder / "gone.json").write_text("precious")

    finished = exported.run(*ERASE)

    assert finished.code == 3
    assert (exported.folder / "gone.json").read_text() == "precious"


def test_a_member_is_certified_only_when_nobody_elses_row_names_them(exported):  # L21, L28
    gone = ("erase", SIBLING, *MAP, "--member", MEMBER, "--certificate", "gone.json", "--yes")
    before = json.loads((exported.folder / "sibling.json").read_text())["data"]["users"]
    mails = {str(row["id"]): row["email"] for row in before}
    exported.say("export", *MAP, SIBLING, "--member", MEMBER, "--out", "mine.json")

    first = exported.run(*gone, "--export", "mine.json")
    write(exported, f"UPDATE audit_log SET payload = NULL WHERE payload LIKE '%{mails[MEMBER]}%'")
    exported.say(*gone, "--export", "mine.json")

    assert first.code == 70
    assert "marks remain, in app.audit_log.payload" in first.err
    assert certificate_of(exported)["member"] == MEMBER
    left = {str(row["id"]) for row in document_of(exported, SIBLING)["users"]}
    assert left == set(mails) - {MEMBER}


def test_a_category_is_handed_over_alone_and_says_so(exported):
    answer = exported.ask("export", *WHOSE, "--category", "user.contact", "--out", "contact.json")

    document = json.loads((exported.folder / "contact.json").read_text())
    columns = {table: set(rows[0]) for table, rows in document["data"].items()}
    assert columns == {
        "companies": {"billing_email", "country"},
        "users": {"email", "phone"},
        "audit_log": {"payload"},
    }
    assert answer["whole"] is False
    assert document["manifest"]["categories"] == ["user.contact"]
    refused = exported.run("restore", "contact.json", *MAP)
    assert refused.code == 2
    assert "holds only the columns of user.contact" in refused.err


def test_a_packed_export_is_packed_while_it_is_written(exported):
    exported.say("export", *WHOSE, "--out", "data.json.gz")

    packed = exported.folder / "data.json.gz"
    plain = json.loads((exported.folder / "data.json").read_text())
    assert json.loads(gzip.decompress(packed.read_bytes()))["data"] == plain["data"]
    assert packed.stat().st_mode & 0o077 == 0
    exported.say(*("data.json.gz" if each == "data.json" else each for each in ERASE))


def test_a_person_at_a_terminal_types_the_id(exported):  # L26
    command = [*COMMAND, *map(str, (each for each in ERASE if each != "--yes"))]
    codes = {}
    for typed in ("yes", LEAVING):
        ours, theirs = pty.openpty()
        process = subprocess.Popen(
            command,
            stdin=theirs,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd=exported.folder,
            env=exported.environment,
        )
        os.write(ours, f"{typed}\n".encode())
        codes[typed] = process.wait(60)
        os.close(ours)
        os.close(theirs)

    assert codes == {"yes": 3, LEAVING: 0}


def test_two_processes_never_work_on_one_organization(exported):
    engine = open_engine(exported.environment["TRAINING_DATABASE_URL"])
    other = tuple("other.json" if each == "gone.json" else each for each in ERASE)
    with engine.connect() as connection:
        connection.exec_driver_sql("UPDATE courses SET title = title")  # the first one waits here
        first = exported.start(*ERASE)
        eventually((exported.folder / "gone.json.work" / "tombstone.json").exists)
        second = exported.run(*other)
        connection.rollback()
        assert first.wait(60) == 0, first.stderr.read()
    first.communicate()
    engine.dispose()

    assert second.code == 5
    assert "Another process is at work on the organization 2" in second.err


def test_an_export_that_is_terminated_says_so_and_leaves_nothing(postgres_url, exported):
    build(postgres_url, seed=7, leaving_on=date(2024, 8, 30), members=TINY)
    exported.settings["TRAINING_DATABASE_URL"] = postgres_url
    before = set(exported.folder.iterdir())
    engine = open_engine(postgres_url)
    with engine.connect() as connection:
        connection.exec_driver_sql("LOCK TABLE sign_in_sessions IN ACCESS EXCLUSIVE MODE")
        export = exported.start("export", *WHOSE, "--out", "again.json")
        eventually(lambda: connection.scalar(WAITING))
        assert (exported.folder / "again.json.part").exists()
        export.terminate()
        _, told = export.communicate(timeout=30)
    engine.dispose()

    assert (export.returncode, "stopped before it was done" in told) == (143, True)
    assert set(exported.folder.iterdir()) == before


def test_a_process_that_is_killed_at_any_moment_is_finished_by_the_next(anywhere):  # L32
    exported = anywhere
    chance = random.Random(5)
    started = time.monotonic()
    expected = certificate_numbers(exported)
    took = time.monotonic() - started
    exported.say("restore", "data.json", *MAP)
    (exported.folder / "gone.json").unlink()

    while not (exported.folder / "gone.json").exists():
        took *= 1.1  # one comes to its end, however busy the machine has become
        with contextlib.suppress(subprocess.TimeoutExpired):
            exported.run(*ERASE, seconds_max=chance.uniform(0.3, 1.0) * took)

    assert certificate_numbers(exported) == expected
    assert not (exported.folder / "gone.json.work").exists()


def certificate_numbers(lonely):
    """Run an erasure and give what its certificate counts."""
    lonely.say(*ERASE)
    said = certificate_of(lonely)
    return {name: said[name] for name in ("tables", "retained", "not_verified")}
