"""A process that is killed at any moment is followed by one that ends as if nothing had been.

Real processes and real databases of both kinds: ``kill -9`` in the middle of an export, an erasure
or a restore, then the same work again (L32, L36, L42). A few kills run with all other tests;
``KILLS=200 SEED=17`` in the environment runs as many as one likes, and a seed replays them.
"""

import os
import random
import shutil
from contextlib import ExitStack, contextmanager

import pytest
import sqlalchemy as sa

from offramp.adapters.keys_folder import FolderKeys
from offramp.data.restoration.document_reader import open_document
from offramp.testing.postgres import fresh_database
from tests.integration.data.doomed import CERTIFICATE, DOCUMENT
from tests.integration.data.school import COMPANY, build_school
from tests.integration.data.supervisor import WORKS, Place, Supervisor

SEED = int(os.environ.get("SEED", "17"))
KILLS = int(os.environ.get("KILLS", "12"))
BOUNDARY_EVERY = 1 if "KILLS" in os.environ else 24
KINDS = ("sqlite", "postgresql")


class Kind:
    """One kind of database: what a work begins with, and what an undisturbed one ends with."""

    def __init__(self, copies, supervisor, folder):
        self.copies, self.supervisor = copies, supervisor
        self.before, self.after, self.told = {}, {}, {}
        with self.copies(None) as url:
            school = build_school(url, size=2)
            school.sources["app"].close()
            school.engine.dispose()
            place = Place(url, folder / "first")
            keys = FolderKeys(place.folder / "keys")
            keys.organization_key(COMPANY.organization)  # one for all, so that hashes are equal
            keys.signing_key()
            for work in WORKS:
                self.before[work] = self._kept(place, folder / work)
                self.told[work] = supervisor.order(work, place)
                self.after[work] = (place.rows(), place.files(), place.keys())

    def _kept(self, place, folder):
        """Keep what there is now, to begin with it again."""
        shutil.copytree(place.folder, folder)
        kept = Place(place.url, folder)
        kept.rows_before = place.rows()
        kept.image = self.copies.keep(place.url)
        return kept

    @contextmanager
    def begun(self, work, folder):
        """Give a database and a folder of one's own in which the work has not begun."""
        shutil.copytree(self.before[work].folder, folder)
        with self.copies(self.before[work].image) as url:
            yield Place(url, folder)
        shutil.rmtree(folder)


class SqliteCopies:
    """Databases that are files."""

    def __init__(self, folder):
        self.folder, self.number = folder, 0

    def _file(self):
        self.number += 1
        return self.folder / f"{self.number}.sqlite"

    def keep(self, url):
        kept = self._file()
        shutil.copy(sa.make_url(url).database, kept)
        return kept

    @contextmanager
    def __call__(self, image):
        file = self._file()
        if image:
            shutil.copy(image, file)
        yield f"sqlite:///{file}"
        file.unlink()


class PostgresCopies:
    """Databases that are cloned by the server."""

    def __init__(self, server, stack):
        self.server, self.stack = server, stack

    def keep(self, url):
        name = sa.make_url(url).database
        kept = self.stack.enter_context(fresh_database(self.server, template=name))
        return sa.make_url(kept).database

    def __call__(self, image):
        return fresh_database(self.server, template=image or "template1")


@pytest.fixture(scope="module")
def supervisor():
    supervisor = Supervisor()
    yield supervisor
    supervisor.close()


@pytest.fixture(scope="module")
def sqlite_kind(supervisor, tmp_path_factory):
    folder = tmp_path_factory.mktemp("sqlite")
    return Kind(SqliteCopies(folder), supervisor, folder)


@pytest.fixture(scope="module")
def postgresql_kind(supervisor, postgres_server, tmp_path_factory):
    with ExitStack() as stack:
        copies = PostgresCopies(postgres_server, stack)
        yield Kind(copies, supervisor, tmp_path_factory.mktemp("postgresql"))


@pytest.fixture
def kinds(request):
    return lambda kind: request.getfixturevalue(f"{kind}_kind")


