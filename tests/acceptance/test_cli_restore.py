"""A company comes back from its document, as an operator types it (A9)."""

import gzip
import json
import shutil
import sqlite3
from contextlib import closing

import pytest

from tests.acceptance.installation import DATAMAP, LEAVING, ROOT


@pytest.fixture
def exported(installation):
    """Export a company and give the installation, with its document in data.json."""
    installation.say("export", LEAVING, "--out", "data.json")
    return installation


def change(installation, *statements):
    """Change the vendor's database behind everybody's back."""
    with closing(sqlite3.connect(installation.folder / "app.sqlite")) as connection, connection:
        for statement in statements:
            connection.execute(statement)


def lose_lessons(installation):
    """Lose the lessons of everybody."""
    change(installation, "DELETE FROM lesson_progress")


def data_of(file):
    content = file.read_bytes()
    return content[: content.index(b'\n"manifest":')]


def test_what_was_lost_comes_back_without_an_installation(exported, tmp_path):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    for name in ("data.json", "app.sqlite"):
        shutil.copy(exported.folder / name, elsewhere / name)
    lonely = type(exported)(elsewhere)
    lose_lessons(lonely)

    answer = lonely.ask("restore", "data.json", "--map", DATAMAP)

    assert answer["organization"] == LEAVING
    assert answer["tables"]["app.lesson_progress"]["added"] > 0
    assert answer["tables"]["app.users"]["added"] == 0
    lose_nothing = lonely.say("restore", "data.json", "--map", DATAMAP)
    assert "Everything was there already." in lose_nothing
    exported.settings["TRAINING_DATABASE_URL"] = f"sqlite:///{elsewhere / 'app.sqlite'}"
    exported.say("export", LEAVING, "--out", "again.json")
    assert data_of(exported.folder / "again.json") == data_of(exported.folder / "data.json")


def test_a_dry_run_says_what_would_come_back_and_changes_nothing(exported):
    lose_lessons(exported)
    before = exported.contents()

    answer = exported.ask("restore", "data.json", "--map", DATAMAP, "--dry-run")
    printed = exported.say("restore", "data.json", "--map", DATAMAP, "--dry-run")

    assert answer["dry_run"] is True
    assert answer["tables"]["app.lesson_progress"]["added"] > 0
    assert "Nothing was changed: this was a dry run." in printed
    assert exported.contents() == before


def test_a_packed_document_is_read_too(exported):
    packed = exported.folder / "data.json.gz"
    packed.write_bytes(gzip.compress((exported.folder / "data.json").read_bytes()))
    lose_lessons(exported)

    answer = exported.ask("restore", packed, "--map", DATAMAP)

    assert answer["tables"]["app.lesson_progress"]["added"] > 0


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (
            lambda text: text.replace("Europe/Dublin", "Europe/Berlin", 1),
            "do not match their digest",
        ),
        (lambda text: json.dumps(json.loads(text), indent=2), "written anew by another program"),
        (lambda text: text[: len(text) // 2], "ends before its manifest does"),
        (lambda _: "name,email\n", "it is no export"),
    ],
    ids=["changed", "formatted anew", "cut short", "another file"],
)
def test_a_document_that_is_not_as_it_was_exported_is_refused(exported, spoil, words):
    file = exported.folder / "data.json"
    file.write_text(spoil(file.read_text()))
    lose_lessons(exported)
    before = exported.contents()

    finished = exported.run("restore", "data.json", "--map", DATAMAP)

    assert finished.code == 2
    assert words in finished.err
    assert exported.contents() == before


def test_a_database_of_another_shape_is_told_place_by_place(exported):
    change(
        exported,
        "ALTER TABLE companies RENAME COLUMN vat_no TO vat_number",
        "ALTER TABLE users RENAME COLUMN phone TO telephone",
    )
    wanted = (ROOT / "examples" / "training_platform" / "datamap.yaml").read_text()
    renamed = exported.folder / "map.yaml"
    renamed.write_text(wanted.replace("vat_no:", "vat_number:").replace("phone:", "telephone:"))

    finished = exported.run("restore", "data.json", "--map", renamed)

    assert finished.code == 2
    assert "app.companies.vat_no is not in the database" in finished.err
    assert "app.users.phone is not in the database" in finished.err


def test_a_row_that_was_changed_since_is_not_written_over_and_not_quoted(exported):
    change(exported, f"UPDATE users SET first_name = 'Secretly' WHERE company_id = {LEAVING}")
    before = exported.contents()

    finished = exported.run("restore", "data.json", "--map", DATAMAP)

    assert finished.code == 3
    assert "rows of app.users are there and differ from the document in first_name" in finished.err
    assert "Secretly" not in finished.err
    assert exported.contents() == before
