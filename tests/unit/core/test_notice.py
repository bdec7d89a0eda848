import pytest
from whenever import Date, Instant

from offramp.core.model import Outcome, Role
from offramp.core.notice import ROLE_OF, state_facts
from offramp.core.plan import substitute
from offramp.core.policy import Audience
from offramp.documents.policy import find_policy
from offramp.testing.builders import make_receipt, make_receipts, make_timeline

LICENSE_POOL = make_timeline(find_policy("license-pool"))
EDIT_ONLY = make_timeline(find_policy("edit-only-grace"))


def instant(text):
    return Instant.parse_iso(text)


def facts_of(key, now, *receipts, timeline=LICENSE_POOL):
    return state_facts(
        timeline, timeline.find(key), receipts=make_receipts(*receipts), now=instant(now)
    )


def test_the_warning_states_the_dates_that_were_published_A5_L7():
    facts = facts_of("expiring-soon", "2024-08-16T08:00:00Z")

    assert (facts.notice, facts.stage, facts.stage_title) == ("expiring-soon", "active", "Active")
    assert facts.stage_ends_on == facts.access_ends_on == Date(2024, 8, 30)
    assert facts.days_left == 15  # the sixteenth and the thirtieth included
    assert facts.erases_on == facts.erases_no_later_than == Date(2024, 9, 29)
    assert facts.exports_on == Date(2024, 9, 22)
    assert facts.agreement == "https://example.com/agreement"


@pytest.mark.parametrize(
    ("zone", "last_day"),
    [
        ("Europe/Dublin", Date(2024, 8, 30)),
        ("America/Los_Angeles", Date(2024, 8, 30)),  # until four in the afternoon
        ("Europe/Berlin", Date(2024, 8, 31)),  # until one at night
        ("Pacific/Auckland", Date(2024, 8, 31)),  # until eleven in the morning
    ],
)
def test_a_reader_elsewhere_is_told_the_days_of_their_own_calendar_N1(zone, last_day):
    facts = facts_of("expiring-soon", "2024-08-16T08:00:00Z").for_reader(frozenset(), zone=zone)

    assert facts.access_ends_on == last_day
    assert facts.days_left == 15  # nobody is promised a day that is an hour long


@pytest.mark.parametrize(
    ("timeline", "zone", "is_window"),
    [
        (LICENSE_POOL, "Europe/Dublin", False),
        (LICENSE_POOL, "Europe/Berlin", False),  # although that day ends within the next one there
        (EDIT_ONLY, "Europe/Dublin", True),
    ],
)
def test_a_deletion_on_one_day_is_on_one_day_everywhere(timeline, zone, is_window):
    facts = state_facts(
        timeline, timeline.steps[0], receipts={}, now=instant("2024-08-16T08:00:00Z")
    )

    assert facts.for_reader(frozenset(), zone=zone).is_window == is_window


@pytest.mark.parametrize(("role", "told"), [(Role.ADMIN, Date(2024, 9, 22)), (Role.MEMBER, None)])
def test_an_export_is_announced_to_whoever_will_be_sent_it(role, told):
    facts = facts_of("achievements", "2024-08-31T08:00:00Z")

    assert facts.for_reader(frozenset({role}), zone="Europe/Dublin").exports_on == told


def test_what_was_handed_over_or_is_being_handed_over_is_not_announced():
    sent = make_receipt("company-data", "2024-09-22T08:00:00Z")

    assert facts_of("company-data", "2024-09-22T08:00:00Z").exports_on is None
    assert facts_of("company-data", "2024-09-21T08:00:00Z", sent).exports_on is None


@pytest.mark.parametrize(
    ("now", "days_left"),
    [
        ("2024-08-29T22:59:59Z", 2),
        ("2024-08-29T23:00:00Z", 1),  # the last day has begun
        ("2024-08-30T22:59:59Z", 1),
        ("2024-08-30T23:00:00Z", 30),  # the next stage
    ],
)
def test_days_are_left_by_the_calendar_of_the_organization(now, days_left):
    assert facts_of("expiring-soon", now).days_left == days_left


def test_a_late_export_states_the_date_to_which_the_deletion_slips_D2():
    sent = make_receipt("expiring-soon", "2024-08-16T08:00:00Z")

    facts = facts_of("company-data", "2024-09-24T08:00:00Z", sent)

    assert facts.erases_on == Date(2024, 10, 1)


def test_the_warning_that_stands_in_states_the_new_date_D2():
    missed = make_receipt("expiring-soon", "2024-08-31T08:00:00Z", outcome=Outcome.MISSED)
    data = make_receipt("company-data", "2024-09-22T08:00:00Z")
    now = instant("2024-09-29T01:00:00Z")
    receipts = make_receipts(missed, data)

    facts = state_facts(
        LICENSE_POOL,
        substitute(LICENSE_POOL, "expiring-soon", now=now),
        receipts=receipts,
        now=now,
    )

    assert facts.notice == "deletion-warning"
    assert facts.erases_on == Date(2024, 10, 13)


def test_after_the_deletion_its_real_date_is_stated():
    facts = facts_of(
        "achievements", "2024-10-09T08:00:00Z", make_receipt("erase", "2024-10-05T01:00:00Z")
    )

    assert (facts.stage, facts.erases_on) == ("erased", Date(2024, 10, 5))


def test_a_stage_that_outlasts_its_plan_states_no_end_that_has_passed():
    facts = facts_of("company-data", "2024-10-09T08:00:00Z")

    assert (facts.stage, facts.stage_ends_on, facts.days_left) == ("expired", None, None)


def test_a_change_of_stage_is_named_by_its_key():
    assert facts_of("stage:expired", "2024-08-30T23:00:00Z").notice == "stage:expired"


def test_every_audience_asks_for_a_role_or_for_everybody_N1():
    assert set(ROLE_OF) == set(Audience)
