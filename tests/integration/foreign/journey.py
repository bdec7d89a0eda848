"""The whole way of one foreign application: mapped, handed over, erased, brought back."""

import json
import os
import subprocess
import sys

import psycopg
from ruamel.yaml import YAML

from offramp.data.handover.export import digest
from offramp.data.proof.verify import verify
from offramp.data.scope import Scope
from offramp.data.sources.sql import open_sources
from offramp.documents.datamap import load_datamap
from tests.integration.data.leaving import come_back, data_of, leave, take
from tests.integration.data.school import KEY
from tests.integration.foreign.deciding import finish
from tests.integration.foreign.rows import Sower
from tests.integration.foreign.structure import read_tables

TAGS = ("leaving", "staying", "third")
ROWS_FOR_EACH = 60


class Journey:
    """What became of one application, step by step."""

    def __init__(self, application, folder):
        self.application = application
        self.folder = folder
        self.sources = {}

    def travel(self, host):
        self.host = host
        self.application.install(self.folder)
        self.application.make_tables(self.folder, host)
        with self._connection() as connection:
            self.sower = Sower(connection, self.application.habits, rows=ROWS_FOR_EACH)
            self.sower.sow(TAGS)
        self._map()
        self._leave_and_come_back()

    def close(self):
        for source in self.sources.values():
            source.close()

    def offramp(self, *arguments):
        """Run a command as a person does."""
        return subprocess.run(
            [sys.executable, "-m", "offramp", *map(str, arguments)],
            env=os.environ | {"APPLICATION_URL": self.url, "NO_COLOR": "1"},
            capture_output=True,
            text=True,
            check=False,
        )

    @property
    def url(self):
        return f"postgresql://postgres@/{self.application.name}?host={self.host}"

    def _connection(self):
        return psycopg.connect(
            host=self.host, user="postgres", dbname=self.application.name, autocommit=True
        )

    def _map(self):
        self.proposed = self.folder / "proposed.yaml"
        root = self.application.root
        begun = ("map", "init", "env:APPLICATION_URL", "--root", root, "--out", self.proposed)
        self.initial = self.offramp(*begun, "--json")
        assert self.initial.returncode == 0, self.initial.stderr
        self.told = json.loads(self.initial.stdout)
        self.decisions = YAML(typ="safe").load(self.application.decisions.read_text("utf-8"))
        self.finished = self.folder / "finished.yaml"
        self.finished.write_text(finish(self.proposed.read_text("utf-8"), self.decisions), "utf-8")
        self.datamap = load_datamap(self.finished)
        self.sources = open_sources(self.datamap, environment={"APPLICATION_URL": self.url})

    def _leave_and_come_back(self):
        leaving, staying = self._scopes()
        self.before = self._counts()
        self.sibling = [self._digest(staying)]
        self.manifest = take(self, leaving, self.folder / "out.json")
        self.result = leave(self, leaving, rows=500)
        self.after = self._counts()
        self.verification = verify(
            self.datamap, self.sources, leaving, tombstone=self.result.tombstone, key=KEY
        )
        self.sibling.append(self._digest(staying))
        come_back(self, self.folder / "out.json")
        take(self, leaving, self.folder / "again.json")
        self.sibling.append(self._digest(staying))
        self.documents = [data_of(self.folder / name) for name in ("out.json", "again.json")]

    def _scopes(self):
        table, key = self.sower.habits.root, self.application.root.rpartition(".")[2]
        keys = self.sower.keys[table, (key,)]
        return [Scope(organization=str(keys[tag][0][0])) for tag in TAGS[:2]]

    def _digest(self, scope):
        return digest(self.datamap, self.sources, scope)

    def _counts(self):
        with self._connection() as connection:
            return {
                name: connection.execute(f"SELECT count(*) FROM {table.place}").fetchone()[0]
                for name, table in read_tables(connection).items()
            }
