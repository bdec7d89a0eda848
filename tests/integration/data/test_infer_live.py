"""A map is inferred from real databases; those that were mapped by hand say what is right."""

from dataclasses import dataclass
from pathlib import Path

import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st

from examples.note_taking import database as notes_database
from examples.training_platform import database as training_database
from offramp.data.check import Kind, Severity, check
from offramp.data.datamap import SqlSourceSpec
from offramp.data.erasure.erase import erase
from offramp.data.erasure.tombstone import take_tombstone
from offramp.data.handover.export import digest
from offramp.data.inference.infer import infer
from offramp.data.proof.verify import require_clean, verify
from offramp.data.scope import Scope
from offramp.data.sources.sql import open_sources, open_sql_source
from offramp.documents.datamap import load_datamap
from offramp.documents.datamap_writer import write_datamap
from tests.integration.data.engine import open_engine
from tests.integration.data.school import KEY, CountingFence, no_progress, still

EXAMPLES = Path(notes_database.__file__).parents[1]


@dataclass(frozen=True)
class Sample:
    """An application with a map by hand, and where inference rightly leaves the choice open."""

    database: object
    root: str
    undecided: dict[str, str]


SAMPLES = {
    "training_platform": Sample(
        training_database,
        "companies.id",
        # A pool and a person could be of two companies; nothing in the schema forbids it.
        {"seats": "pool_id"},
    ),
    "note_taking": Sample(
        notes_database,
        "organizations.id",
        {
            # Two people and a note; that all are of one organization is known to the author only.
            "shares": "from_user_id",
            # Either reference may be empty, so neither finds every ticket.
            "support_tickets": "organization_id",
        },
    ),
}


def propose(url, root, *, schema=None):
    spec = SqlSourceSpec.model_validate({"kind": "sql", "url": url, "root": root, "schema": schema})
    source = open_sql_source("app", spec, environment={})
    try:
        with source.snapshot() as connection:
            catalog = source.catalog(connection)
    finally:
        source.close()
    return infer(catalog, source="app", root=root, member=None)


def written(proposal, url, folder, *, schema=None):
    file = folder / "datamap.yaml"
    file.write_text(write_datamap(proposal, url=url, schema=schema), "utf-8")
    return load_datamap(file)


def errors(datamap):
    sources = open_sources(datamap, environment={})
    try:
        findings = check(datamap, sources)
    finally:
        for source in sources.values():
            source.close()
    return {(each.kind, each.subject) for each in findings if each.severity is Severity.ERROR}


def run(url, *statements):
    engine = open_engine(url)
    with engine.begin() as connection:
        for statement in statements:
            connection.execute(sa.text(statement))
    engine.dispose()


@pytest.mark.parametrize("name", SAMPLES)
def test_the_inferred_map_is_the_one_by_hand(name, sample_url):
    sample = SAMPLES[name]
    sample.database.migrate(sample_url)
    by_hand = load_datamap(EXAMPLES / name / "datamap.yaml")

    proposal = propose(sample_url, sample.root)

    inferred = {table.name: table for table in proposal.tables}
    rules = by_hand.tables_of("app")
    assert set(inferred) == set(rules)
    assert {name for name, table in inferred.items() if not table.is_decided} == set(
        sample.undecided
    )
    for table, rule in rules.items():
        expected = (sample.undecided[table],) if table in sample.undecided else rule.via
        assert inferred[table].via == expected, table
        assert (inferred[table].shared is None) == (rule.shared is None), table
        secrets = {column.name for column in inferred[table].columns if column.is_secret}
        assert secrets == {c for c, each in rule.columns.items() if each.export == "never"}, table
    assert proposal.member == by_hand.sources["app"].member
    assert proposal.members == by_hand.people.members
    assert {rule.table for rule in proposal.achievements} == {
        rule.table for rule in by_hand.achievements
    }
    assert set(by_hand.marks) <= set(proposal.marks)


@pytest.mark.parametrize("name", SAMPLES)
def test_the_check_fails_on_exactly_what_was_not_decided(name, sample_url, tmp_path):
    """L15."""
    sample = SAMPLES[name]
    sample.database.migrate(sample_url)

    datamap = written(propose(sample_url, sample.root), sample_url, tmp_path)

    assert errors(datamap) == {
        (Kind.UNCLASSIFIED_TABLE, f"app.{table}") for table in sample.undecided
    }


