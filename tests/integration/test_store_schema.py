"""The migrations make exactly the schema, and a store that cannot be reached says so."""

import sqlite3
import subprocess
import sys

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from whenever import Instant

from offramp.adapters.store import schema
from offramp.adapters.store.connection import StoreUrlInvalid, connect
from offramp.adapters.store.migration import migrate
from offramp.adapters.store.store import SqlStore
from offramp.adapters.store.upgrade import SCRIPTS
from offramp.adapters.store.version import newest
from offramp.ports import StoreUnavailable, StoreVersionDiffers

KEY = b"a key"
PASSWORD = "correct-horse"
EXPRESSIONS = "(ix_member_address|ix_organization_name)"


@pytest.fixture
def engine(database_url):
    engine = connect(database_url)
    yield engine
    engine.dispose()


def differences(engine):
    with engine.begin() as connection:
        options = {"compare_type": True, "compare_server_default": True}
        context = MigrationContext.configure(connection, opts=options)
        return compare_metadata(context, schema.metadata)


def uncompared_expressions(test):
    """Let SQLite tell nothing of an index on an expression; it is asked for by itself below."""
    for said in ("Skipped unsupported reflection", "autogenerate skipping metadata-specified"):
        test = pytest.mark.filterwarnings(f"ignore:{said}.*{EXPRESSIONS}")(test)
    return test


def read_something(engine):
    with SqlStore(engine, ledger_key=KEY).transaction() as transaction:
        return transaction.organizations()


def look(engine):
    with SqlStore(engine, ledger_key=KEY).reading() as transaction:
        return transaction.is_paused()


@uncompared_expressions
def test_the_migrations_make_exactly_the_schema(engine):
    migrate(engine)

    assert differences(engine) == []


@uncompared_expressions
def test_migrating_again_changes_nothing(engine):
    migrate(engine)
    migrate(engine)

    assert differences(engine) == []


def test_the_one_current_episode_is_kept_by_the_database_itself(engine):
    """L18: a partial index is not among what is compared above on SQLite."""
    migrate(engine)

    with engine.begin() as connection:
        indexes = {each["name"]: each for each in sa.inspect(connection).get_indexes("offboarding")}

    current = indexes["uq_offboarding_current"]
    assert current["unique"]
    where = current["dialect_options"][f"{engine.dialect.name}_where"]
    assert "open" in str(where)
    assert "stopped" in str(where)


def test_a_person_is_found_by_their_address_without_reading_all_members(engine):
    migrate(engine)
    asked = sa.select(schema.member.c.id).where(sa.func.lower(schema.member.c.email) == "a@b.c")
    text = str(asked.compile(engine, compile_kwargs={"literal_binds": True}))

    with engine.begin() as connection:
        if engine.dialect.name == "postgresql":
            connection.exec_driver_sql("SET LOCAL enable_seqscan = off")  # there are no rows
            plan = connection.exec_driver_sql(f"EXPLAIN {text}").all()
        else:
            plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {text}").all()

    assert "ix_member_address" in str(plan)


def test_organizations_are_listed_by_name_without_reading_all_of_them(engine):
    migrate(engine)
    statements = []
    sa.event.listen(engine, "before_cursor_execute", lambda *told: statements.append(told[2:4]))
    with SqlStore(engine, ledger_key=KEY).transaction() as transaction:
        transaction.find_organizations("ac", after=("acme", "1"), now=Instant.MIN, limit=2)
    text, values = statements[-1]

    with engine.begin() as connection:
        explain = "EXPLAIN QUERY PLAN"
        if engine.dialect.name == "postgresql":
            connection.exec_driver_sql("SET LOCAL enable_seqscan = off")  # there are no rows
            connection.exec_driver_sql("SET LOCAL enable_sort = off")
            explain = "EXPLAIN"
        plan = str(connection.exec_driver_sql(f"{explain} {text}", values).all())

    assert "ix_organization_name" in plan
    assert "TEMP B-TREE" not in plan
    assert "Sort" not in plan


def test_mail_is_counted_without_reading_what_was_sent(engine):
    migrate(engine)
    statements = []
    sa.event.listen(engine, "before_cursor_execute", lambda *told: statements.append(told[2:4]))
    with SqlStore(engine, ledger_key=KEY).transaction() as transaction:
        transaction.mail_load(lost_since=Instant.MIN)

    with engine.begin() as connection:
        explain = "EXPLAIN QUERY PLAN"
        if engine.dialect.name == "postgresql":
            connection.exec_driver_sql("SET LOCAL enable_seqscan = off")  # there are no rows
            explain = "EXPLAIN"
        plans = [
            str(connection.exec_driver_sql(f"{explain} {text}", values).all())
            for text, values in tuple(statements)
            if "delivery" in text
        ]

    assert len(plans) == 2
    assert sum("ix_delivery_note_lost" in plan for plan in plans) == 1
    if engine.dialect.name == "sqlite":  # where PostgreSQL begins depends on how much there is
        assert sum("ix_delivery_under_way" in plan for plan in plans) == 1


