"""The flows of Offramp, timed on PostgreSQL step by step as its engine takes them."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial

import psycopg

from benchmarks.flow import Flow, Place, SidesDiffer, Step
from benchmarks.habits import MICROSECONDS
from benchmarks.rows import JOB
from benchmarks.server import clone, connect, written_bytes
from benchmarks.work import NOTHING_KNOWN, Work, open_work
from offramp.data.erasure.fence import CONNECTIONS
from offramp.data.erasure.tombstone import Tombstone
from offramp.data.manifest import TableDigest


@dataclass(kw_only=True)
class Ground:
    """A copy of the database, Offramp's connections to it, and what the steps found so far."""

    place: Place
    work: Work
    connection: psycopg.Connection
    handed_over: Mapping[str, TableDigest] = field(default_factory=dict)
    tombstone: Tombstone = NOTHING_KNOWN

    def export(self) -> None:
        """Hand the rows over."""
        manifest = self.place.samples.time("export", lambda: self.work.export(self.place.folder))
        self.handed_over = manifest.digests()
        self.place.expect(_rows(self.handed_over), "exported")

    def prove(self) -> None:
        """Read the live rows again, as it is done just before a deletion."""
        digests = self.place.samples.time("digest", self.work.digest)
        if self.handed_over and digests != self.handed_over:
            raise SidesDiffer("the rows that were handed over are not the live ones")
        self.handed_over = digests

    def bury(self) -> None:
        """Take the tombstone."""
        digests = dict(self.handed_over)
        self.tombstone = self.place.samples.time("tombstone", lambda: self.work.bury(digests))

    def erase(self) -> None:
        """Delete every row, and count what that wrote to the log."""
        samples = self.place.samples
        before = written_bytes(self.connection)
        result = samples.time("erase", lambda: self.work.erase(self.tombstone))
        samples.note("written MB", (written_bytes(self.connection) - before) / 1e6)
        samples.note("longest", max(self.work.fence.seconds))
        self.place.expect(result.tables, "deleted")

    def erase_alone(self, name: str, *, connections: int) -> None:
        """Delete every row, by a clock that runs for nothing else."""
        tombstone = self.work.prepare()
        work = partial(self.work.erase, tombstone, connections=connections)
        result = self.place.samples.time(name, work)
        self.place.expect(result.tables, "deleted")

    def count_left(self) -> None:
        """Verify by references."""
        without_marks = self.tombstone.model_copy(update={"marks": ()})
        self.place.samples.time("references", lambda: self.work.verify(without_marks))

    def divide(self) -> None:
        """Say what the whole job cost for one row."""
        samples = self.place.samples
        seconds = sum(samples.numbers[name][-1] for name in JOB)
        rows = sum(self.place.owned.values())
        samples.note("job for a row", seconds / rows * MICROSECONDS)

    def scan(self) -> None:
        """Time the search for marks: a verification with them less one without, both repeated."""
        samples = self.place.samples
        without_marks = self.tombstone.model_copy(update={"marks": ()})
        samples.time("references again", lambda: self.work.verify(without_marks))
        self.work.verify(self.tombstone)  # the first to read after a deletion tidies up
        verification = samples.time("verify", lambda: self.work.verify(self.tombstone))
        for kind in ("", " cpu"):
            again = samples.numbers[f"references again{kind}"][-1]
            samples.note(f"scan{kind}", samples.numbers[f"verify{kind}"][-1] - again)
        if not verification.clean:
            raise SidesDiffer("after a deletion, something is left")

    def hash(self) -> None:
        """Hash the people of rows that stay."""
        self.place.samples.time("hash", lambda: self.work.erase(NOTHING_KNOWN))


def _rows(digests: Mapping[str, TableDigest]) -> dict[str, int]:
    return {table: entry.rows for table, entry in digests.items()}


@contextmanager
def _ground(
    place: Place, *, keeps_everything: bool = False, set_checks: bool = False
) -> Iterator[Ground]:
    with (
        clone(place.base_url, place.template) as url,
        open_work(
            url,
            store_url=place.base_url,
            keeps_everything=keeps_everything,
            set_checks=set_checks,
        ) as work,
        connect(url) as connection,
    ):
        yield Ground(place=place, work=work, connection=connection)


def _erasure(name: str, *, connections: int, set_checks: bool = False) -> Flow[Ground]:
    """Delete on a copy of its own."""
    run = partial(Ground.erase_alone, name=name, connections=connections)
    return Flow(
        ground=partial(_ground, set_checks=set_checks), steps=(Step(run=run, gives=(name,)),)
    )


FLOWS = (
    Flow(
        ground=_ground,
        steps=(
            Step(run=Ground.export, gives=("export",)),
            Step(run=Ground.prove, gives=("digest",)),
            Step(run=Ground.bury, gives=("tombstone",), needs=("digest",)),
            Step(run=Ground.erase, gives=("erase", "written MB", "longest"), needs=("tombstone",)),
            Step(run=Ground.count_left, gives=("references",), needs=("tombstone", "erase")),
            Step(run=Ground.divide, gives=("job for a row",), needs=JOB),
            Step(run=Ground.scan, gives=("scan",), needs=("tombstone", "erase", "references")),
        ),
    ),
    _erasure("erase over one", connections=1),
    _erasure("erase in sets", connections=CONNECTIONS, set_checks=True),
    _erasure("erase in sets over one", connections=1, set_checks=True),
    Flow(
        ground=partial(_ground, keeps_everything=True),
        steps=(Step(run=Ground.hash, gives=("hash",)),),
    ),
)