HOSTILE = (
    'CREATE TABLE "Company" (id INTEGER PRIMARY KEY, "na: me" TEXT)',
    'CREATE TABLE "users" (id INTEGER PRIMARY KEY, "companyId" INTEGER NOT NULL, email TEXT,'
    ' "x # y" TEXT, "a\nb: c" TEXT, "null" TEXT, "{" TEXT, "- z" TEXT, "é" TEXT)',
    'CREATE TABLE "no way: \n  app.Evil" (id INTEGER PRIMARY KEY)',
)


def test_names_of_strangers_stay_names(database_url, tmp_path):
    run(database_url, *HOSTILE)

    datamap = written(propose(database_url, "Company.id"), database_url, tmp_path)

    assert set(datamap.tables) == {"app.Company", "app.users"}
    assert set(datamap.tables["app.users"].columns) >= {"a\nb: c", "null", "{", "- z", "é", "x # y"}
    found = errors(datamap)
    assert {kind for kind, _ in found} == {Kind.UNCLASSIFIED_TABLE}


def test_a_declared_reference_is_followed_where_no_foreign_key_is(database_url, tmp_path):
    run(
        database_url,
        "CREATE TABLE companies (id INTEGER PRIMARY KEY)",
        "CREATE TABLE users (id INTEGER PRIMARY KEY, company_id INTEGER NOT NULL, email TEXT)",
        "CREATE TABLE posts (id INTEGER PRIMARY KEY, user_id INTEGER NOT NULL, body TEXT)",
    )

    datamap = written(propose(database_url, "companies.id"), database_url, tmp_path)

    assert datamap.tables["app.posts"].references == {"user_id": "users.id"}
    assert errors(datamap) == set()


def test_a_declared_reference_that_names_nothing_is_stale(database_url, tmp_path):
    """L16."""
    run(
        database_url,
        "CREATE TABLE companies (id INTEGER PRIMARY KEY)",
        "CREATE TABLE users (id INTEGER PRIMARY KEY, company_id INTEGER NOT NULL, email TEXT)",
    )
    datamap = written(propose(database_url, "companies.id"), database_url, tmp_path)
    rule = datamap.tables["app.users"].model_copy(
        update={"references": {"company_id": "companies.number", "boss_id": "staff.id"}}
    )
    changed = datamap.model_copy(update={"tables": {**datamap.tables, "app.users": rule}})

    found = errors(changed)

    assert {
        (Kind.STALE, "app.companies.number"),
        (Kind.STALE, "app.staff"),
        (Kind.STALE, "app.users.boss_id"),
    } <= found


def test_a_declared_reference_to_another_type_is_refused(database_url, tmp_path):
    run(
        database_url,
        "CREATE TABLE companies (id INTEGER PRIMARY KEY, name TEXT)",
        "CREATE TABLE users (id INTEGER PRIMARY KEY, company_id INTEGER NOT NULL, email TEXT)",
    )
    datamap = written(propose(database_url, "companies.id"), database_url, tmp_path)
    rule = datamap.tables["app.users"].model_copy(
        update={"references": {"company_id": "companies.name"}}
    )

    found = errors(datamap.model_copy(update={"tables": {**datamap.tables, "app.users": rule}}))

    assert found == {(Kind.UNFIT_RULE, "app.users.company_id")}


def test_an_organization_leaves_a_database_without_foreign_keys(database_url, tmp_path):
    """A10: by declared references alone, and its sibling stays."""
    run(
        database_url,
        "CREATE TABLE companies (id INTEGER PRIMARY KEY)",
        "CREATE TABLE users (id INTEGER PRIMARY KEY, company_id INTEGER NOT NULL, email TEXT)",
        "CREATE TABLE posts (id INTEGER PRIMARY KEY, user_id INTEGER NOT NULL, body TEXT)",
        "INSERT INTO companies VALUES (1), (2)",
        "INSERT INTO users VALUES (1, 1, 'a@one.example'), (2, 2, 'b@two.example')",
        "INSERT INTO posts VALUES (1, 1, 'x'), (2, 1, 'y'), (3, 2, 'z')",
    )
    datamap = written(propose(database_url, "companies.id"), database_url, tmp_path)
    sources = open_sources(datamap, environment={})
    leaving, staying = Scope(organization="1"), Scope(organization="2")
    before = digest(datamap, sources, staying)
    tombstone = take_tombstone(
        datamap, sources, leaving, key=KEY, digests=digest(datamap, sources, leaving)
    )

    result = erase(
        datamap, sources, leaving, key=KEY, fence=CountingFence(), elapsed=still,
        tombstone=tombstone, progress=no_progress,
    )  # fmt: skip

    assert result.tables == {"app.companies": 1, "app.users": 1, "app.posts": 2}
    require_clean(verify(datamap, sources, leaving, tombstone=tombstone, key=KEY))
    assert digest(datamap, sources, staying) == before
    sources["app"].close()


