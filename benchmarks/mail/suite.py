"""``python3 dev.py bench mail``: a step that writes to everybody, beside the bare client.

--quick        a hundred mails, not a hundred thousand
--write-docs   keep the run, and write docs/performance-mail.md
"""

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from benchmarks.child import ROOT
from benchmarks.mail.installation import FILE_BYTES, Installation
from benchmarks.mail.page import HEADINGS, page
from benchmarks.mail.sending import Sent
from benchmarks.rows import Ceiling, Row
from benchmarks.samples import Samples
from benchmarks.suite import Suite
from offramp.testing.post_office import PostOffice

TABLE: tuple[Row | Ceiling, ...] = (
    Row(
        name="1 one mail",
        ours=("step",),
        baseline=("prepared",),
        by="prepared mails",
        limit=1.3,
        unit="ms",
    ),
    Ceiling(name="2 processor time for it", ours="step cpu", limit=5, unit="ms"),
    Row(
        name="3 memory in the end",
        ours=("large",),
        baseline=("small",),
        by="a fifth of the readers",
        limit=1.1,
        unit="MB",
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """How much is measured: mails of each round, and readers whose number may not show."""

    rounds: int
    mails: int
    small: int
    large: int


FULL = Size(rounds=3, mails=10_000, small=10_000, large=50_000)
QUICK = Size(rounds=1, mails=100, small=100, large=500)


def measure(folder: Path, *, size: Size) -> Samples:
    """Send in turns, round by round, then to few and to many."""
    samples = Samples()
    with PostOffice(folder / "book") as office:
        for number in range(size.rounds):
            # Whoever is second finds the machine as the first has left it.
            orders = ("step", "prepared") if number % 2 else ("prepared", "step")
            sent = {
                order: _send(order, folder / f"{order}-{number}", office, members=size.mails)
                for order in orders
            }
            for order in orders:
                samples.note(order, sent[order].seconds * 1e3 / size.mails)
                samples.note(f"{order} cpu", sent[order].cpu_seconds * 1e3 / size.mails)
        for name, members in (("small", size.small), ("large", size.large)):
            held = _send("step", folder / name, office, members=members)
            samples.note(name, held.peak_bytes / 1e6)
            samples.note(f"{name} readers", members)
        samples.note("taken", sum(1 for _ in office.taken()))
    samples.note("mails", size.mails)
    samples.note("file", FILE_BYTES / 1e3)
    return samples


def _send(order: str, folder: Path, office: PostOffice, *, members: int) -> Sent:
    """Fill an installation, and let a process of its own send."""
    folder.mkdir()
    Installation(folder=folder, port=office.port).fill(members)
    sent = Sent(**json.loads(_run(order, folder, office)))
    assert sent.mails == members, "nobody is left out"
    return sent


def _run(order: str, folder: Path, office: PostOffice) -> str:
    done = subprocess.run(
        [
            *(sys.executable, "-m", "benchmarks.mail.sending"),
            *(order, str(folder), str(office.port)),
        ],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return done.stdout


SUITE = Suite(
    name="mail",
    title="Mail",
    table=TABLE,
    headings=HEADINGS,
    full=FULL,
    quick=QUICK,
    little="a hundred mails",
    measure=lambda folder, size: measure(folder, size=size),
    counted=lambda size: (size.large, size.rounds),
    page=page,
)
