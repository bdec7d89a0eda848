"""An erasure that dies at any point of its protocol is ended by the next one as if it had not.

A death is an exception that nobody catches: memory goes with it, folder and database stay.
"""

import json
import sqlite3
import time
from contextlib import closing, contextmanager

import pytest
from whenever import Instant

from examples.training_platform.companies import TINY
from examples.training_platform.generate import build
from offramp.adapters.desk_folder import DeskTaken, FolderDesk, Given
from offramp.data.erasure import erase as erasing
from offramp.data.erasure import worklist
from offramp.data.erasure.job import Job, run
from offramp.data.erasure.statements import Purpose
from offramp.data.erasure.tombstone import Tombstone
from offramp.data.scope import Scope
from offramp.data.sources.sql import open_sources
from offramp.documents.datamap import load_datamap
from tests.acceptance.installation import DATAMAP, LEAVING, SIBLING

POINTS = (
    *("tombstone taken", "chunk fenced", "chunk committed", "chunk recorded"),
    *("rows gone", "key destroyed", "certificate written"),
)
CHUNK_ROWS = 5
NOW = Instant.from_utc(2026, 11, 25)


class Death(BaseException):
    """The process dies here."""


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """Fill a database once."""
    file = tmp_path_factory.mktemp("whole") / "app.sqlite"
    build(f"sqlite:///{file}", seed=7, leaving_on=NOW.to_tz("UTC").date().to_stdlib(), members=TINY)
    return file


@contextmanager
def sources_of(file):
    datamap = load_datamap(DATAMAP)
    sources = open_sources(datamap, environment={"TRAINING_DATABASE_URL": f"sqlite:///{file}"})
    with closing(sources["app"]):
        yield datamap, sources


def desk_of(file, *, organization=LEAVING, on_point=None):
    return FolderDesk(
        certificate=file.with_name("gone.json"),
        scope=Scope(organization=organization),
        given=Given(version="0"),
        clock=lambda: NOW,
        on_point=on_point or (lambda _point: None),
    )


def erase(file, *, dies_at=None, occurrence=1, organization=LEAVING):
    """Erase a company, or die at the so-manieth time that a point is passed; give the points."""
    passed = []

    def on_point(point):
        passed.append(point)
        if point == dies_at and passed.count(point) == occurrence:
            raise Death

    desk = desk_of(file, organization=organization, on_point=on_point)
    with sources_of(file) as (datamap, sources):
        run(
            Job(
                datamap=datamap,
                sources=sources,
                scope=desk.scope,
                desk=desk,
                elapsed=time.monotonic,
                progress=lambda _table, _rows: None,
                chunk_rows_max=CHUNK_ROWS,
            )
        )
    desk.close()
    return passed


def left_of(file):
    """Give what stays: what is certified but for the hashes of a key, and the files."""
    said = json.loads(file.with_name("gone.json").read_text())["certificate"]
    del said["tombstone"]["subject"], said["tombstone"]["marks"]
    return said, sorted(each.name for each in file.parent.iterdir())


def copy_of(whole, folder):
    folder.mkdir()
    file = folder / "app.sqlite"
    file.write_bytes(whole.read_bytes())
    return file


@pytest.fixture(scope="module")
def undisturbed(whole, tmp_path_factory):
    """Erase once without dying: the points in their order, and what stays."""
    file = copy_of(whole, tmp_path_factory.mktemp("undisturbed") / "it")
    return erase(file), left_of(file)


def test_every_point_that_is_passed_is_died_at(undisturbed):
    """L42: no point is forgotten below."""
    points, _ = undisturbed

    assert set(points) == set(POINTS)


@pytest.mark.parametrize("point", POINTS)
def test_who_dies_at_a_point_is_followed_by_one_that_ends_in_the_same_state(
    whole, undisturbed, tmp_path, point
):
    """L32."""
    points, expected = undisturbed
    file = copy_of(whole, tmp_path / "it")
    for occurrence in sorted({1, 1 + points.count(point) // 2, points.count(point)}):
        try:
            erase(file, dies_at=point, occurrence=occurrence)
        except Death:
            continue

    erase(file)

    assert left_of(file) == expected


def half_done(whole, undisturbed, folder):
    """Erase until the process dies half way; give the database and the tables that are finished."""
    points, _ = undisturbed
    file = copy_of(whole, folder)
    with pytest.raises(Death):
        erase(file, dies_at="chunk recorded", occurrence=points.count("chunk recorded") // 2)
    desk = desk_of(file)
    return file, desk.read("tombstone", Tombstone).finished(desk.erased_rows())


def test_what_an_earlier_run_has_finished_is_not_asked_for_again(
    whole, undisturbed, tmp_path, monkeypatch
):
    file, finished = half_done(whole, undisturbed, tmp_path / "it")
    asked = []

    def read_keys(source, territory, step):
        asked.append((step.purpose, territory.id_of(step.table)))
        return worklist.read_keys(source, territory, step)

    monkeypatch.setattr(erasing, "read_keys", read_keys)
    erase(file)

    assert len(finished) > 3
    assert {(Purpose.DELETE, table) for table in finished}.isdisjoint(asked)
    assert left_of(file) == undisturbed[1]


def test_a_row_that_comes_to_a_finished_table_is_found_all_the_same(whole, undisturbed, tmp_path):
    """L22."""
    file, finished = half_done(whole, undisturbed, tmp_path / "it")
    table = min(finished).removeprefix("app.")
    with closing(sqlite3.connect(file)) as database, database:
        database.execute("ATTACH ? AS whole", (str(whole),))
        missing = f"SELECT rowid FROM whole.{table} EXCEPT SELECT rowid FROM main.{table}"
        come = f"SELECT * FROM whole.{table} WHERE rowid IN ({missing} LIMIT 1)"
        assert database.execute(f"INSERT INTO main.{table} {come}").rowcount == 1

    erase(file)

    (said, files), (expected, expected_files) = left_of(file), undisturbed[1]
    late = {f"app.{table}": expected["tables"][f"app.{table}"] + 1}
    assert said == expected | {"tables": expected["tables"] | late}
    assert files == expected_files


def test_the_key_is_gone_as_soon_as_the_rows_are_proved_gone(whole, tmp_path):
    """L23."""
    file = copy_of(whole, tmp_path / "it")

    with pytest.raises(Death):
        erase(file, dies_at="key destroyed")

    keys = sorted((file.parent / "gone.json.work" / "keys").iterdir())
    assert [each.suffix for each in keys] == [".destroyed"]
    assert not file.with_name("gone.json").exists()


def test_the_folder_of_one_erasure_is_not_taken_for_that_of_another(whole, tmp_path):
    file = copy_of(whole, tmp_path / "it")
    with pytest.raises(Death):
        erase(file, dies_at="tombstone taken")

    with pytest.raises(DeskTaken):
        erase(file, organization=SIBLING)
