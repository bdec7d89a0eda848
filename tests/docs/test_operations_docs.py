"""docs/operations.md describes every metric, field and page that there is, and nothing else."""

import json
import re
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families
from ruamel.yaml import YAML
from whenever import Instant

from offramp.adapters.report_prometheus import PrometheusReport
from offramp.adapters.report_structlog import TOLD
from offramp.engine.watch import Pulse
from offramp.ports import EndpointLoad, Happening, Workload
from offramp.testing.world import World
from offramp.web.monitor import Monitor

PAGE = (Path(__file__).parents[2] / "docs" / "operations.md").read_text("utf-8")
NOW = Instant.from_utc(2024, 8, 31)
STEP = {"action": "erase", "status": "held", "reason": "a hold is in force", "seconds": 1}
EVENTS = {
    Happening.STEP: STEP,
    Happening.POSTPONED: {"error": "LockTimeout"},
    Happening.STOPPED: {"reason": "LedgerBroken"},
    Happening.UNEXPECTED: {"error": "KeyError"},
    Happening.UNAVAILABLE: {"error": "StoreUnavailable"},
    Happening.PARCEL: {"endpoint": "crm", "status": "waiting"},
}
OURS = re.compile(r"\bofframp_[a-z_]+")
ROW = re.compile(r"^\| `(offramp_[a-z_]+)` \|", re.MULTILINE)
YAML_BLOCK = re.compile(r"^```yaml\n(.*?)^```", re.MULTILINE | re.DOTALL)
JSON_BLOCK = re.compile(r"^```json\n(.*?)^```", re.MULTILINE | re.DOTALL)


def families():
    """Give every metric of ours, each with a sample for each of its labels."""
    report = PrometheusReport(version="0")
    for event, facts in EVENTS.items():
        report(event, facts)
    endpoints = {"crm": EndpointLoad()}
    written = report.text(Workload(), is_paused=False, now=NOW, endpoints=endpoints)
    text = written.decode()
    return [each for each in text_string_to_metric_families(text) if each.name.startswith("off")]


def name_of(family):
    return f"{family.name}_total" if family.type == "counter" else family.name


def row(family):
    """Write the row of a metric as the page has it."""
    labels = dict.fromkeys(label for each in family.samples for label in each.labels)
    shown = " ".join(f"`{label}`" for label in labels if label != "le")
    return f"| `{name_of(family)}` | {family.type} | {shown} | {family.documentation} |"


FAMILIES = families()
SAMPLES = {sample.name for family in FAMILIES for sample in family.samples}
RULES = next(
    rules["groups"][0]["rules"]
    for rules in map(YAML(typ="safe").load, YAML_BLOCK.findall(PAGE))
    if "groups" in rules
)
LINES = [json.loads(line) for block in JSON_BLOCK.findall(PAGE) for line in block.splitlines()]


@pytest.mark.parametrize("family", FAMILIES, ids=name_of)
def test_every_metric_is_described_with_its_type_and_labels(family):
    assert row(family) in PAGE


def test_no_metric_is_described_that_does_not_exist():
    assert set(ROW.findall(PAGE)) == {name_of(family) for family in FAMILIES}


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["alert"])
def test_every_alert_asks_for_metrics_and_labels_that_exist(rule):
    named = set(OURS.findall(rule["expr"]))
    known = {
        (label, value)
        for family in FAMILIES
        for sample in family.samples
        for label, value in sample.labels.items()
    }
    asked = {
        (label, value)
        for label, values in re.findall(r'(\w+)=~?"([^"]+)"', rule["expr"])
        for value in values.split("|")
        if label != "job"
    }

    assert named <= SAMPLES
    assert named or "up{" in rule["expr"]
    assert asked <= known
    assert rule["annotations"]["summary"].endswith((".", "?"))


def test_every_trouble_has_an_alert():
    asked = {name for rule in RULES for name in OURS.findall(rule["expr"])}

    assert asked >= {
        *("offramp_store_up", "offramp_lag_seconds", "offramp_offboardings_stopped"),
        *("offramp_steps_in_trouble", "offramp_unexpected_errors_total"),
        *("offramp_events_retried", "offramp_events_failed", "offramp_endpoint_disabled"),
    }


@pytest.mark.parametrize("field", TOLD)
def test_every_field_of_the_log_is_described(field):
    described = PAGE.partition("| field | holds |")[2].partition("### ")[0]

    assert re.search(rf"^\|.*`{field}`.*\|.*\|$", described, re.MULTILINE)


@pytest.mark.parametrize("event", Happening)
def test_everything_that_is_told_is_described(event):
    described = PAGE.partition("| event | when |")[2]

    assert re.search(rf"^\|[^|]*`{event}`", described, re.MULTILINE)


@pytest.mark.parametrize("line", LINES, ids=lambda line: line["event"])
def test_the_lines_that_are_shown_are_such_as_are_written(line):
    assert list(line) == [field for field in TOLD if field in line]
    assert line["event"] in set(Happening)


@pytest.mark.parametrize("path", re.findall(r"^\| `(/[a-z]+)` \|", PAGE, re.MULTILINE))
def test_every_page_that_is_described_is_answered(path):
    context = World(NOW).context
    metrics, pulse = PrometheusReport(version="0"), Pulse(elapsed=lambda: 0.0)

    answer = Monitor(context, metrics=metrics, pulse=pulse).answer("GET", path)

    assert answer.status == 200
