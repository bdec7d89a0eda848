"""A restore takes as long for each row, whatever PostgreSQL believes about its tables."""

from time import sleep
from types import SimpleNamespace

import pytest
import sqlalchemy as sa

from offramp.data.datamap import DataMap
from offramp.data.restoration import restoration
from offramp.data.scope import Scope
from offramp.data.sources.sql import open_sources
from tests.integration.data.leaving import come_back, leave, take, totals

ROWS, BATCH_ROWS = 2_000, 20
COMPANY = Scope(organization="1")
SCHEMA = f"""
CREATE TABLE companies (id bigint PRIMARY KEY);
CREATE TABLE visits (id bigint PRIMARY KEY, company_id bigint NOT NULL REFERENCES companies,
  page text);
CREATE TABLE invoices (id bigint PRIMARY KEY, company_id bigint REFERENCES companies,
  issued_on date NOT NULL);
CREATE INDEX ON visits (company_id);
CREATE INDEX ON invoices (company_id);
INSERT INTO companies VALUES (1), (2);
INSERT INTO visits SELECT n, 1, repeat('page ', 20) FROM generate_series(1, {ROWS}) n;
INSERT INTO invoices SELECT n, 1, '2024-01-01' FROM generate_series(1, {ROWS}) n;
"""
# What is left when a table is looked at while nobody is in it: next to no rows, on all its pages.
BELIEF = """
UPDATE pg_class SET reltuples = 1, relpages = pg_relation_size(oid) / 8192
WHERE relname IN ('visits', 'invoices')
"""
READ = """
SELECT sum(seq_tup_read + idx_tup_fetch) FROM pg_stat_user_tables
WHERE relname IN ('visits', 'invoices')
"""
OTHERS = """
SELECT count(*) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid()
"""


@pytest.fixture
def shop(postgres_url):
    engine = sa.create_engine(postgres_url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.exec_driver_sql(SCHEMA)
    source = {"kind": "sql", "url": postgres_url, "root": "companies.id"}
    kept = {
        "via": ["company_id"],
        "erase": "keep",
        "basis": "tax law",
        "until": "issued_on + P10Y",
        "columns": {
            "company_id": {"category": "system.operations", "erase": "null"},
            "issued_on": "user.financial",
        },
    }
    tables = {
        "app.companies": {},
        "app.visits": {"via": ["company_id"], "columns": {"page": "user.behavior"}},
        "app.invoices": kept,
    }
    datamap = DataMap.model_validate({"offramp": 1, "sources": {"app": source}, "tables": tables})
    sources = open_sources(datamap, environment={})
    yield SimpleNamespace(datamap=datamap, sources=sources, engine=engine)
    sources["app"].close()
    engine.dispose()


def test_no_batch_reads_all_that_came_before_it(shop, tmp_path, monkeypatch):
    """Lookups and changes alike; statistics of emptied tables made one batch read everything."""
    monkeypatch.setattr(restoration, "BATCH_ROWS", BATCH_ROWS)
    take(shop, COMPANY, tmp_path / "out.json")
    leave(shop, COMPANY, rows=ROWS)
    with shop.engine.connect() as connection:
        connection.exec_driver_sql(BELIEF)
        connection.exec_driver_sql("SELECT pg_stat_reset()")

    result = come_back(shop, tmp_path / "out.json")

    shop.sources["app"].close()
    with shop.engine.connect() as connection:
        while connection.exec_driver_sql(OTHERS).scalar_one():
            sleep(0.01)  # what a session has read is told when it ends
        read = connection.exec_driver_sql(READ).scalar_one()
    assert totals(result)["added"] == totals(result)["relinked"] + 1 == ROWS + 1
    assert 0 < read <= 8 * 2 * ROWS, "a few times each of both tables, and not once for every batch"
