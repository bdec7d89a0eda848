"""Applications that were not written for us: their tables, rows by chance, and our whole way.

What `map init` cannot decide is in `decisions.yaml` beside each, and nothing else is by hand.
"""

import re
from pathlib import Path

import pytest

from tests.integration.foreign.applications import FOREIGN

pytestmark = pytest.mark.foreign
PAGE = Path(__file__).parents[3] / "docs" / "foreign-schemas.md"
each = pytest.mark.parametrize("name", FOREIGN)


def told_on_the_page(name):
    """Read the row of an application in the table of the page."""
    row = re.search(rf"^\| {name} \(.*$", PAGE.read_text("utf-8"), re.MULTILINE | re.IGNORECASE)
    return [int(number) for number in re.findall(r"\| (\d+) (?=\|)", row[0])]


@each
def test_few_tables_are_decided_by_hand_and_the_page_says_how_many(name, travelled):
    journey = travelled(name)

    tables, alone = journey.told["tables"], journey.told["decided"]
    columns = sum(len(rule.columns) for rule in journey.datamap.tables.values())
    by_hand = sum(len(journey.datamap.tables[table].columns) for table in journey.decisions)
    assert told_on_the_page(name) == [tables, alone, tables - alone, columns - by_hand, by_hand]
    assert {each["subject"] for each in journey.told["undecided"]} == set(journey.decisions)


@each
def test_the_check_fails_until_everything_is_decided(name, travelled):
    """L15."""
    journey = travelled(name)

    open_map = journey.offramp("map", "check", journey.proposed, "--json")
    finished = journey.offramp("map", "check", journey.finished, "--json")

    assert open_map.returncode == 2
    assert finished.returncode == 0, finished.stdout
    assert all(table in open_map.stdout for table in journey.decisions)


@each
def test_every_row_of_the_organization_goes_and_no_other(name, travelled):
    """A10, L16: by the books of whoever made the rows, table by table."""
    journey = travelled(name)
    habits = journey.sower.habits

    gone = {table: rows - journey.after[table] for table, rows in journey.before.items()}

    sown = {table: journey.sower.sown[table]["leaving"] for table in gone}
    unowned = {table: sown[table] - gone[table] for table in gone if sown[table] != gone[table]}
    # Rows that are owned the other way round, and that no row happens to name, are nobody's.
    assert set(unowned) <= set(habits.owned)
    counted = journey.verification.unowned
    assert all(
        0 < rows <= counted[f"app.{t.removeprefix('public.')}"] for t, rows in unowned.items()
    )


@each
def test_nothing_is_left_and_the_sibling_stays_byte_identical(name, travelled):
    """A10, L21."""
    journey = travelled(name)

    assert journey.verification.clean, journey.verification
    assert journey.sibling[0] == journey.sibling[1] == journey.sibling[2]
    assert sum(table.rows for table in journey.sibling[0].values()) > 1_000


@each
def test_what_comes_back_is_what_went(name, travelled):
    """A9."""
    journey = travelled(name)

    assert journey.documents[0] == journey.documents[1]
    assert sum(table.rows for table in journey.manifest.tables.values()) > 1_000


@each
def test_the_map_is_shown(name, travelled):
    journey = travelled(name)
    picture = journey.folder / "map.svg"

    shown = journey.offramp("map", "show", journey.finished, "--svg", picture)

    assert shown.returncode == 0, shown.stderr
    names = [table.partition(".")[2] for table in journey.datamap.tables]
    drawn = picture.read_text("utf-8")
    assert all(f"<title>app.{table}" in drawn for table in names)
    assert all(table in shown.stdout.replace("\n", "") for table in names)
