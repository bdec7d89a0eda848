"""Orders work from processes that can be killed, and looks at what they have left."""

import json
import subprocess
import sys
from pathlib import Path

import sqlalchemy as sa

from tests.integration.data.school import metadata

ROOT = Path(__file__).parents[3]
WORKS = ("export", "erase", "restore")


class Supervisor:
    """Orders work from the process that forks."""

    def __init__(self):
        command = [sys.executable, "-m", "tests.integration.data.doomed"]
        self.process = subprocess.Popen(
            command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def order(self, work, place, **death):
        order = {"work": work, "url": place.url, "folder": str(place.folder), **death}
        self.process.stdin.write(json.dumps(order) + "\n")
        self.process.stdin.flush()
        told = json.loads(self.process.stdout.readline())
        assert "error" not in told, told["error"]
        return told

    def close(self):
        self.process.stdin.close()
        self.process.stdout.close()
        self.process.wait()


class Place:
    """A database and a folder, before or after some work."""

    def __init__(self, url, folder):
        self.url, self.folder = url, folder

    def wait_until_alone(self):
        """Let the server find out that a client is gone, and end what it was doing."""
        engine = sa.create_engine(self.url)
        if engine.dialect.name == "postgresql":
            others = sa.text(
                "SELECT count(*) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
            with engine.connect() as connection:
                while connection.execute(others).scalar_one():
                    connection.exec_driver_sql("SELECT pg_sleep(0.01)")
                    connection.rollback()
        engine.dispose()

    def rows(self):
        """Give every row of every table, whoever owns it."""
        engine = sa.create_engine(self.url)
        with engine.connect() as connection:
            found = {
                table.name: [
                    tuple(row)
                    for row in connection.execute(sa.select(table).order_by(*table.primary_key))
                ]
                for table in metadata.tables.values()
            }
        engine.dispose()
        return found

    def files(self):
        """Give every file that has its name, byte for byte; drafts are nobody's business."""
        vault = self.folder / "vault"
        named = (file for file in vault.glob("*") if not file.name.startswith("."))
        return {file.name: file.read_bytes() for file in named}

    def keys(self):
        """Give the names of the keys that are left; drafts of keys count, too."""
        return sorted(file.name for file in (self.folder / "keys").glob("*"))
