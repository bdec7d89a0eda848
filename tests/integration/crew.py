"""Real workers in processes of their own, on one store and one application, at a time we choose.

As a program this is their supervisor: it has everything imported, so that a worker takes its place
within a moment, and forks one for each line it reads.
"""

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, replace
from pathlib import Path

from sqlalchemy.exc import OperationalError
from whenever import Instant

from offramp.adapters.keys_folder import FolderKeys
from offramp.adapters.store.connection import connect
from offramp.adapters.store.migration import migrate
from offramp.adapters.store.store import SqlStore
from offramp.bootstrap import build_worker
from offramp.cli.run import Stop
from offramp.config import Settings
from offramp.engine.worker import serve
from offramp.ports import StoreUnavailable
from tests.integration.waiting import SECONDS_MAX
from tests.simulation.shop import open_shop_at

ROOT = Path(__file__).parents[2]
LEASE_SECONDS = 2
STEPS = 4


class ShiftedClock:
    """The machine's clock, set forward by as much as a file says, for every process at once."""

    def __init__(self, folder):
        self._file = folder / "shift"

    def now(self):
        shift = float(self._file.read_text()) if self._file.exists() else 0.0
        return Instant.now().add(seconds=shift)

    def behind_seconds(self):
        return 0.0

    def set_to(self, instant):
        shift = (instant - Instant.now()).total("seconds")
        fresh = self._file.with_suffix(f".{os.getpid()}")
        fresh.write_text(str(shift))
        fresh.replace(self._file)


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where a crew works."""

    folder: str
    store_url: str
    app_url: str
    port: int
    mail_host: str = "127.0.0.1"
    mail_security: str = "none"
    lease_seconds: int = LEASE_SECONDS

    @property
    def settings(self):
        return Settings(
            folder=Path(self.folder),
            database_url=self.store_url,
            mail_host=self.mail_host,
            mail_port=self.port,
            mail_security=self.mail_security,
            worker_lease_seconds=self.lease_seconds,
            worker_steps=STEPS,
            late_watch_days=0,
            bulk_organizations_max=100_000,
        )


class Crew:
    """The workers of one place; whoever is still there at the end is killed.

    Attributes:
        program: their supervisor.
    """

    def __init__(self, place, *, program="tests.integration.crew"):
        self.place, self.program = place, program
        self.clock = ShiftedClock(Path(place.folder))
        self.engine = connect(place.store_url)
        migrate(self.engine)
        self.ledger_key = FolderKeys(Path(place.folder) / "keys").ledger_key()
        self.store = SqlStore(self.engine, ledger_key=self.ledger_key)
        self.pids = []

    def __enter__(self):
        self._supervisor = subprocess.Popen(
            [sys.executable, "-m", self.program, json.dumps(self.place.__dict__)],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        return self

    def __exit__(self, *error):
        for pid in list(self.pids):
            self.kill(pid)
        self._supervisor.stdin.close()
        self._supervisor.wait(timeout=20)
        self._supervisor.stdout.close()
        self.engine.dispose()

    def hire(self):
        """Start one more worker, and give its process id."""
        self._supervisor.stdin.write("\n")
        self._supervisor.stdin.flush()
        pid = int(self._supervisor.stdout.readline())
        self.pids.append(pid)
        return pid

    def kill(self, pid):
        """End a worker at once; what it has in hand it just drops."""
        self.pids.remove(pid)
        os.kill(pid, signal.SIGKILL)

    def dismiss(self, pid):
        """Ask a worker to stop."""
        self.pids.remove(pid)
        os.kill(pid, signal.SIGTERM)

    def told(self):
        """Give what all the workers reported so far."""
        files = sorted(Path(self.place.folder).glob("told-*"))
        return [json.loads(line) for each in files for line in each.read_text().splitlines()]

    def ask(self, question):
        """Ask the store; a server that was just crashed is waited for, as the workers do."""
        until = time.monotonic() + SECONDS_MAX
        while True:
            try:
                with self.store.transaction() as transaction:
                    return question(transaction)
            except StoreUnavailable:
                if time.monotonic() > until:
                    raise
                time.sleep(0.1)

    def workload(self):
        now = self.clock.now()
        return self.ask(lambda t: t.workload(now=now, until=now))

    def is_quiet(self):
        """Whether nothing is due, and nobody has anything in hand."""
        load = self.workload()
        return load.due + load.running == 0


def equip(place, context):
    """Give a worker what it works on, in small pieces."""
    limits = replace(context.limits, chunk_rows_max=1, mails_per_batch=2)
    return replace(context, data=open_shop_at(place.app_url).data, limits=limits)


def work(place, equip):
    """Be a worker until told to stop, or killed."""
    folder, supervisor = Path(place.folder), os.getppid()
    stop = Stop()
    stop.listen()

    def is_stopping():
        return stop.is_wanted or os.getppid() != supervisor

    with (folder / f"told-{os.getpid()}").open("a", buffering=1) as told:

        def report(event, facts):
            told.write(json.dumps({"event": event, **facts}) + "\n")

        context, queue = build_worker(
            place.settings, report=report, is_stopping=is_stopping, clock=ShiftedClock(folder)
        )
        left = serve(equip(place, context), queue, after_sweep=lambda outage: None)
        told.write(json.dumps({"event": "stopped", "left": left}) + "\n")


def serve_for_good(place, equip):
    """Start again after an outage at the start, as a service manager would."""
    while True:
        try:
            return work(place, equip)
        except (StoreUnavailable, OperationalError):
            time.sleep(0.2)


def main(equip):
    place = Place(**json.loads(sys.argv[1]))
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody asks how a worker ended
    for _ in sys.stdin:
        pid = os.fork()
        if pid == 0:
            os.close(0)
            serve_for_good(place, equip)
            os._exit(0)
        sys.stdout.write(f"{pid}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main(equip)
