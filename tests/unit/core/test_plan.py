import pytest
from whenever import Date, Instant

from offramp.core.model import Anchor, Cause, Outcome, SubjectKind
from offramp.core.plan import AnchorsCircular, causes_of, plan, substitute
from offramp.core.policy import Action, Audience
from offramp.documents.policy import find_policy
from offramp.testing.builders import (
    ACTIVE,
    ERASED,
    EXPIRED,
    make_facts,
    make_policy,
    make_receipt,
    make_receipts,
    make_timeline,
)

LICENSE_POOL = find_policy("license-pool")
EDIT_ONLY = find_policy("edit-only-grace")
NOTICE = {"id": "warn", "at": "expiry - P14D", "notify": "admins"}
ERASE = {"id": "erase", "at": "expiry + P30D", "erase": "organization"}


def instant(text):
    return Instant.parse_iso(text)


def dates_of(timeline):
    """Give the date of each step, without the changes of stage."""
    return {p.key: str(p.due_on) for p in timeline.steps if p.action is not Action.ACCESS}


def one_step(at, *facts, **more):
    """Plan a policy of a single notice; none when it has no date."""
    parts = more.pop("parts", {})
    step = NOTICE | {"at": at}
    return make_timeline(make_policy(step, **parts), *facts, **more).find("warn")


# --- the two published policies ----------------------------------------------------------------


def test_the_license_pool_has_the_dates_that_were_published_A3_A5_A8_A10():
    timeline = make_timeline(LICENSE_POOL, "2024-08-30")

    assert dates_of(timeline) == {
        "expiring-soon": "2024-08-16",
        "achievements": "2024-08-31",
        "company-data": "2024-09-22",
        "erase": "2024-09-29",
    }


def test_access_ends_with_the_last_day_in_dublin_A2():
    active, expired, _ = make_timeline(LICENSE_POOL, "2024-08-30").spans

    assert active.ends_at == expired.starts_at == instant("2024-08-30T23:00:00Z")
    assert (active.last_on, expired.first_on) == (Date(2024, 8, 30), Date(2024, 8, 31))


def test_no_user_hears_before_the_account_has_been_deactivated_A6():
    timeline = make_timeline(LICENSE_POOL, "2024-08-30")

    written_to = {
        p.key: p.due_at
        for p in timeline.steps
        if p.step and {Audience.MEMBERS, Audience.SUBJECT} & {*p.step.audience}
    }
    assert set(written_to) == {"achievements"}
    assert min(written_to.values()) >= timeline.spans[1].starts_at


def test_a_member_who_leaves_alone_gets_achievements_and_is_not_erased_apart_A1_A3():
    timeline = make_timeline(LICENSE_POOL, "2024-08-30", kind=SubjectKind.MEMBER)

    assert dates_of(timeline) == {"achievements": "2024-08-31"}
    assert [span.stage.id for span in timeline.spans] == ["active", "expired"]


@pytest.mark.parametrize(
    ("stage", "first_on", "last_on"),
    [
        ("active", None, Date(2024, 8, 30)),
        ("expired", Date(2024, 8, 31), Date(2024, 11, 28)),  # B3: the last edit-only day
        ("deactivated", Date(2024, 11, 29), Date(2025, 8, 30)),  # B5: twelve calendar months
        ("marked-for-deletion", Date(2025, 8, 31), Date(2025, 8, 31)),  # B6
    ],
)
def test_edit_only_grace_has_the_stages_that_were_published_B3_B5_B6(stage, first_on, last_on):
    timeline = make_timeline(EDIT_ONLY, "2024-08-30")

    span = next(span for span in timeline.spans if span.stage.id == stage)

    assert (span.first_on, span.last_on) == (first_on, last_on)


