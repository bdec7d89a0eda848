"""What only PostgreSQL has: schemas, UUID keys, enums, arrays, wide numbers, endless instants."""

import io
import json

import pytest
import sqlalchemy as sa
from whenever import Instant

from offramp.data.check import check
from offramp.data.datamap import DataMap
from offramp.data.erasure.erase import erase
from offramp.data.erasure.tombstone import take_tombstone
from offramp.data.handover.export import digest, export
from offramp.data.proof.verify import verify
from offramp.data.scope import Scope
from offramp.data.sources.sql import open_sources
from offramp.data.territory import ScopeMismatch
from tests.integration.data.school import KEY, CountingFence, no_progress, still

OURS = "00000000-0000-4000-8000-000000000001"
THEIRS = "00000000-0000-4000-8000-000000000002"
SCHEMA = f"""
CREATE SCHEMA "Tenant Data";
SET search_path TO "Tenant Data";
CREATE TYPE mood AS ENUM ('good', 'bad');
CREATE TABLE "Order" (id uuid PRIMARY KEY, "select" text, mood mood, tags text[], sums numeric[],
  amount numeric, big bigint, wide double precision, at timestamptz, span interval, raw jsonb,
  bytes bytea, who inet);
CREATE TABLE lines (mood mood, day date, order_id uuid NOT NULL REFERENCES "Order",
  PRIMARY KEY (order_id, day, mood));
INSERT INTO "Order" VALUES
  ('{OURS}', 'a "quoted" \\ word', 'good', '{{a,"b c"}}', '{{1.10,2}}', 'NaN', 9007199254740993,
   'Infinity', '2024-08-30 12:00+02', 'P1M', '{{"n": 1.50}}', '\\x00ff', '10.0.0.1'),
  ('{THEIRS}', NULL, NULL, NULL, NULL, 0.10, 1, 0.1, 'infinity', NULL, NULL, NULL, NULL);
INSERT INTO lines SELECT m, d, id FROM "Order", unnest(enum_range(NULL::mood)) m,
  unnest('{{2024-01-01,2024-01-02}}'::date[]) d;
"""
COLUMNS = "select mood tags sums amount big wide at span raw bytes who"


@pytest.fixture
def shop(postgres_url):
    engine = sa.create_engine(postgres_url)
    with engine.begin() as connection:
        connection.exec_driver_sql(SCHEMA)
    source = {"kind": "sql", "url": postgres_url, "root": "Order.id", "schema": "Tenant Data"}
    tables = {
        "app.Order": {"columns": dict.fromkeys(COLUMNS.split(), "system")},
        "app.lines": {"via": ["order_id"]},
    }
    datamap = DataMap.model_validate({"offramp": 1, "sources": {"app": source}, "tables": tables})
    sources = open_sources(datamap, environment={})
    yield datamap, sources
    sources["app"].close()
    engine.dispose()


def test_every_kind_of_value_is_handed_over_exactly(shop):
    sink = io.BytesIO()

    export(
        *shop,
        Scope(organization=OURS),
        sink,
        header={},
        taken_at=Instant.from_utc(2024, 9, 22),
        progress=no_progress,
    )

    document = json.loads(sink.getvalue())
    assert document["data"]["Order"] == [
        {
            "id": OURS,
            "select": 'a "quoted" \\ word',
            "mood": "good",
            "tags": ["a", "b c"],
            "sums": ["1.10", "2"],
            "amount": "NaN",
            "big": "9007199254740993",
            "wide": "Infinity",
            "at": "2024-08-30T10:00:00+00:00",
            "span": "P1M",
            "raw": {"n": 1.5},
            "bytes": "AP8=",
            "who": "10.0.0.1",
        }
    ]
    assert len(document["data"]["lines"]) == 4


def test_uuid_enum_and_date_keys_in_a_quoted_schema_are_erased(shop):
    datamap, sources = shop
    ours, theirs = Scope(organization=OURS), Scope(organization=THEIRS)
    before = digest(datamap, sources, theirs)
    digests = digest(datamap, sources, ours)
    tombstone = take_tombstone(datamap, sources, ours, key=KEY, digests=digests)

    result = erase(
        datamap,
        sources,
        ours,
        key=KEY,
        fence=CountingFence(),
        elapsed=still,
        tombstone=tombstone,
        progress=no_progress,
        chunk_rows_max=3,
    )

    assert result.tables == {"app.lines": 4, "app.Order": 1}
    assert digest(datamap, sources, theirs) == before
    assert verify(datamap, sources, ours, tombstone=tombstone, key=KEY).clean
    assert check(datamap, sources) == ()


def test_a_key_that_is_no_uuid_is_refused_before_anything_runs(shop):
    """L26."""
    with pytest.raises(ScopeMismatch, match="UUID"):
        digest(*shop, Scope(organization="42"))
