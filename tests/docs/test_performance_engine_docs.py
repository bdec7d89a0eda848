"""docs/performance-engine.md is what the run of the benchmark that was kept found, nothing else."""

from benchmarks.engine.page import page
from benchmarks.engine.rows import TABLE
from benchmarks.engine.suite import FULL, KEPT, PAGE
from benchmarks.run import read_run


def test_the_page_is_what_the_kept_run_found():
    written = PAGE.read_text("utf-8")

    expected = page(read_run(KEPT, table=TABLE))

    assert written == expected, "run: python3 dev.py bench engine --write-docs"


def test_the_kept_run_measured_every_row_at_its_full_size():
    kept = read_run(KEPT, table=TABLE)

    assert [line.row for line in kept.lines] == list(TABLE)
    assert {name: kept.middles[name] for name in FULL.by_name()} == FULL.by_name()


def test_each_row_is_explained_by_its_number():
    explained = PAGE.read_text("utf-8").partition("## What is compared")[2]

    numbers = sorted({row.number for row in TABLE})

    assert [number for number in numbers if f"\n{number}. **" not in explained] == []


def test_no_two_rows_share_a_name():
    assert len({row.name for row in TABLE}) == len(TABLE)
