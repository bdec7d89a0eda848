"""The training platform: its history leads to its schema, its data is the same for a seed."""

import csv
import json
import os
import sqlite3
import subprocess
import sys
from collections import Counter
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from ruamel.yaml import YAML

from examples.training_platform import schema
from examples.training_platform.companies import (
    CONSULTANT,
    DISTANT,
    HALF_LEAVING,
    LEAVING,
    SIBLING,
    TINY,
)
from examples.training_platform.database import migrate, open_engine
from examples.training_platform.generate import DatabaseInUse, build, generate
from examples.training_platform.roster import write_roster

ON_THE_WEB = "app.py"  # asks who may do what, with the SDK
SAMPLE = Path(schema.__file__).parent
ROOT = SAMPLE.parents[1]
LEAVING_ON = date(2024, 8, 30)
SEED = 7
VERSION_TABLE = "alembic_version"

companies, users, pools = schema.companies, schema.users, schema.licence_pools


@pytest.fixture
def empty(database_url):
    """Give a migrated database without a row."""
    migrate(database_url)
    engine = open_engine(database_url)
    yield engine
    engine.dispose()


@pytest.fixture
def filled(empty):
    """Give a database with four companies of a handful of people."""
    generate(empty, seed=SEED, leaving_on=LEAVING_ON, members=TINY)
    return empty


@pytest.fixture
def connection(filled):
    with filled.connect() as connection:
        yield connection


@pytest.fixture(scope="module")
def story(tmp_path_factory):
    """Connect to one filled database for all who only read; the seed makes it speak for both."""
    url = f"sqlite:///{tmp_path_factory.mktemp('story') / 'story.sqlite'}"
    build(url, seed=SEED, leaving_on=LEAVING_ON, members=TINY)
    engine = open_engine(url)
    with engine.connect() as connection:
        yield connection
    engine.dispose()


@pytest.fixture(scope="module")
def data_map():
    return YAML(typ="safe").load(SAMPLE / "datamap.yaml")


def as_utc(value):
    """Compare moments alike: SQLite gives them without a zone, PostgreSQL in the session's."""
    if not isinstance(value, datetime):
        return value
    return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def dump(engine):
    """Read every row of every table in the order of its key."""
    with engine.connect() as connection:
        return {
            table.name: [
                tuple(as_utc(value) for value in row)
                for row in connection.execute(sa.select(table).order_by(*table.primary_key))
            ]
            for table in schema.metadata.sorted_tables
        }


def dump_new_sqlite(folder, *, seed):
    url = f"sqlite:///{folder / f'seed-{seed}.sqlite'}"
    build(url, seed=seed, leaving_on=LEAVING_ON, members=TINY)
    engine = open_engine(url)
    try:
        return dump(engine)
    finally:
        engine.dispose()


def columns_of(engine):
    """Read the columns of every live table."""
    inspector = sa.inspect(engine)
    return {
        f"app.{table}": {column["name"] for column in inspector.get_columns(table)}
        for table in inspector.get_table_names()
    }


