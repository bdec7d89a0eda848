"""docs/performance-access.md is what the run that was kept found, nothing else."""

from benchmarks.access.page import page
from benchmarks.access.suite import FULL, SUITE, TABLE
from benchmarks.run import read_run


def test_the_page_is_what_the_kept_run_found():
    written = SUITE.written.read_text("utf-8")

    expected = page(read_run(SUITE.kept, table=TABLE))

    assert written == expected, "run: python3 dev.py bench access --write-docs"


def test_the_kept_run_measured_every_row_at_its_full_size():
    kept = read_run(SUITE.kept, table=TABLE)

    assert [line.row for line in kept.lines] == list(TABLE)
    assert (kept.size, kept.rounds) == (FULL.members, FULL.rounds)
