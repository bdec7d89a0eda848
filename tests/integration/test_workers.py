"""Real workers on one PostgreSQL, in trouble while organizations leave (L31, L32, L42).

Organizations leave from the first notice to the last certificate; whatever befalls the workers on
the way, every step is done once, in the end nothing is left, and mail is repeated only where nobody
can know whether it was taken, under the same id. A few kills run with all other tests;
``KILLS=500 SEED=17`` in the environment runs as many as one likes under load.
"""

import os
import random
import signal
import sys
import time
from collections import Counter

import pytest
import sqlalchemy as sa
from whenever import Instant

from offramp.bootstrap import build
from offramp.core.ledger import verify_chain
from offramp.core.transitions import OffboardingStatus, StepStatus
from offramp.engine.offboarding import register
from offramp.engine.publication import publish
from offramp.ports import StoreUnavailable
from offramp.testing.postgres import SETTINGS, fresh_database, running_postgres
from offramp.testing.smtp import SmtpCatcher
from tests.integration.crew import LEASE_SECONDS, STEPS, Crew, Place
from tests.integration.waiting import eventually
from tests.simulation import shop
from tests.simulation.stories import POLICIES, START

SEED = int(os.environ.get("SEED", "17"))
KILLS = int(os.environ.get("KILLS", "10"))
TROUBLES = 3
WORKERS = 4
POLICY = "license-pool"
STEPS_OF_ONE, MAILS_OF_ONE = 5, 1 + 4 + 1 + 1
END = Instant.from_utc(2025, 1, 1)


@pytest.fixture
def catcher():
    with SmtpCatcher() as catcher:
        yield catcher


@pytest.fixture(scope="module")
def server():
    """Run a PostgreSQL that may be treated badly."""
    with running_postgres(settings={**SETTINGS, "max_connections": "120"}) as base_url:
        yield base_url


@pytest.fixture
def crew(server, tmp_path, catcher):
    with fresh_database(server) as store_url, fresh_database(server) as app_url:
        place = Place(folder=str(tmp_path), store_url=store_url, app_url=app_url, port=catcher.port)
        with Crew(place) as crew:
            crew.clock.set_to(START)
            yield crew


class Exodus:
    """Organizations that leave on the same day, and what has to be true once they are gone."""

    def __init__(self, crew, catcher, *, number):
        self.crew, self.catcher = crew, catcher
        self.slugs = [f"slug{index}" for index in range(number)]
        self.app = shop.open_shop_at(crew.place.app_url)
        self.app.fill(*self.slugs)
        context = build(
            crew.place.settings, store=crew.store, clock=crew.clock, report=lambda *_: None
        )
        publish(context, POLICIES[POLICY])
        register(
            context,
            organizations=[shop.organization(slug) for slug in self.slugs],
            pools=[shop.pool(slug) for slug in self.slugs],
            members=[member for slug in self.slugs for member in shop.members(slug)],
        )

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.app.engine.dispose()
        self.app.data.sources["app"].close()

    def happen(self, meanwhile):
        """Let the clock jump from one due date to the next, until nothing more is due."""
        until = time.monotonic() + 60 + 3 * len(self.slugs)
        while True:
            while not self.crew.is_quiet():
                assert time.monotonic() < until, self.crew.workload()
                meanwhile()
            due_at = self.crew.ask(lambda t: t.next_due_at())
            if due_at is None or due_at > END:
                return
            self.crew.clock.set_to(max(due_at, self.crew.clock.now()))

    def require_done_once(self, *, repeats_max):
        """Require that all is done, by one receipt each; says how many mails were repeated."""
        ask, number = self.crew.ask, len(self.slugs)
        rows = ask(lambda t: t.offboardings())
        steps = [step for row in rows for step in ask(lambda t, row=row: t.steps(row.id))]
        entries, head = ask(lambda t: (t.ledger(), t.ledger_head()))
        verify_chain(entries, key=self.crew.ledger_key, heads=[head])
        assert {row.status for row in rows} == {OffboardingStatus.COMPLETED}
        assert {step.status for step in steps} == {StepStatus.DONE}
        done = [(e.event.offboarding, e.event.step) for e in entries if e.event.kind == "step-done"]
        assert len(done) == len(set(done)) == number * STEPS_OF_ONE
        self.app.engine.dispose()  # its connections may have been cut as well
        assert sum(self.app.total(slug) for slug in self.slugs) == 0
        copies = Counter(
            (caught.message["Message-ID"], caught.recipients[0]) for caught in self.catcher.messages
        )
        assert len(copies) == len({name for name, _ in copies}) == number * MAILS_OF_ONE
        repeated = copies.total() - len(copies)
        assert repeated <= repeats_max
        return repeated


