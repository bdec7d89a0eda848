"""T3, T5, T8, S1, L1, L3, L7: what holds for every timeline, whatever the policy and the facts."""

from dataclasses import replace
from itertools import pairwise

from hypothesis import assume, given
from hypothesis import strategies as st
from whenever import Date, TimeDelta

from offramp.core.access import Question, Standing, Voter, decide
from offramp.core.banner import Reader, show_banner
from offramp.core.dates import civil_date, effect, first_instant
from offramp.core.model import Facts, Outcome, Role, SubjectKind
from offramp.core.notice import state_facts
from offramp.core.plan import plan
from offramp.core.policy import Capability
from offramp.documents.policy import PRESETS, find_policy
from offramp.testing.builders import make_receipt, make_receipts
from tests.property.strategies import ALL_ZONES, ODD_DAYS, days, facts, moved, policies

TICK = TimeDelta(nanoseconds=1)
PUBLISHED = tuple(find_policy(name) for name in PRESETS)
ASKED = Question(roles=frozenset({Role.MEMBER}), surface="app", capability=Capability.CREATE)


def probes(timeline):
    """List the instants just before, at and just after everything that is on a timeline."""
    moments = {planned.due_at for planned in timeline.steps}
    moments |= {p.useful_until for p in timeline.steps if p.useful_until is not None}
    moments |= {span.starts_at for span in timeline.spans if span.starts_at is not None}
    return sorted(m + delta for m in moments for delta in (-TICK, TimeDelta(), TICK))


def has_erased(timeline, at):
    """Give the receipt of a deletion that was carried out at an instant."""
    return make_receipts(make_receipt("erase", at)) if timeline.find("erase") else {}


@given(policy=policies, known=facts())
def test_the_same_policy_and_facts_give_the_same_timeline_L3(policy, known):
    assert plan(policy, known) == plan(policy, known)


@given(policy=policies, known=facts())
def test_keys_are_unique_and_steps_are_in_due_order_L8(policy, known):
    steps = plan(policy, known).steps

    keys = [planned.key for planned in steps]
    assert len(set(keys)) == len(keys)
    assert all(one.due_at <= other.due_at for one, other in pairwise(steps))


@given(policy=policies, known=facts(), ends=days)
def test_a_moved_end_keeps_the_keys_T8(policy, known, ends):
    before, after = plan(policy, known), plan(policy, moved(known, ends))

    assert {p.key for p in before.steps} == {p.key for p in after.steps}
    assert [s.stage.id for s in before.spans] == [s.stage.id for s in after.spans]


@given(policy=policies, known=facts(days), ends=days)
def test_a_later_end_never_gives_an_earlier_date_T8(policy, known, ends):
    earlier, later = sorted((known.anchors["expiry"], ends))

    before, after = plan(policy, moved(known, earlier)), plan(policy, moved(known, later))

    assert all(p.due_at <= after.find(p.key).due_at for p in before.steps)
    assert all(p.due_on <= after.find(p.key).due_on for p in before.steps)
    for one, other in zip(before.spans[1:], after.spans[1:], strict=True):
        assert one.starts_at <= other.starts_at


@given(policy=policies, known=facts())
def test_spans_part_time_without_gap_or_overlap_T3(policy, known):
    spans = plan(policy, known).spans

    assert spans[0].starts_at is None
    assert spans[-1].ends_at is None
    assert all(one.ends_at == other.starts_at for one, other in pairwise(spans))
    assert all(s.starts_at <= s.ends_at for s in spans[1:-1])


@given(policy=policies, known=facts())
def test_the_calendar_alone_puts_each_instant_in_its_span_T3_S1(policy, known):
    timeline = plan(policy, known)
    dated = [span for span in timeline.spans if span.after_step is None]

    for now in probes(timeline):
        holding = [s for s in dated if s.starts_at is None or s.starts_at <= now]
        found = timeline.span_at(now, receipts={})
        assert found.after_step is None
        if dated == list(timeline.spans[: len(dated)]):  # no stage is planned behind a deletion
            assert found == holding[-1]


@given(policy=policies, known=facts(), late=st.integers(0, 10**6))
def test_stages_never_go_back_S1(policy, known, late):
    timeline = plan(policy, known)
    planned = timeline.find("erase")
    receipts = has_erased(timeline, planned.due_at.add(seconds=late)) if planned else {}

    order = [
        timeline.spans.index(timeline.span_at(now, receipts=receipts)) for now in probes(timeline)
    ]

    assert order == sorted(order)


