import pytest
from whenever import Instant, TimeDelta

from offramp.core.dates import Period
from offramp.core.due import (
    ALARM_HOURS,
    Guard,
    Held,
    Missed,
    Reason,
    Run,
    Wait,
    agenda,
    allowed_from,
    erases_at,
    guards,
    judge,
    stop_reason,
)
from offramp.core.model import Cause, Outcome
from offramp.documents.policy import find_policy
from offramp.testing.builders import (
    make_hold,
    make_policy,
    make_receipt,
    make_situation,
    make_timeline,
)

TIMELINE = make_timeline(find_policy("license-pool"))
ERASE = TIMELINE.find("erase")
WARNED = make_receipt("expiring-soon", "2024-08-16T08:00:00Z")
CHANGED = make_receipt("stage:expired", "2024-08-30T23:00:00Z")
AWARDED = make_receipt("achievements", "2024-08-31T08:00:00Z")
EXPORTED = make_receipt("company-data", "2024-09-22T08:00:00Z")
ALL = (WARNED, CHANGED, AWARDED, EXPORTED)
ERASE_AT = ERASE.due_at


def instant(text):
    return Instant.parse_iso(text)


def verdict_on(step, receipts=ALL, *, now=ERASE_AT, timeline=TIMELINE, **known):
    situation = make_situation(timeline, receipts, **known)
    return judge(timeline.find(step), situation, now=now)


def test_a_step_is_due_from_its_instant_on_and_not_a_nanosecond_before_L1():
    due_at = TIMELINE.find("company-data").due_at

    early = verdict_on("company-data", (), now=due_at.subtract(nanoseconds=1))

    assert early == Wait(planned=TIMELINE.find("company-data"), reason=Reason.NOT_DUE, until=due_at)
    assert isinstance(verdict_on("company-data", (), now=due_at), Run)


def test_a_late_run_still_runs_what_is_of_use_L2():
    assert isinstance(verdict_on("company-data", (), now=instant("2025-01-01T00:00:00Z")), Run)


@pytest.mark.parametrize(
    ("now", "kind"),
    [("2024-08-30T22:59:59.999999999Z", Run), ("2024-08-30T23:00:00Z", Missed)],
)
def test_a_notice_whose_use_has_passed_is_missed_and_never_sent_late_T7(now, kind):
    assert isinstance(verdict_on("expiring-soon", (), now=instant(now)), kind)


def test_an_abandoned_step_waits_for_a_person_L33():
    verdict = verdict_on("achievements", (), abandoned=frozenset({"achievements"}))

    assert verdict == Held(planned=TIMELINE.find("achievements"), reason=Reason.ABANDONED)


def test_a_failed_step_waits_for_its_next_try_L33():
    retry_at = ERASE_AT.add(minutes=5)
    retries = {"achievements": retry_at}

    waiting = verdict_on("achievements", (), retries=retries)

    assert (waiting.reason, waiting.until) == (Reason.BACK_OFF, retry_at)
    assert isinstance(verdict_on("achievements", (), retries=retries, now=retry_at), Run)


# --- the guards of destruction -----------------------------------------------------------------


def test_everything_delivered_in_time_lets_the_deletion_run_on_its_date_A10_D2():
    assert isinstance(verdict_on("erase"), Run)


@pytest.mark.parametrize(
    ("known", "reason"),
    [
        ({"is_exempt": True}, Reason.EXEMPT),
        ({"is_paused": True}, Reason.PAUSED),
        ({"holds": (make_hold("2024-01-01T00:00:00Z"),)}, Reason.HOLD),
        ({"holds": (make_hold("2024-01-01T00:00:00Z", member="anna"),)}, Reason.HOLD),
    ],
)
def test_a_person_can_stop_destruction_and_nothing_else_L25_L26(known, reason):
    situation = make_situation(TIMELINE, **known)

    assert stop_reason(situation, now=ERASE_AT) is reason
    assert verdict_on("erase", **known) == Held(planned=ERASE, reason=reason)
    assert isinstance(verdict_on("stage:expired", (), **known), Run)
    assert isinstance(verdict_on("achievements", (), **known), Run)


