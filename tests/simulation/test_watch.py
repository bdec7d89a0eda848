"""What is told of the work, as those hear it who count and who write it down."""

import io
import json
from dataclasses import replace

import pytest
from prometheus_client.parser import text_string_to_metric_families
from whenever import Instant

from offramp.adapters.report_prometheus import PrometheusReport
from offramp.adapters.report_structlog import StructlogReport
from offramp.cli.service import Everybody
from offramp.core.errors import Broken
from offramp.core.policy import Action
from offramp.engine.sweep import run_until_quiet
from offramp.engine.watch import measure
from offramp.ports import StoreUnavailable
from offramp.testing.world import PlainComposer
from tests.simulation.stories import open_world

POLICY = "license-pool"
AFTER_THE_END = Instant.from_utc(2024, 9, 23, 12)


class LedgerTorn(Broken):
    """An invariant failed for {name}."""


class IndiscreetComposer(PlainComposer):
    """Fails with the name and the address of whoever it writes to."""

    def __init__(self, error):
        self.error = error

    def compose(self, facts, *, member, **given):
        raise self.error(f"{member.name} <{member.email}>")


class Heard:
    """A world whose work is counted and written down."""

    def __init__(self, app, **options):
        self.world = open_world(app, POLICY, **options)
        self.metrics = PrometheusReport(version="0")
        self.stream = io.StringIO()
        log = StructlogReport(clock=self.world.clock, stream=self.stream)
        self.events = []
        everybody = Everybody(reports=[self.metrics, log, lambda *told: self.events.append(told)])
        self.context = replace(self.world.context, report=everybody)

    def work(self):
        self.world.lie_still_until(AFTER_THE_END)
        run_until_quiet(self.context)

    @property
    def lines(self):
        return [json.loads(line) for line in self.stream.getvalue().splitlines()]

    def text(self):
        load = measure(self.context)
        return self.metrics.text(load.workload, is_paused=load.is_paused, now=load.at).decode()

    def total(self, name, **labels):
        return sum(
            sample.value
            for family in text_string_to_metric_families(self.text())
            for sample in family.samples
            if sample.name == name and labels.items() <= sample.labels.items()
        )


def test_every_step_is_told_with_its_action_its_attempt_and_how_long_it_took(app):
    heard = Heard(app)

    heard.work()

    steps = [facts for event, facts in heard.events if event == "step"]
    actions = {facts["step"]: facts["action"] for facts in steps}
    assert actions["stage:expired"] == "access"
    assert actions["achievements"] == "notify"
    assert actions["company-data"] == "export"
    assert all(facts["attempt"] >= 1 and facts["seconds"] > 0 for facts in steps)


def test_the_counts_of_metrics_and_log_agree(app):
    heard = Heard(app)

    heard.work()

    done = [line for line in heard.lines if line["event"] == "step" and line["status"] == "done"]
    claims = [line for line in heard.lines if line["event"] == "claim"]
    assert len(done) == heard.total("offramp_steps_total", status="done") > 0
    assert len(claims) == heard.total("offramp_claims_total") > 0
    assert {facts["action"] for event, facts in heard.events if event == "step"} <= set(Action)


def unforeseen(text):
    return ZeroDivisionError(text)


def broken(text):
    return LedgerTorn(name=text)


def test_what_is_put_off_because_of_an_outage_is_no_mistake(app):
    heard = Heard(app)
    outages = [StoreUnavailable(reason="somebody else is holding what is needed")]

    def fail_once(point):
        if point == "settled uncommitted" and outages:
            raise outages.pop()

    heard.world.watch = fail_once
    heard.work()

    (told,) = [line for line in heard.lines if line["event"] == "postponed"]
    assert (told["level"], told["error"]) == ("warning", "StoreUnavailable")
    assert heard.total("offramp_claims_postponed_total", error="StoreUnavailable") == 1
    assert heard.total("offramp_unexpected_errors_total") == 0


@pytest.mark.parametrize(
    ("error", "event", "counted"),
    [
        (
            unforeseen,
            "unexpected",
            ("offramp_unexpected_errors_total", "error", "ZeroDivisionError"),
        ),
        (broken, "stopped", ("offramp_stops_total", "reason", "LedgerTorn")),
    ],
)
def test_what_goes_wrong_is_told_by_kind_and_place_and_names_nobody(app, error, event, counted):
    heard = Heard(app, composer=IndiscreetComposer(error))

    heard.work()

    told = [line for line in heard.lines if line["event"] == event]
    everything = (heard.stream.getvalue() + heard.text()).casefold()
    assert told
    assert all(line["level"] == "error" and line["offboarding"] for line in told)
    assert heard.total(counted[0], **{counted[1]: counted[2]}) == len(told)
    assert [word for word in ("@", "anna", "acme.example") if word in everything] == []


def test_a_mistake_is_told_with_the_places_it_came_through(app):
    heard = Heard(app, composer=IndiscreetComposer(unforeseen))

    heard.work()

    frames = next(line["frames"] for line in heard.lines if line["event"] == "unexpected")
    assert frames[0].startswith("test_watch.py, line ")
    assert frames[0].endswith(", compose")
    assert any(frame.startswith("sweep.py, line ") for frame in frames)
