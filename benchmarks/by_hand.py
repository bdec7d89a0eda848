"""The flows of the yardstick: what was written by hand, timed on PostgreSQL."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import psycopg

from benchmarks import yardstick
from benchmarks.flow import Flow, Place, Step
from benchmarks.load import LARGE
from benchmarks.server import clone, connect, written_bytes
from benchmarks.work import KEY

MARK = f"@org-{LARGE}.example"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """A copy of the database and one connection to it."""

    place: Place
    connection: psycopg.Connection

    def export(self) -> None:
        """Time A."""
        file = self.place.folder / "by-hand.jsonl"
        rows = self.place.samples.time(
            "A", lambda: yardstick.export(self.connection, file, organization=LARGE)
        )
        file.unlink()
        self.place.expect(rows, "exported by hand")

    def delete(self) -> None:
        """Time D, and count what it wrote to the log."""
        samples = self.place.samples
        before = written_bytes(self.connection)
        gone = samples.time("D", lambda: yardstick.delete(self.connection, organization=LARGE))
        samples.note("D written MB", (written_bytes(self.connection) - before) / 1e6)
        self.place.expect(gone, "deleted by hand")

    def scan(self) -> None:
        """Time V, by a second reading: the first one after a deletion tidies up after it."""
        yardstick.scan(self.connection, mark=MARK)
        self.place.samples.time("V", lambda: yardstick.scan(self.connection, mark=MARK))

    def note_kept(self) -> None:
        """Time K."""
        file = self.place.folder / "kept"
        rows = self.place.samples.time(
            "K", lambda: yardstick.note_kept(self.connection, file, organization=LARGE)
        )
        file.unlink()
        self.place.expect(rows, "listed by hand")

    def hash(self) -> None:
        """Time H."""
        self.place.samples.time(
            "H", lambda: yardstick.hash_rows(self.connection, organization=LARGE, key=KEY)
        )


@contextmanager
def _ground(place: Place) -> Iterator[Ground]:
    with clone(place.base_url, place.template) as url, connect(url) as connection:
        yield Ground(place=place, connection=connection)


FLOWS = (
    Flow(
        ground=_ground,
        steps=(
            Step(run=Ground.export, gives=("A",)),
            Step(run=Ground.delete, gives=("D", "D written MB"), needs=("A",)),
            Step(run=Ground.scan, gives=("V",), needs=("D",)),
        ),
    ),
    Flow(
        ground=_ground,
        steps=(
            Step(run=Ground.note_kept, gives=("K",)),
            Step(run=Ground.hash, gives=("H",)),
        ),
    ),
)