@given(policy=policies, known=facts())
def test_no_step_is_due_before_its_civil_date_begins_L1(policy, known):
    timeline = plan(policy, known)

    for planned in timeline.steps:
        assert first_instant(planned.due_on, known.zone) <= planned.due_at
        assert planned.due_at < effect(planned.due_on, zone=known.zone)


@given(policy=policies, known=facts())
def test_a_step_counted_forwards_waits_for_its_anchor_L1(policy, known):
    timeline = plan(policy, known)
    end = effect(known.anchors["expiry"], zone=known.zone)

    for planned in timeline.steps:
        moments = planned.step.at["*"] if planned.step and "*" in planned.step.at else ()
        from_the_end = [m for m in moments if m.anchors and set(m.anchors) <= {"expiry", "expired"}]
        if len(from_the_end) == len(moments) == 1 and not moments[0].backwards:
            assert planned.due_at >= end


@given(policy=policies, known=facts())
def test_decision_message_and_banner_name_the_same_stage_at_every_instant_L7(policy, known):
    timeline = plan(policy, known)
    planned = next((each for each in reversed(timeline.steps) if not each.is_destructive), None)
    assume(planned is not None)
    erase = timeline.find("erase")

    for receipts in ({}, has_erased(timeline, erase.due_at) if erase else {}):
        standing = Standing(voter=Voter.ORGANIZATION, timeline=timeline, receipts=receipts)
        for now in probes(timeline):
            stage = timeline.span_at(now, receipts=receipts).stage
            decision = decide(ASKED, [standing], now=now)
            reader = Reader(roles=ASKED.roles, standings=(standing,))
            shown = show_banner(reader, now=now)
            told = state_facts(timeline, planned, receipts=receipts, now=now)
            assert decision.stage == told.stage == stage.id
            said = shown.banner and shown.banner.facts
            assert (said and said.stage) == (stage.id if stage.banner else None)
            assert shown.changes_at is None or shown.changes_at > now
            assert said is None or replace(said, notice=told.notice) == told
            assert decision.until is None or decision.until > now
            assert told.days_left is None or told.days_left >= 1


def test_access_ends_with_the_last_day_in_every_zone_and_not_a_nanosecond_before_A2_L1():
    for policy in PUBLISHED:
        for zone in ALL_ZONES:
            for day in ODD_DAYS[::5]:
                known = Facts(kind=SubjectKind.ORGANIZATION, zone=zone, anchors={"expiry": day})
                standing = Standing(voter=Voter.ORGANIZATION, timeline=plan(policy, known))
                end = first_instant(day.next_day(), zone)

                assert decide(ASKED, [standing], now=end - TICK).is_allowed
                assert not decide(ASKED, [standing], now=end).is_allowed
                assert (end - TICK).to_tz(zone).date() <= day < end.to_tz(zone).date()


@given(ends=days, known=facts(days))
def test_the_published_dates_are_counted_from_the_end_for_every_end_A5_A8_A10_B3_B6(ends, known):
    known = Facts(kind=SubjectKind.ORGANIZATION, zone=known.zone, anchors={"expiry": ends})

    pool, grace = (plan(policy, known) for policy in PUBLISHED)

    def expected(**period):
        """Skip a day that the zone never had."""
        return civil_date(first_instant(ends.add(**period), known.zone), zone=known.zone)

    assert pool.find("expiring-soon").due_on == expected(days=-14)
    assert pool.find("achievements").due_on == expected(days=1)
    assert pool.find("company-data").due_on == expected(days=23)
    assert pool.find("erase").due_on == expected(days=30)
    assert grace.spans[1].ends_at == first_instant(ends.add(days=91), known.zone)
    assert grace.spans[2].ends_at == effect(ends.add(months=12), zone=known.zone)
    assert grace.find("erase").deadline_at == effect(ends.add(months=18), zone=known.zone)


@given(policy=policies, known=facts(), outcome=st.sampled_from([Outcome.MISSED, Outcome.UNREACHED]))
def test_a_deletion_that_was_not_done_never_counts_as_done_S1(policy, known, outcome):
    timeline = plan(policy, known)
    planned = timeline.find("erase")
    if planned is None:
        return
    receipts = make_receipts(make_receipt(planned, outcome=outcome))

    for now in probes(timeline):
        assert timeline.span_at(now, receipts=receipts).after_step is None


@given(known=facts(days))
def test_the_first_and_last_days_of_the_stages_follow_each_other_T3(known):
    for policy in PUBLISHED:
        spans = plan(policy, known).spans
        for one, other in pairwise(spans):
            assert isinstance(one.last_on, Date)
            if other.after_step is None:
                assert one.last_on < other.first_on
