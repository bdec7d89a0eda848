"""What happens is counted under closed labels, and the store's numbers stand beside it."""

import pytest
from prometheus_client.parser import text_string_to_metric_families
from whenever import Instant

from offramp.adapters.report_prometheus import PrometheusReport
from offramp.core.due import Reason
from offramp.core.policy import Action
from offramp.core.transitions import StepStatus
from offramp.ports import EndpointLoad, Happening, Workload

NOW = Instant.from_utc(2024, 8, 31)
STEP = {
    "at": "2024-08-31T00:00:00Z",
    "offboarding": "id-0001",
    "attempt": 1,
    "step": "company-data",
    "action": "export",
    "status": "failed",
    "reason": "MailerUnavailable",
    "seconds": 0.2,
}


@pytest.fixture
def report():
    return PrometheusReport(version="1.2.3")


def text_of(report, load=None, *, is_paused=False, **given):
    return report.text(load, is_paused=is_paused, now=NOW, **given).decode()


def samples(report, load=None, **given):
    """Read what is written with the client's own parser: name and labels -> value."""
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(text_of(report, load, **given))
        for sample in family.samples
    }


@pytest.mark.parametrize(
    ("event", "facts", "counted"),
    [
        ("claim", {"offboarding": "id-0001", "attempt": 1}, ("offramp_claims_total",)),
        (
            "overtaken",
            {"offboarding": "id-0001", "attempt": 1},
            ("offramp_claims_overtaken_total",),
        ),
        (
            "postponed",
            {"error": "LockTimeout"},
            ("offramp_claims_postponed_total", "LockTimeout"),
        ),
        ("stopped", {"reason": "LedgerBroken"}, ("offramp_stops_total", "LedgerBroken")),
        (
            "parcel",
            {"endpoint": "crm", "status": "waiting", "reason": "503"},
            ("offramp_events_sent_total", "crm", "waiting"),
        ),
        ("unexpected", {"error": "KeyError"}, ("offramp_unexpected_errors_total", "KeyError")),
        (
            "unavailable",
            {"error": "StoreUnavailable"},
            ("offramp_outages_total", "StoreUnavailable"),
        ),
        (
            "sweep",
            {"claimed": 3, "failed": 0, "seconds": 0.3},
            ("offramp_sweep_seconds_bucket", "0.5"),
        ),
        ("step", STEP, ("offramp_steps_total", "export", "failed")),
        ("step", STEP, ("offramp_step_seconds_count", "export")),
        ("step", STEP, ("offramp_step_troubles_total", "export", "MailerUnavailable")),
    ],
)
def test_each_thing_that_happens_is_counted(report, event, facts, counted):
    before = samples(report)

    report(event, facts)

    assert samples(report)[counted] == before.get(counted, 0) + 1


def test_progress_is_not_counted(report):
    before = samples(report)

    report(Happening.ERASE, {"table": "app.people", "rows": 10})

    after = samples(report)
    assert {name: value for name, value in after.items() if "process_" not in name[0]} == {
        name: value for name, value in before.items() if "process_" not in name[0]
    }


@pytest.mark.parametrize(
    ("told", "label"),
    [
        (Reason.HOLD.value, "hold"),
        (f"{Reason.REST.value}: user.contact, user.content", "rest"),
        ("SourceUnavailable", "SourceUnavailable"),
        ("Anna Byrne <anna@acme.example>", "other"),
        (None, "other"),
    ],
)
def test_a_reason_becomes_a_word_of_a_closed_set(report, told, label):
    report("step", {**STEP, "status": "held", "reason": told})

    assert ("offramp_step_troubles_total", "export", label) in samples(report)


def test_what_ended_well_is_no_trouble_whatever_it_says(report):
    report("step", {**STEP, "action": "retention", "status": "done", "reason": "12 rows"})

    assert not [name for name, *_ in samples(report) if name == "offramp_step_troubles_total"]


def test_every_action_and_status_is_there_before_anything_happens(report):
    counted = [labels for name, *labels in samples(report) if name == "offramp_steps_total"]

    assert {action for action, _ in counted} == set(Action)
    assert {status for _, status in counted} == set(StepStatus) - {"pending", "started", "canceled"}


def test_what_the_store_counts_is_shown_as_it_is_now(report):
    load = Workload(
        due=5,
        lost=1,
        running=2,
        stopped=3,
        coming=7,
        oldest_due_at=NOW.subtract(minutes=2),
        failed=4,
        held=6,
        abandoned=8,
    )

    shown = samples(report, load, is_paused=True)

    gauges = {name: value for name, value in shown.items() if name[0] in STORED}
    assert gauges == {
        ("offramp_lag_seconds",): 120,
        ("offramp_paused",): 1,
        ("offramp_offboardings_due",): 5,
        ("offramp_offboardings_lost",): 1,
        ("offramp_offboardings_running",): 2,
        ("offramp_offboardings_stopped",): 3,
        ("offramp_offboardings_coming",): 7,
        ("offramp_steps_in_trouble", "failed"): 4,
        ("offramp_steps_in_trouble", "held"): 6,
        ("offramp_steps_in_trouble", "abandoned"): 8,
    }


STORED = frozenset(
    {
        *("offramp_lag_seconds", "offramp_paused", "offramp_steps_in_trouble"),
        *(f"offramp_offboardings_{s}" for s in ("due", "lost", "running", "stopped", "coming")),
    }
)


def test_what_there_is_to_bring_to_each_endpoint_is_shown(report):
    endpoints = {
        "crm": EndpointLoad(waiting=3, retried=2, failed=1),
        "pager": EndpointLoad(disabled_at=NOW),
    }

    found = samples(report, Workload(), endpoints=endpoints)

    assert found["offramp_events_waiting", "crm"] == 3
    assert found["offramp_events_retried", "crm"] == 2
    assert found["offramp_events_failed", "crm"] == 1
    assert found["offramp_endpoint_disabled", "crm"] == 0
    assert found["offramp_endpoint_disabled", "pager"] == 1


def test_where_nothing_is_due_there_is_no_lag(report):
    assert samples(report, Workload())[("offramp_lag_seconds",)] == 0


def test_a_store_that_is_down_shows_nothing_rather_than_zero(report):
    shown = samples(report, None)

    assert shown[("offramp_store_up",)] == 0
    assert [name for name, *_ in shown if name in STORED] == []


def test_names_and_types_are_those_that_prometheus_asks_for(report):
    report("step", STEP)
    families = list(text_string_to_metric_families(text_of(report, Workload())))
    ours = [each for each in families if each.name.startswith("offramp_")]

    samples_of = {each.name: {sample.name for sample in each.samples} for each in ours}
    assert all(each.documentation.endswith(".") for each in ours)
    assert all(
        samples_of[each.name] <= {f"{each.name}_total"} for each in ours if each.type == "counter"
    )
    assert not [name for names in samples_of.values() for name in names if "_created" in name]


def test_two_reports_of_one_process_count_apart(report):
    other = PrometheusReport(version="1.2.3")

    report("claim", {})

    assert samples(report)[("offramp_claims_total",)] == 1
    assert samples(other)[("offramp_claims_total",)] == 0
