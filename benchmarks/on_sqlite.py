"""The flows on SQLite: both sides on copies of one file."""

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa

from benchmarks import yardstick
from benchmarks.flow import Flow, Place, Step
from benchmarks.load import LARGE, load_sqlite
from benchmarks.server import clone, connect
from benchmarks.work import Work, open_work


@dataclass(frozen=True, slots=True, kw_only=True)
class GroundByHand:
    """A copy of the file, opened by the plain driver."""

    place: Place
    connection: sqlite3.Connection

    def export(self) -> None:
        """Time A."""
        lines = self.place.folder / "by-hand.jsonl"
        self.place.samples.time(
            "SQLite A", lambda: yardstick.export_sqlite(self.connection, lines, organization=LARGE)
        )

    def delete(self) -> None:
        """Time D."""
        self.place.samples.time(
            "SQLite D", lambda: yardstick.delete_sqlite(self.connection, organization=LARGE)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class GroundByOfframp:
    """A copy of the file, opened by Offramp."""

    place: Place
    work: Work

    def export(self) -> None:
        """Hand the rows over."""
        manifest = self.place.samples.time(
            "SQLite export", lambda: self.work.export(self.place.folder)
        )
        rows = {table: entry.rows for table, entry in manifest.tables.items()}
        self.place.expect(rows, "exported from SQLite")

    def erase(self) -> None:
        """Delete every row."""
        tombstone = self.work.prepare()
        result = self.place.samples.time("SQLite erase", lambda: self.work.erase(tombstone))
        self.place.expect(result.tables, "deleted from SQLite")


@contextmanager
def _by_hand(place: Place) -> Iterator[GroundByHand]:
    file = _copy(place, "by-hand.sqlite")
    with closing(sqlite3.connect(file, isolation_level=None)) as connection:
        yield GroundByHand(place=place, connection=connection)


@contextmanager
def _by_offramp(place: Place) -> Iterator[GroundByOfframp]:
    file = _copy(place, "offramp.sqlite")
    store = sa.URL.create("sqlite", database=str(place.folder / "store.sqlite"))
    with open_work(f"sqlite:///{file}", store_url=str(store)) as work:
        yield GroundByOfframp(place=place, work=work)


def _copy(place: Place, name: str) -> Path:
    file = place.folder / name
    for old in place.folder.glob(f"{name}*"):
        old.unlink()
    shutil.copyfile(_template(place), file)
    return file


def _template(place: Place) -> Path:
    """Fill the file that is copied, when the first round asks for it."""
    file = place.folder / "template.sqlite"
    if not file.exists():
        with clone(place.base_url, place.template) as url, connect(url) as connection:
            load_sqlite(connection, file)
    return file


FLOWS = (
    Flow(
        ground=_by_hand,
        steps=(
            Step(run=GroundByHand.export, gives=("SQLite A",)),
            Step(run=GroundByHand.delete, gives=("SQLite D",)),
        ),
    ),
    Flow(
        ground=_by_offramp,
        steps=(
            Step(run=GroundByOfframp.export, gives=("SQLite export",)),
            Step(run=GroundByOfframp.erase, gives=("SQLite erase",)),
        ),
    ),
)
