"""A backup brings back what had been erased, and it is erased again (L29)."""

import json
import shutil
import sqlite3
import subprocess
from contextlib import closing
from datetime import date

import pytest
from whenever import Instant

from examples.training_platform.companies import TINY
from examples.training_platform.generate import build
from tests.acceptance.installation import DATAMAP, LEAVING, SIBLING, Installation
from tests.acceptance.test_cli_erasure import set_up

MAP = ("--map", DATAMAP)
KEY = ("--signing-key", "key.pem")
YEARS_AGO = "2020-01-01T00:00:00Z"


@pytest.fixture(scope="module")
def erased_folder(vendor_folder, tmp_path_factory):
    """Erase a company with a map alone, once; its backup and its export lie beside it."""
    folder = tmp_path_factory.mktemp("erased-alone")
    shutil.copy(vendor_folder / "app.sqlite", folder)
    shutil.copy(vendor_folder / "app.sqlite", folder / "backup.sqlite")
    make = ["openssl", "genpkey", "-algorithm", "ed25519", "-out", "key.pem"]
    subprocess.run(make, cwd=folder, check=True)
    (folder / "records").mkdir()
    lonely = Installation(folder)
    lonely.say("export", LEAVING, *MAP, "--out", "data.json")
    lonely.say(*erasure())
    return folder


def erasure():
    gone = ("--certificate", "records/gone.json", "--export", "data.json")
    return ("erase", LEAVING, *MAP, *gone, *KEY, "--yes")


@pytest.fixture
def erased(erased_folder, tmp_path):
    """Give a folder after the erasure."""
    folder = tmp_path / "erased"
    shutil.copytree(erased_folder, folder)
    return Installation(folder)


def bring_back(lonely):
    """Restore the backup of the database, as an administrator does."""
    shutil.copy(lonely.folder / "backup.sqlite", lonely.folder / "app.sqlite")


def replay(*options, since=YEARS_AGO):
    return ("replay", "--since", since, *MAP, "--records", "records", *KEY, *options)


def rows_of(file, organization):
    """Give the rows of an organization in the tables that name it themselves."""
    statements = (
        "SELECT * FROM companies WHERE id = ?",
        "SELECT * FROM users WHERE company_id = ?",
        "SELECT * FROM invoices WHERE company_id = ?",
    )
    with closing(sqlite3.connect(file)) as connection:
        return [connection.execute(each, (organization,)).fetchall() for each in statements]


def certificate_of(lonely, name):
    return json.loads((lonely.folder / "records" / name).read_text())["certificate"]


def test_what_a_backup_brought_back_goes_again(erased):
    original = certificate_of(erased, "gone.json")
    bring_back(erased)
    sibling = rows_of(erased.folder / "app.sqlite", SIBLING)

    (first,) = erased.ask(*replay("--yes"))
    (second,) = erased.ask(*replay("--yes"))

    assert (first["outcome"], second["outcome"]) == ("erased again", "gone already")
    assert rows_of(erased.folder / "app.sqlite", LEAVING) == [[], [], []]
    assert rows_of(erased.folder / "app.sqlite", SIBLING) == sibling
    erased.say("verify", LEAVING, *MAP, "--export", "data.json")
    again = certificate_of(erased, "gone.replay-1.json")
    assert again["certificate"] == "replay"
    assert again["tables"] == original["tables"]
    assert again["tombstone"]["marks"] != original["tombstone"]["marks"]  # the key was another
    assert sorted(file.name for file in (erased.folder / "records").iterdir()) == [
        "gone.json",
        "gone.replay-1.json",
    ]


def test_the_certificate_of_a_replay_names_the_first_one_and_is_signed(erased):
    bring_back(erased)
    erased.say(*replay("--yes"))
    show = ["openssl", "pkey", "-in", "key.pem", "-pubout", "-out", "public.pem"]
    subprocess.run(show, cwd=erased.folder, check=True)
    digest = subprocess.run(
        ["sha256sum", "records/gone.json"], cwd=erased.folder, capture_output=True, check=True
    )

    trusted = ("--public-key", "public.pem")
    content = erased.ask("certificate", "verify", "records/gone.replay-1.json", *trusted)

    assert content["replay_of"] == digest.stdout.split()[0].decode()


def test_a_second_backup_is_replayed_as_well(erased):
    for _ in range(2):
        bring_back(erased)
        erased.say(*replay("--yes"))

    assert rows_of(erased.folder / "app.sqlite", LEAVING) == [[], [], []]
    assert (erased.folder / "records" / "gone.replay-2.json").exists()


def test_a_dry_run_says_what_would_go_and_changes_nothing(erased):
    bring_back(erased)
    before = rows_of(erased.folder / "app.sqlite", LEAVING)

    (would,) = erased.ask(*replay("--dry-run"))

    assert would["outcome"] == "would be erased again"
    assert rows_of(erased.folder / "app.sqlite", LEAVING) == before


def test_an_erasure_that_ended_before_the_backup_is_left_alone(erased):
    bring_back(erased)

    answer = erased.ask(*replay("--yes", since=Instant.now().add(hours=1).format_iso()))

    assert answer == []
    assert rows_of(erased.folder / "app.sqlite", LEAVING)[0]