def test_the_deletion_of_edit_only_grace_has_a_window_of_six_months_B6_T5():
    erase = make_timeline(EDIT_ONLY, "2024-08-30").find("erase")

    assert erase.due_on > Date(2025, 8, 30)
    assert erase.deadline_on == Date(2026, 2, 28)
    assert erase.deadline_at == instant("2026-03-01T00:00:00Z")


def test_each_change_of_stage_is_written_about_on_its_first_day_B8():
    timeline = make_timeline(EDIT_ONLY, "2024-08-30")

    first_days = {span.stage.id: str(span.first_on) for span in timeline.spans[1:4]}
    assert {f"now-{stage}": day for stage, day in first_days.items()}.items() <= (
        dates_of(timeline).items()
    )


def test_a_user_with_an_end_date_is_told_a_week_before_B11():
    member = make_timeline(EDIT_ONLY, "2024-08-30", kind=SubjectKind.MEMBER)
    organization = make_timeline(EDIT_ONLY, "2024-08-30")

    assert member.find("ending-soon").due_on == Date(2024, 8, 23)
    assert organization.find("ending-soon") is None


# --- when a step is due ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("at", "ends", "due_at"),
    [
        ("expiry", "2024-08-30", "2024-08-31T08:00:00Z"),  # not before the end has taken effect
        ("expiry + P0D", "2024-08-30", "2024-08-31T08:00:00Z"),
        ("expiry + P1D", "2024-08-30", "2024-08-31T08:00:00Z"),
        ("expiry - P0D", "2024-08-30", "2024-08-30T08:00:00Z"),  # backwards: on its day
        ("expiry - P14D", "2024-08-30", "2024-08-16T08:00:00Z"),
        ("expired", "2024-08-30", "2024-08-31T08:00:00Z"),
        ("immediately", "2024-08-30", "2024-08-30T23:00:00Z"),
        ("expiry + PT6H", "2024-08-30", "2024-08-31T05:00:00Z"),
        ("expiry + P1D", "2024-08-30T12:00:00Z", "2024-09-01T08:00:00Z"),
        ("expiry - P1D", "2024-08-30T12:00:00Z", "2024-08-29T08:00:00Z"),
        ("expiry + PT6H", "2024-08-30T12:00:00Z", "2024-08-30T18:00:00Z"),
        ("immediately", "2024-08-30T12:00:00Z", "2024-08-30T12:00:00Z"),
    ],
)
def test_a_notice_goes_at_nine_on_its_date_and_never_before_its_anchor_T3_T4(at, ends, due_at):
    assert one_step(at, ends).due_at == instant(due_at)


def test_a_deletion_waits_for_the_quiet_hour_of_its_date_T4():
    timeline = make_timeline(make_policy(ERASE), "2024-08-30")

    assert timeline.find("erase").due_at == instant("2024-09-29T01:00:00Z")


@pytest.mark.parametrize("at", ["never", "cancelled + P1D", "unheard-of", "expiry + unset"])
def test_a_step_without_a_date_is_not_planned_T6(at):
    assert one_step(at) is None


@pytest.mark.parametrize(
    ("at", "due_on"),
    [
        ("latest(expiry, cancelled) + P1D", "2024-09-11"),
        ("earliest(expiry, cancelled) + P1D", "2024-08-31"),
        ("latest(expiry, last-activity) + P1D", "2024-08-31"),  # what is not known takes no part
    ],
)
def test_several_anchors_are_compared_by_their_effect_T2(at, due_on):
    assert str(one_step(at, "2024-08-30", cancelled="2024-09-10").due_on) == due_on


@pytest.mark.parametrize(
    ("value", "override", "due_on"),
    [
        ("P30D", None, "2024-09-29"),
        ("P30D", "P60D", "2024-10-29"),
        ("P30D", "immediately", "2024-08-31"),
        ("never", "P0D", "2024-08-31"),
        ("P30D", "never", None),
        ("never", None, None),
    ],
)
def test_a_contract_may_set_a_named_period_S3(value, override, due_on):
    overrides = {} if override is None else {"delay": override}

    planned = one_step(
        "expiry + delay", parts={"periods": {"delay": {"value": value}}}, overrides=overrides
    )

    assert (planned and str(planned.due_on)) == due_on