def sibling(rows):
    """Give the rows of the second company, told apart by their numbers."""
    return {name: [row for row in found if is_siblings(row)] for name, found in rows.items()}


def is_siblings(row):
    return any(type(value) is int and 200 <= value <= 299 for value in row[:2])


def require_nothing_half_done(kind, work, place):
    """Right after the death: the sibling is whole, and nothing half is called whole."""
    rows, files = place.rows(), place.files()
    before, (after, complete, _) = kind.before[work], kind.after[work]
    assert sibling(rows) == sibling(before.rows_before)
    if work == "export":
        assert rows == before.rows_before
        assert files in ({}, complete)
    if work == "restore":
        assert rows in (before.rows_before, after)
    if work == "erase" and CERTIFICATE in files:
        assert rows == after


def die_and_go_on(kinds, name, work, folder, *, is_looked_at, **death):
    """Kill the work once, do it again, and compare with what an undisturbed one has left."""
    kind = kinds(name)
    with kind.begun(work, folder) as place:
        told = kind.supervisor.order(work, place, **death)
        if is_looked_at:
            place.wait_until_alone()
            require_nothing_half_done(kind, work, place)
        kind.supervisor.order(work, place)

        rows, files, keys = kind.after[work]
        assert place.rows() == rows
        assert place.files() == files
        assert place.keys() == keys
    return told


@pytest.mark.parametrize("name", KINDS)
def test_the_undisturbed_way_out_and_back_is_what_it_should_be(kinds, name, tmp_path):
    """What the others are compared with: gone, certified, its key destroyed, and back."""
    kind = kinds(name)
    gone, _, keys = kind.after["erase"]
    back, _, _ = kind.after["restore"]

    assert {table for table, rows in gone.items() if rows and rows != sibling(gone)[table]} == {
        "courses",
        "invoices",
    }
    assert [key for key in keys if key.endswith(".key.destroyed")]
    assert len(keys) == 2
    assert back["notes"] == kind.before["export"].rows_before["notes"]
    assert kind.told["erase"]["boundaries"] > 60
    assert min(told["points"] for told in kind.told.values()) > 60


@pytest.mark.parametrize("number", range(KILLS))
def test_a_kill_at_a_random_moment_changes_nothing_in_the_end(kinds, number, tmp_path):
    """L32, L36, L42: half of them at a point, half of them by the clock."""
    chance = random.Random(f"{SEED} {number}")
    name, work = KINDS[number % 2], WORKS[number // 2 % 3]
    told = kinds(name).told[work]
    if chance.random() < 0.5:
        death = {"at_point": chance.randint(1, told["points"])}
    else:
        death = {"after_seconds": chance.uniform(0, told["seconds"])}

    died = die_and_go_on(
        kinds, name, work, tmp_path / "place", is_looked_at=chance.random() < 0.5, **death
    )

    assert died["is_killed"] or "after_seconds" in death


@pytest.mark.parametrize("name", KINDS)
def test_a_kill_at_every_boundary_of_every_chunk_changes_nothing_in_the_end(kinds, name, tmp_path):
    """L42: the fence is entered, the rows are changed, they are kept: dead at each of them."""
    boundaries = kinds(name).told["erase"]["boundaries"]

    for boundary in range(1, boundaries + 1, BOUNDARY_EVERY):
        died = die_and_go_on(
            kinds, name, "erase", tmp_path / "place", is_looked_at=True, at_boundary=boundary
        )
        assert died["is_killed"]


@pytest.mark.parametrize("name", KINDS)
def test_a_killed_export_is_never_taken_for_a_whole_one(kinds, name, tmp_path):
    """L36: at the last moment before it has its name, there is no document at all."""
    kind = kinds(name)
    with kind.begun("export", tmp_path / "place") as place:
        last_write = kind.told["export"]["points"]
        names = set()
        for point in range(last_write - 5, last_write + 1):
            kind.supervisor.order("export", place, at_point=point)
            names |= set(place.files())
            for file in place.files():
                with open_document(place.folder / "vault" / file) as document:
                    assert document.manifest.tables["app.users"].rows == 4

    assert names == {DOCUMENT}
