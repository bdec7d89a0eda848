"""The benchmark of achievements makes everything it says it makes, and says what it found."""

from contextlib import redirect_stdout
from io import StringIO

from benchmarks.achievements.page import HEADINGS, page
from benchmarks.achievements.suite import TABLE, measure
from benchmarks.report import lines_of, print_lines
from benchmarks.run import read_run, summed_up, write_run

MEMBERS = 10


def test_a_tiny_run_prints_and_keeps_every_row(tmp_path):
    samples = measure(tmp_path, members=MEMBERS)
    lines = tuple(lines_of(TABLE, samples))
    with redirect_stdout(StringIO()) as shown:
        print_lines(lines, title="tiny", headings=HEADINGS)
    run = summed_up(samples, lines, size=MEMBERS, rounds=1, server="a file")
    write_run(run, tmp_path, name="tiny")

    kept = read_run(tmp_path / "tiny.json", table=TABLE)

    assert [line.row for line in kept.lines] == list(TABLE)
    assert all(row.name in shown.getvalue() for row in TABLE)
    assert "10 members with 5 achievements each: 60 papers" in page(kept)
