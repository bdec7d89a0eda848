"""A worker that is watched: metrics, health, readiness and its log, from outside of the process."""

import json
import re
import signal
import sqlite3
import time
import urllib.error
import urllib.request
from contextlib import closing, contextmanager

import pytest
import sqlalchemy as sa
from prometheus_client.parser import text_string_to_metric_families

from offramp.adapters.report_structlog import TOLD
from tests.acceptance.test_cli_run import shut

PATIENCE_SECONDS = 30
ANY_PORT = "127.0.0.1:0"


class Watched:
    """A worker that was told to listen, and how its answers look."""

    def __init__(self, process, url):
        self.process, self.url = process, url

    def ask(self, page):
        """Give status and body of one page."""
        try:
            with urllib.request.urlopen(self.url + page, timeout=PATIENCE_SECONDS) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as refused:
            with refused:
                return refused.status, refused.read().decode()

    def is_ok(self, page):
        return self.ask(page)[0] == 200

    def values(self):
        """Give every sample by its name and labels."""
        return {
            (sample.name, *sample.labels.values()): sample.value
            for family in text_string_to_metric_families(self.ask("/metrics")[1])
            for sample in family.samples
        }

    def when(self, condition):
        """Wait until a condition on the values holds, and give them."""
        return until(self.values, condition)

    def stop(self):
        """End the worker; give what it printed and logged since it began to listen."""
        self.process.send_signal(signal.SIGTERM)
        printed, logged = self.process.communicate(timeout=PATIENCE_SECONDS)
        assert self.process.returncode == 0, logged
        return printed, logged


def until(look, condition):
    end = time.monotonic() + PATIENCE_SECONDS
    while not condition(seen := look()):
        assert time.monotonic() < end, seen
        time.sleep(0.1)
    return seen


@contextmanager
def watched(installation, *options):
    """Start a worker that listens on some port, and end it."""
    process = installation.start("run", "--every", "1", "--listen", ANY_PORT, *options)
    is_logged = "--log" in options
    line = (process.stderr if is_logged else process.stdout).readline()
    try:
        yield Watched(process, re.search(r"http://[\d.:]+", line).group())
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
        process.stderr.close()


def done(values):
    waiting = [values[(f"offramp_offboardings_{state}",)] for state in ("due", "running")]
    return values[("offramp_steps_total", "notify", "done")] > 0 and not any(waiting)


def test_what_a_worker_does_is_seen_from_outside_while_it_does_it(installation, smtp):
    with watched(installation) as worker:
        values = worker.when(done)
        answers = [worker.ask(page) for page in ("/healthz", "/readyz")]
        printed, _ = worker.stop()

    assert values[("offramp_store_up",)] == 1
    assert values[("offramp_lag_seconds",)] == 0
    assert values[("offramp_claims_total",)] >= 2
    assert values[("offramp_steps_total", "access", "done")] >= 2
    assert values[("offramp_steps_total", "notify", "missed")] == 1
    assert values[("offramp_step_seconds_count", "notify")] >= 2
    assert values[("offramp_sweep_seconds_count",)] >= 1
    assert not [name for name, *_ in values if name.endswith("_created")]
    assert [status for status, _ in answers] == [200, 200]
    assert [json.loads(body) for _, body in answers][1] == {"is_ready": True, "has_datamap": True}
    assert "achievements done" in printed


def test_why_steps_fail_is_counted_and_what_waits_is_shown(installation, smtp):
    smtp.down()

    with watched(installation) as worker:
        values = worker.when(lambda now: now.get(("offramp_steps_in_trouble", "failed")))

    assert values[("offramp_step_troubles_total", "notify", "MailerUnavailable")] >= 1
    assert values[("offramp_steps_total", "notify", "failed")] >= 1


def test_without_its_store_a_worker_lives_and_is_not_ready(vendor, postgres_server, postgres_url):
    vendor.settings["OFFRAMP_DATABASE_URL"] = postgres_url
    vendor.say("init")
    vendor.say("import", *vendor.rosters)
    with watched(vendor) as worker:
        until(lambda: worker.is_ok("/readyz"), bool)
        with shut(postgres_server, sa.make_url(postgres_url).database):
            down = worker.when(lambda now: now.get(("offramp_outages_total", "StoreUnavailable")))
            ready, health = worker.ask("/readyz"), worker.ask("/healthz")
        until(lambda: worker.is_ok("/readyz"), bool)
        up = worker.when(lambda now: now[("offramp_store_up",)])

    assert (ready[0], health[0]) == (503, 200)
    assert json.loads(ready[1]) == {"is_ready": False, "reason": "StoreUnavailable"}
    assert down[("offramp_store_up",)] == 0
    assert ("offramp_lag_seconds",) not in down
    assert ("offramp_lag_seconds",) in up


