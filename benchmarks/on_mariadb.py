"""The flows on MariaDB: both sides on copies of one server's files."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pymysql

from benchmarks import mariadb, yardstick_mariadb
from benchmarks.flow import Flow, Place, Step
from benchmarks.load import LARGE
from benchmarks.server import clone, connect
from benchmarks.work import Work, open_work


@dataclass(frozen=True, slots=True, kw_only=True)
class GroundByHand:
    """A copy of the database and one connection to it."""

    place: Place
    connection: "pymysql.Connection[Any]"

    def export(self) -> None:
        """Time A."""
        file = self.place.folder / "by-hand.jsonl"
        rows = self.place.samples.time(
            "MariaDB A",
            lambda: yardstick_mariadb.export(self.connection, file, organization=LARGE),
        )
        file.unlink()
        self.place.expect(rows, "exported from MariaDB by hand")

    def delete(self) -> None:
        """Time D."""
        rows = self.place.samples.time(
            "MariaDB D", lambda: yardstick_mariadb.delete(self.connection, organization=LARGE)
        )
        self.place.expect(rows, "deleted from MariaDB by hand")


@dataclass(frozen=True, slots=True, kw_only=True)
class GroundByOfframp:
    """A copy of the database, opened by Offramp."""

    place: Place
    work: Work

    def export(self) -> None:
        """Hand the rows over."""
        manifest = self.place.samples.time(
            "MariaDB export", lambda: self.work.export(self.place.folder)
        )
        rows = {table: entry.rows for table, entry in manifest.tables.items()}
        self.place.expect(rows, "exported from MariaDB")

    def erase(self) -> None:
        """Delete every row."""
        tombstone = self.work.prepare()
        result = self.place.samples.time("MariaDB erase", lambda: self.work.erase(tombstone))
        self.place.expect(result.tables, "deleted from MariaDB")


@contextmanager
def _by_hand(place: Place) -> Iterator[GroundByHand]:
    with _copy(place) as url, closing(mariadb.connect(url)) as connection:
        yield GroundByHand(place=place, connection=connection)


@contextmanager
def _by_offramp(place: Place) -> Iterator[GroundByOfframp]:
    with _copy(place) as url, open_work(url, store_url=place.base_url) as work:
        yield GroundByOfframp(place=place, work=work)


@contextmanager
def _copy(place: Place) -> Iterator[str]:
    """Run a server on its own files, and charge its processor time to what is measured."""
    with mariadb.copy(_template(place)) as url:
        with closing(mariadb.connect(url)) as connection:
            server = mariadb.process_of_server(connection)
        place.samples.meter.servers.append(server)
        try:
            yield url
        finally:
            place.samples.meter.servers.remove(server)


def _template(place: Place) -> Path:
    """Make the files that are copied, when the first round asks for them."""
    data = place.folder / "mariadb"
    if not data.exists():
        place.folder.chmod(0o711)  # the server's own user has to pass
        with clone(place.base_url, place.template) as url, connect(url) as connection:
            mariadb.fill(connection, data)
    return data


FLOWS = (
    Flow(
        ground=_by_hand,
        steps=(
            Step(run=GroundByHand.export, gives=("MariaDB A",)),
            Step(run=GroundByHand.delete, gives=("MariaDB D",)),
        ),
    ),
    Flow(
        ground=_by_offramp,
        steps=(
            Step(run=GroundByOfframp.export, gives=("MariaDB export",)),
            Step(run=GroundByOfframp.erase, gives=("MariaDB erase",)),
        ),
    ),
)
