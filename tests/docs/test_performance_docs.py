"""docs/performance.md is what the last runs of the benchmark found, and nothing else."""

from pathlib import Path

from benchmarks.chart import chart
from benchmarks.page import page
from benchmarks.report import HEADINGS
from benchmarks.rows import ROWS, chosen
from benchmarks.run import SIZES, read_runs
from benchmarks.traffic import TRANSACTIONS_PER_SECOND

FILE = Path(__file__).parents[2] / "docs" / "performance.md"
PICTURE = FILE.parent / "images" / "performance.svg"


def test_the_page_is_what_the_last_runs_of_each_size_found():
    written = FILE.read_text("utf-8")

    expected = page(read_runs(), rate=TRANSACTIONS_PER_SECOND)

    assert written == expected, "run: python3 dev.py bench data --write-docs"
    assert PICTURE.read_text("utf-8") == chart(read_runs())


def test_every_row_of_the_table_is_measured_at_every_size_that_it_is_for():
    missing = {
        run.size: {row.name for row in chosen(rows=run.size)} - {line.name for line in run.lines}
        for run in read_runs()
    }

    assert {size: rows for size, rows in missing.items() if rows} == {}


def test_speed_memory_and_lock_time_are_published_for_three_sizes():
    """L44: rows a second, peak memory and the longest lock, for each of the sizes."""
    runs = read_runs()

    short = FILE.read_text("utf-8").partition("## In short")[2].partition("\n## ")[0]
    cells = {
        line.split("|")[1].strip(): [cell.strip() for cell in line.split("|")[2:-1]]
        for line in short.splitlines()
        if line.startswith("| ")
    }

    assert tuple(run.size for run in runs) == SIZES
    for name in (
        "export, rows a second",
        "deletion, rows a second",
        "longest that a row is locked, s",
        "memory of Offramp, MB",
    ):
        assert len(cells[name]) == len(SIZES)
        assert all(float(cell.replace(",", "")) > 0 for cell in cells[name])


def test_what_the_headings_mean_is_explained():
    shown = FILE.read_text("utf-8").casefold()

    explained = ("by hand", "Offramp", "beyond", "CPU", "checks")

    assert set(explained) < set(HEADINGS)
    assert [word for word in explained if f"**{word.casefold()}**" not in shown] == []


def test_no_two_rows_share_a_name():
    assert len({row.name for row in ROWS}) == len(ROWS)
