"""Published policies, written in the language, mean the dates that their publishers state."""

from pathlib import Path

import pytest
from whenever import Date, Instant

from offramp.core.advice import warnings
from offramp.core.model import Cause, Facts, Outcome, Receipt, SubjectKind
from offramp.core.plan import plan
from offramp.core.rehearsal import sample_timelines
from offramp.documents.policy import read_policy
from offramp.documents.timeline.data import access_ends_at

FOLDER = Path(__file__).parents[2] / "examples" / "policies"
FILES = sorted(FOLDER.glob("*.yaml"))
EXPIRED, CANCELLED, REQUESTED, INACTIVE = (
    Cause.EXPIRED,
    Cause.CANCELLED,
    Cause.DELETION_REQUESTED,
    Cause.INACTIVE,
)


def timeline_of(name, cause, *, zone, overrides=None, **anchors):
    facts = Facts(
        kind=SubjectKind.ORGANIZATION,
        zone=zone,
        cause=cause,
        anchors={name.replace("_", "-"): end for name, end in anchors.items()},
        overrides=overrides or {},
    )
    return plan(read_policy(FOLDER / f"{name}.yaml"), facts)


def dated(timeline):
    """Give the last day of each stage but the last, and the window of the deletion."""
    days = {s.stage.id: str(s.last_on) for s in timeline.spans if s.last_on and not s.after_step}
    erase = timeline.find("erase")
    if erase is not None:
        days["erase"] = str(erase.due_on)
        days["no later than"] = str(erase.deadline_on)
    return days


TABLE = [
    (
        "microsoft-365",
        EXPIRED,
        {"zone": "Europe/Dublin", "expiry": Date(2024, 8, 30)},
        {
            "active": "2024-08-30",
            "lapsed": "2024-09-29",
            "disabled": "2024-12-29",
            "erase": "2024-12-29",
            "no later than": "2025-02-26",
        },
    ),
    (
        "microsoft-365",  # a leap day, in a zone far ahead of UTC
        EXPIRED,
        {"zone": "Pacific/Auckland", "expiry": Date(2024, 2, 29)},
        {
            "active": "2024-02-29",
            "lapsed": "2024-03-30",
            "disabled": "2024-06-29",
            "erase": "2024-06-29",
            "no later than": "2024-08-27",
        },
    ),
    (
        "microsoft-365",  # volume licensing: 90 and 30
        EXPIRED,
        {
            "zone": "UTC",
            "expiry": Date(2023, 12, 31),
            "overrides": {"until-disabled": "P90D"},
        },
        {
            "active": "2023-12-31",
            "lapsed": "2024-03-30",
            "disabled": "2024-04-30",
            "erase": "2024-04-30",
            "no later than": "2024-06-28",
        },
    ),
    (
        "microsoft-365",  # cancelled in mid-term: straight to disabled
        CANCELLED,
        {"zone": "UTC", "expiry": Date(2024, 8, 30), "cancelled": Date(2024, 5, 10)},
        {
            "active": "2024-05-10",
            "disabled": "2024-08-09",
            "erase": "2024-08-09",
            "no later than": "2024-11-06",
        },
    ),
    (
        "microsoft-365-trial",
        EXPIRED,
        {"zone": "America/Sao_Paulo", "expiry": Date(2024, 1, 31)},
        {
            "active": "2024-01-31",
            "lapsed": "2024-03-02",
            "erase": "2024-03-02",
            "no later than": "2024-03-02",
        },
    ),
    (
        "salesforce-developer",  # requested on the last day of February: days 30 and 61
        REQUESTED,
        {"zone": "America/Los_Angeles", "requested": Date(2023, 2, 28)},
        {
            "active": "2023-02-28",
            "inactive": "2023-03-30",
            "locked": "2023-04-30",
            "erase": "2023-04-30",
            "no later than": "2023-04-30",
        },
    ),
    (
        "zulip",
        REQUESTED,
        {"zone": "Asia/Kolkata", "requested": Date(2024, 2, 20)},
        {
            "active": "2024-02-20",
            "deactivated": "2024-03-05",
            "erase": "2024-03-05",
            "no later than": "None",
        },
    ),
    (
        "zulip",  # never
        REQUESTED,
        {
            "zone": "UTC",
            "requested": Date(2024, 2, 20),
            "overrides": {"deletion-delay": "never"},
        },
        {"active": "2024-02-20"},
    ),
    (
        "37signals",
        CANCELLED,
        {"zone": "America/Chicago", "cancelled": Date(2024, 1, 31)},
        {
            "active": "2024-01-31",
            "closed": "2024-02-01",
            "erase": "2024-02-01",
            "no later than": "2024-03-01",
        },
    ),
    (
        "eu-data-act",
        EXPIRED,
        {"zone": "Europe/Berlin", "expiry": Date(2025, 9, 12)},
        {
            "active": "2025-09-12",
            "transition": "2025-10-12",
            "retrieval": "2025-11-12",
            "erase": "2025-11-12",
            "no later than": "2026-03-12",
        },
    ),
]


