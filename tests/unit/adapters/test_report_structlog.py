"""The log holds one line for each thing that happened, and only what is chosen by name."""

import io
import json
from contextvars import copy_context

import pytest
from whenever import Instant

from offramp.adapters.report_structlog import TOLD, StructlogReport
from offramp.testing.clock import VirtualClock

NOW = Instant.from_utc(2024, 8, 31, 12)
CLAIM = {"offboarding": "id-0001", "attempt": 2}
STEP = {**CLAIM, "step": "erase", "action": "erase", "status": "done", "reason": None, "seconds": 1}
UNAVAILABLE = {"error": "StoreUnavailable", "problem": "The store cannot be reached: it is down."}


@pytest.fixture
def written():
    """Tell some things, in a context of their own, and give the lines."""

    def tell(*events):
        stream = io.StringIO()
        report = StructlogReport(clock=VirtualClock(NOW), stream=stream)
        for event, facts in events:
            copied.run(report, event, facts)
        return [json.loads(line) for line in stream.getvalue().splitlines()]

    copied = copy_context()
    return tell


def test_a_line_says_what_happened_when_and_to_which_offboarding(written):
    (line,) = written(("step", STEP))

    assert line == {
        "at": "2024-08-31T12:00:00Z",
        "level": "info",
        "event": "step",
        "offboarding": "id-0001",
        "attempt": 2,
        "step": "erase",
        "action": "erase",
        "status": "done",
        "seconds": 1,
    }
    assert list(line) == [name for name in TOLD if name in line]


@pytest.mark.parametrize(
    ("event", "facts", "level"),
    [
        ("step", STEP, "info"),
        ("step", {**STEP, "status": "failed"}, "warning"),
        ("step", {**STEP, "status": "missed"}, "warning"),
        ("step", {**STEP, "status": "abandoned"}, "error"),
        ("claim", CLAIM, "info"),
        ("overtaken", CLAIM, "warning"),
        ("postponed", {**CLAIM, "error": "LockTimeout"}, "warning"),
        ("stopped", {**CLAIM, "reason": "LedgerBroken"}, "error"),
        ("unexpected", {**CLAIM, "error": "KeyError", "frames": ("a",)}, "error"),
        ("unavailable", UNAVAILABLE, "error"),
        ("parcel", {"status": "delivered"}, "info"),
        ("parcel", {"status": "waiting"}, "warning"),
        ("parcel", {"status": "failed"}, "error"),
        ("unprinted", {"papers": 2, "error": "LetterMissing"}, "error"),
        ("heavy", {**CLAIM, "step": "company-data", "bytes": 12_000_000}, "warning"),
    ],
)
def test_what_a_person_should_look_at_has_a_level_of_its_own(written, event, facts, level):
    (line,) = written((event, facts))

    assert line["level"] == level


def test_what_is_not_chosen_by_name_is_not_written(written):
    (line,) = written(("step", {**STEP, "email": "anna@acme.example", "organization": "Acme"}))

    assert "email" not in line
    assert "organization" not in line


def test_what_is_too_large_for_a_mail_is_written_with_its_size(written):
    (line,) = written(("heavy", {"offboarding": "1", "step": "data", "bytes": 12_000_000}))

    assert (line["offboarding"], line["step"], line["bytes"]) == ("1", "data", 12_000_000)


@pytest.mark.parametrize(
    ("event", "facts"),
    [
        ("erase", {"table": "app.people", "rows": 10}),
        ("sweep", {"claimed": 0, "failed": 0, "seconds": 0.1}),
    ],
)
def test_what_happens_all_the_time_is_not_written(written, event, facts):
    assert written((event, facts)) == []


def test_what_is_told_while_a_claim_is_in_hand_belongs_to_it(written):
    *_, outage = written(("claim", CLAIM), ("unavailable", UNAVAILABLE))

    assert (outage["offboarding"], outage["attempt"]) == ("id-0001", 2)


@pytest.mark.parametrize(
    "end", [("sweep", {"claimed": 1, "failed": 0, "seconds": 1}), ("unavailable", UNAVAILABLE)]
)
def test_when_the_sweep_has_ended_nothing_is_in_hand(written, end):
    *_, later = written(("claim", CLAIM), end, ("unavailable", UNAVAILABLE))

    assert "offboarding" not in later
