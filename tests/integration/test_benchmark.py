"""The benchmark compares like with like: both of its sides leave the same database behind."""

import json
from dataclasses import fields

import pytest
import sqlalchemy as sa

from benchmarks import yardstick
from benchmarks.__main__ import measure
from benchmarks.load import LARGE, load_postgres
from benchmarks.page import write_page
from benchmarks.report import Line, lines_of, print_lines, write_json
from benchmarks.schema import OWNED, SOURCE, TABLES
from benchmarks.server import connect
from benchmarks.work import EXPORT_NAME, KEY, NOTHING_KNOWN, open_work
from offramp.testing.postgres import fresh_database

ROWS = 2_000


def everything(url):
    """Give the rows of every table as text, in an order of their own."""
    with connect(url) as connection:
        return {
            table.name: connection.execute(
                f"SELECT t::text FROM {table.name} t ORDER BY 1"
            ).fetchall()
            for table in TABLES
        }


@pytest.fixture(scope="module")
def template(postgres_server):
    with fresh_database(postgres_server) as url:
        with connect(url) as connection:
            load_postgres(connection, rows=ROWS)
        yield sa.make_url(url).database


@pytest.fixture
def pair(postgres_server, template):
    """Give two databases that hold the same rows, for one side each."""
    with (
        fresh_database(postgres_server, template=template) as by_hand,
        fresh_database(postgres_server, template=template) as by_offramp,
    ):
        yield by_hand, by_offramp


@pytest.fixture
def store_url(tmp_path):
    return f"sqlite:///{tmp_path / 'store.sqlite'}"


def test_both_sides_hand_over_the_same_rows(pair, store_url, tmp_path):
    by_hand, by_offramp = pair

    with connect(by_hand) as connection:
        counted = yardstick.export(connection, tmp_path / "by-hand.jsonl", organization=LARGE)
    with open_work(by_offramp, store_url=store_url) as work:
        work.export(tmp_path)

    lines = (tmp_path / "by-hand.jsonl").read_text("utf-8").splitlines()
    document = json.loads((tmp_path / EXPORT_NAME).read_text("utf-8"))["data"]
    assert {table: len(rows) for table, rows in document.items()} == counted
    people = [json.loads(line)["email"] for line in lines if '"email":"person' in line]
    assert sorted(people) == sorted(person["email"] for person in document["people"])
    assert sum(counted.values()) == len(lines) >= ROWS * 0.9


def test_both_sides_delete_the_same_rows_and_leave_the_others(pair, store_url):
    by_hand, by_offramp = pair
    before = everything(by_hand)

    with connect(by_hand) as connection:
        gone = yardstick.delete(connection, organization=LARGE)
    with open_work(by_offramp, store_url=store_url) as work:
        result = work.erase(NOTHING_KNOWN)

    after = everything(by_hand)
    assert everything(by_offramp) == after
    assert {f"{SOURCE}.{table}": rows for table, rows in gone.items()} == result.tables
    assert {table: len(before[table]) - len(after[table]) for table in gone} == gone
    assert set(gone) == {table.name for table in OWNED}


def test_both_sides_write_the_same_hashes(pair, store_url):
    by_hand, by_offramp = pair
    before = everything(by_hand)

    with connect(by_hand) as connection:
        hashed = yardstick.hash_rows(connection, organization=LARGE, key=KEY)
    with open_work(by_offramp, store_url=store_url, keeps_everything=True) as work:
        result = work.erase(NOTHING_KNOWN)

    assert everything(by_offramp) == everything(by_hand) != before
    assert {f"{SOURCE}.{table}": rows for table, rows in hashed.items()} == result.hashed


def test_the_scan_by_hand_finds_every_row_that_names_the_organization(pair):
    by_hand, _ = pair
    rows = everything(by_hand).values()

    with connect(by_hand) as connection:
        found = yardstick.scan(connection, mark="@org-1.example")

    assert found == sum("@org-1.example" in text for table in rows for (text,) in table) > 0


def test_a_run_at_a_tiny_size_prints_and_keeps_every_row(postgres_server, tmp_path, capsys):
    lines = list(lines_of(measure(postgres_server, tmp_path, rows=ROWS, rounds=1)))

    print_lines(lines, title="tiny")
    write_json(lines, tmp_path / "data.json")
    write_page(tmp_path / "performance.md", lines, size="tiny", rounds=1, on="a test")

    kept = json.loads((tmp_path / "data.json").read_text("utf-8"))
    page = (tmp_path / "performance.md").read_text("utf-8")
    shown = capsys.readouterr().out
    assert [set(row) for row in kept] == [{field.name for field in fields(Line)}] * len(lines)
    assert [line.name for line in lines if line.name not in page] == []
    # The scan is the difference of two times, which at this size is all noise.
    timed = [line for line in lines if line.name != "11 verify by text scan"]
    assert [line.name for line in timed if line.ours <= 0] == []
    assert all(line.name.split()[0] in shown for line in lines)
    assert all(line.holds == (line.ratio <= line.limit) for line in lines)