def test_every_guard_answers_and_the_first_that_minds_is_the_verdict():
    known = {
        "is_paused": True,
        "holds": (make_hold("2024-01-01T00:00:00Z"),),
        "is_capped": True,
    }
    situation = make_situation(TIMELINE, (WARNED, CHANGED, AWARDED), **known)

    answers = list(guards(ERASE, situation, now=ERASE_AT))

    assert {answer.guard for answer in answers} == set(Guard)
    minds = [answer for answer in answers if answer.verdict is not None]
    assert [answer.guard for answer in minds] == [
        Guard.PAUSE,
        Guard.HOLD,
        Guard.ORDER,
        Guard.REQUIREMENT,
        Guard.CAP,
    ]
    assert [answer.about for answer in minds if answer.about] == ["company-data"]
    assert minds[0].verdict == judge(ERASE, situation, now=ERASE_AT)


def test_before_what_destroys_nothing_stand_only_its_day_its_use_and_its_attempts():
    situation = make_situation(TIMELINE, is_paused=True, is_exempt=True)

    answers = list(guards(TIMELINE.find("achievements"), situation, now=ERASE_AT))

    assert [answer.guard for answer in answers] == [
        Guard.DUE,
        Guard.USE,
        Guard.ATTEMPTS,
        Guard.BACK_OFF,
    ]
    assert not any(answer.verdict for answer in answers)


@pytest.mark.parametrize(
    ("placed_at", "ends_at"),
    [("2024-10-01T00:00:00Z", None), ("2024-01-01T00:00:00Z", "2024-09-29T01:00:00Z")],
)
def test_a_hold_that_is_not_in_force_stops_nothing_S6(placed_at, ends_at):
    assert isinstance(verdict_on("erase", holds=(make_hold(placed_at, ends_at),)), Run)


@pytest.mark.parametrize("missing", ALL, ids=lambda receipt: receipt.step)
def test_an_earlier_step_that_is_not_finished_blocks_the_deletion_L13(missing):
    receipts = [receipt for receipt in ALL if receipt is not missing]

    assert verdict_on("erase", receipts).reason is Reason.EARLIER_STEP


def test_an_export_two_days_late_moves_the_deletion_two_days_D2():
    late = make_receipt("company-data", "2024-09-24T08:00:00Z")
    receipts = (WARNED, CHANGED, AWARDED, late)

    verdict = verdict_on("erase", receipts)

    assert (verdict.reason, verdict.until) == (
        (Reason.NOTICE_FRESH, ERASE_AT + TimeDelta(hours=48))
    )
    assert isinstance(verdict_on("erase", receipts, now=verdict.until), Run)


def test_the_interval_counts_from_the_delivery_and_not_from_the_sending_N2():
    late = make_receipt("company-data", "2024-09-22T08:00:00Z", delivered_at="2024-09-23T10:00:00Z")

    verdict = verdict_on("erase", (WARNED, CHANGED, AWARDED, late))

    assert verdict.until == ERASE_AT + TimeDelta(hours=24)


@pytest.mark.parametrize("outcome", [Outcome.MISSED, Outcome.UNREACHED])
def test_a_warning_that_reached_nobody_is_replaced_at_once_L10_D2(outcome):
    lost = make_receipt("expiring-soon", "2024-08-31T00:00:00Z", outcome=outcome)
    now = instant("2024-09-01T10:00:00Z")

    found = agenda(make_situation(TIMELINE, (lost, CHANGED, AWARDED)), now=now)

    assert isinstance(found.act, Run)
    assert found.act.planned.key == "expiring-soon.instead"
    assert (found.act.planned.step.id, found.act.planned.due_at) == ("deletion-warning", now)
    assert not found.act.planned.is_destructive