POSTGRES = """
CREATE SCHEMA shop;
CREATE SCHEMA geo;
CREATE TABLE geo.cities (id integer PRIMARY KEY);
SET search_path TO shop;
CREATE TYPE mood AS ENUM ('good', 'bad');
CREATE TABLE companies (id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text,
  city_id integer REFERENCES geo.cities);
CREATE TABLE visits (company_id integer NOT NULL REFERENCES companies, at date NOT NULL,
  mood mood, tags text[], label text GENERATED ALWAYS AS ('x' || company_id) STORED,
  PRIMARY KEY (company_id, at)) PARTITION BY RANGE (at);
CREATE TABLE visits_2023 PARTITION OF visits FOR VALUES FROM ('2023-01-01') TO ('2024-01-01');
CREATE TABLE visits_2024 PARTITION OF visits FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
CREATE TABLE remarks (id integer PRIMARY KEY, company_id integer NOT NULL, at date NOT NULL,
  text text, FOREIGN KEY (company_id, at) REFERENCES visits);
CREATE VIEW everything AS SELECT * FROM visits;
CREATE MATERIALIZED VIEW counts AS SELECT company_id, count(*) FROM visits GROUP BY 1;
"""


def test_postgres_tables_are_whole_and_views_are_no_data(postgres_url, tmp_path):
    engine = sa.create_engine(postgres_url)
    with engine.begin() as connection:
        connection.exec_driver_sql(POSTGRES)
    engine.dispose()

    proposal = propose(postgres_url, "companies.id", schema="shop")

    tables = {table.name: table for table in proposal.tables}
    reasons = {column.name: column.reason for column in tables["visits"].columns}
    assert set(tables) == {"companies", "visits", "remarks"}
    assert tables["remarks"].via == ("company_id", "at")
    assert reasons["mood"] == "one of a fixed list of words"
    assert reasons["label"].endswith("computed by the database")
    assert any("companies.city_id: refers to geo.cities" in note for note in proposal.notes)
    datamap = written(proposal, postgres_url, tmp_path, schema="shop")
    assert errors(datamap) == set()


@st.composite
def schemas(draw):
    """Draw tables t1, t2, …, each below an earlier one, and what appears after the map."""
    parents = draw(st.lists(st.integers(min_value=0, max_value=3), min_size=1, max_size=4))
    late = draw(st.sampled_from(["table", "column", "reference"]))
    return [min(parent, number) for number, parent in enumerate(parents)], late


@settings(max_examples=25, deadline=None)
@given(drawn=schemas())
def test_what_appears_after_the_map_is_named(drawn, tmp_path_factory):
    """L15."""
    parents, late = drawn
    folder = tmp_path_factory.mktemp("late")
    url = f"sqlite:///{folder / 'app.sqlite'}"
    run(url, "CREATE TABLE t0 (id INTEGER PRIMARY KEY)")
    for number, parent in enumerate(parents, start=1):
        columns = f"id INTEGER PRIMARY KEY, parent INTEGER NOT NULL REFERENCES t{parent} (id)"
        run(url, f"CREATE TABLE t{number} ({columns})")
    datamap = written(propose(url, "t0.id"), url, folder)
    assert errors(datamap) == set()

    last = f"t{len(parents)}"
    kind, subject, statement = {
        "table": (Kind.UNCLASSIFIED_TABLE, "app.late", "CREATE TABLE late (id INTEGER)"),
        "column": (
            Kind.UNCLASSIFIED_COLUMN,
            f"app.{last}.late",
            f"ALTER TABLE {last} ADD COLUMN late TEXT",
        ),
        "reference": (
            Kind.UNCLASSIFIED_REFERENCE,
            f"app.{last}.late",
            f"ALTER TABLE {last} ADD COLUMN late INTEGER REFERENCES t0 (id)",
        ),
    }[late]
    run(url, statement)

    assert errors(datamap) == {(kind, subject)}
