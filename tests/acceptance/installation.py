"""An installation of Offramp as an operator has it: a folder, an environment, and the command.

Commands run as processes of their own on the real clock, so dates are counted from the day on
which the tests began: a midnight meanwhile moves nothing that was written down before it.
"""

import hashlib
import json
import os
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx2
from whenever import Instant

from tests.acceptance import forked

ROOT = Path(__file__).parents[2]
DATAMAP = ROOT / "examples" / "training_platform" / "datamap.yaml"
ZONE = "Europe/Dublin"
COMMAND = (sys.executable, "-m", "offramp")
ACCESS_KEY = "a-key-that-nobody-guesses-0123456789"

SIBLING, LEAVING, HALF_LEAVING, DISTANT = "1", "2", "3", "4"
OWNER = "2"  # of the company that leaves
MEMBER = "13"  # of the sibling, with one live seat


TODAY = Instant.now().to_tz(ZONE).date()


def in_days(days):
    """Give the civil date so many days from the one on which the tests began."""
    return str(TODAY.add(days=days))


@dataclass(frozen=True)
class Finished:
    """What a command left behind."""

    code: int
    out: str
    err: str

    @property
    def data(self):
        """The answer or the error as JSON."""
        return json.loads(self.out or self.err)


@dataclass
class Installation:
    """One folder with settings, store, roster and the vendor's database."""

    folder: Path
    settings: dict[str, str] = field(default_factory=dict)

    @property
    def environment(self):
        """The environment of every command; nothing of the tester's own settings."""
        inherited = {k: v for k, v in os.environ.items() if not k.startswith("OFFRAMP_")}
        application = {"TRAINING_DATABASE_URL": f"sqlite:///{self.folder / 'app.sqlite'}"}
        return inherited | application | self.settings

    @property
    def store(self):
        """The file of the store."""
        return self.folder / "offramp-data" / "offramp.sqlite"

    @property
    def rosters(self):
        """The three CSV files, members first."""
        return sorted(str(file) for file in (self.folder / "roster").glob("*.csv"))

    def run(self, *arguments, **how):
        """Run a command to its end; how is what `forked.run` takes."""
        finished = forked.run(
            *map(str, arguments), folder=self.folder, environment=self.environment, **how
        )
        return Finished(finished.returncode, finished.stdout, finished.stderr)

    def start(self, *arguments):
        """Start a command that goes on, from cold as an operator does."""
        return subprocess.Popen(
            [*COMMAND, *map(str, arguments)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=self.folder,
            env=self.environment,
        )

    def say(self, *arguments):
        """Run a command that succeeds; give what it printed."""
        finished = self.run(*arguments)
        assert finished.code == 0, finished.err
        return finished.out

    def ask(self, *arguments):
        """Run a command that succeeds; give its answer as data."""
        return json.loads(self.say(*arguments, "--json"))

    def leaving(self, organization, member=None):
        """Give the off-boarding of an organization, or of one member, as `status` shows it."""
        (standing,) = self.ask("status", organization)["organizations"]
        found = [each for each in standing["leaving"] if each["member"] == member]
        return found[0] if found else None

    def step(self, organization, key):
        """Give one step of an organization as `status` shows it."""
        steps = self.leaving(organization)["steps"]
        return next(step for step in steps if step["key"] == key)

    def contents(self):
        """Give everything that is stored: the rows of every table, and the files by digest."""
        files = {
            str(file.relative_to(self.folder)): hashlib.sha256(file.read_bytes()).hexdigest()
            for file in self.folder.rglob("*")
            if file.is_file() and ".sqlite" not in file.name
        }
        return files, *(_rows(file) for file in (self.store, self.folder / "app.sqlite"))

    def asked(self):
        """Count the requests for a turn that wait for the next chunk of a deletion."""
        with closing(sqlite3.connect(self.store)) as connection:
            query = "SELECT count(*) FROM inflight WHERE attempt = 0"
            return connection.execute(query).fetchone()[0]

    def change(self, statement, *values):
        """Change the store behind the command's back."""
        with closing(sqlite3.connect(self.store)) as connection, connection:
            connection.execute(statement, values)

    def let_a_day_pass_for_retries(self):
        """Move everything that waits for its next attempt into the past."""
        past = Instant.now().subtract(hours=1).format_iso(unit="microsecond")
        self.change("UPDATE step SET next_try_at = ? WHERE next_try_at IS NOT NULL", past)
        self.change("UPDATE delivery SET next_try_at = ? WHERE next_try_at IS NOT NULL", past)
        self.change("UPDATE offboarding SET next_due_at = ? WHERE status = 'open'", past)


def _rows(file):
    """Give the rows of a database; the next number of a table is not one of them."""
    if not file.exists():
        return None
    with closing(sqlite3.connect(file)) as connection:
        return [line for line in connection.iterdump() if "sqlite_sequence" not in line]


@dataclass(kw_only=True)
class Served:
    """`offramp serve`, as programs and people reach it.

    Attributes:
        url: where it listens, without a slash at the end.
        first_sign_in: the link for the first operator, as long as there is none.
    """

    process: subprocess.Popen
    url: str
    first_sign_in: str | None = None

    def ask(self, method, path, *, key=ACCESS_KEY, **given):
        """Send one request with an access key; given is what httpx2 takes."""
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        headers |= given.pop("headers", {})
        return httpx2.request(method, self.url + path, headers=headers, **given)

    def stop(self, number=signal.SIGTERM):
        """Ask it to stop; give its exit status, what else it printed, and what it told."""
        self.process.send_signal(number)
        printed, told = self.process.communicate(timeout=60)
        return self.process.returncode, printed, told


@contextmanager
def served(installation, *options):
    """Serve an installation for as long as the block lasts, by default without a worker."""
    installation.settings.setdefault("OFFRAMP_ACCESS_KEYS", ACCESS_KEY)
    chosen = options or ("--no-worker",)
    process = installation.start("serve", "--listen", "0", "--json", *chosen)
    try:
        line = process.stdout.readline()
        assert line, process.stderr.read()
        said = json.loads(line)
        yield Served(process=process, url=said["address"], first_sign_in=said.get("first_sign_in"))
    finally:
        process.kill()
        process.communicate()