def test_steps_can_be_counted_from_stages_steps_and_the_deletion_T2():
    policy = make_policy(
        NOTICE,
        NOTICE | {"id": "again", "at": "warn + P7D"},
        NOTICE | {"id": "gone", "at": "expired + P1D"},
        NOTICE | {"id": "last-call", "at": "deletion - P7D"},
        ERASE,
    )

    assert dates_of(make_timeline(policy, "2024-08-30")) == {
        "warn": "2024-08-16",
        "again": "2024-08-23",
        "gone": "2024-08-31",
        "last-call": "2024-09-22",
        "erase": "2024-09-29",
    }


def test_a_list_of_offsets_gives_one_occurrence_each_with_a_key_of_its_own_N3():
    policy = make_policy(NOTICE | {"at": ["last-activity + P60D", "last-activity + P90D"]})

    timeline = make_timeline(policy, last_activity="2024-01-01", cause=Cause.INACTIVE)

    assert dates_of(timeline) == {"warn#1": "2024-03-01", "warn#2": "2024-03-31"}
    assert [p.key for p in timeline.occurrences("warn")] == ["warn#1", "warn#2"]


def test_a_cause_selects_its_own_dates_and_skips_what_is_not_for_it_S2():
    policy = make_policy(
        NOTICE | {"at": {"expired": "expiry - P14D"}},
        ERASE | {"at": {"*": "expiry + P30D", "deletion-requested": "immediately"}},
    )

    requested = make_timeline(policy, requested="2024-08-01", cause=Cause.DELETION_REQUESTED)

    assert dates_of(requested) == {"erase": "2024-08-02"}
    assert causes_of(policy) == (Cause.EXPIRED, Cause.DELETION_REQUESTED)


def test_names_that_are_counted_from_each_other_are_an_error_and_no_endless_loop():
    policy = make_policy(NOTICE | {"at": "again + P1D"}, NOTICE | {"id": "again", "at": "warn"})

    with pytest.raises(AnchorsCircular):
        plan(policy, make_facts())


def test_a_moved_end_moves_every_date_by_itself_and_keeps_every_key_T8():
    before = make_timeline(LICENSE_POOL, "2024-08-30")
    after = make_timeline(LICENSE_POOL, "2024-09-30")

    assert [p.key for p in before.steps] == [p.key for p in after.steps]
    assert dates_of(after)["erase"] == "2024-10-30"


def test_an_organization_without_an_end_only_has_its_first_stage():
    timeline = plan(LICENSE_POOL, make_facts())
    endless = plan(LICENSE_POOL, type(make_facts())(kind=timeline.kind, zone="UTC", anchors={}))

    assert endless.steps == ()
    assert [(s.stage.id, s.ends_at) for s in endless.spans] == [("active", None)]


# --- stages ------------------------------------------------------------------------------------


def stage_at(timeline, moment, *receipts):
    return timeline.span_at(instant(moment), receipts=make_receipts(*receipts)).stage.id


@pytest.mark.parametrize(
    ("moment", "stage"),
    [
        ("2000-01-01T00:00:00Z", "active"),
        ("2024-08-30T22:59:59.999999999Z", "active"),
        ("2024-08-30T23:00:00Z", "expired"),
        ("2099-01-01T00:00:00Z", "expired"),
    ],
)
def test_a_stage_is_half_open_and_a_deleted_one_is_never_reached_by_the_calendar_S1_T3(
    moment, stage
):
    assert stage_at(make_timeline(LICENSE_POOL), moment) == stage


