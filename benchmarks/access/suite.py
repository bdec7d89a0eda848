"""``python3 dev.py bench access``: decisions inside an application, and what they are made from.

--quick        a thousand members, not a hundred thousand
--write-docs   keep the run, and write docs/performance-access.md
"""

import gc
import os
import tracemalloc
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import median, quantiles
from time import perf_counter_ns

from benchmarks.access.ground import ASKED, ask, fill, guard_of, member_id
from benchmarks.access.others import PEOPLE, by_casbin, cedar, dictionary
from benchmarks.access.over_http import CONNECTIONS, ask_servers
from benchmarks.access.page import HEADINGS, page
from benchmarks.meter import private_bytes
from benchmarks.rows import Ceiling, Row
from benchmarks.samples import Samples
from benchmarks.suite import Suite
from offramp.core.policy import Capability
from offramp.core.snapshot_form import read_snapshot, write_snapshot
from offramp.engine.snapshot import snapshot_of

TABLE: tuple[Row | Ceiling, ...] = (
    Ceiling(name="1 one decision, half of them", ours="guard p50", limit=2, unit="µs"),
    Ceiling(name="1 one decision, ninety-nine of a hundred", ours="guard p99", limit=10, unit="µs"),
    Row(
        name="2 beside Cedar",
        ours=("guard p50",),
        baseline=("cedar p50",),
        by="cedarpy",
        limit=0.1,
        unit="µs",
    ),
    Row(
        name="3 beside Casbin",
        ours=("guard p50",),
        baseline=("casbin p50",),
        by="casbin",
        limit=0.1,
        unit="µs",
    ),
    Row(
        name="4 beside a dictionary of answers",
        ours=("guard p50",),
        baseline=("dictionary p50",),
        by="dictionary",
        limit=50,  # the floor is little more than what a clock can tell apart
        unit="µs",
    ),
    Ceiling(name="5 the snapshot", ours="snapshot", limit=5, unit="MB"),
    Ceiling(name="6 to make it from the store", ours="build", limit=10, unit="s"),
    Ceiling(name="7 to read it in the application", ours="read", limit=1, unit="s"),
    Ceiling(name="8 memory of the application for it", ours="held", limit=30, unit="MB"),
    Ceiling(name="9 for each of many organizations", ours="each held", limit=25, unit="kB"),
    Row(
        name="10 over HTTP, beside an endpoint that decides nothing",
        ours=("HTTP ours",),
        baseline=("HTTP bare",),
        by="bare",
        limit=1.25,
        unit="µs",
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """How much is measured: the members, the rounds, and the questions of each of these.

    Attributes:
        requests: the questions over HTTP.
        organizations: whose snapshots are held at once, with `FEW` members each.
    """

    members: int
    rounds: int
    questions: int
    requests: int
    organizations: int


FULL = Size(members=100_000, rounds=5, questions=20_000, requests=4_000, organizations=100_000)
QUICK = Size(members=1_000, rounds=1, questions=1_000, requests=2_000, organizations=1_000)
FEW = 20


def measure(folder: Path, *, size: Size) -> Samples:
    """Make a snapshot as often as there are rounds, then ask everybody in turns."""
    samples = Samples()
    world = fill(folder, members=size.members)
    body = b""
    for _ in range(size.rounds):
        body = write_snapshot(samples.time("build", partial(snapshot_of, world.context, "acme")))
        samples.time("read", partial(read_snapshot, body))
    samples.note("snapshot", len(body) / 1e6)
    samples.note("held", _held(body))
    samples.note("each held", _each_held(folder / "few", organizations=size.organizations))
    ask_servers(folder, samples, rounds=size.rounds, requests=size.requests)
    samples.note("requests", size.requests)
    guard = guard_of(body)
    deciders: dict[str, Callable[[str, Capability], bool]] = {
        "guard": lambda member, capability: ask(guard, member, capability),
        "cedar": cedar(),
        "casbin": by_casbin(),
        "dictionary": dictionary(size.members),
        "nothing": lambda member, capability: True,
    }
    for number in range(size.rounds):
        names = list(deciders)[:: -1 if number % 2 else 1]
        asked = {name: _ask(deciders[name], questions=size.questions) for name in names}
        idle = median(asked["nothing"])
        for name in names:
            hundredths = quantiles(asked[name], n=100)
            samples.note(f"{name} p50", (median(asked[name]) - idle) / 1e3)
            samples.note(f"{name} p99", (hundredths[-1] - idle) / 1e3)
    samples.note("members", size.members)
    samples.note("questions", size.questions)
    samples.note("people", PEOPLE)
    samples.note("organizations", size.organizations)
    samples.note("few", FEW)
    samples.note("connections", CONNECTIONS)
    return samples


def _ask(decide: Callable[[str, Capability], bool], *, questions: int) -> list[int]:
    """Time each of many questions, about others in turn, in nanoseconds."""
    people = [member_id(number) for number in range(0, PEOPLE, 2)]
    times = []
    gc.collect()
    for number in range(questions):
        member, capability = people[number % len(people)], ASKED[number % len(ASKED)]
        began = perf_counter_ns()
        is_allowed = decide(member, capability)
        times.append(perf_counter_ns() - began)
        assert is_allowed, "everybody answers the same"
    return times


def _held(body: bytes) -> float:
    tracemalloc.start()
    snapshot = read_snapshot(body)
    held, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert snapshot.members, "it is held until here"
    return held / 1e6


def _each_held(folder: Path, *, organizations: int) -> float:
    """Hold many snapshots at once, and give the kilobytes of this process for each."""
    folder.mkdir()
    body = write_snapshot(snapshot_of(fill(folder, members=FEW).context, "acme"))
    before = private_bytes(os.getpid())
    held = [read_snapshot(body) for _ in range(organizations)]
    grown = private_bytes(os.getpid()) - before
    assert len(held) == organizations, "they are held until here"
    return grown / 1e3 / organizations


SUITE = Suite(
    name="access",
    title="Access",
    table=TABLE,
    headings=HEADINGS,
    full=FULL,
    quick=QUICK,
    little="a thousand members",
    measure=lambda folder, size: measure(folder, size=size),
    counted=lambda size: (size.members, size.rounds),
    page=page,
)