def slip_in(lonely):
    """Have somebody else sign that a living company was erased."""
    lonely.say(
        *("erase", SIBLING, *MAP, "--certificate", "records/forged.json"),
        *("--without-export", "--yes"),
    )


def change(lonely):
    """Turn the certificate of one company into that of another one."""
    file = lonely.folder / "records" / "gone.json"
    file.write_bytes(file.read_bytes().replace(b'"organization":"2"', b'"organization":"1"'))


@pytest.mark.parametrize("forge", [slip_in, change])
def test_a_record_that_nobody_trusted_has_signed_erases_nobody(erased, forge):
    forge(erased)
    bring_back(erased)

    finished = erased.run(*replay("--yes"))

    assert finished.code == 70
    assert "nothing was replayed" in finished.err
    assert rows_of(erased.folder / "app.sqlite", SIBLING)[0]
    assert rows_of(erased.folder / "app.sqlite", LEAVING)[0]


def test_nothing_goes_again_without_a_terminal_or_a_word(erased):
    bring_back(erased)

    finished = erased.run(*replay())

    assert finished.code == 3
    assert "the organization 2" in finished.out
    assert rows_of(erased.folder / "app.sqlite", LEAVING)[0]


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("replay", "--since", "yesterday", *MAP), 2, "--since yesterday is not understood"),
        (("replay", "--since", YEARS_AGO, *MAP), 2, "--records has to be given"),
        (
            ("replay", "--since", YEARS_AGO, *MAP, "--records", "records"),
            2,
            "--public-key has to be given",
        ),
        (
            ("replay", "--since", YEARS_AGO, *MAP, "--records", "nowhere", *KEY),
            4,
            "There is no folder nowhere",
        ),
        (("replay", "--since", YEARS_AGO), 4, "Nothing was set up"),
    ],
)
def test_what_cannot_be_meant_is_told(erased, arguments, code, words):
    finished = erased.run(*arguments)

    assert (finished.code, words in finished.err) == (code, True), finished.err


def test_an_installation_replays_what_its_own_certificates_say(vendor):
    installation = set_up(vendor.folder)
    shutil.copy(vendor.folder / "app.sqlite", vendor.folder / "app.sqlite.before")
    installation.say("run", "--until-quiet")
    sibling = rows_of(vendor.folder / "app.sqlite", SIBLING)
    shutil.copy(vendor.folder / "app.sqlite.before", vendor.folder / "app.sqlite")

    installation.say("pause")
    paused = installation.run("replay", "--since", YEARS_AGO, "--yes")
    installation.say("resume")
    (again,) = installation.ask("replay", "--since", YEARS_AGO, "--yes")

    assert paused.code == 3
    assert "Everything destructive is paused" in paused.err
    assert (again["organization"], again["outcome"]) == (LEAVING, "erased again")
    assert rows_of(vendor.folder / "app.sqlite", LEAVING) == [[], [], []]
    assert rows_of(vendor.folder / "app.sqlite", SIBLING) == sibling
    last = json.loads(installation.say("ledger", "show", "--json").splitlines()[-1])
    assert last["kind"] == "erasure-replayed"
    assert last["detail"]["rows"] == again["rows"]
    installation.say("ledger", "verify")


def test_where_the_store_came_back_too_nothing_is_left_in_either(vendor):  # L30
    installation = set_up(vendor.folder)
    databases = ("app.sqlite", "offramp-data/offramp.sqlite")
    installation.say("status")
    for name in databases:
        shutil.copy(vendor.folder / name, vendor.folder / f"{name}.before")
    installation.say("run", "--until-quiet")
    for name in databases:
        shutil.copy(vendor.folder / f"{name}.before", vendor.folder / name)

    installation.say("replay", "--since", YEARS_AGO, "--yes")
    installation.say("run", "--until-quiet")

    assert rows_of(vendor.folder / "app.sqlite", LEAVING) == [[], [], []]
    with closing(sqlite3.connect(installation.store)) as connection:
        named = "SELECT name, erased_at IS NOT NULL FROM organization WHERE id = ?"
        people = "SELECT count(*) FROM member WHERE organization = ?"
        assert connection.execute(named, (LEAVING,)).fetchall() == [("", 1)]
        assert connection.execute(people, (LEAVING,)).fetchall() == [(0,)]


def test_who_is_gone_stays_gone_where_their_files_were_found_by_their_row(erased):
    (erased.folder / "files").mkdir()
    text = DATAMAP.read_text("utf-8")
    files = f'sources:\n  files: {{kind: objects, url: "file://{erased.folder / "files"}",'
    files += ' prefix: "{companies.slug}/"}\n'
    datamap = erased.folder / "map.yaml"
    datamap.write_text(text.replace("sources:\n", files, 1), "utf-8")
    records = ("--records", "records", *KEY, "--yes")

    erased.say("verify", LEAVING, "--map", datamap)
    (again,) = erased.ask("replay", "--since", YEARS_AGO, "--map", datamap, *records)

    assert again["outcome"] == "gone already"


def test_on_postgresql_too(postgres_url, erased):
    build(postgres_url, seed=7, leaving_on=date(2024, 8, 30), members=TINY)
    erased.settings["TRAINING_DATABASE_URL"] = postgres_url

    (again,) = erased.ask(*replay("--yes"))

    assert again["outcome"] == "erased again"
    erased.say("verify", LEAVING, *MAP, "--export", "data.json")