def read_roster(folder, name):
    with (folder / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def company_id(connection, slug):
    return connection.scalar(sa.select(companies.c.id).where(companies.c.slug == slug))


def pool_ends(connection, slug):
    of_company = pools.c.company_id == company_id(connection, slug)
    ends = sa.select(pools.c.ends_on).where(of_company).order_by(pools.c.ends_on, pools.c.id)
    return connection.scalars(ends).all()


# The schema and its history


def test_the_migrations_lead_to_the_schema_that_the_code_uses(empty):
    with empty.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_server_default": True})

        differences = compare_metadata(context, schema.metadata)

    assert differences == []


def test_keys_and_checks_are_migrated_under_their_names(empty):
    inspector = sa.inspect(empty)
    expected = {
        table.name: (
            [column.name for column in table.primary_key],
            {rule.name for rule in table.constraints if isinstance(rule, sa.CheckConstraint)},
        )
        for table in schema.metadata.sorted_tables
    }

    migrated = {
        table: (
            inspector.get_pk_constraint(table)["constrained_columns"],
            {check["name"] for check in inspector.get_check_constraints(table)},
        )
        for table in expected
    }

    assert migrated == expected


def test_every_reference_is_indexed(empty):
    inspector = sa.inspect(empty)
    bare = []

    for table in inspector.get_table_names():
        indexed = [index["column_names"] for index in inspector.get_indexes(table)]
        indexed += [unique["column_names"] for unique in inspector.get_unique_constraints(table)]
        indexed.append(inspector.get_pk_constraint(table)["constrained_columns"])
        for reference in inspector.get_foreign_keys(table):
            columns = reference["constrained_columns"]
            if not any(index[: len(columns)] == columns for index in indexed):
                bare.append((table, columns))

    assert bare == []


def test_an_invoice_from_before_gets_its_reference_when_the_schema_moves_on(database_url):
    migrate(database_url, revision="0002")
    engine = open_engine(database_url)
    with engine.begin() as connection:
        connection.execute(
            sa.text(
                "INSERT INTO companies (id, slug, name, billing_email, country, time_zone,"
                " settings, created_at) VALUES (1, 'old-hand', 'Old Hand', 'a@old-hand.example',"
                " 'IE', 'Europe/Dublin', '{}', '2020-01-01 00:00:00')"
            )
        )
        connection.execute(
            sa.text(
                "INSERT INTO invoices (id, company_id, number, issued_on, currency, amount)"
                " VALUES (1, 1, 'INV-1', '2020-02-01', 'EUR', 12.50)"
            )
        )

    migrate(database_url)

    with engine.connect() as connection:
        invoice = connection.execute(sa.select(schema.invoices)).one()
    engine.dispose()
    assert invoice.company_reference == "old-hand"
    assert (invoice.amount, invoice.euro_rate) == (Decimal("12.5"), Decimal(1))


# The generated data


def test_a_seed_tells_the_same_story_on_every_database(filled, tmp_path):
    again = dump_new_sqlite(tmp_path, seed=SEED)
    other = dump_new_sqlite(tmp_path, seed=SEED + 1)

    assert dump(filled) == again
    assert dump(filled) != other


def test_two_processes_write_the_same_rows_byte_for_byte(tmp_path):
    dumps = []

    for hash_seed in ("1", "2"):
        file = tmp_path / hash_seed
        arguments = ["--database", f"sqlite:///{file}", "--seed", str(SEED), "--size", "tiny"]
        subprocess.run(
            [sys.executable, "-m", "examples.training_platform.generate", *arguments],
            cwd=ROOT,
            env={**os.environ, "PYTHONHASHSEED": hash_seed, "PYTHONWARNINGS": "error"},
            check=True,
            capture_output=True,
        )
        with closing(sqlite3.connect(file)) as connection:
            statements = connection.iterdump()
            # Rows only: rebuilding a table, Alembic writes its constraints in any order.
            dumps.append([line for line in statements if line.startswith("INSERT INTO")])

    assert dumps[0] == dumps[1]
    assert any(CONSULTANT.email in statement for statement in dumps[0])


def test_a_database_in_use_is_refused_and_left_as_it_is(filled):
    before = dump(filled)

    with pytest.raises(DatabaseInUse):
        generate(filled, seed=SEED + 1, leaving_on=LEAVING_ON, members=TINY)

    assert dump(filled) == before


def test_no_table_is_empty_and_what_may_be_missing_is_missing_somewhere(filled):
    with filled.connect() as connection:
        for table in schema.metadata.sorted_tables:
            for column in table.columns:
                filled_in, all_rows = connection.execute(
                    sa.select(sa.func.count(column), sa.func.count()).select_from(table)
                ).one()

                assert filled_in > 0, f"{column} is never given"
                # An invoice loses its company only when the company leaves.
                may_be_missing = column.nullable and column is not schema.invoices.c.company_id
                assert (filled_in < all_rows) == may_be_missing, f"{column}"


def test_the_product_can_go_on_adding_rows(filled):
    with filled.begin() as connection:
        added = connection.execute(
            schema.courses.insert().values(code="NEW-1", title="New", product="New")
        )

        highest = connection.scalar(sa.select(sa.func.max(schema.courses.c.id)))
    assert added.inserted_primary_key == (highest,)


def test_numbers_keep_every_digit_and_files_every_byte(connection):
    rates = connection.scalars(sa.select(schema.invoices.c.euro_rate)).all()
    contents = connection.scalars(sa.select(schema.files.c.content)).all()

    assert any(rate != Decimal(str(float(rate))) for rate in rates)
    assert any(content and b"\x00" in content for content in contents)


# The story that the companies tell


def test_the_pools_end_when_the_story_needs_it(story):
    assert pool_ends(story, LEAVING) == [date(2023, 8, 31), LEAVING_ON, LEAVING_ON]
    assert set(pool_ends(story, SIBLING)) == {date(2027, 8, 30)}
    assert pool_ends(story, HALF_LEAVING) == [LEAVING_ON, date(2026, 2, 11)]
    assert pool_ends(story, DISTANT) == [LEAVING_ON + timedelta(days=215)]


def test_the_leaving_company_has_three_administrators_and_people_of_many_places(story):
    leaving = company_id(story, LEAVING)
    roles = Counter(
        story.scalars(
            sa.select(schema.memberships.c.role).where(schema.memberships.c.company_id == leaving)
        )
    )
    people = story.execute(sa.select(users).where(users.c.company_id == leaving)).all()

    assert roles["admin"] + roles["owner"] >= 3
    assert len({person.locale for person in people}) >= 3
    assert len({person.time_zone for person in people}) >= 4
    names = " ".join(f"{person.first_name} {person.last_name}" for person in people)
    assert all(mark in names for mark in ("ü", "ß", "'", "🌻"))


def test_one_consultant_works_for_the_leaving_company_and_for_its_sibling(story):
    both = sa.select(users.c.company_id).where(users.c.email == CONSULTANT.email)

    employers = set(story.scalars(both))

    assert employers == {company_id(story, LEAVING), company_id(story, SIBLING)}


def test_a1_some_lose_their_only_seat_and_some_keep_another(story):
    ending, staying = story.scalars(
        sa.select(pools.c.id)
        .where(pools.c.company_id == company_id(story, HALF_LEAVING))
        .order_by(pools.c.ends_on)
    )
    held = {}
    for user_id, pool_id in story.execute(
        sa.select(schema.seats.c.user_id, schema.seats.c.pool_id)
    ):
        held.setdefault(user_id, set()).add(pool_id)

    assert {ending} in held.values()
    assert {staying} in held.values()
    assert {ending, staying} in held.values()


def test_a_reply_stays_within_its_company_and_a_team_is_led_by_its_own(story):
    author, asker = users.alias(), users.alias()
    reply, question = schema.comments.alias(), schema.comments.alias()
    pairs_of_comments = story.execute(
        sa.select(author.c.company_id, asker.c.company_id)
        .select_from(reply)
        .join(question, reply.c.parent_id == question.c.id)
        .join(author, reply.c.user_id == author.c.id)
        .join(asker, question.c.user_id == asker.c.id)
    ).all()
    pairs_of_leads = story.execute(
        sa.select(schema.teams.c.company_id, users.c.company_id).join(
            users, users.c.id == schema.teams.c.lead_user_id
        )
    ).all()

    for pairs in (pairs_of_comments, pairs_of_leads):
        assert pairs
        assert all(one == other for one, other in pairs)


def test_the_rows_of_the_companies_lie_mixed_in_the_tables(story):
    owners = story.scalars(sa.select(users.c.company_id).order_by(users.c.id)).all()

    neighbors = pairwise(owners)

    assert sum(one != other for one, other in neighbors) > len(owners) / 2


def test_the_audit_log_holds_addresses_inside_its_json(story):
    entries = story.execute(
        sa.select(schema.audit_log.c.payload, users.c.email).join(
            users, users.c.id == schema.audit_log.c.actor_id
        )
    ).all()

    assert entries
    assert all(email in json.dumps(payload) for payload, email in entries)


# The data map


def test_the_data_map_names_every_table_and_column_and_no_other(empty, data_map):
    live = columns_of(empty)
    named = data_map["tables"]

    assert named.keys() == live.keys()
    for table, rules in named.items():
        if "shared" in rules:
            assert rules.keys() == {"shared"}
        else:
            assert rules["columns"].keys() == live[table], table


def test_every_way_through_the_data_map_is_a_reference_and_ends_at_the_root(empty, data_map):
    inspector = sa.inspect(empty)
    private = {name: rules for name, rules in data_map["tables"].items() if "shared" not in rules}

    def parent_of(table):
        references = inspector.get_foreign_keys(table.removeprefix("app."))
        (found,) = {
            f"app.{reference['referred_table']}"
            for reference in references
            if reference["constrained_columns"] == private[table]["via"]
        }
        return found

    for table in private:
        steps = [table]
        while steps[-1] != "app.companies":
            steps.append(parent_of(steps[-1]))
            assert len(steps) <= len(private), f"{table} goes round in circles"


def test_a_kept_table_cuts_its_references_and_says_why_and_until_when(empty, data_map):
    inspector = sa.inspect(empty)
    kept = {
        name: rules for name, rules in data_map["tables"].items() if rules.get("erase") == "keep"
    }

    assert kept.keys() == {"app.invoices"}
    for name, rules in kept.items():
        table = name.removeprefix("app.")
        nullable = {c["name"] for c in inspector.get_columns(table) if c["nullable"]}
        assert rules["basis"]
        assert rules["until"]
        for reference in inspector.get_foreign_keys(table):
            for column in reference["constrained_columns"]:
                assert rules["columns"][column]["erase"] == "null"
                assert column in nullable


def test_people_achievements_content_and_marks_name_real_columns(empty, data_map):
    live = columns_of(empty)
    members = data_map["people"]["members"]
    named = {(members["table"], column) for column in members["name"]}
    named |= {(members["table"], members[part]) for part in ("key", "email", "locale", "zone")}
    for earned in data_map["achievements"]:
        columns = (text.partition(".")[0] for part, text in earned.items() if part != "table")
        named |= {(earned["table"], column) for column in columns}
    named |= {tuple(mark.rsplit(".", 1)) for mark in data_map["marks"]}

    assert {pair for pair in named if pair[1] not in live[pair[0]]} == set()
    assert set(data_map["content"]) <= live.keys()


def test_secrets_are_never_exported(data_map):
    withheld = {
        f"{table}.{column}"
        for table, rules in data_map["tables"].items()
        for column, rule in rules.get("columns", {}).items()
        if isinstance(rule, dict) and rule.get("export") == "never"
    }

    assert withheld == {"app.users.password_hash", "app.sign_in_sessions.token_hash"}


# The roster


def test_the_roster_names_every_company_pool_and_member(filled, connection, tmp_path):
    write_roster(filled, tmp_path)

    organizations = read_roster(tmp_path, "organizations.csv")
    listed_pools = read_roster(tmp_path, "pools.csv")
    members = read_roster(tmp_path, "members.csv")
    assert [row["organization"] for row in organizations] == ["1", "2", "3", "4"]
    assert {row["policy"] for row in organizations} == {"license-pool"}
    assert len(listed_pools) == connection.scalar(sa.select(sa.func.count()).select_from(pools))
    assert len(members) == sum(TINY.values())
    for row in (*organizations, *members):
        assert row["locale"]
        assert ZoneInfo(row["zone"])


def test_the_roster_agrees_with_itself_and_with_the_seats(connection, tmp_path):
    write_roster(connection, tmp_path)

    owner_of = {row["pool"]: row["organization"] for row in read_roster(tmp_path, "pools.csv")}
    members = read_roster(tmp_path, "members.csv")
    seats = 0
    for row in members:
        held = [pool for pool in row["pools"].split(";") if pool]
        seats += len(held)
        assert {owner_of[pool] for pool in held} <= {row["organization"]}
        assert set(row["roles"].split(";")) <= {"member", "admin", "owner", "billing"}
        assert "member" in row["roles"].split(";")
    assert seats == connection.scalar(sa.select(sa.func.count()).select_from(schema.seats))
    assert any(row["pools"] == "" for row in members)
    assert {row["ends_on"] for row in members} == {"", "2024-10-14"}


# The platform stands alone


def test_the_platform_does_not_know_what_becomes_of_those_who_leave():
    sources = [source for source in sorted(SAMPLE.rglob("*.py")) if source.name != ON_THE_WEB]

    naming = [source.name for source in sources if "offramp" in source.read_text("utf-8").lower()]

    assert sources
    assert naming == []
