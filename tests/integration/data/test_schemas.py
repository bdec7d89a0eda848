"""Several schemas in one source, and what names rows where no primary key does."""

import pytest

from offramp.data.check import Kind
from offramp.documents.datamap import load_datamap
from offramp.documents.datamap_writer import write_datamap
from tests.integration.data.application import (
    ONE,
    TWO,
    application,
    go_and_come_back,
    propose,
    run,
)
from tests.integration.data.leaving import leave

SHOP = (
    "CREATE SCHEMA shop",
    "CREATE SCHEMA people",
    "CREATE SCHEMA elsewhere",
    "CREATE TABLE elsewhere.alone (id integer PRIMARY KEY)",
    "CREATE TABLE companies (id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text)",
    "CREATE TYPE people.role AS ENUM ('admin', 'member')",
    "CREATE TABLE people.users (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,"
    " company_id integer NOT NULL REFERENCES companies, email text, role people.role NOT NULL,"
    " tags text[], boss_id bigint REFERENCES people.users)",
    "CREATE TABLE shop.users (user_id bigint REFERENCES people.users, role people.role,"
    " note text, PRIMARY KEY (user_id, role))",
    "CREATE TABLE shop.orders (id serial PRIMARY KEY, user_id bigint NOT NULL"
    " REFERENCES people.users, placed_at date NOT NULL)",
    "INSERT INTO companies (name) VALUES ('one'), ('two')",
    "INSERT INTO people.users (company_id, email, role, tags, boss_id) VALUES"
    " (1, 'a@one.example', 'admin', '{x}', NULL), (1, 'b@one.example', 'member', NULL, 1),"
    " (2, 'c@two.example', 'admin', '{}', NULL)",
    "INSERT INTO shop.users VALUES (1, 'admin', 'x'), (2, 'member', NULL), (3, 'admin', 'z')",
    "INSERT INTO shop.orders (user_id, placed_at) VALUES (1, '2024-01-01'), (3, '2024-01-02')",
)


def test_tables_of_several_schemas_are_one_application(postgres_url, tmp_path):
    with application(postgres_url, tmp_path, *SHOP) as app:
        result = go_and_come_back(app, tmp_path)

        assert app.proposal.schemas == ("people", "shop")
        assert app.undecided == {}
        assert app.errors() == set()
        assert result.tables == {
            "app.companies": 1,
            "app.people.users": 2,
            "app.shop.orders": 1,
            "app.shop.users": 2,
        }
        assert any("the schema elsewhere" in note for note in app.proposal.notes)


def test_the_root_may_be_in_another_schema(postgres_url, tmp_path):
    with application(postgres_url, tmp_path, *SHOP, root="people.users.id") as app:
        tables = app.tables

        assert tables["shop.orders"].via == ("user_id",)
        assert tables["people.users"].reasons[0].startswith("the root")
        assert app.proposal.members is None or app.proposal.members.table == "app.people.users"


def test_a_schema_that_is_not_read_stops_the_run_when_it_refers_to_what_is(postgres_url, tmp_path):
    """L15."""
    with application(postgres_url, tmp_path, *SHOP) as app:
        run(
            postgres_url,
            "CREATE SCHEMA late",
            "CREATE TABLE late.notes (id integer PRIMARY KEY,"
            " user_id bigint REFERENCES people.users)",
        )

        assert app.errors() == {(Kind.UNCLASSIFIED_TABLE, "app.late.notes")}


def test_a_schema_of_its_own_keeps_bare_names(postgres_url, tmp_path):
    run(postgres_url, *SHOP)
    proposal = propose(postgres_url, root="public.companies.id", schema="people")
    file = tmp_path / "map.yaml"
    file.write_text(write_datamap(proposal, url=postgres_url, schema="people"), "utf-8")

    datamap = load_datamap(file)

    assert set(datamap.tables) == {
        "app.public.companies", "app.shop.orders", "app.shop.users", "app.users",
    }  # fmt: skip
    assert datamap.sources["app"].schemas == ("public", "shop")


KEYLESS = (
    "CREATE TABLE companies (id INTEGER PRIMARY KEY)",
    "CREATE TABLE badges (company_id INTEGER NOT NULL REFERENCES companies (id),"
    " number INTEGER NOT NULL, label TEXT, UNIQUE (company_id, number))",
    "INSERT INTO companies VALUES (1), (2)",
    "INSERT INTO badges VALUES (1, 1, 'x'), (1, 2, 'y'), (1, 3, 'z'), (2, 1, 'other')",
)


def test_a_unique_key_that_is_never_empty_stands_in_for_a_primary_key(database_url, tmp_path):
    with application(database_url, tmp_path, *KEYLESS) as app:
        result = go_and_come_back(app, tmp_path)

        assert app.undecided == {}
        assert result.tables == {"app.badges": 3, "app.companies": 1}


@pytest.mark.parametrize(
    "columns",
    [
        "company_id INTEGER NOT NULL REFERENCES companies (id), number INTEGER",
        "company_id INTEGER NOT NULL REFERENCES companies (id), number INTEGER UNIQUE",
    ],
)
def test_rows_that_nothing_names_are_never_erased_by_where_they_lie(
    columns, database_url, tmp_path
):
    """Where a row lies changes under a concurrent update, so it names nothing (L15)."""
    statements = (KEYLESS[0], f"CREATE TABLE badges ({columns})", KEYLESS[2])
    with application(database_url, tmp_path, *statements) as app:
        assert app.undecided["badges"].startswith("has no primary key")
        assert (Kind.NO_KEY, "app.badges") in app.errors()


def test_a_sibling_of_another_schema_stays(postgres_url, tmp_path):
    with application(postgres_url, tmp_path, *SHOP) as app:
        leave(app, ONE)

        assert app.rows("SELECT email FROM people.users") == [("c@two.example",)]
        assert {table: each.rows for table, each in app.digest(TWO).items()} == {
            "app.companies": 1,
            "app.people.users": 1,
            "app.shop.orders": 1,
            "app.shop.users": 1,
        }