def test_postgresql_sorts_ids_like_python_whatever_its_own_language(postgres_url):
    engine = connect(postgres_url)
    migrate(engine)

    with engine.begin() as connection:
        columns = sa.inspect(connection).get_columns("offboarding")

    sorted_as = {each["name"]: getattr(each["type"], "collation", None) for each in columns}
    assert [sorted_as[name] for name in ("id", "organization", "member", "product")] == ["C"] * 4
    engine.dispose()


def test_the_newest_version_is_the_last_migration():
    assert newest() == ScriptDirectory(str(SCRIPTS)).get_current_head()


def test_tables_of_another_version_are_not_looked_at(engine):
    migrate(engine)
    with engine.begin() as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))

    with pytest.raises(StoreVersionDiffers, match="of version 9999") as caught:
        look(engine)

    assert newest() in str(caught.value)


def test_tables_that_were_never_made_are_not_looked_at(engine):
    with pytest.raises(StoreUnavailable, match="tables have not been made"):
        look(engine)


def test_a_store_without_tables_says_what_to_do(engine):
    with pytest.raises(StoreUnavailable, match="tables") as caught:
        read_something(engine)

    assert "offramp init" in caught.value.hint


@pytest.mark.parametrize("password", [PASSWORD, "127.0.0.1"], ids=["secret", "in the message"])
def test_a_database_that_does_not_answer_is_unavailable_and_keeps_its_password(password):
    engine = connect(f"postgresql://anna:{password}@127.0.0.1:1/nothing")

    with pytest.raises(StoreUnavailable, match="refused") as caught:
        read_something(engine)

    assert password not in str(caught.value)
    engine.dispose()


def test_a_folder_that_is_not_there_makes_the_store_unavailable(tmp_path):
    engine = connect(f"sqlite:///{tmp_path / 'nowhere' / 'store.sqlite'}")

    with pytest.raises(StoreUnavailable, match="unable to open"):
        read_something(engine)

    engine.dispose()


def test_a_file_that_is_something_else_is_no_store(tmp_path):
    file = tmp_path / "letter.txt"
    file.write_text("Dear customer, " * 100)
    engine = connect(f"sqlite:///{file}")

    with pytest.raises(StoreUnavailable, match="not a database"):
        read_something(engine)

    engine.dispose()


@pytest.fixture
def opened(tmp_path):
    """Give a store in a file, with a connection that has been used; and the file."""
    file = tmp_path / "store.sqlite"
    engine = connect(f"sqlite:///{file}")
    migrate(engine)
    yield SqlStore(engine, ledger_key=KEY), file
    engine.dispose()


def is_paused(store):
    with store.transaction() as transaction:
        return transaction.is_paused()


def pause(store):
    with store.transaction() as transaction:
        transaction.set_paused(is_paused=True, now=Instant.from_utc(2024, 8, 31))


@pytest.mark.parametrize("begin", ["transaction", "reading"])
def test_a_file_that_was_moved_away_is_unavailable_and_not_begun_anew(opened, tmp_path, begin):
    store, file = opened
    pause(store)
    file.rename(tmp_path / "elsewhere.sqlite")

    with (
        pytest.raises(StoreUnavailable, match=r"store\.sqlite is not there"),
        getattr(store, begin)(),
    ):
        pass

    assert not file.exists()
    (tmp_path / "elsewhere.sqlite").rename(file)
    assert is_paused(store)


def test_a_file_that_was_put_in_its_place_is_the_store_from_then_on(opened, tmp_path):
    store, file = opened
    backup = tmp_path / "backup.sqlite"
    with sqlite3.connect(file) as source, sqlite3.connect(backup) as target:
        source.backup(target)
    source.close()
    target.close()
    pause(store)

    with sqlite3.connect(file) as last:  # as whoever restores a backup does
        last.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    last.close()
    backup.rename(file)

    assert not is_paused(store)


@pytest.mark.parametrize("url", [f"mysql://anna:{PASSWORD}@host/store", "not a url", ""])
def test_only_sqlite_and_postgresql_can_be_a_store(url):
    with pytest.raises(StoreUrlInvalid, match="SQLite or PostgreSQL") as caught:
        connect(url)

    assert PASSWORD not in str(caught.value)


def test_an_error_of_somebody_elses_database_is_not_taken_for_ours(engine, tmp_path):
    """L18: what goes wrong in the source while a chunk runs is the source's own trouble."""
    migrate(engine)
    source = sa.create_engine(f"sqlite:///{tmp_path / 'nowhere' / 'source.sqlite'}")

    def work():
        with SqlStore(engine, ledger_key=KEY).transaction(), source.connect():
            pass

    with pytest.raises(sa.exc.OperationalError):
        work()


def test_the_store_is_ready_without_the_slow_import_of_alembic():
    probe = "import sys, offramp.adapters.store.store; print('alembic' in sys.modules)"

    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "False"
