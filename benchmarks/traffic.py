"""Other organizations at work: an open loop of transactions, and how long each of them waited.

pgbench plays the application: it begins so many transactions a second at random moments, whether
the last ones are through or not, as people do who know nothing of one another. Each reads and
writes rows of small organizations that nobody erases. Its latency counts from the moment at which
it was due, so that a server that answers nobody for a second is seen by everybody of that second.

Source: the PostgreSQL manual, "pgbench", on ``--rate`` and ``--log``.
"""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median, quantiles
from time import monotonic, sleep

import psycopg

from benchmarks.load import FIRST_SMALL, ORGANIZATIONS
from benchmarks.server import connect, database_of, socket_folder_of
from offramp.testing.postgres import PACKAGE, PROGRAMS, installed_package

TRANSACTIONS_PER_SECOND = 200
CLIENTS = 8
_HOURS_MAX = 2
_LOG_SECONDS_MAX = 60.0
_POLL_SECONDS = 0.05
_MICROSECOND = 1e-6

_FEWEST_PEOPLE = """
SELECT min(people) FROM (
    SELECT count(*) AS people FROM people
    WHERE organization_id >= %(first)s GROUP BY organization_id) AS each
"""
_SCRIPT = """\
\\set organization random({first}, {last})
\\set place random(0, {people} - 1)
\\set new_id random(1000000000000, 9000000000000000)
BEGIN;
SELECT id AS person_id, email, first_name, last_name FROM people
    WHERE organization_id = :organization ORDER BY id LIMIT 1 OFFSET :place \\gset
SELECT e.id AS enrollment_id, e.status, s.title FROM enrollments e
    JOIN subjects s ON s.id = e.subject_id
    WHERE e.person_id = :person_id ORDER BY e.id LIMIT 1 \\gset
SELECT id AS visit_id, unit_id FROM visits
    WHERE enrollment_id = :enrollment_id ORDER BY id LIMIT 1 \\gset
UPDATE visits SET score = score + 1, updated_at = now() WHERE id = :visit_id;
INSERT INTO visits VALUES
    (:new_id, :enrollment_id, :unit_id, 'done', 1, 1, now(), now());
INSERT INTO events VALUES
    (:new_id, :organization, :person_id, 'person.visit', '10.0.0.1', '{{"agent": "app"}}', now());
COMMIT;
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Transaction:
    """One that was done: the moment at which it was due, and the seconds until it was through."""

    client: int
    due: float
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Waits:
    """How long the transactions of a span of time took, in milliseconds."""

    middle: float
    p99: float
    longest: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Traffic:
    """The transactions that are going on, and the clock that their log is written by."""

    clock: psycopg.Connection
    folder: Path

    def now(self) -> float:
        """Read the time of day, in seconds."""
        row = self.clock.execute("SELECT extract(epoch FROM clock_timestamp())").fetchone()
        assert row is not None, "the server has a clock"
        return float(row[0])

    def between(self, began: float, ended: float) -> Waits:
        """Sum up the transactions that were due in a span of time, once their log is written."""
        deadline = monotonic() + _LOG_SECONDS_MAX
        while True:
            done = list(self._log())
            # Each client takes one after the other: who has done a later one owes none of these.
            through = {each.client for each in done if each.due >= ended}
            if len(through) == CLIENTS:
                return _waits([each.seconds for each in done if began <= each.due < ended])
            assert monotonic() < deadline, "pgbench goes on until it is ended"
            sleep(_POLL_SECONDS)

    def _log(self) -> Iterator[Transaction]:
        for file in self.folder.glob("traffic.*"):
            # The last line may be half written.
            for line in file.read_text("ascii").splitlines()[:-1]:
                fields = line.split()
                client, took, second, microsecond = (int(fields[place]) for place in (0, 2, 4, 5))
                seconds = took * _MICROSECOND
                due = second + microsecond * _MICROSECOND - seconds
                yield Transaction(client=client, due=due, seconds=seconds)


@contextmanager
def traffic(url: str, folder: Path, *, rate: int = TRANSACTIONS_PER_SECOND) -> Iterator[Traffic]:
    """Let small organizations work for the length of the block.

    Args:
        url: the database.
        folder: an empty one, for the script and the log.
        rate: how many transactions are due in a second, on average.
    """
    script = folder / "script.sql"
    with (
        connect(url) as clock,
        (folder / "errors").open("wb") as errors,
        subprocess.Popen(
            _command(url, script, rate=rate),
            cwd=folder,
            env={"PATH": os.defpath, "LC_ALL": "C"},
            stdout=subprocess.DEVNULL,
            stderr=errors,
        ) as client,
    ):
        clock.autocommit = True
        try:
            yield Traffic(clock=clock, folder=folder)
            assert client.poll() is None, "pgbench goes on until it is ended"
            complaints = (folder / "errors").read_text("utf-8")
            assert "aborted" not in complaints, complaints
        finally:
            client.terminate()


def write_script(connection: psycopg.Connection, file: Path) -> None:
    """Write what each transaction does, for the organizations of a filled database."""
    row = connection.execute(_FEWEST_PEOPLE, {"first": FIRST_SMALL}).fetchone()
    assert row is not None, "a sum is always there"
    file.write_text(
        _SCRIPT.format(first=FIRST_SMALL, last=ORGANIZATIONS, people=row[0]), encoding="ascii"
    )


def _command(url: str, script: Path, *, rate: int) -> list[str]:
    program = installed_package(PACKAGE) / PROGRAMS / "bin" / "pgbench"
    return [
        str(program),
        f"--host={socket_folder_of(url)}",
        "--username=postgres",
        f"--client={CLIENTS}",
        f"--rate={rate}",
        f"--time={_HOURS_MAX * 3600}",
        "--no-vacuum",
        "--protocol=prepared",
        "--random-seed=25",
        "--log",
        f"--log-prefix={script.parent / 'traffic'}",
        f"--file={script}",
        database_of(url),
    ]


def _waits(seconds: list[float]) -> Waits:
    assert seconds, "a phase lasts long enough for somebody to come by"
    milliseconds = [1_000 * each for each in seconds]
    hundredths = quantiles(milliseconds, n=100, method="inclusive") if seconds[1:] else milliseconds
    return Waits(middle=median(milliseconds), p99=hundredths[-1], longest=max(milliseconds))
