"""The benchmark compares like with like: both of its sides leave the same database behind."""

import json
import subprocess
import sys
from time import sleep

import pytest
import sqlalchemy as sa

from benchmarks import yardstick
from benchmarks.data import measure
from benchmarks.flow import Place, SidesDiffer
from benchmarks.load import LARGE, load_postgres
from benchmarks.meter import Meter
from benchmarks.page import page
from benchmarks.report import lines_of, print_lines, write_json
from benchmarks.rows import ROWS as ROWS_OF_TABLE
from benchmarks.rows import chosen
from benchmarks.run import read_runs, summed_up, write_run
from benchmarks.samples import Samples
from benchmarks.schema import OWNED, SOURCE, TABLES
from benchmarks.server import connect, process_of_server
from benchmarks.traffic import traffic, write_script
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


@pytest.mark.parametrize("set_checks", [False, True], ids=["row by row", "in sets"])
def test_both_sides_delete_the_same_rows_and_leave_the_others(set_checks, pair, store_url):
    by_hand, by_offramp = pair
    before = everything(by_hand)

    with connect(by_hand) as connection:
        gone = yardstick.delete(connection, organization=LARGE)
    with open_work(by_offramp, store_url=store_url, set_checks=set_checks) as work:
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
    # pip cannot carry a MariaDB
    table = tuple(row for row in ROWS_OF_TABLE if row.number != "14")

    samples = measure(
        postgres_server, tmp_path, rows=ROWS, rounds=1, table=table, phase_seconds=0.2
    )
    lines = tuple(lines_of(table, samples))
    print_lines(lines, title="tiny")
    write_json(lines, tmp_path / "data.json")
    run = summed_up(samples, lines, size=ROWS, rounds=1, server="a server")
    write_run(run, tmp_path / "runs")

    kept = json.loads((tmp_path / "data.json").read_text("utf-8"))
    assert read_runs(tmp_path / "runs") == [run]
    text = page([run], rate=200)
    shown = capsys.readouterr().out
    shape = {"name", "ours", "baseline", "ratio", "limit", "holds"}
    assert [set(row) for row in kept] == [shape] * len(table)
    assert [line.name for line in lines if line.name not in text] == []
    # The scan is the difference of two times, which at this size is all noise.
    timed = [line for line in lines if line.name != "11 verify by text scan"]
    assert [line.name for line in timed if line.ours <= 0] == []
    assert [line.name for line in lines if line.name.split()[0] not in shown] == []
    assert all(line.holds == (line.ratio <= line.limit) for line in lines)


def test_one_row_can_be_measured_alone(postgres_server, tmp_path):
    (row,) = chosen(rows=ROWS, only=["3"])

    samples = measure(postgres_server, tmp_path, rows=ROWS, rounds=2, table=[row])

    assert row.wanted == {"D", "erase over one"}
    timed = {name.removesuffix(" cpu") for name in samples.numbers if name.endswith(" cpu")}
    assert timed == {"A", *row.wanted}, "by hand as well, every row is read before it is deleted"
    assert [len(samples.numbers[name]) for name in (*timed, "D cpu")] == [2] * 4


def test_rows_are_chosen_by_number_and_by_what_makes_sense_at_a_size():
    def numbers(**choice):
        return {row.number for row in chosen(**choice)}

    smallest, middle = numbers(rows=100_000), numbers(rows=1_000_000)
    largest = numbers(rows=10_000_000, skip=["11"])

    assert smallest | middle == {row.number for row in ROWS_OF_TABLE}
    assert {"1", "3", "6", "7", "9"} <= smallest & middle & largest
    assert largest & {"8", "11", "12", "13", "14", "15"} == set()
    assert "14" not in middle
    assert numbers(rows=100_000, only=["5", "5b"]) == {"5", "5b"}, "what is named is measured"


def test_a_side_that_did_less_than_the_other_is_not_compared(tmp_path):
    place = Place(
        base_url="",
        server=0,
        template="",
        folder=tmp_path,
        samples=Samples(),
        phase_seconds=0,
        owned={"people": 3, "teams": 1},
    )

    place.expect({"app.people": 3, "app.teams": 1}, "deleted")
    with pytest.raises(SidesDiffer, match="'people': 2"):
        place.expect({"people": 2, "teams": 1}, "deleted")


def test_the_processor_time_of_a_server_and_of_children_is_counted(postgres_server):
    meter = Meter(servers=[process_of_server(postgres_server)])

    began = meter.seconds()
    with connect(postgres_server) as connection:
        connection.execute("SELECT sum(number) FROM generate_series(1, 1000000) AS number")
    in_server = meter.seconds() - began
    subprocess.run([sys.executable, "-c", "sum(range(20_000_000))"], check=True)

    assert in_server > 0.02
    assert meter.seconds() - began - in_server > 0.1


def test_others_work_meanwhile_and_their_waits_count_from_when_they_were_due(pair, tmp_path):
    url, _ = pair
    with connect(url) as connection:
        write_script(connection, tmp_path / "script.sql")

    with traffic(url, tmp_path, rate=100) as others:
        sleep(1)
        began = others.now()
        with connect(url) as blocker, blocker.transaction():
            blocker.execute("LOCK TABLE visits")
            sleep(1)
        waits = others.between(began, others.now())

    with connect(url) as connection:
        written = connection.execute(
            "SELECT min(organization_id) FROM events WHERE action = 'person.visit'"
        ).fetchone()
    assert written >= (52,)
    # Whoever was due while the table was locked waited half of that second, on average.
    assert 200 < waits.middle < waits.p99 <= waits.longest < 5_000
