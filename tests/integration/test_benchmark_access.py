"""The benchmark of access asks everybody the same, and says what it found."""

from contextlib import redirect_stdout
from io import StringIO

from benchmarks.access.ground import member_id
from benchmarks.access.others import by_casbin, cedar, dictionary
from benchmarks.access.page import HEADINGS, page
from benchmarks.access.suite import TABLE, Size, measure
from benchmarks.report import lines_of, print_lines
from benchmarks.run import read_run, summed_up, write_run
from offramp.core.policy import Capability

TINY = Size(members=120, rounds=2, questions=100, requests=40, organizations=500)


def test_a_tiny_run_prints_and_keeps_every_row(tmp_path):
    samples = measure(tmp_path, size=TINY)
    lines = tuple(lines_of(TABLE, samples))
    with redirect_stdout(StringIO()) as shown:
        print_lines(lines, title="tiny", headings=HEADINGS)
    run = summed_up(samples, lines, size=TINY.members, rounds=TINY.rounds, server="a file")
    write_run(run, tmp_path, name="tiny")

    kept = read_run(tmp_path / "tiny.json", table=TABLE)

    assert [line.row for line in kept.lines] == list(TABLE)
    assert all(row.name in shown.getvalue() for row in TABLE)
    assert "2 rounds of 100 questions" in page(kept)


def test_what_stands_beside_us_really_decides():
    deciders = [cedar(), by_casbin(), dictionary(2)]

    assert [decide(member_id(0), Capability.CREATE) for decide in deciders] == [True] * 3
    assert not cedar()("a stranger", Capability.READ)
