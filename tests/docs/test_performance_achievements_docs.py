"""docs/performance-achievements.md is what the run that was kept found, nothing else."""

from benchmarks.achievements.page import page
from benchmarks.achievements.suite import MEMBERS, SUITE, TABLE
from benchmarks.run import read_run


def test_the_page_is_what_the_kept_run_found():
    written = SUITE.written.read_text("utf-8")

    expected = page(read_run(SUITE.kept, table=TABLE))

    assert written == expected, "run: python3 dev.py bench achievements --write-docs"


def test_the_kept_run_measured_every_row_at_its_full_size():
    kept = read_run(SUITE.kept, table=TABLE)

    assert [line.row for line in kept.lines] == list(TABLE)
    assert kept.size == MEMBERS
