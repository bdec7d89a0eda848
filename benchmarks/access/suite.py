"""``python3 dev.py bench access``: decisions beside engines for rules, and what a snapshot takes.

--quick        a hundred members and organizations, not a hundred thousand
--write-docs   keep the run, and write docs/performance-access.md
"""

import argparse
import os
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import quantiles
from time import perf_counter, perf_counter_ns

from benchmarks.access.page import HEADINGS, page
from benchmarks.access.rivals import Ask, by_casbin, by_cedar, by_dictionary
from benchmarks.access.world import NOW, PRODUCT, Asked, fill, organization_id, questions
from benchmarks.child import ROOT
from benchmarks.meter import private_bytes
from benchmarks.report import lines_of, print_lines, write_json
from benchmarks.rows import Ceiling, Row
from benchmarks.run import RESULTS, read_run, summed_up, write_run
from benchmarks.samples import Samples
from offramp.core.snapshot import AccessSnapshot
from offramp.core.snapshot_form import read_snapshot, write_snapshot
from offramp.engine.snapshot import snapshot_of

NAME = "access"
KEPT = RESULTS / f"{NAME}.json"
PAGE = ROOT / "docs" / f"performance-{NAME}.md"
US = 1e-3  # of a nanosecond
TABLE: tuple[Row | Ceiling, ...] = (
    Ceiling(name="1 one decision, half of all", ours="p50", limit=2, unit="µs"),
    Ceiling(name="1b one decision, 99 of 100", ours="p99", limit=10, unit="µs"),
    Row(
        name="2 one decision, beside Cedar",
        ours=("decision",),
        baseline=("cedar",),
        by="Cedar",
        limit=0.1,
        unit="µs",
    ),
    Row(
        name="2b one decision, beside Casbin",
        ours=("decision",),
        baseline=("casbin",),
        by="Casbin",
        limit=0.1,
        unit="µs",
    ),
    Ceiling(name="3 snapshot of a large organization, made", ours="made", limit=10, unit="s"),
    Ceiling(name="3b the same, in bytes", ours="body", limit=5, unit="MB"),
    Ceiling(name="3c the same, read", ours="read", limit=1, unit="s"),
    Ceiling(name="4 organizations kept, each of them", ours="kept", limit=20, unit="kB"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """How much is measured: members of the large organization, and organizations kept."""

    rounds: int
    members: int
    organizations: int
    asked: int


FULL = Size(rounds=5, members=100_000, organizations=100_000, asked=50_000)
QUICK = Size(rounds=2, members=100, organizations=100, asked=1000)
SMALL_MEMBERS = 20  # of each organization that is kept


def measure(*, size: Size) -> Samples:
    """Make the snapshots, then let everybody answer the same questions in turns."""
    samples = Samples()
    samples.note("members", size.members)
    samples.note("organizations", size.organizations)
    samples.note("asked", size.asked)
    kept = _keep(samples, size=size)
    assert len(kept) == size.organizations, "none is dropped while memory is measured"
    del kept
    snapshot = _make(samples, size=size)
    asked = tuple(questions(members=size.members, count=size.asked))
    rivals = {
        "decision": _by_snapshot(snapshot),
        "cedar": by_cedar(),
        "casbin": by_casbin(),
        "dictionary": by_dictionary(),
    }
    for _ in range(size.rounds):
        for name, ask in rivals.items():
            samples.note(name, _mean_us(ask, asked))
        each = sorted(_each_us(rivals["decision"], asked))
        samples.note("p50", each[len(each) // 2])
        samples.note("p99", quantiles(each, n=100)[-1])
    return samples


def _by_snapshot(snapshot: AccessSnapshot) -> Ask:
    decide = snapshot.decide

    def ask(asked: Asked) -> bool:
        decision = decide(
            asked.member, asked.capability, now=NOW, surface=asked.surface, product=PRODUCT
        )
        return decision.is_allowed

    return ask


def _make(samples: Samples, *, size: Size) -> AccessSnapshot:
    context = fill(1, members=size.members)
    began = perf_counter()
    body = write_snapshot(snapshot_of(context, organization_id(0)))
    made = perf_counter()
    snapshot = read_snapshot(body)
    samples.note("made", made - began)
    samples.note("read", perf_counter() - made)
    samples.note("body", len(body) / 1e6)
    return snapshot


def _keep(samples: Samples, *, size: Size) -> list[AccessSnapshot]:
    """Keep as many snapshots as there are organizations, each read from bytes of its own."""
    body = write_snapshot(snapshot_of(fill(1, members=SMALL_MEMBERS), organization_id(0)))
    name = organization_id(0).encode()
    before = private_bytes(os.getpid())
    kept = [
        read_snapshot(body.replace(name, organization_id(number).encode()))
        for number in range(size.organizations)
    ]
    samples.note("kept", (private_bytes(os.getpid()) - before) / 1e3 / size.organizations)
    return kept


def _mean_us(ask: Ask, asked: Sequence[Asked]) -> float:
    began = perf_counter_ns()
    for each in asked:
        ask(each)
    return (perf_counter_ns() - began) * US / len(asked)


def _each_us(ask: Ask, asked: Sequence[Asked]) -> list[float]:
    found = []
    for each in asked:
        began = perf_counter_ns()
        ask(each)
        found.append((perf_counter_ns() - began) * US)
    return found


def main(arguments: Sequence[str]) -> int:
    """Run the suite; 1 when a limit is not held."""
    parser = argparse.ArgumentParser(prog="dev.py bench access")
    parser.add_argument("--quick", action="store_true", help="a hundred of each")
    parser.add_argument("--write-docs", action="store_true", help=f"write docs/{PAGE.name}")
    options = parser.parse_args(arguments)
    size = QUICK if options.quick else FULL
    samples = measure(size=size)
    lines = tuple(lines_of(TABLE, samples))
    run = summed_up(samples, lines, size=size.members, rounds=size.rounds, server="in memory")
    print_lines(lines, title=f"Access, {run.machine}", headings=HEADINGS)
    write_json(lines, ROOT / "bench-out" / f"{NAME}.json")
    if options.write_docs:
        write_run(run, name=NAME)
        PAGE.write_text(page(read_run(KEPT, table=TABLE)), "utf-8")
    return 0 if all(line.holds for line in lines) else 1
