"""``python3 dev.py bench console``: how long a page takes with very many organizations.

--quick        a thousand organizations, not a million
--write-docs   keep the run, and write docs/performance-console.md
"""

import argparse
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import quantiles
from time import perf_counter

from benchmarks.child import ROOT
from benchmarks.console.ground import ADDRESS, Ground, fill
from benchmarks.console.page import HEADINGS, page
from benchmarks.report import lines_of, print_lines, write_json
from benchmarks.rows import Ceiling
from benchmarks.run import RESULTS, read_run, summed_up, write_run
from benchmarks.samples import Samples

NAME = "console"
KEPT = RESULTS / f"{NAME}.json"
PAGE = ROOT / "docs" / f"performance-{NAME}.md"
_LIST = "/console/organizations"
_FIELD = 'name="token" value="'


@dataclass(frozen=True, slots=True, kw_only=True)
class Screen:
    """One page as an operator opens it; what is searched for is sent as a form."""

    name: str
    path: str
    limit_ms: float = 300
    form: Mapping[str, str] | None = None


SCREENS = (
    Screen(name="today", path="/console"),
    Screen(name="organizations", path=_LIST, limit_ms=150),
    Screen(name="organizations by name", path=_LIST, limit_ms=150, form={"text": "Calpha"}),
    Screen(
        name="organizations, far down",
        path=_LIST,
        limit_ms=150,
        form={"after_name": "qalpha limited", "after": "company-016-1"},
    ),
    Screen(name="organizations that leave", path=f"{_LIST}?state=leaving", limit_ms=150),
    Screen(name="organizations that do not", path=f"{_LIST}?state=staying"),
    Screen(name="organizations under a hold", path=f"{_LIST}?state=held"),
    Screen(name="organizations that were stopped", path=f"{_LIST}?state=stopped"),
    Screen(name="organizations in the first stage", path=f"{_LIST}?stage=active"),
    Screen(name="organizations in a stage that none is in", path=f"{_LIST}?stage=expired"),
    Screen(name="one organization", path=f"{_LIST}/company-007"),
)
TABLE = tuple(
    Ceiling(name=f"{number} {screen.name}", ours=screen.name, limit=screen.limit_ms, unit="ms")
    for number, screen in enumerate(SCREENS, start=1)
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """How much is measured: the organizations, and how often each page is opened."""

    organizations: int
    visits: int


FULL = Size(organizations=1_000_000, visits=100)
QUICK = Size(organizations=1_000, visits=20)


def measure(folder: Path, *, size: Size) -> Samples:
    """Fill a store, and open every page in turns; of each, nineteen of twenty were faster."""
    samples = Samples()
    ground = fill(folder, organizations=size.organizations)
    token = ground.browser.get("/console/account").text.partition(_FIELD)[2].partition('"')[0]
    taken: dict[str, list[float]] = {screen.name: [] for screen in SCREENS}
    for number in range(size.visits):
        for screen in SCREENS[:: -1 if number % 2 else 1]:
            taken[screen.name].append(_visit(ground, screen, token=token))
    for name, times in taken.items():
        samples.note(name, quantiles(times, n=20)[-1])
    samples.note("organizations counted", size.organizations)
    samples.note("visits", size.visits)
    return samples


def _visit(ground: Ground, screen: Screen, *, token: str) -> float:
    """Open a page, and give the milliseconds that it took."""
    began = perf_counter()
    if screen.form is None:
        answer = ground.browser.get(screen.path)
    else:
        form = {**screen.form, "token": token}
        answer = ground.browser.post(screen.path, data=form, headers={"Origin": ADDRESS})
    took = (perf_counter() - began) * 1e3
    assert answer.status_code == 200, f"{screen.path}: {answer.status_code}"
    return took


def main(arguments: Sequence[str]) -> int:
    """Run the suite; 1 when a limit is not held."""
    parser = argparse.ArgumentParser(prog="dev.py bench console")
    parser.add_argument("--quick", action="store_true", help="a thousand organizations")
    parser.add_argument("--write-docs", action="store_true", help=f"write docs/{PAGE.name}")
    options = parser.parse_args(arguments)
    size = QUICK if options.quick else FULL
    with tempfile.TemporaryDirectory() as folder:
        samples = measure(Path(folder), size=size)
    lines = tuple(lines_of(TABLE, samples))
    run = summed_up(samples, lines, size=size.organizations, rounds=1, server="SQLite")
    print_lines(lines, title=f"The console, {run.machine}", headings=HEADINGS)
    write_json(lines, ROOT / "bench-out" / f"{NAME}.json")
    if options.write_docs:
        write_run(run, name=NAME)
        PAGE.write_text(page(read_run(KEPT, table=TABLE)), "utf-8")
    return 0 if all(line.holds for line in lines) else 1
