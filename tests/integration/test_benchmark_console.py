"""The benchmark of the console opens every page, and says what it found."""

from contextlib import redirect_stdout
from io import StringIO

from benchmarks.console.ground import fill
from benchmarks.console.page import HEADINGS, page
from benchmarks.console.suite import TABLE, Size, measure
from benchmarks.report import lines_of, print_lines
from benchmarks.run import read_run, summed_up, write_run

TINY = Size(organizations=60, visits=2)


def test_a_tiny_run_prints_and_keeps_every_row(tmp_path):
    samples = measure(tmp_path, size=TINY)
    lines = tuple(lines_of(TABLE, samples))
    with redirect_stdout(StringIO()) as shown:
        print_lines(lines, title="tiny", headings=HEADINGS)
    run = summed_up(samples, lines, size=TINY.organizations, rounds=1, server="a file")
    write_run(run, tmp_path, name="tiny")

    kept = read_run(tmp_path / "tiny.json", table=TABLE)

    assert [line.row for line in kept.lines] == list(TABLE)
    assert all(row.number in shown.getvalue() for row in TABLE)
    assert "opened 2 times" in page(kept)


def test_copies_leave_like_those_that_were_registered(tmp_path):
    browser = fill(tmp_path, organizations=600)

    page = browser.get("/console/organizations/company-007-2")

    assert page.status_code == 200
    assert "company-007-2" in page.text
    assert "Anna Nowak" in page.text