@pytest.mark.parametrize(("name", "cause", "facts", "expected"), TABLE)
def test_the_dates_of_a_published_policy(name, cause, facts, expected):
    assert dated(timeline_of(name, cause, **facts)) == expected


def test_microsoft_access_of_users_lasts_through_the_expired_stage():
    timeline = timeline_of("microsoft-365", EXPIRED, zone="UTC", expiry=Date(2024, 8, 30))

    assert access_ends_at(timeline) == Instant.from_utc(2024, 9, 30)


def test_microsoft_an_explicit_deletion_is_carried_out_at_once():
    asked_at = Instant.from_utc(2024, 5, 10, 14, 30)

    timeline = timeline_of("microsoft-365", REQUESTED, zone="Europe/Dublin", requested=asked_at)

    assert [(p.key, p.due_at) for p in timeline.steps] == [("erase", asked_at)]


def test_atlassian_counts_exact_days_from_the_last_activity():
    seen_at = Instant.from_utc(2024, 1, 1, 10)

    timeline = timeline_of("atlassian-free", INACTIVE, zone="UTC", last_activity=seen_at)

    assert {p.key: p.due_on for p in timeline.steps} == {
        "unused#1": Date(
            2024, 3, 2
        ),  # day 61: the mail of day 60 goes out at the next nine o'clock
        "unused#2": Date(2024, 4, 1),
        "unused#3": Date(2024, 4, 24),
        "stage:deactivated": Date(2024, 5, 2),
        "now-deactivated": Date(2024, 5, 3),
        "erase": Date(2024, 6, 12),
    }


def test_atlassian_any_activity_starts_again():
    first, second = (
        timeline_of("atlassian-free", INACTIVE, zone="UTC", last_activity=seen_at)
        for seen_at in (Instant.from_utc(2024, 1, 1), Instant.from_utc(2024, 3, 1))
    )

    assert second.find("erase").due_at.subtract(hours=24 * 60) == first.find("erase").due_at


@pytest.mark.parametrize(
    ("delay", "due_at"),
    [
        ("P0D", Instant.from_utc(2024, 2, 21, 2)),  # at the next quiet hour
        ("immediately", Instant.from_utc(2024, 2, 20, 15)),
    ],
)
def test_zulip_no_delay_means_that_nothing_is_waited_for(delay, due_at):
    asked_at = Instant.from_utc(2024, 2, 20, 15)

    timeline = timeline_of(
        "zulip", REQUESTED, zone="UTC", requested=asked_at, overrides={"deletion-delay": delay}
    )

    assert timeline.find("erase").due_at == due_at


def test_37signals_backups_have_run_out_after_60_days_but_not_before_live_data_is_gone():
    timeline = timeline_of("37signals", CANCELLED, zone="UTC", cancelled=Date(2024, 1, 31))
    after = Instant.from_utc(2024, 4, 1)
    erased_at = Instant.from_utc(2024, 2, 1, 2)
    done = Receipt(step="erase", outcome=Outcome.DONE, due_at=erased_at, done_at=erased_at)

    def stage(now, receipts):
        return timeline.span_at(now, receipts=receipts).stage.id

    assert stage(after, {}) == "closed"
    assert stage(Instant.from_utc(2024, 3, 1), {"erase": done}) == "deleted"
    assert stage(Instant.from_utc(2024, 3, 31, 23, 59), {"erase": done}) == "deleted"
    assert stage(after, {"erase": done}) == "forgotten"


def test_eu_data_act_stays_above_the_floor():
    assert warnings(read_policy(FOLDER / "eu-data-act.yaml")) == ()


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_every_example_is_dated_on_some_path(file):
    timelines = [timeline for _, timeline in sample_timelines(read_policy(file))]

    assert any(p.is_destructive for timeline in timelines for p in timeline.steps)


def test_every_example_is_in_the_table_or_has_a_test_of_its_own():
    named = {row[0] for row in TABLE} | {"atlassian-free"}

    assert {file.stem for file in FILES} == named
