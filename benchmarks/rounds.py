"""One round of the data suite: both sides, one after the other, each on a fresh clone.

Which side begins changes from round to round, because the second one meets a warmer machine.
"""

import shutil
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa

from benchmarks import yardstick
from benchmarks.child import run_child
from benchmarks.load import LARGE
from benchmarks.samples import Samples
from benchmarks.server import clone, connect, written_bytes
from benchmarks.work import KEY, NOTHING_KNOWN, open_work

MARK = f"@org-{LARGE}.example"


class SidesDiffer(AssertionError):
    """The two sides did not do the same work, so that their times say nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a round takes its copies from, and where it may write."""

    base_url: str
    template: str
    sqlite: Path
    folder: Path


def run_round(place: Place, samples: Samples, *, number: int) -> None:
    """Measure everything once."""
    sides = [_by_hand, _by_offramp, _sqlite_by_hand, _sqlite_by_offramp]
    for side in sides if number % 2 else reversed(sides):
        side(place, samples)
    _in_children(place, samples)


def _by_hand(place: Place, samples: Samples) -> None:
    with clone(place.base_url, place.template) as url, connect(url) as connection:
        file = place.folder / "by-hand.jsonl"
        rows = samples.time("A", lambda: yardstick.export(connection, file, organization=LARGE))
        before = written_bytes(connection)
        gone = samples.time("D", lambda: yardstick.delete(connection, organization=LARGE))
        samples.note("D written", written_bytes(connection) - before)
        samples.note("rows", sum(rows.values()))
        if gone != rows:
            raise SidesDiffer(f"handed over {rows}, deleted {gone}")
        yardstick.scan(connection, mark=MARK)  # the first to read after a deletion tidies up
        samples.time("V", lambda: yardstick.scan(connection, mark=MARK))
    with clone(place.base_url, place.template) as url, connect(url) as connection:
        samples.time("H", lambda: yardstick.hash_rows(connection, organization=LARGE, key=KEY))


def _by_offramp(place: Place, samples: Samples) -> None:
    with (
        clone(place.base_url, place.template) as url,
        open_work(url, store_url=place.base_url) as work,
        connect(url) as connection,
    ):
        manifest = samples.time("export", lambda: work.export(place.folder))
        digests = samples.time("digest", work.digest)
        tombstone = samples.time("tombstone", lambda: work.bury(digests))
        before = written_bytes(connection)
        result = samples.time("erase", lambda: work.erase(tombstone))
        samples.note("written", written_bytes(connection) - before)
        samples.note("longest", max(work.fence.seconds))
        samples.note("chunks", len(work.fence.seconds))
        without_marks = tombstone.model_copy(update={"marks": ()})
        samples.time("references", lambda: work.verify(without_marks))
        samples.time("references again", lambda: work.verify(without_marks))
        verification = samples.time("verify", lambda: work.verify(tombstone))
        again = samples.numbers["references again"][-1]
        samples.note("scan", samples.numbers["verify"][-1] - again)
        handed_over = {table: entry.rows for table, entry in manifest.tables.items()}
        if result.tables != handed_over or digests != manifest.digests() or not verification.clean:
            raise SidesDiffer(f"handed over {handed_over}, deleted {result.tables}")
    with (
        clone(place.base_url, place.template) as url,
        open_work(url, store_url=place.base_url, keeps_everything=True) as work,
    ):
        samples.time("hash", lambda: work.erase(NOTHING_KNOWN))


def _in_children(place: Place, samples: Samples) -> None:
    with clone(place.base_url, place.template) as url:
        whole = run_child(url, store_url=place.base_url, whole=True)
        samples.note("peak", whole.peak_bytes)
    with clone(place.base_url, place.template) as url:
        samples.note("unbroken", run_child(url, store_url=place.base_url).seconds)
    with clone(place.base_url, place.template) as url:
        half = max(1, round(samples.numbers["chunks"][-1] / 2))
        killed = run_child(url, store_url=place.base_url, dies_after=half)
        again = run_child(url, store_url=place.base_url)
        samples.note("killed", killed.seconds + again.seconds)
        with connect(url) as connection:
            left = [
                table
                for table in yardstick.WAYS
                if connection.execute(
                    yardstick.select(table, "1", organization=LARGE).encode()
                ).rowcount
            ]
        if left:
            raise SidesDiffer(f"after a kill, rows are left in {left}")


def _sqlite_by_hand(place: Place, samples: Samples) -> None:
    file = _copy(place, "by-hand.sqlite")
    with closing(sqlite3.connect(file, isolation_level=None)) as connection:
        lines = place.folder / "by-hand.jsonl"
        samples.time(
            "SQLite A", lambda: yardstick.export_sqlite(connection, lines, organization=LARGE)
        )
        samples.time("SQLite D", lambda: yardstick.delete_sqlite(connection, organization=LARGE))


def _sqlite_by_offramp(place: Place, samples: Samples) -> None:
    file = _copy(place, "offramp.sqlite")
    store = sa.URL.create("sqlite", database=str(place.folder / "store.sqlite"))
    with open_work(f"sqlite:///{file}", store_url=str(store)) as work:
        manifest = samples.time("SQLite export", lambda: work.export(place.folder))
        tombstone = work.bury(manifest.digests())
        result = samples.time("SQLite erase", lambda: work.erase(tombstone))
        handed_over = {table: entry.rows for table, entry in manifest.tables.items()}
        if result.tables != handed_over:
            raise SidesDiffer(f"SQLite handed over {handed_over}, deleted {result.tables}")


def _copy(place: Place, name: str) -> Path:
    file = place.folder / name
    for old in place.folder.glob(f"{name}*"):
        old.unlink()
    shutil.copyfile(place.sqlite, file)
    return file
