"""The MariaDB server that every other test of it believes."""

import subprocess
import sys
import tempfile
from pathlib import Path
from time import monotonic, sleep

import pytest
from sqlalchemy import create_engine, make_url, text

from offramp.testing import mariadb
from offramp.testing.mariadb import fresh_database, running_mariadb
from offramp.testing.server import ServerUnavailable

pytestmark = pytest.mark.mariadb

HOLD_A_SERVER = """
from time import sleep
from offramp.testing.mariadb import running_mariadb
with running_mariadb() as url:
    print(url, flush=True)
    sleep(60)
"""


def ask(url, statement):
    engine = create_engine(url)
    with engine.begin() as connection:
        result = connection.execute(text(statement))
        rows = [tuple(row) for row in result] if result.returns_rows else []
    engine.dispose()
    return rows


def folder_of(url):
    return Path(make_url(url).query["unix_socket"]).parent


def test_each_database_is_empty_writable_and_dropped(mariadb_server):
    with fresh_database(mariadb_server) as url:
        tables = ask(url, "SHOW TABLES")
        ask(url, "CREATE TABLE company (id BIGINT PRIMARY KEY, name VARCHAR(20))")
        ask(url, "INSERT INTO company VALUES (1, 'Zażółć 🎓')")
        kept = ask(url, "SELECT name FROM company")

    assert tables == []
    assert kept == [("Zażółć 🎓",)]
    assert (make_url(url).database,) not in ask(mariadb_server, "SHOW DATABASES")


def test_a_server_leaves_no_folder_and_listens_on_no_port():
    with running_mariadb() as url:
        folder = folder_of(url)
        (networking,) = ask(url, "SELECT @@skip_networking")
        assert folder.stat().st_mode & 0o077 == 0

    assert networking == (1,)
    assert not folder.exists()


def test_databases_in_a_folder_of_their_own_are_there_for_the_next_server():
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)  # the server's own user has to pass
        data = Path(folder) / "data"

        with running_mariadb(data=data) as url:
            ask(url, "CREATE DATABASE kept")
        with running_mariadb(data=data) as url:
            databases = ask(url, "SHOW DATABASES")

    assert ("kept",) in databases


def test_a_server_dies_with_the_process_that_started_it():
    command = [sys.executable, "-c", HOLD_A_SERVER]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as holder:
        folder = folder_of(holder.stdout.readline().strip())
        holder.kill()

    deadline = monotonic() + 20
    while folder.exists() and monotonic() < deadline:
        sleep(0.05)
    assert not folder.exists()


def test_missing_programs_are_named_with_the_command_that_brings_them(monkeypatch, tmp_path):
    monkeypatch.setattr(mariadb, "PLACES", str(tmp_path))

    with pytest.raises(ServerUnavailable) as caught, running_mariadb():
        pytest.fail("there is nothing to run")

    assert "apt-get install mariadb-server" in caught.value.hint


def test_a_server_that_starts_leaves_the_rows_that_another_is_sorting(mariadb_server):
    place = Path(ask(mariadb_server, "SELECT @@tmpdir")[0][0])
    left_over = place / "#sql-temptable-1-1-1.MAI"
    left_over.touch()

    with running_mariadb() as url:
        (other,) = ask(url, "SELECT @@tmpdir")

    assert Path(other[0]) != place
    assert left_over.exists()
