"""The PostgreSQL server that every other database test believes."""

import subprocess
import sys
from contextlib import closing
from pathlib import Path
from time import monotonic, sleep

import psycopg
import pytest
from sqlalchemy import create_engine, make_url, text

from offramp.testing.postgres import fresh_database, installed_package, running_postgres
from offramp.testing.server import ServerUnavailable

HOLD_A_SERVER = """
from time import sleep
from offramp.testing.postgres import running_postgres
with running_postgres() as url:
    print(url, flush=True)
    sleep(60)
"""


def names_of_databases(url):
    engine = create_engine(url)
    with engine.connect() as connection:
        names = set(connection.scalars(text("SELECT datname FROM pg_database")))
    engine.dispose()
    return names


def folder_of(url):
    return Path(make_url(url).query["host"])


def test_each_database_is_empty_and_dropped_with_its_connections(postgres_server):
    with fresh_database(postgres_server) as url:
        left_open = psycopg.connect(url.replace("+psycopg", ""), autocommit=True)
        tables = left_open.execute(
            "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'"
        ).fetchone()

    with closing(left_open):
        assert tables == (0,)
        assert make_url(url).database not in names_of_databases(postgres_server)


def test_a_database_can_be_cloned_from_a_template(postgres_server):
    with fresh_database(postgres_server) as template:
        engine = create_engine(template)
        with engine.begin() as connection:
            connection.execute(text("CREATE TABLE company AS SELECT 1 AS id"))
        engine.dispose()

        with fresh_database(postgres_server, template=make_url(template).database) as clone:
            engine = create_engine(clone)
            with engine.connect() as connection:
                assert connection.scalar(text("SELECT count(*) FROM company")) == 1
            engine.dispose()


def test_a_server_leaves_neither_a_folder_nor_a_changed_home():
    home_before = Path.home().stat().st_mode

    with running_postgres() as url:
        folder = folder_of(url)
        assert folder.stat().st_mode & 0o077 == 0

    assert not folder.exists()
    assert Path.home().stat().st_mode == home_before


def test_a_server_dies_with_the_process_that_started_it():
    command = [sys.executable, "-c", HOLD_A_SERVER]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as holder:
        folder = folder_of(holder.stdout.readline().strip())
        holder.kill()

    deadline = monotonic() + 10
    while folder.exists() and monotonic() < deadline:
        sleep(0.05)
    assert not folder.exists()


def test_a_missing_package_is_named_with_the_command_that_brings_it():
    with pytest.raises(ServerUnavailable) as caught:
        installed_package("no_such_package")

    assert "pip install" in caught.value.hint