class Trouble:
    """Befalls the workers while they are busy, so many times; watches for claims nobody has."""

    def __init__(self, crew, *, times, befall):
        self.crew, self.left, self.befall = crew, times, befall
        self.chance = random.Random(SEED)
        self.longest_free_seconds = 0.0

    def __call__(self):
        time.sleep(self.chance.uniform(0.02, 0.5))
        self._look_for_lost_claims()
        if self.left:
            self.left -= 1
            self.befall(self.crew, self.chance)

    def _look_for_lost_claims(self):
        now = self.crew.clock.now()
        oldest = self.crew.ask(lambda t: t.workload(now=now, until=now)).lost and self._oldest(now)
        self.longest_free_seconds = max(self.longest_free_seconds, oldest)

    def _oldest(self, now):
        rows = self.crew.ask(lambda t: t.offboardings(status=OffboardingStatus.OPEN))
        free = [(now - row.lease_until).total("seconds") for row in rows if row.lease_until]
        return max([0.0, *free])


def kill(crew, chance):
    crew.kill(chance.choice(crew.pids))
    crew.hire()


def freeze(crew, chance):
    """Stop a worker for longer than its claims last, and let it go on as if nothing had been."""
    pid = chance.choice(crew.pids)
    os.kill(pid, signal.SIGSTOP)
    time.sleep(LEASE_SECONDS * 1.5)
    os.kill(pid, signal.SIGCONT)


def cut(crew, _chance):
    """Cut every connection to the store, in the middle of whatever it is."""
    others = "pid <> pg_backend_pid() AND datname = current_database()"
    with crew.engine.connect() as connection:
        connection.execute(
            sa.text(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {others}")
        )


def crash(crew, _chance):
    """Let the whole server of store and application die of one of its processes."""
    with crew.engine.connect() as connection:
        pid = connection.scalar(sa.text("SELECT pg_backend_pid()"))
        os.kill(pid, signal.SIGKILL)
        connection.invalidate()
    eventually(lambda: _answers(crew))


def _answers(crew):
    try:
        return crew.ask(lambda t: True)
    except StoreUnavailable:
        return False


@pytest.mark.parametrize(
    ("befall", "times"),
    [(kill, KILLS), (freeze, TROUBLES), (cut, TROUBLES), (crash, TROUBLES)],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_whatever_befalls_the_workers_every_step_is_done_once(crew, catcher, befall, times):
    """L18, L31, L32, L42."""
    with Exodus(crew, catcher, number=max(8, times)) as exodus:
        for _ in range(WORKERS):
            crew.hire()
        trouble = Trouble(crew, times=times, befall=befall)

        exodus.happen(trouble)

        repeated = exodus.require_done_once(repeats_max=times * WORKERS * STEPS)
        sys.stderr.write(
            f"{befall.__name__}: {times - trouble.left} times, {repeated} mails repeated, "
            f"no claim was free for longer than {trouble.longest_free_seconds:.1f} s\n"
        )
        assert trouble.left == 0
        assert trouble.longest_free_seconds < 2 * LEASE_SECONDS


def queued(crew):
    """Count what was handed to the queue, and has not been taken out of it."""
    waiting = sa.text("SELECT count(*) FROM dbos.workflow_status WHERE status = 'ENQUEUED'")
    with crew.engine.connect() as connection:
        return connection.scalar(waiting)


def test_workers_that_are_asked_to_stop_leave_nothing_behind(crew, catcher):
    """Their claims are free at once, and others go on with them."""
    with Exodus(crew, catcher, number=8) as exodus:
        crew.clock.set_to(Instant.from_utc(2024, 8, 16, 9))
        first = [crew.hire() for _ in range(2)]
        eventually(lambda: crew.told())
        eventually(lambda: not queued(crew))  # what nobody has taken yet, nobody can leave
        for pid in first:
            crew.dismiss(pid)

        stopped = eventually(
            lambda: (
                len(left := [e["left"] for e in crew.told() if e["event"] == "stopped"]) == 2
                and left
            )
        )

        assert stopped == [0, 0]
        assert crew.workload().running == 0
        crew.hire()
        exodus.happen(lambda: time.sleep(0.1))
        exodus.require_done_once(repeats_max=0)


def test_workers_go_on_while_a_newer_version_adds_to_the_tables(crew, catcher):
    """An upgrade begins with its migration; the workers of the old version still run then."""
    with Exodus(crew, catcher, number=8) as exodus:
        for _ in range(2):
            crew.hire()
        names = iter(("first", "second", "third"))

        def migrate():
            time.sleep(0.2)
            if name := next(names, None):
                with crew.engine.begin() as connection:
                    for table in ("offboarding", "step", "delivery"):
                        connection.execute(sa.text(f"ALTER TABLE {table} ADD COLUMN {name} text"))

        exodus.happen(migrate)

        exodus.require_done_once(repeats_max=0)


def test_what_waits_for_months_waits_in_the_schedule_alone(crew, catcher):
    """L5: when everything that is due is done, the queue is empty, and a date is left."""
    with Exodus(crew, catcher, number=4):
        crew.clock.set_to(Instant.from_utc(2024, 8, 16, 9))
        crew.hire()
        eventually(crew.is_quiet)

        with crew.engine.connect() as connection:
            unfinished = sa.text(
                "SELECT count(*) FROM dbos.workflow_status WHERE completed_at IS NULL"
            )
            eventually(lambda: connection.scalar(unfinished) == 0)

        due_at = crew.ask(lambda t: t.next_due_at())
        assert due_at == Instant.parse_iso("2024-08-30T23:00:00Z")