def test_without_the_file_of_its_store_a_worker_lives_and_is_not_ready(installation, smtp):
    elsewhere = installation.folder / "elsewhere.sqlite"
    with watched(installation) as worker:
        worker.when(done)
        installation.store.rename(elsewhere)
        down = worker.when(lambda now: now.get(("offramp_outages_total", "StoreUnavailable")))
        answers = [worker.ask(page)[0] for page in ("/readyz", "/healthz")]
        elsewhere.rename(installation.store)
        until(lambda: worker.is_ok("/readyz"), bool)

    assert down[("offramp_store_up",)] == 0
    assert answers == [503, 200]


def test_a_store_that_another_version_has_changed_makes_a_worker_not_ready(installation, smtp):
    with watched(installation) as worker:
        worker.when(done)
        installation.change("UPDATE alembic_version SET version_num = ?", "9999")
        status, body = worker.ask("/readyz")

    assert status == 503
    assert json.loads(body)["reason"] == "StoreVersionDiffers"


def test_each_thing_that_happens_is_one_line_of_json(installation, smtp):
    with watched(installation, "--log", "json") as worker:
        worker.when(done)
        printed, logged = worker.stop()

    lines = [json.loads(line) for line in logged.splitlines()]
    steps = [line for line in lines if line["event"] == "step"]
    assert printed == ""
    assert {"claim", "step", "sweep"} <= {line["event"] for line in lines}
    assert {name for line in lines for name in line} <= set(TOLD)
    assert set(steps[0]) >= {*("at", "level", "offboarding", "attempt"), *("action", "status")}
    assert [line["at"] for line in lines] == sorted(line["at"] for line in lines)


def people_of(installation):
    """Give every name and address in the store: of members, and of organizations."""
    with closing(sqlite3.connect(installation.store)) as connection:
        members = connection.execute("SELECT email, name FROM member").fetchall()
        organizations = connection.execute("SELECT name FROM organization").fetchall()
    return {text for row in (*members, *organizations) for text in row if text}


def test_nobody_is_named_in_anything_that_is_watched(installation, smtp):
    smtp.refuse("siobhan.ohara@ohara-mueller.example", 550)
    smtp.down()
    people = people_of(installation)

    with watched(installation, "--log", "json") as worker:
        worker.when(lambda now: now.get(("offramp_steps_in_trouble", "failed")))
        smtp.up()
        installation.let_a_day_pass_for_retries()
        worker.when(done)
        seen = [worker.ask(page)[1] for page in ("/metrics", "/healthz", "/readyz", "/nothing")]
        _, logged = worker.stop()

    assert len(people) > 20
    everything = "\n".join([*seen, logged]).casefold()
    assert "offramp_steps_total" in everything
    assert "mailerunavailable" in everything
    assert '"event": "step"' in everything
    assert [name for name in people if name.casefold() in everything] == []


def test_where_to_listen_and_how_to_log_can_be_settings(installation, smtp):
    installation.settings |= {"OFFRAMP_LISTEN": ANY_PORT, "OFFRAMP_LOG": "json"}
    process = installation.start("run", "--every", "60")

    first = json.loads(process.stderr.readline())
    process.terminate()
    process.communicate(timeout=PATIENCE_SECONDS)

    assert first["event"] == "listening"
    assert first["address"].startswith("http://127.0.0.1:")


@pytest.mark.parametrize(
    ("options", "code", "told"),
    [
        (("--listen", ANY_PORT), 2, "--every has to be given"),
        (("--log", "json", "--once"), 2, "--every has to be given"),
        (("--every", "1", "--log", "xml"), 2, "xml"),
        (("--every", "1", "--listen", "nowhere"), 2, "nowhere is not an address to listen on"),
        (("--every", "1", "--listen", "127.0.0.1:70000"), 2, "not an address"),
        (("--every", "1", "--listen", "192.0.2.1:9464"), 5, "cannot be listened on"),
    ],
)
def test_what_cannot_be_watched_is_refused(installation, options, code, told):
    finished = installation.run("run", *options)

    assert finished.code == code
    assert told in finished.err


def test_a_port_that_is_taken_is_told(installation, smtp):
    with watched(installation) as worker:
        port = worker.url.rpartition(":")[2]
        finished = installation.run("run", "--every", "1", "--listen", port)

    assert finished.code == 5
    assert f"The address {port} cannot be listened on" in finished.err
