"""The benchmark on MariaDB: the same rows as on PostgreSQL, and the same work by both sides."""

import tempfile
from contextlib import closing
from pathlib import Path

import pytest

from benchmarks import mariadb, yardstick, yardstick_mariadb
from benchmarks.data import measure
from benchmarks.load import LARGE, MIDDLE, load_postgres
from benchmarks.report import lines_of
from benchmarks.rows import chosen
from benchmarks.server import connect
from offramp.testing.postgres import fresh_database

pytestmark = pytest.mark.mariadb

ROWS = 2_000


@pytest.fixture(scope="module")
def filled(postgres_server):
    """Give the files of a MariaDB server, and how many rows two organizations have there."""
    with fresh_database(postgres_server) as url, tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o711)  # the server's own user has to pass
        with connect(url) as connection:
            load_postgres(connection, rows=ROWS)
            counted = {
                number: yardstick.count(connection, organization=number)
                for number in (LARGE, MIDDLE)
            }
            mariadb.fill(connection, Path(folder) / "data")
        yield Path(folder) / "data", counted


def test_by_hand_every_row_of_one_organization_goes_and_the_next_keeps_its_own(filled, tmp_path):
    data, counted = filled

    with mariadb.copy(data) as url, closing(mariadb.connect(url)) as connection:
        out = yardstick_mariadb.export(connection, tmp_path / "out", organization=LARGE)
        gone = yardstick_mariadb.delete(connection, organization=LARGE)
        left = yardstick_mariadb.export(connection, tmp_path / "left", organization=LARGE)
        others = yardstick_mariadb.export(connection, tmp_path / "others", organization=MIDDLE)

    assert out == gone == counted[LARGE]
    assert sum(left.values()) == 0
    assert others == counted[MIDDLE]
    assert len((tmp_path / "out").read_text("utf-8").splitlines()) == sum(out.values())


def test_a_copy_leaves_the_files_it_was_made_from_as_they_were(filled, tmp_path):
    data, counted = filled
    with mariadb.copy(data) as url, closing(mariadb.connect(url)) as connection:
        yardstick_mariadb.delete(connection, organization=LARGE)

    with mariadb.copy(data) as url, closing(mariadb.connect(url)) as connection:
        out = yardstick_mariadb.export(connection, tmp_path / "out", organization=LARGE)

    assert out == counted[LARGE]


def test_both_sides_hand_over_and_delete_every_row(postgres_server):
    table = tuple(chosen(rows=ROWS, only=["14"]))

    with tempfile.TemporaryDirectory() as folder:
        samples = measure(postgres_server, Path(folder), rows=ROWS, rounds=1, table=table)

    # What is not every row of the organization stops the measurement.
    lines = {line.name: line for line in lines_of(table, samples)}
    assert set(lines) == {"14 MariaDB export", "14 MariaDB delete"}
    assert all(min(line.ours, line.baseline, line.cpu_ours) > 0 for line in lines.values())
