"""``python3 dev.py bench achievements``: credentials and diplomas for everybody of one company.

--quick        a hundred members, not ten thousand
--write-docs   keep the run, and write docs/performance-achievements.md
"""

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from benchmarks.achievements.making import Made
from benchmarks.achievements.page import HEADINGS, page
from benchmarks.achievements.school import EACH, fill_school
from benchmarks.child import ROOT
from benchmarks.report import lines_of, print_lines, write_json
from benchmarks.rows import Ceiling, Row
from benchmarks.run import RESULTS, read_run, summed_up, write_run
from benchmarks.samples import Samples

NAME = "achievements"
KEPT = RESULTS / f"{NAME}.json"
PAGE = ROOT / "docs" / f"performance-{NAME}.md"
MEMBERS, MEMBERS_QUICK = 10_000, 100
TABLE: tuple[Row | Ceiling, ...] = (
    Ceiling(name="1 to sign one credential", ours="credential", limit=2, unit="ms"),
    Ceiling(name="2 to print one paper, all cores", ours="paper", limit=25, unit="ms"),
    Ceiling(name="3 the files of one member", ours="files", limit=400, unit="kB"),
    Row(
        name="4 memory in the end",
        ours=("late",),
        baseline=("early",),
        by="after a tenth",
        limit=1.15,
        unit="MB",
    ),
)


def measure(folder: Path, *, members: int) -> Samples:
    """Let a process of its own make everything."""
    url = f"sqlite:///{folder}/school.sqlite"
    fill_school(url, members=members)
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.achievements.making", url, str(members)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        check=True,
    )
    made = Made(**json.loads(done.stdout))
    assert made.members == members, "nobody is left out"
    samples = Samples()
    numbers = {
        "members": members,
        "each": EACH,
        "credential": made.credential_seconds * 1e3,
        "paper": made.member_seconds * 1e3 / (EACH + 1),
        "files": made.member_bytes / 1e3,
        "early": made.early_bytes / 1e6,
        "late": made.late_bytes / 1e6,
    }
    for name, number in numbers.items():
        samples.note(name, number)
    return samples


def main(arguments: Sequence[str]) -> int:
    """Run the suite; 1 when a limit is not held."""
    parser = argparse.ArgumentParser(prog="dev.py bench achievements")
    parser.add_argument("--quick", action="store_true", help="a hundred members")
    parser.add_argument("--write-docs", action="store_true", help=f"write docs/{PAGE.name}")
    options = parser.parse_args(arguments)
    members = MEMBERS_QUICK if options.quick else MEMBERS
    with tempfile.TemporaryDirectory() as folder:
        samples = measure(Path(folder), members=members)
    lines = tuple(lines_of(TABLE, samples))
    run = summed_up(samples, lines, size=members, rounds=1, server="SQLite")
    print_lines(lines, title=f"Achievements, {run.machine}", headings=HEADINGS)
    write_json(lines, ROOT / "bench-out" / f"{NAME}.json")
    if options.write_docs:
        write_run(run, name=NAME)
        PAGE.write_text(page(read_run(KEPT, table=TABLE)), "utf-8")
    return 0 if all(line.holds for line in lines) else 1
