"""Schemas that nobody thought of: whatever leads to the root goes, and a forgotten table is found.

Method: hypothesis draws a small schema (a tree of tables, with references across and to
themselves), two organizations are filled in, one leaves.
"""

import tempfile
from contextlib import contextmanager
from dataclasses import dataclass

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from offramp.data.datamap import DataMap
from offramp.data.erasure.erase import erase
from offramp.data.erasure.tombstone import take_tombstone
from offramp.data.handover.export import digest
from offramp.data.proof.verify import verify
from offramp.data.scope import Scope
from offramp.data.sources.sql import open_sources
from offramp.testing import mariadb
from tests.integration.data.engine import unchecked
from tests.integration.data.school import KEY, CountingFence, no_progress, still

LEAVING, STAYING = Scope(organization="1"), Scope(organization="2")
TABLES_MAX = 6
ROWS = 5


@dataclass(frozen=True)
class Shape:
    """One table: the parent it belongs to, and what else it refers to."""

    parent: int
    looks_at: int | None
    refers_to_itself: bool

    def columns(self, number):
        yield "id INTEGER PRIMARY KEY"
        yield f"parent INTEGER NOT NULL REFERENCES t{self.parent} (id)"
        if self.looks_at is not None:
            yield f"looks_at INTEGER REFERENCES t{self.looks_at} (id)"
        if self.refers_to_itself:
            yield f"older INTEGER REFERENCES t{number} (id)"


@st.composite
def shapes(draw):
    count = draw(st.integers(min_value=1, max_value=TABLES_MAX))
    return [
        Shape(
            parent=draw(st.integers(min_value=0, max_value=number)),
            looks_at=draw(st.none() | st.integers(min_value=1, max_value=count)),
            refers_to_itself=draw(st.booleans()),
        )
        for number in range(count)
    ]


class World:
    """A database with one root table, t0, and the drawn tables t1, t2, …"""

    def __init__(self, url, drawn):
        self.drawn = list(enumerate(drawn, start=1))
        self.url = url
        self.engine = sa.create_engine(self.url)
        self.run("CREATE TABLE t0 (id INTEGER PRIMARY KEY)", "INSERT INTO t0 VALUES (1), (2)")
        with unchecked(self.engine) as connection:
            for number, shape in self.drawn:
                columns = ", ".join(shape.columns(number))
                connection.exec_driver_sql(f"CREATE TABLE t{number} ({columns})")
            for number, shape in self.drawn:
                for statement in self.fill(number, shape):
                    connection.exec_driver_sql(statement)
        self.datamap = self.mapped()
        self.sources = open_sources(self.datamap, environment={})

    def run(self, *statements):
        with self.engine.begin() as connection:
            for statement in statements:
                connection.execute(sa.text(statement))

    def fill(self, number, shape):
        """Rows 10 to 14 are the first organization's, 20 to 24 the second's, in every table."""
        for row in (org * 10 + place for org in (1, 2) for place in range(ROWS)):
            parent = row // 10 if shape.parent == 0 else row
            values = {"id": row, "parent": parent}
            if shape.looks_at is not None:
                values["looks_at"] = row
            if shape.refers_to_itself:
                values["older"] = row // 10 * 10 + (row * 3) % ROWS
            names = ", ".join(values)
            yield f"INSERT INTO t{number} ({names}) VALUES ({', '.join(map(str, values.values()))})"

    def mapped(self):
        tables = {"app.t0": {}}
        for number, _ in self.drawn:
            columns = {"looks_at": "system", "older": "system"}
            with self.engine.connect() as connection:
                live = {each["name"] for each in sa.inspect(connection).get_columns(f"t{number}")}
            rules = {name: rule for name, rule in columns.items() if name in live}
            tables[f"app.t{number}"] = {"via": ["parent"], "columns": rules}
        source = {"kind": "sql", "url": self.url, "root": "t0.id"}
        return DataMap.model_validate({"offramp": 1, "sources": {"app": source}, "tables": tables})

    def bury(self):
        digests = digest(self.datamap, self.sources, LEAVING)
        return take_tombstone(self.datamap, self.sources, LEAVING, key=KEY, digests=digests)

    def verify(self, tombstone):
        return verify(self.datamap, self.sources, LEAVING, tombstone=tombstone, key=KEY)

    def close(self):
        self.sources["app"].close()
        self.engine.dispose()


@contextmanager
def file_database():
    with tempfile.TemporaryDirectory() as folder:
        yield f"sqlite:///{folder}/world.sqlite"


@contextmanager
def world_at(database, drawn):
    with database as url:
        world = World(url, drawn)
        try:
            yield world
        finally:
            world.close()


def everything_goes(database, drawn, rows, *, counted):
    with world_at(database, drawn) as world:
        tombstone = world.bury()
        before = digest(world.datamap, world.sources, STAYING)

        result = erase(
            world.datamap,
            world.sources,
            LEAVING,
            key=KEY,
            fence=CountingFence(),
            elapsed=still,
            tombstone=tombstone,
            progress=no_progress,
            chunk_rows_max=rows,
            expected=tombstone.counts if counted else {},
        )

        assert all(result.tables[f"app.t{number}"] == ROWS for number, _ in world.drawn)
        assert digest(world.datamap, world.sources, STAYING) == before
        assert world.verify(tombstone).clean


def a_forgotten_table_is_found(database, drawn, data):
    forgotten = data.draw(st.integers(min_value=1, max_value=len(drawn)))
    with world_at(database, drawn) as world:
        tombstone = world.bury()
        others = [number for number, _ in world.drawn if number != forgotten]
        with unchecked(world.engine) as connection:
            for number in others:
                connection.exec_driver_sql(f"DELETE FROM t{number} WHERE id < 20")
            connection.exec_driver_sql("DELETE FROM t0 WHERE id = 1")

        found = world.verify(tombstone)

        table = f"app.t{forgotten}"
        assert found.counts[table] + found.orphans[table] >= ROWS
        assert not found.clean


PARTS = st.integers(min_value=1, max_value=ROWS)
on_files = settings(max_examples=25, deadline=None)
on_mariadb = settings(
    max_examples=8,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    phases=[Phase.generate],
)


@on_files
@given(shapes(), PARTS, st.booleans())
def test_whatever_leads_to_the_root_goes_and_the_sibling_stays(drawn, rows, counted):
    """A10, L21, L42."""
    everything_goes(file_database(), drawn, rows, counted=counted)


@pytest.mark.mariadb
@on_mariadb
@given(shapes(), PARTS)
def test_whatever_leads_to_the_root_goes_on_mariadb(mariadb_server, drawn, rows):
    """A10, L21, L42."""
    everything_goes(mariadb.fresh_database(mariadb_server), drawn, rows, counted=True)


@on_files
@given(shapes(), st.data())
def test_one_forgotten_table_is_always_found(drawn, data):
    """L21: whichever it is, however far from the root, and with every other table emptied."""
    a_forgotten_table_is_found(file_database(), drawn, data)


@pytest.mark.mariadb
@on_mariadb
@given(shapes(), st.data())
def test_one_forgotten_table_is_always_found_on_mariadb(mariadb_server, drawn, data):
    """L21."""
    a_forgotten_table_is_found(mariadb.fresh_database(mariadb_server), drawn, data)
