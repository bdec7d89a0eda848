"""A small application whose map asks for set checks, and how to see which way its chunks went."""

from contextlib import contextmanager
from dataclasses import dataclass, field

import sqlalchemy as sa

from offramp.data.datamap import DataMap
from offramp.data.scope import Scope
from offramp.data.sources.sql import SqlSource, open_sources
from tests.integration.data import leaving
from tests.integration.data.application import run
from tests.integration.data.school import CountingFence

ONE = Scope(organization="1")
IN_A_SET, ORDINARY = "in a set", "ordinary"
PARENTS = 12  # of each of the two companies: 1 to 12 and 101 to 112

COMPANIES = "CREATE TABLE companies (id integer PRIMARY KEY)"
TABLES = (
    COMPANIES,
    "CREATE TABLE parents (id integer PRIMARY KEY, company_id integer NOT NULL"
    " REFERENCES companies)",
    "CREATE TABLE children (id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,"
    " parent_id integer NOT NULL REFERENCES parents)",
)
ROWS = (
    "INSERT INTO companies VALUES (1), (2)",
    f"INSERT INTO parents SELECT n, 1 FROM generate_series(1, {PARENTS}) n",
    f"INSERT INTO parents SELECT n, 2 FROM generate_series(101, {100 + PARENTS}) n",
    "INSERT INTO children (parent_id) SELECT id FROM parents",
)
RULES = {
    "app.companies": {},
    "app.parents": {"via": ["company_id"]},
    "app.children": {"via": ["parent_id"]},
}

BOTH = "SELECT id FROM parents UNION ALL SELECT parent_id FROM children ORDER BY 1"
# Chunks of 1, 4, 5 and 2 rows; number 7 is in the third, which is then tried the ordinary way.
ALL, FALLEN = [IN_A_SET] * 4, [IN_A_SET] * 3 + [ORDINARY]
OTHERS = [(number,) for number in range(101, 101 + PARENTS) for _ in range(2)]


@dataclass
class Shop:
    """A database with a map, and sources as they are opened for it."""

    url: str
    datamap: DataMap
    sources: dict[str, SqlSource]
    ways: list = field(default_factory=list)

    def rows(self, statement):
        with self.sources["app"].engine.connect() as connection:
            return [tuple(row) for row in connection.execute(sa.text(statement))]

    def orphans(self):
        return self.rows(
            "SELECT * FROM children WHERE parent_id NOT IN (SELECT id FROM parents) ORDER BY id"
        )

    def ways_of(self, table):
        return [way for name, way in self.ways if name == table]


@contextmanager
def opened(url, *, rules=RULES, set_checks=True, **source):
    """Open a database by a map, and note of each statement that deletes which way it goes."""
    described = {"kind": "sql", "url": str(url), "root": "companies.id", "set_checks": set_checks}
    plain = {"offramp": 1, "sources": {"app": described | source}, "tables": rules}
    datamap = DataMap.model_validate(plain)
    shop = Shop(str(url), datamap, open_sources(datamap, environment={}))
    note_ways(shop.sources["app"].engine, shop.ways)
    try:
        yield shop
    finally:
        shop.sources["app"].close()


@contextmanager
def built(url, *statements, **options):
    """Build the database first."""
    run(url, *statements)
    with opened(url, **options) as shop:
        yield shop


def note_ways(engine, ways):
    @sa.event.listens_for(engine, "begin")
    def begin(connection):
        connection.info["way"] = ORDINARY

    @sa.event.listens_for(engine, "before_cursor_execute")
    def note(connection, _cursor, statement, _params, _context, _many):
        if statement.startswith("SET LOCAL session_replication_role"):
            connection.info["way"] = IN_A_SET
        if statement.startswith("DELETE FROM"):
            ways.append((statement.split()[2], connection.info["way"]))


def leave(shop, *, fence=None, rows=5, connections=1, scope=ONE, counted=False):
    return leaving.leave(
        shop, scope, fence=fence, rows=rows, connections=connections, counted=counted
    )


@dataclass
class MeddlingFence(CountingFence):
    """A fence at whose n-th stay for a table somebody else does something first."""

    table: str = ""
    deed: object = None
    stay: int = 1

    def chunk(self, table):
        if table == self.table and self.entered.count(table) == self.stay - 1:
            self.deed()
        return super().chunk(table)