def test_the_interval_counts_from_the_warning_that_stands_in_L10_D2():
    lost = make_receipt("expiring-soon", "2024-08-31T00:00:00Z", outcome=Outcome.MISSED)
    receipts = (lost, CHANGED, AWARDED, EXPORTED)
    late = make_receipt("expiring-soon.instead", "2024-09-29T01:05:00Z")
    early = make_receipt("expiring-soon.instead", "2024-09-01T10:00:00Z")

    unwarned = verdict_on("erase", receipts)
    warned_late = verdict_on("erase", (*receipts, late))
    slipped_to = instant("2024-10-13T01:00:00Z")

    assert unwarned == Wait(planned=ERASE, reason=Reason.NOTICE_PENDING)
    assert (warned_late.reason, warned_late.until) == (Reason.NOTICE_FRESH, slipped_to)
    assert isinstance(verdict_on("erase", (*receipts, late), now=slipped_to), Run)
    assert isinstance(verdict_on("erase", (*receipts, early)), Run)


def test_when_nobody_at_all_can_be_reached_a_person_decides_L10_D2():
    lost = make_receipt("expiring-soon", "2024-08-31T00:00:00Z", outcome=Outcome.MISSED)
    instead = make_receipt(
        "expiring-soon.instead", "2024-09-29T01:05:00Z", outcome=Outcome.UNREACHED
    )

    verdict = verdict_on(
        "erase",
        (lost, CHANGED, AWARDED, EXPORTED, instead),
        now=instant("2030-01-01T00:00:00Z"),
    )

    assert verdict == Held(planned=ERASE, reason=Reason.NOBODY_REACHED)


def test_no_warning_stands_in_for_an_export_that_reached_nobody_L10():
    lost = make_receipt("company-data", "2024-09-22T08:00:00Z", outcome=Outcome.UNREACHED)

    verdict = verdict_on("erase", (WARNED, CHANGED, AWARDED, lost))

    assert verdict == Held(planned=ERASE, reason=Reason.NOBODY_REACHED)


@pytest.mark.parametrize(
    ("known", "reason"),
    [
        ({"abandoned": frozenset({"expiring-soon.instead"})}, Reason.ABANDONED),
        ({"retries": {"expiring-soon.instead": ERASE_AT.add(minutes=1)}}, Reason.BACK_OFF),
    ],
)
def test_the_warning_that_stands_in_fails_like_any_notice(known, reason):
    lost = make_receipt("expiring-soon", "2024-08-31T00:00:00Z", outcome=Outcome.MISSED)
    situation = make_situation(TIMELINE, (lost, CHANGED, AWARDED, EXPORTED), **known)

    found = agenda(situation, now=ERASE_AT)

    assert found.act is None
    assert [(b.planned.key, b.reason) for b in found.blocked] == [
        ("erase", Reason.NOTICE_PENDING),
        ("expiring-soon.instead", reason),
    ]


@pytest.mark.parametrize(
    ("if_unmet", "kind", "reason"),
    [("postpone", Wait, Reason.NOTICE_FRESH), ("ask", Held, Reason.ASK), ("proceed", Run, None)],
)
def test_the_policy_says_what_to_do_while_a_requirement_is_unmet_D2(if_unmet, kind, reason):
    policy = make_policy(
        {"id": "warn", "at": "expiry + P29D", "notify": "admins"},
        {
            "id": "erase",
            "at": "expiry + P30D",
            "erase": "organization",
            "requires": [{"delivered": "warn", "at_least_before": "P7D"}],
            "if_unmet": if_unmet,
        },
    )
    timeline = make_timeline(policy)
    warned = make_receipt(timeline.find("warn"))

    verdict = verdict_on("erase", (CHANGED, warned), timeline=timeline)

    assert isinstance(verdict, kind)
    assert getattr(verdict, "reason", None) is reason


def test_a_requirement_that_is_planned_for_later_is_waited_for():
    policy = make_policy(
        {"id": "erase", "at": "expiry + P1D", "erase": "organization"}
        | {"requires": [{"delivered": "warn"}]},
        {"id": "warn", "at": "expiry + P9D", "notify": "admins"},
    )
    timeline = make_timeline(policy)

    verdict = verdict_on("erase", (CHANGED,), timeline=timeline, now=timeline.find("erase").due_at)

    assert verdict.reason is Reason.NOTICE_PENDING