def test_a_deleted_stage_is_reached_by_its_receipt_and_not_before_it_S1():
    timeline = make_timeline(LICENSE_POOL)
    receipt = make_receipt("erase", "2024-10-05T02:30:00Z")

    assert stage_at(timeline, "2024-10-05T02:29:59Z", receipt) == "expired"
    assert stage_at(timeline, "2024-10-05T02:30:00Z", receipt) == "erased"


@pytest.mark.parametrize("outcome", [Outcome.MISSED, Outcome.UNREACHED])
def test_only_a_deletion_that_was_done_reaches_its_stage_S1(outcome):
    receipt = make_receipt("erase", "2024-09-29T02:30:00Z", outcome=outcome)

    assert stage_at(make_timeline(LICENSE_POOL), "2024-10-01T00:00:00Z", receipt) == "expired"


def test_a_stage_some_time_before_a_deletion_has_a_date_of_its_own_S1():
    locked = {"id": "locked", "from": "erase - P7D", "access": {"*": "none"}}
    policy = make_policy(ERASE, stages=[ACTIVE, EXPIRED, locked, ERASED])

    timeline = make_timeline(policy)

    assert stage_at(timeline, "2024-09-22T22:59:59Z") == "expired"
    assert stage_at(timeline, "2024-09-22T23:00:00Z") == "locked"
    assert stage_at(timeline, "2025-01-01T00:00:00Z") == "locked"


def test_no_stage_after_a_deletion_is_reached_while_it_is_not_done_S1_S5():
    archived = {"id": "archived", "from": "expiry + P60D", "access": {"*": "read-only"}}
    policy = make_policy(ERASE, stages=[ACTIVE, EXPIRED, ERASED, archived])
    timeline, now = make_timeline(policy), "2025-01-01T00:00:00Z"

    assert stage_at(timeline, now) == "expired"
    assert stage_at(timeline, now, make_receipt("erase", "2024-09-29T02:00:00Z")) == "archived"


def test_a_stage_is_overdue_while_the_deletion_that_ends_it_is_late():
    timeline = make_timeline(LICENSE_POOL)
    expired = timeline.spans[1]

    assert not expired.is_overdue(timeline.find("erase").due_at.subtract(nanoseconds=1))
    assert expired.is_overdue(timeline.find("erase").due_at)
    assert not timeline.spans[-1].is_overdue(instant("2099-01-01T00:00:00Z"))


def test_every_dated_stage_is_a_step_of_its_own_at_its_boundary():
    timeline = make_timeline(LICENSE_POOL)

    changes = [(p.key, p.due_at) for p in timeline.steps if p.action is Action.ACCESS]

    assert changes == [("stage:expired", instant("2024-08-30T23:00:00Z"))]


# --- the notice that stands in -----------------------------------------------------------------


def test_a_missed_notice_is_replaced_by_a_deletion_warning_to_its_readers_and_more_D2():
    now = instant("2024-09-29T01:00:00Z")

    planned = substitute(make_timeline(LICENSE_POOL), "expiring-soon", now=now)

    assert (planned.key, planned.due_at) == ("expiring-soon.instead", now)
    assert planned.step.id == "deletion-warning"
    assert planned.step.audience == (Audience.ADMINS, Audience.OWNER, Audience.BILLING)


def test_a_policy_may_name_the_notice_that_stands_in_D2():
    policy = make_policy(
        NOTICE,
        NOTICE | {"id": "last-call", "at": "never"},
        ERASE | {"requires": [{"delivered": "warn"}], "instead": "last-call"},
    )

    planned = substitute(make_timeline(policy), "warn", now=instant("2024-09-29T01:00:00Z"))

    assert (planned.key, planned.step.id) == ("warn.instead", "last-call")


def test_the_anchors_of_a_timeline_are_the_facts_it_was_planned_from():
    timeline = make_timeline(LICENSE_POOL, cancelled="2024-08-01")

    assert timeline.anchors == {
        Anchor.EXPIRY: Date(2024, 8, 30),
        Anchor.CANCELLED: Date(2024, 8, 1),
    }
