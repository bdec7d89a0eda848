"""The two presets mean the dates of the two published policies."""

import pytest
from whenever import Date, Instant

from offramp.core.access import Question, Standing, Voter, decide
from offramp.core.advice import warnings
from offramp.core.model import Cause, Facts, Role, SubjectKind
from offramp.core.plan import plan
from offramp.core.policy import Action, Audience, Capability
from offramp.documents.policy import PRESETS, find_policy
from offramp.documents.timeline.data import access_ends_at, earliest_at

ENDS = Date(2024, 8, 30)
ORGANIZATION, MEMBER = SubjectKind.ORGANIZATION, SubjectKind.MEMBER


def timeline_of(preset, kind=ORGANIZATION, ends=ENDS, zone="Europe/Dublin", cause=Cause.EXPIRED):
    facts = Facts(kind=kind, zone=zone, anchors={"expiry": ends}, cause=cause)
    return plan(find_policy(preset), facts)


def dates(timeline):
    return {p.key: str(p.due_on) for p in timeline.steps if p.stage is None}


def may(timeline, capability, *, surface="app", role=Role.MEMBER, at):
    standing = Standing(voter=Voter.ORGANIZATION, timeline=timeline)
    question = Question(roles=frozenset({role}), surface=surface, capability=capability)
    return decide(question, [standing], now=Instant.parse_iso(at)).is_allowed


def test_license_pool_tells_dates_of_a5_a3_a8_a10():
    assert dates(timeline_of("license-pool")) == {
        "expiring-soon": "2024-08-16",
        "achievements": "2024-08-31",
        "company-data": "2024-09-22",
        "erase": "2024-09-29",
    }


def test_a2_access_ends_with_the_last_day_in_the_zone_of_the_organization():
    timeline = timeline_of("license-pool")

    assert access_ends_at(timeline) == Instant.from_utc(2024, 8, 30, 23)
    assert may(timeline, Capability.SIGN_IN, at="2024-08-30T22:59:59.999Z")
    assert not may(timeline, Capability.SIGN_IN, at="2024-08-30T23:00:00Z")


def test_a5_a6_only_administrators_hear_before_the_end_and_users_only_after():
    timeline = timeline_of("license-pool")
    before = [p for p in timeline.steps if p.due_at < access_ends_at(timeline)]

    assert [(p.key, p.step.audience) for p in before] == [("expiring-soon", (Audience.ADMINS,))]
    assert timeline.find("achievements").step.audience == (Audience.MEMBERS,)
    assert timeline.find("achievements").step.attach == "achievements"


def test_a1_a_member_whose_last_seat_ended_loses_access_and_gets_achievements_but_is_not_erased():
    timeline = timeline_of("license-pool", MEMBER)

    assert dates(timeline) == {"achievements": "2024-08-31"}
    assert [span.stage.id for span in timeline.spans] == ["active", "expired"]


def test_a10_the_deletion_of_license_pool_can_keep_its_date_when_notices_are_on_time():
    timeline = timeline_of("license-pool")
    erase = timeline.find("erase")

    assert earliest_at(timeline, erase) == erase.due_at
    assert erase.step.method == "hash-then-delete"


def test_edit_only_grace_has_the_stages_of_b3_b5_b6():
    spans = {s.stage.id: s for s in timeline_of("edit-only-grace").spans}

    assert spans["expired"].starts_at == Instant.from_utc(2024, 8, 30, 23)
    assert spans["expired"].last_on == Date(2024, 11, 28)
    assert spans["deactivated"].last_on == Date(2025, 8, 30)
    assert spans["marked-for-deletion"].first_on == Date(2025, 8, 31)
    assert spans["deleted"].after_step == "erase"


def test_b6_the_deletion_has_a_window_that_closes_after_18_calendar_months():
    timeline = timeline_of("edit-only-grace")
    erase = timeline.find("erase")

    assert (erase.due_on, erase.deadline_on) == (Date(2025, 8, 31), Date(2026, 2, 28))
    assert earliest_at(timeline, erase) == Instant.from_utc(2025, 9, 30, 1)


