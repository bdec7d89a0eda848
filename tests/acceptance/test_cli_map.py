"""`offramp map …` as a person runs it on a database that nobody has mapped: no installation."""

import json
import sqlite3
from contextlib import closing
from xml.etree import ElementTree as ET

import pytest

from tests.acceptance.installation import DATAMAP

LATE = "ALTER TABLE users ADD COLUMN shoe_size INTEGER"


MIXED_UP = """
    UPDATE seats SET pool_id = (
        SELECT licence_pools.id FROM licence_pools JOIN users ON users.id = seats.user_id
        WHERE licence_pools.company_id <> users.company_id ORDER BY licence_pools.id LIMIT 1
    ) WHERE id = (SELECT min(id) FROM seats)
"""


@pytest.fixture
def proposed(vendor):
    """Propose a map for the vendor's database, one seat being of two companies."""
    change(vendor, MIXED_UP)
    vendor.say("map", "init", "env:TRAINING_DATABASE_URL", *ROOT, "--out", "map.yaml")
    return vendor.folder / "map.yaml"


ROOT = ("--root", "companies.id")


def decide(file):
    """Do what a person does: choose the way of the seats and take the comment marks away."""
    before, _, rest = file.read_text("utf-8").partition("  # NOT DECIDED:\n")
    open_part, _, after = rest.partition("\n\n")
    lines = [line.replace("  # ", "  ", 1) for line in open_part.splitlines()]
    file.write_text(before + "\n".join(lines) + "\n\n" + after, "utf-8")


def change(vendor, statement):
    with closing(sqlite3.connect(vendor.folder / "app.sqlite")) as connection:
        connection.execute(statement)
        connection.commit()


def test_a_map_is_proposed_decided_and_then_fits(vendor, proposed):
    first = vendor.run("map", "check", proposed, "--json")
    decide(proposed)
    then = vendor.run("map", "check", proposed)

    (finding,) = [each for each in first.data["findings"] if each["severity"] == "error"]
    assert (first.code, finding["subject"]) == (2, "app.seats")
    assert then.code == 0, then.out
    assert "fits the database" in then.out


def test_what_is_not_decided_stands_at_the_top_of_the_file(proposed):
    heading = proposed.read_text("utf-8").split("offramp: 1")[0]

    assert "NOT DECIDED (1)" in heading
    assert "app.seats: leads to the root on several ways that may disagree" in heading


def test_what_all_rows_agree_on_is_decided_and_the_reason_says_so(vendor):
    told = vendor.run(
        "map", "init", "env:TRAINING_DATABASE_URL", *ROOT, "--out", "map.yaml", "--json"
    ).data

    assert (told["undecided"], told["decided"]) == ([], told["tables"])
    assert "rows: all ways agree in all" in (vendor.folder / "map.yaml").read_text("utf-8")


def test_every_rule_of_a_proposal_carries_its_reason(proposed):
    entries = proposed.read_text("utf-8").split("tables:")[1].split("people:")[0].splitlines()
    rules = [line for line in entries if line.startswith("      ")]

    assert len(rules) > 50
    assert [line for line in rules if "#" not in line] == []


def test_a_column_that_appears_after_the_map_is_named(vendor):
    """L15."""
    change(vendor, LATE)

    checked = vendor.run("map", "check", DATAMAP, "--json")

    assert checked.code == 2
    assert [each["subject"] for each in checked.data["findings"]] == ["app.users.shoe_size"]


def test_a_map_that_does_not_fit_is_not_shown(vendor):
    change(vendor, LATE)

    shown = vendor.run("map", "show", DATAMAP, "--json")

    assert (shown.code, shown.data["error"]["code"]) == (2, "DataMapIncomplete")


def test_a_map_is_shown_in_the_order_of_erasure(vendor):
    shown = vendor.run("map", "show", DATAMAP, "--json").data

    numbers = {each["table"]: each["number"] for each in shown}
    fates = {each["table"]: each["fate"] for each in shown}
    assert numbers["app.lesson_progress"] < numbers["app.enrolments"] < numbers["app.users"]
    assert numbers["app.companies"] == max(filter(None, numbers.values()))
    assert (fates["app.invoices"], fates["app.courses"]) == ("kept", "shared")


def test_a_map_is_drawn(vendor):
    vendor.say("map", "show", DATAMAP, "--svg", "map.svg")

    drawn = ET.parse(vendor.folder / "map.svg").getroot()
    assert "16. companies" in [each.text for each in drawn.iter("{http://www.w3.org/2000/svg}text")]


def test_a_file_with_decisions_is_never_rewritten(vendor, proposed):
    before = proposed.read_bytes()

    again = vendor.run("map", "init", "env:TRAINING_DATABASE_URL", *ROOT, "--out", "map.yaml")

    assert (again.code, proposed.read_bytes()) == (3, before)


def test_a_root_that_does_not_exist_is_answered_with_the_one_that_was_meant(vendor):
    asked = vendor.run(
        "map", "init", "env:TRAINING_DATABASE_URL", "--root", "company.id", "--out", "map.yaml",
        "--json",
    )  # fmt: skip

    assert (asked.code, asked.data["error"]["hint"]) == (2, "did you mean companies.id?")
    assert not (vendor.folder / "map.yaml").exists()


def test_the_schema_for_editors_is_one(vendor):
    schema = vendor.run("map", "schema")

    assert json.loads(schema.out)["title"] == "Offramp data map"


def test_categories_of_a_fideslang_dataset_are_taken_over(vendor):
    fields = [{"name": "payload", "data_categories": ["user.social"]}]
    dataset = {"dataset": [{"collections": [{"name": "audit_log", "fields": fields}]}]}
    (vendor.folder / "dataset.yaml").write_text(json.dumps(dataset), "utf-8")

    vendor.say(
        "map", "init", "env:TRAINING_DATABASE_URL", *ROOT, "--out", "map.yaml",
        "--fideslang", "dataset.yaml",
    )  # fmt: skip

    written = (vendor.folder / "map.yaml").read_text("utf-8")
    assert "payload: user.social" in written
    assert "imported from the Fideslang dataset" in written
