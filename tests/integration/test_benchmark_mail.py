"""The benchmark of mail sends everything it says it sends, and says what it found."""

from contextlib import redirect_stdout
from io import StringIO

from benchmarks.mail.page import HEADINGS, page
from benchmarks.mail.suite import TABLE, Size, measure
from benchmarks.report import lines_of, print_lines
from benchmarks.run import read_run, summed_up, write_run

TINY = Size(rounds=2, mails=20, small=5, large=40)


def test_a_tiny_run_prints_and_keeps_every_row(tmp_path):
    samples = measure(tmp_path, size=TINY)
    lines = tuple(lines_of(TABLE, samples))
    with redirect_stdout(StringIO()) as shown:
        print_lines(lines, title="tiny", headings=HEADINGS)
    run = summed_up(samples, lines, size=TINY.large, rounds=TINY.rounds, server="a file")
    write_run(run, tmp_path, name="tiny")

    kept = read_run(tmp_path / "tiny.json", table=TABLE)

    sent = TINY.rounds * 2 * TINY.mails + TINY.small + TINY.large
    assert samples.numbers["taken"] == [sent]
    assert [line.row for line in kept.lines] == list(TABLE)
    assert all(row.name in shown.getvalue() for row in TABLE)
    assert "2 rounds of 20 mails" in page(kept)
