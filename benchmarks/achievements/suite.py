"""``python3 dev.py bench achievements``: credentials and diplomas for everybody of one company.

--quick        a hundred members, not ten thousand
--write-docs   keep the run, and write docs/performance-achievements.md
"""

import json
import subprocess
import sys
from pathlib import Path

from benchmarks.achievements.making import Made
from benchmarks.achievements.page import HEADINGS, page
from benchmarks.achievements.school import EACH, fill_school
from benchmarks.child import ROOT
from benchmarks.rows import Ceiling, Row
from benchmarks.samples import Samples
from benchmarks.suite import Suite

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


SUITE = Suite(
    name="achievements",
    title="Achievements",
    table=TABLE,
    headings=HEADINGS,
    full=MEMBERS,
    quick=MEMBERS_QUICK,
    little="a hundred members",
    measure=lambda folder, members: measure(folder, members=members),
    counted=lambda members: (members, 1),
    page=page,
)