@pytest.mark.parametrize("kind", [ORGANIZATION, MEMBER])
def test_b8_every_change_of_stage_is_told_to_users_and_administrators(kind):
    timeline = timeline_of("edit-only-grace", kind)
    told = {p.key: p for p in timeline.steps if p.action is Action.NOTIFY}

    for stage in ("expired", "deactivated", "marked-for-deletion"):
        change, notice = timeline.find(f"stage:{stage}"), told[f"now-{stage}"]
        assert change.due_at <= notice.due_at < change.due_at.add(hours=24)
        assert notice.step.audience == (Audience.SUBJECT, Audience.ADMINS)


def test_b1_b11_a_member_goes_the_same_way_and_is_told_in_the_last_seven_days():
    organization, member = (timeline_of("edit-only-grace", kind) for kind in SubjectKind)
    ending = member.find("ending-soon")

    assert dates(member) == {"ending-soon": "2024-08-23", **dates(organization)}
    assert ending.useful_until == Instant.from_utc(2024, 8, 30, 23)


def test_b11_a_removed_member_is_not_warned_of_an_end_that_has_come():
    removed = timeline_of("edit-only-grace", MEMBER, cause=Cause.REMOVED)

    assert removed.find("ending-soon") is None


@pytest.mark.parametrize(
    ("at", "role", "surface", "capability", "allowed"),
    [
        ("2024-08-01T12:00:00Z", Role.MEMBER, "app", Capability.CREATE, True),
        ("2024-08-01T12:00:00Z", Role.MEMBER, "console", Capability.READ, False),
        ("2024-08-01T12:00:00Z", Role.ADMIN, "console", Capability.MANAGE, True),
        ("2024-09-15T12:00:00Z", Role.MEMBER, "app", Capability.UPDATE, True),
        ("2024-09-15T12:00:00Z", Role.MEMBER, "app", Capability.COPY, True),
        ("2024-09-15T12:00:00Z", Role.MEMBER, "app", Capability.EXPORT, True),
        ("2024-09-15T12:00:00Z", Role.MEMBER, "app", Capability.CREATE, False),
        ("2024-09-15T12:00:00Z", Role.ADMIN, "app", Capability.UPDATE, True),
        ("2024-09-15T12:00:00Z", Role.ADMIN, "app", Capability.CREATE, False),
        ("2024-09-15T12:00:00Z", Role.ADMIN, "console", Capability.READ, False),
        ("2024-11-28T23:59:59Z", Role.MEMBER, "app", Capability.UPDATE, True),
        ("2024-11-29T00:00:00Z", Role.MEMBER, "app", Capability.READ, False),
        ("2025-12-01T00:00:00Z", Role.ADMIN, "app", Capability.SIGN_IN, False),
    ],
)
def test_b2_b3_b5_access_of_edit_only_grace(at, role, surface, capability, allowed):
    timeline = timeline_of("edit-only-grace")

    assert may(timeline, capability, surface=surface, role=role, at=at) is allowed


def test_b4_b5_b7_b9_b10_what_each_stage_offers():
    policy = find_policy("edit-only-grace")
    alive = {"expired", "deactivated", "marked-for-deletion"}

    assert {s.id for s in policy.stages if s.reactivate} == alive
    assert {s.id for s in policy.stages if MEMBER in s.export_on_request} == alive
    assert [s.id for s in policy.stages if s.banner] == ["expired"]
    assert policy.links.agreement
    assert policy.links.information


@pytest.mark.parametrize("ends", [Date(2023, 11, 30), Date(2024, 2, 29), Date(2024, 8, 31)])
def test_b5_b6_later_stages_are_counted_from_expiry_and_never_chained(ends):
    spans = {s.stage.id: s for s in timeline_of("edit-only-grace", ends=ends, zone="UTC").spans}

    assert spans["expired"].last_on == ends.add(days=90)
    assert spans["deactivated"].last_on == ends.add(months=12)


@pytest.mark.parametrize(("preset", "rules"), [("license-pool", ["W1"]), ("edit-only-grace", [])])
def test_a_preset_below_a_legal_floor_is_told_so(preset, rules):
    assert [warning.rule for warning in warnings(find_policy(preset))] == rules


def test_every_shipped_preset_can_be_found_by_its_name():
    assert [find_policy(name).policy for name in PRESETS] == list(PRESETS)
