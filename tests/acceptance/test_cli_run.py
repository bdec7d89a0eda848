"""`offramp run`: what is due is carried out, with real mail; trouble is shown and mended."""

import signal
from contextlib import contextmanager

import pytest
import sqlalchemy as sa

from offramp.bootstrap import build
from offramp.config import load_settings
from offramp.engine.sweep import tick
from tests.acceptance.installation import DATAMAP, LEAVING, MEMBER, SIBLING

# Ten people of the company, its four administrators once more because the first warning was
# missed, and three people of another company who lost their only seat.
MAILS = 10 + 4 + 3


def accepted(installation):
    return installation.step(LEAVING, "achievements")["deliveries"].get("accepted", 0)


def test_a_run_carries_out_what_is_due_and_says_so(installation, smtp):  # A3
    happened = installation.ask("run")["happened"]

    of_the_company = [(each["step"], each["status"]) for each in happened if not each["member"]]
    assert of_the_company == [
        ("expiring-soon", "missed"),
        ("stage:expired", "done"),
        ("achievements", "done"),
        ("expiring-soon.instead", "done"),
    ]
    assert {each["organization"] for each in happened} == {LEAVING, "3"}
    assert accepted(installation) == 10
    assert len(smtp.messages) == MAILS


def test_a_second_run_has_nothing_to_do(installation, smtp):
    installation.say("run", "--until-quiet")
    before = len(smtp.messages)

    printed = installation.say("run", "--once")

    assert "nothing was due" in printed
    assert len(smtp.messages) == before


def test_a_mail_server_that_is_down_is_shown_and_waited_for(installation, smtp):
    smtp.down()
    first = installation.run("run")
    shown = installation.say("status", LEAVING)
    trouble = installation.step(LEAVING, "achievements")
    smtp.up()

    installation.let_a_day_pass_for_retries()
    installation.say("run")

    assert first.code == 0
    assert "achievements failed (MailerUnavailable)" in first.out
    assert "MailerUnavailable, attempts: 1" in " ".join(shown.replace("│", " ").split())
    assert (trouble["status"], trouble["attempts"]) == ("failed", 1)
    assert trouble["until"] is not None
    assert installation.step(LEAVING, "achievements")["status"] == "done"
    assert accepted(installation) == 10
    assert (
        len({mail.message["Message-ID"] for mail in smtp.messages}) == len(smtp.messages) == MAILS
    )


def test_an_address_that_is_refused_is_counted_and_stops_nobody(installation, smtp):  # A4
    smtp.refuse("siobhan.ohara@ohara-mueller.example", 550)

    installation.say("run")

    assert installation.step(LEAVING, "achievements")["deliveries"] == {
        "accepted": 9,
        "refused": 1,
    }


def test_a_worker_goes_on_until_it_is_terminated(installation, smtp):
    worker = installation.start("run", "--every", "60")
    first = worker.stdout.readline()

    worker.send_signal(signal.SIGTERM)
    rest, trouble = worker.communicate(timeout=30)

    assert worker.returncode == 0, trouble
    assert "expiring-soon missed" in first + rest
    assert installation.ask("ledger", "verify")["entries"] > 0


def test_a_worker_that_should_stop_finishes_its_step_and_gives_the_rest_back(
    installation, smtp, monkeypatch
):
    monkeypatch.setenv("TRAINING_DATABASE_URL", installation.environment["TRAINING_DATABASE_URL"])
    steps = []

    def report(event, facts):
        if event == "step":
            steps.append(facts["step"])

    settings = load_settings(
        folder=installation.folder / "offramp-data",
        datamap=DATAMAP,
        mail_host=smtp.host,
        mail_port=smtp.port,
        mail_security="none",
    )
    context = build(settings, report=report, is_stopping=lambda: len(steps) == 2)
    tick(context)

    rest = [each["step"] for each in installation.ask("run")["happened"]]

    assert steps == ["expiring-soon", "stage:expired"]
    assert "achievements" in rest
    assert "stage:expired" in rest  # of those whose turn had not come
    assert len(smtp.messages) == MAILS


@contextmanager
def shut(server, database):
    """Cut every connection to a database and take no new one."""
    engine = sa.create_engine(server, isolation_level="AUTOCOMMIT")
    allow = sa.DDL(f'ALTER DATABASE "{database}" ALLOW_CONNECTIONS %(is_allowed)s')
    with engine.connect() as connection:
        connection.execute(sa.DDL(allow.statement, context={"is_allowed": "false"}))
        connection.execute(
            sa.text("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = :name"),
            {"name": database},
        )
        yield
        connection.execute(sa.DDL(allow.statement, context={"is_allowed": "true"}))
    engine.dispose()


def test_a_worker_waits_out_a_store_that_is_down(vendor, postgres_server, postgres_url):
    vendor.settings["OFFRAMP_DATABASE_URL"] = postgres_url
    vendor.say("init")
    vendor.say("import", *vendor.rosters)
    worker = vendor.start("run", "--every", "1")
    worker.stdout.readline()
    with shut(postgres_server, sa.make_url(postgres_url).database):
        told = worker.stderr.readline()
    vendor.say("member", "remove", SIBLING, MEMBER)

    later = next(line for line in worker.stdout if f"{SIBLING} / {MEMBER}" in line)
    worker.terminate()
    worker.communicate(timeout=30)

    assert "The store cannot be reached" in told
    assert "stage:expired done" in later
    assert worker.returncode == 0


def test_a_worker_does_not_begin_without_its_store(installation):
    installation.settings["OFFRAMP_DATABASE_URL"] = "postgresql://anna:hunter2@127.0.0.1:1/offramp"

    finished = installation.run("run", "--every", "1")

    assert finished.code == 5
    assert "hunter2" not in finished.err


@pytest.mark.parametrize("interval", ["0", "-5", "soon"])
def test_an_interval_that_is_none_is_refused(installation, interval):
    finished = installation.run("run", "--every", interval)

    assert finished.code == 2
    assert "--every" in finished.err


def test_ways_to_run_exclude_each_other(installation):
    finished = installation.run("run", "--once", "--until-quiet")

    assert finished.code == 2
    assert "--once and --until-quiet exclude each other." in finished.err


def test_a_run_cannot_be_told_what_time_it_is(installation):
    finished = installation.run("run", "--at", "2030-01-01T00:00:00Z")

    assert finished.code == 2
    assert "--at" in finished.err


def test_a_dry_run_says_what_is_due_and_does_none_of_it(installation, smtp):  # L27
    before = installation.contents()

    due = installation.ask("run", "--dry-run")["due"]

    company = {each["step"]: each["would"] for each in due if each["member"] is None}
    assert company == {
        "expiring-soon": ["record that its use has passed"],
        "stage:expired": ["announce the stage expired", "end every open session"],
        "achievements": ["write to the members: achievements"],
    }
    assert smtp.messages == []
    assert installation.contents() == before


def test_a_dry_run_is_not_asked_for_together_with_a_real_one(installation):
    refused = installation.run("run", "--dry-run", "--until-quiet")

    assert refused.code == 2
    assert "--until-quiet and --dry-run exclude each other" in refused.err