def test_a_path_without_the_required_notice_does_not_wait_for_it_S2():
    policy = make_policy(
        {"id": "warn", "at": {"expired": "expiry - P14D"}, "notify": "admins"},
        {"id": "erase", "at": "immediately", "erase": "organization"}
        | {"requires": [{"delivered": "warn", "at_least_before": "P14D"}]},
    )
    timeline = make_timeline(policy, requested="2024-08-01", cause=Cause.DELETION_REQUESTED)
    now = instant("2024-09-01T00:00:00Z")

    assert isinstance(verdict_on("erase", (CHANGED,), timeline=timeline, now=now), Run)


def test_the_last_of_several_warnings_is_the_one_that_has_to_stand_N3():
    policy = make_policy(
        {"id": "warn", "at": ["expiry - P14D", "expiry + P28D"], "notify": "admins"},
        {"id": "erase", "at": "expiry + P30D", "erase": "organization"}
        | {"requires": [{"delivered": "warn", "at_least_before": "P7D"}]},
    )
    timeline = make_timeline(policy)
    receipts = (make_receipt(timeline.find("warn#1")), CHANGED)
    both = (*receipts, make_receipt(timeline.find("warn#2")))

    assert verdict_on("erase", receipts, timeline=timeline).reason is Reason.EARLIER_STEP
    assert verdict_on("erase", both, timeline=timeline).reason is Reason.NOTICE_FRESH


@pytest.mark.parametrize("until", [ERASE_AT + TimeDelta(hours=3), None])
def test_the_cap_puts_a_deletion_off_until_it_leaves_room_L26_D3(until):
    verdict = verdict_on("erase", is_capped=True, capped_until=until)

    assert verdict == Wait(planned=ERASE, reason=Reason.CAP, until=until)
    assert isinstance(verdict_on("erase", is_capped=False, capped_until=until), Run)


@pytest.mark.parametrize(
    ("delivered", "interval", "expected"),
    [
        ("2024-09-22T08:00:00Z", "P7D", "2024-09-29T01:00:00Z"),
        ("2024-09-22T22:59:00Z", "P7D", "2024-09-29T01:00:00Z"),
        ("2024-09-22T23:00:00Z", "P7D", "2024-09-30T01:00:00Z"),  # the next day in Dublin
        ("2024-09-22T08:00:00Z", "PT168H", "2024-09-29T08:00:00Z"),
        ("2024-09-22T08:00:00Z", "P0D", "2024-09-22T09:00:00Z"),  # it may still come back
        ("2024-09-20T08:00:00Z", "P1B", "2024-09-23T01:00:00Z"),
        ("2024-10-20T08:00:00Z", "P7D", "2024-10-27T02:00:00Z"),  # winter time has begun
    ],
)
def test_an_interval_counts_civil_days_to_the_quiet_hour_or_exact_hours_D2(
    delivered, interval, expected
):
    earliest = allowed_from(instant(delivered), Period.parse(interval), TIMELINE)

    assert earliest == instant(expected)


@pytest.mark.parametrize(
    ("receipts", "now", "expected"),
    [
        ((), "2024-08-01T00:00:00Z", "2024-09-29T01:00:00Z"),
        (ALL, "2024-09-25T00:00:00Z", "2024-09-29T01:00:00Z"),
        ((WARNED,), "2024-09-24T08:00:00Z", "2024-10-01T01:00:00Z"),
        (ALL, "2024-12-01T00:00:00Z", "2024-12-01T00:00:00Z"),
        (
            (make_receipt("erase", "2024-10-05T01:00:00Z"),),
            "2025-01-01T00:00:00Z",
            "2024-10-05T01:00:00Z",
        ),
    ],
)
def test_the_deletion_is_expected_when_what_is_missing_has_stood_long_enough_D2(
    receipts, now, expected
):
    situation = make_situation(TIMELINE, receipts)

    found = erases_at(ERASE, TIMELINE, receipts=situation.receipts, now=instant(now))

    assert found == instant(expected)


