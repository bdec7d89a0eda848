"""Names that need quotes: blanks, capitals, words of SQL, letters of other alphabets."""

import sqlalchemy as sa

from offramp.data.datamap import DataMap
from offramp.data.scope import Scope
from offramp.data.sources.sql import open_sources
from tests.integration.data.engine import open_engine
from tests.integration.data.leaving import come_back, data_of, leave, take
from tests.integration.data.school import School

ACME = Scope(organization="1")
TABLES = (
    'CREATE TABLE "Our Firms" ("Firm No" INTEGER PRIMARY KEY, "Full Name" VARCHAR(20))',
    'CREATE TABLE "order" ("select" INTEGER PRIMARY KEY,'
    ' "from" INTEGER NOT NULL REFERENCES "Our Firms" ("Firm No"), "Zażółć gęślą" VARCHAR(20))',
    'CREATE INDEX "ix order" ON "order" ("from")',
)
ROWS = (
    "INSERT INTO \"Our Firms\" VALUES (1, 'Acme'), (2, 'Beta')",
    "INSERT INTO \"order\" VALUES (10, 1, 'a'), (11, 1, 'b'), (20, 2, 'c')",
)
MAP = {
    "app.Our Firms": {"columns": {"Full Name": "user.account"}},
    "app.order": {"via": ["from"], "columns": {"Zażółć gęślą": "user.content"}},
}


def office(url):
    engine = open_engine(url)
    with engine.begin() as connection:
        for statement in (*TABLES, *ROWS):
            connection.execute(sa.text(statement))
    source = {"kind": "sql", "url": url, "root": "Our Firms.Firm No"}
    datamap = DataMap.model_validate({"offramp": 1, "sources": {"app": source}, "tables": MAP})
    return School(url, engine, datamap, open_sources(datamap, environment={}))


def test_tables_and_columns_with_any_name_leave_and_come_back(database_url, tmp_path):
    shop = office(database_url)
    take(shop, ACME, tmp_path / "before.json")

    left = leave(shop, ACME, rows=1)
    others = shop.rows("order")
    come_back(shop, tmp_path / "before.json")
    take(shop, ACME, tmp_path / "after.json")

    assert left.tables == {"app.order": 2, "app.Our Firms": 1}
    assert others == [(20, 2, "c")]
    assert data_of(tmp_path / "after.json") == data_of(tmp_path / "before.json")
    for source in shop.sources.values():
        source.close()
    shop.engine.dispose()
