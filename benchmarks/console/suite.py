"""``python3 dev.py bench console``: how long a page takes with very many organizations.

--quick        a thousand organizations, not a million
--write-docs   keep the run, and write docs/performance-console.md
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import quantiles
from time import perf_counter

from fastapi.testclient import TestClient

from benchmarks.console.ground import ADDRESS, POLICY, fill
from benchmarks.console.page import HEADINGS, page
from benchmarks.rows import Ceiling
from benchmarks.samples import Samples
from benchmarks.suite import Suite

_LIST = "/console/organizations"
_FIELD = 'name="token" value="'


@dataclass(frozen=True, slots=True, kw_only=True)
class Screen:
    """One page as it is opened; what is searched for is sent as a form."""

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
    Screen(name="one organization with another end", path=f"{_LIST}/company-007/what-if?days=30"),
    Screen(name="cases", path="/console/cases"),
    Screen(name="policies", path="/console/policies"),
    Screen(name="one policy", path=f"/console/policies/{POLICY}"),
    Screen(name="health", path="/console/health"),
    Screen(name="a person in the portal", path="/portal"),
    Screen(name="their organization", path="/portal/organization"),
    Screen(name="its people", path="/portal/people"),
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
    browser = fill(folder, organizations=size.organizations)
    token = browser.get("/console/account").text.partition(_FIELD)[2].partition('"')[0]
    taken: dict[str, list[float]] = {screen.name: [] for screen in SCREENS}
    for number in range(size.visits):
        for screen in SCREENS[:: -1 if number % 2 else 1]:
            taken[screen.name].append(_visit(browser, screen, token=token))
    for name, times in taken.items():
        samples.note(name, quantiles(times, n=20)[-1])
    samples.note("organizations counted", size.organizations)
    samples.note("visits", size.visits)
    return samples


def _visit(browser: TestClient, screen: Screen, *, token: str) -> float:
    """Open a page, and give the milliseconds that it took."""
    began = perf_counter()
    if screen.form is None:
        answer = browser.get(screen.path)
    else:
        form = {**screen.form, "token": token}
        answer = browser.post(screen.path, data=form, headers={"Origin": ADDRESS})
    took = (perf_counter() - began) * 1e3
    assert answer.status_code == 200, f"{screen.path}: {answer.status_code}"
    return took


SUITE = Suite(
    name="console",
    title="The console",
    table=TABLE,
    headings=HEADINGS,
    full=FULL,
    quick=QUICK,
    little="a thousand organizations",
    measure=lambda folder, size: measure(folder, size=size),
    counted=lambda size: (size.organizations, 1),
    page=page,
)