# --- the agenda --------------------------------------------------------------------------------


def test_missed_steps_are_taken_one_at_a_time_in_due_order_L4_T7():
    now = instant("2024-12-01T00:00:00Z")
    receipts, order = [], []
    while (act := agenda(make_situation(TIMELINE, receipts), now=now).act) is not None:
        outcome = Outcome.MISSED if isinstance(act, Missed) else Outcome.DONE
        receipts.append(make_receipt(act.planned, now, outcome=outcome))
        order.append((act.planned.key, outcome.value))

    assert order == [
        ("expiring-soon", "missed"),
        ("stage:expired", "done"),
        ("achievements", "done"),
        ("company-data", "done"),
        ("expiring-soon.instead", "done"),
    ]


def test_a_blocked_step_does_not_stop_the_ones_after_it_L33():
    retries = {"achievements": instant("2024-09-23T00:00:00Z")}
    situation = make_situation(TIMELINE, (WARNED, CHANGED), retries=retries)

    found = agenda(situation, now=instant("2024-09-22T08:00:00Z"))

    assert found.act.planned.key == "company-data"
    assert [blocked.planned.key for blocked in found.blocked] == ["achievements"]


@pytest.mark.parametrize(
    ("known", "now", "look_again_at"),
    [
        ({}, "2024-08-01T00:00:00Z", "2024-08-16T08:00:00Z"),
        ({"receipts": (WARNED,)}, "2024-08-20T00:00:00Z", "2024-08-30T23:00:00Z"),
        (
            {
                "receipts": ALL,
                "holds": (make_hold("2024-01-01T00:00:00Z", "2024-12-01T00:00:00Z"),),
            },
            "2024-10-01T00:00:00Z",
            "2024-12-01T00:00:00Z",
        ),
        (
            {
                "receipts": (WARNED, CHANGED),
                "retries": {"achievements": instant("2024-09-01T00:00:00Z")},
            },
            "2024-08-31T09:00:00Z",
            "2024-09-01T00:00:00Z",
        ),
        ({"receipts": ALL, "is_paused": True}, "2024-10-01T00:00:00Z", None),
    ],
)
def test_it_looks_again_when_something_may_have_changed_L25(known, now, look_again_at):
    found = agenda(make_situation(TIMELINE, **known), now=instant(now))

    assert found.act is None
    assert found.look_again_at == (look_again_at and instant(look_again_at))


def test_a_window_that_closes_before_a_step_may_run_is_reported_T5():
    late = make_receipt("company-data", "2024-09-24T08:00:00Z")
    in_time = agenda(make_situation(TIMELINE, (WARNED, CHANGED, AWARDED)), now=late.done_at)

    slipping = agenda(make_situation(TIMELINE, (WARNED, CHANGED, AWARDED, late)), now=ERASE_AT)

    assert in_time.late == ()
    assert slipping.late == ("erase",)


def test_the_alarm_is_raised_before_a_window_closes_on_a_held_step_T5():
    timeline = make_timeline(find_policy("edit-only-grace"))
    erase = timeline.find("erase")
    done = [make_receipt(p, p.due_at) for p in timeline.steps if p.key != "erase"]
    held = {"holds": (make_hold("2024-01-01T00:00:00Z"),)}
    alarm_at = erase.deadline_at.subtract(hours=ALARM_HOURS)

    at_first = agenda(make_situation(timeline, done, **held), now=alarm_at.subtract(hours=1))
    alarmed = agenda(make_situation(timeline, done, **held), now=alarm_at)

    assert (at_first.late, at_first.look_again_at) == ((), alarm_at)
    assert alarmed.late == ("erase",)


def test_when_everything_has_its_receipt_nothing_is_left():
    receipts = (*ALL, make_receipt("erase", "2024-09-29T01:30:00Z"))

    found = agenda(make_situation(TIMELINE, receipts), now=instant("2030-01-01T00:00:00Z"))

    assert (found.act, found.look_again_at, found.blocked) == (None, None, ())
