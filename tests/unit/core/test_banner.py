"""What a page shows to whom, and until when: the stage, what is possible, and the way back."""

import pytest
from whenever import Instant

from offramp.core.access import Standing, Voter
from offramp.core.banner import Reader, describe, may_request, show_banner
from offramp.core.dates import first_instant
from offramp.core.model import Role, SubjectKind
from offramp.core.policy import ANY, LEVELS, Capability
from offramp.documents.policy import find_policy
from offramp.testing.builders import (
    ACTIVE,
    EXPIRED,
    make_policy,
    make_receipt,
    make_receipts,
    make_timeline,
    make_unlock,
)

EDIT_ONLY = find_policy("edit-only-grace")
LICENSE_POOL = find_policy("license-pool")
MIDDLE = "2024-10-01T12:00:00Z"
FULL, NONE = LEVELS["full"], LEVELS["none"]


def instant(text):
    return Instant.parse_iso(text)


def standing(policy=EDIT_ONLY, ends="2024-08-30", *, receipts=(), **facts):
    return Standing(
        voter=Voter.MEMBER if facts else Voter.ORGANIZATION,
        timeline=make_timeline(policy, ends, **facts),
        receipts=make_receipts(*receipts),
    )


def show(*standings, roles=(Role.MEMBER,), now=MIDDLE, **known):
    reader = Reader(roles=frozenset(roles), standings=standings or (standing(),), **known)
    return show_banner(reader, now=instant(now))


def banner(*standings, **given):
    return show(*standings, **given).banner


def policy_of(*stages):
    """Make a policy of the first stage and some more, each with a banner and a level."""
    made = [
        {"id": f"stage-{n}", "from": f"expiry + P{n}D", "access": {"*": level}, "banner": True}
        for n, level in enumerate(stages)
    ]
    return make_policy(stages=[ACTIVE, *made])


@pytest.mark.parametrize(
    ("now", "stage"),
    [
        ("2024-08-30T22:59:59Z", None),
        ("2024-08-30T23:00:00Z", "expired"),
        ("2024-11-28T23:59:59Z", "expired"),
        ("2024-11-29T00:00:00Z", None),
    ],
)
@pytest.mark.parametrize("role", list(Role))
def test_the_banner_is_there_for_the_whole_of_expired_and_no_longer_B7(now, stage, role):
    shown = banner(roles=[role], now=now)

    assert (shown and shown.facts.stage) == stage


def test_it_says_what_until_when_and_where_to_read_on_B7_B10():
    facts = banner(now="2024-11-27T12:00:00Z").facts

    assert (facts.stage_title, str(facts.stage_ends_on), facts.days_left) == (
        ("Expired", "2024-11-28", 2)
    )
    assert (facts.agreement, facts.information, facts.support) == (
        "https://example.com/agreement",
        "https://example.com/leaving",
        "https://example.com/support",
    )


def test_what_can_still_be_done_is_read_from_the_capability_matrix_B3_L38():
    shown = banner()

    assert shown.allowed == LEVELS["edit-only"]
    assert shown.lost == FULL - LEVELS["edit-only"]
    assert shown.allowed_next == NONE


@pytest.mark.parametrize(
    ("levels", "allowed", "lost", "allowed_next"),
    [
        (("full", "edit-only"), "full", NONE, "edit-only"),
        (("read-only", "none"), "read-only", FULL - LEVELS["read-only"], "none"),
        (("none", "none"), "none", FULL, "none"),
    ],
)
def test_each_stage_says_what_is_possible_in_it_and_after_it_L38(
    levels, allowed, lost, allowed_next
):
    shown = banner(standing(policy_of(*levels)), now="2024-08-31T12:00:00Z")

    assert (shown.allowed, shown.lost) == (LEVELS[allowed], lost)
    assert shown.allowed_next == LEVELS[allowed_next]


def test_a_stage_without_an_end_promises_nothing_of_what_follows():
    shown = banner(standing(policy_of("read-only")))

    assert (shown.facts.stage_ends_at, shown.allowed_next) == (None, None)


def test_another_surface_has_another_answer():
    stages = [ACTIVE, EXPIRED | {"access": {"*": {"*": "none", "console": "full"}}, "banner": True}]
    of_console = standing(make_policy(stages=stages))

    assert banner(of_console, surface=ANY).allowed == NONE
    assert banner(of_console, surface="console").allowed == FULL


@pytest.mark.parametrize(
    ("role", "is_for_administrator", "may_renew"),
    [
        (Role.MEMBER, False, False),
        (Role.BILLING, False, False),
        (Role.ADMIN, True, True),
        (Role.OWNER, True, True),
    ],
)
def test_whoever_administers_is_told_of_renewing_and_others_whom_to_ask_B7(
    role, is_for_administrator, may_renew
):
    shown = banner(roles=[role])

    assert (shown.is_for_administrator, shown.may_renew) == (is_for_administrator, may_renew)
    assert shown.returns_by == {"admin", "owner", "support"}
    assert shown.returns_whole


@pytest.mark.parametrize("role", list(Role))
def test_whoever_leaves_alone_is_not_told_to_renew(role):
    shown = banner(standing(kind=SubjectKind.MEMBER), roles=[role])

    assert shown.facts.is_one_member
    assert not shown.may_renew


def test_a_stage_without_a_way_back_promises_none():
    shown = banner(standing(policy_of("read-only")), roles=[Role.OWNER])

    assert (shown.may_renew, shown.returns_by, shown.returns_whole) == (False, frozenset(), False)


@pytest.mark.parametrize(
    ("kinds", "of_user", "of_admin"),
    [((), False, False), (("member",), True, True), (("organization",), False, True)],
)
def test_a_download_is_offered_to_whoever_is_given_one_B9(kinds, of_user, of_admin):
    stages = [ACTIVE, EXPIRED | {"banner": True, "export_on_request": kinds}]
    here = standing(make_policy(stages=stages))

    assert banner(here).may_request is of_user
    assert banner(here, roles=[Role.ADMIN]).may_request is of_admin


# --- several voters ----------------------------------------------------------------------------


def test_an_end_of_ones_own_is_shown_before_that_of_the_organization_B1():
    whole, own = standing(), standing(ends="2024-08-20", kind=SubjectKind.MEMBER)

    shown = banner(whole, own)

    assert shown.facts.is_one_member
    assert str(shown.facts.stage_ends_on) == "2024-11-18"


def test_the_organizations_banner_is_shown_to_whoever_has_an_end_to_come():
    own = standing(ends="2025-08-30", kind=SubjectKind.MEMBER)

    assert not banner(standing(), own).facts.is_one_member


def test_nobody_is_told_what_a_stricter_voter_forbids_L7_L39():
    """The organization is deactivated: that its member could still edit is not true."""
    own = standing(ends="2024-11-20", kind=SubjectKind.MEMBER)

    assert banner(standing(), own, now="2024-12-01T12:00:00Z") is None
    assert banner(own, now="2024-12-01T12:00:00Z").allowed == LEVELS["edit-only"]


def test_whoever_is_shut_out_is_not_told_that_they_may_edit_L7():
    assert banner(is_blocked=True).allowed == NONE


def test_while_support_has_opened_everything_the_banner_knows_and_says_until_when_A3():
    unlock = make_unlock("2024-10-01T00:00:00Z", "2024-10-02T00:00:00Z")

    shown = banner(unlocks=(unlock,))

    assert (shown.allowed, shown.lost) == (FULL, NONE)
    assert shown.opened_until == unlock.ends_at
    assert banner(unlocks=(unlock,), now="2024-10-02T00:00:00Z").opened_until is None


def test_nothing_is_shown_of_a_product_that_was_never_bought():
    reader = Reader(roles=frozenset({Role.MEMBER}), standings=())

    assert show_banner(reader, now=instant(MIDDLE)).banner is None


# --- until when the answer holds ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("now", "changes_at"),
    [
        ("2024-08-01T12:00:00Z", "2024-08-30T23:00:00Z"),  # there is none until Expired begins
        ("2024-08-30T23:00:00Z", "2024-08-31T23:00:00Z"),  # a day less is left
        ("2024-11-28T12:00:00Z", "2024-11-29T00:00:00Z"),  # the last day
        ("2024-11-29T00:00:00Z", "2025-08-30T23:00:00Z"),  # the stage after the next one
    ],
)
def test_an_answer_says_until_when_it_holds(now, changes_at):
    assert show(now=now).changes_at == instant(changes_at)


def test_an_answer_ends_with_the_unlock_that_it_speaks_of():
    unlock = make_unlock("2024-10-01T00:00:00Z", "2024-10-01T18:00:00Z")

    assert show(unlocks=(unlock,)).changes_at == unlock.ends_at


def test_days_are_counted_by_the_organizations_calendar_until_the_very_end():
    here = standing(zone="Pacific/Auckland")
    end = first_instant(here.timeline.spans[1].last_on.next_day(), "Pacific/Auckland")

    last = banner(here, now=end.subtract(nanoseconds=1).format_iso())

    assert last.facts.days_left == 1
    assert banner(here, now=end.format_iso()) is None


def test_a_stage_that_outlasts_its_plan_is_shown_without_an_end():
    """Until the receipt of the deletion is there, the stage is in force (S1)."""
    stages = [
        ACTIVE,
        EXPIRED | {"banner": True},
        {"id": "erased", "from": "erase", "access": {"*": "none"}},
    ]
    erase = {"id": "erase", "at": "expiry + P30D", "erase": "organization"}
    policy = make_policy(erase, stages=stages)
    late = "2024-11-01T12:00:00Z"

    shown = banner(standing(policy), now=late)
    gone = banner(
        standing(policy, receipts=[make_receipt("erase", "2024-10-31T02:00:00Z")]), now=late
    )

    assert (shown.facts.stage_ends_at, shown.facts.days_left) == (None, None)
    assert gone is None


@pytest.mark.parametrize("capability", list(Capability))
def test_what_a_banner_allows_is_what_access_is_decided_to_be_L7(capability):
    reader = Reader(roles=frozenset({Role.MEMBER}), standings=(standing(),))

    shown = show_banner(reader, now=instant(MIDDLE)).banner

    decision = reader.decide(capability, now=instant(MIDDLE))
    assert decision.is_allowed is (capability in shown.allowed)


def reader(*standings, roles=(Role.MEMBER,), **known):
    return Reader(roles=frozenset(roles), standings=standings, **known)


@pytest.mark.parametrize(
    ("now", "stage"),
    [
        ("2024-08-01T00:00:00Z", "active"),
        (MIDDLE, "expired"),
        ("2025-01-01T00:00:00Z", "deactivated"),
        ("2025-09-01T00:00:00Z", "marked-for-deletion"),
    ],
)
def test_a_stage_is_described_whether_or_not_the_product_shows_it(now, stage):
    assert describe(reader(standing()), now=instant(now)).facts.stage == stage


def test_what_is_described_is_what_the_product_shows_where_it_does_L7():
    shown = banner(standing())

    assert describe(reader(standing()), now=instant(MIDDLE)) == shown


def test_of_whom_nobody_has_a_say_nothing_is_described_and_nothing_given():
    assert describe(reader(), now=instant(MIDDLE)) is None
    assert not may_request(reader(), SubjectKind.MEMBER, now=instant(MIDDLE))


@pytest.mark.parametrize(
    ("policy", "now", "is_given"),
    [
        (EDIT_ONLY, "2024-08-01T00:00:00Z", True),  # whoever may export may have it
        (EDIT_ONLY, MIDDLE, True),
        (EDIT_ONLY, "2025-01-01T00:00:00Z", True),
        (EDIT_ONLY, "2025-09-01T00:00:00Z", True),
        (LICENSE_POOL, "2024-08-01T00:00:00Z", True),
        (LICENSE_POOL, "2024-09-02T00:00:00Z", False),
    ],
)
def test_a_copy_of_their_own_is_given_as_the_policy_says_B9(policy, now, is_given):
    assert may_request(reader(standing(policy)), SubjectKind.MEMBER, now=instant(now)) == is_given


def test_once_it_is_deleted_nobody_is_given_a_copy_B9():
    erased = standing(receipts=[make_receipt("erase", "2025-10-01T02:00:00Z")])

    assert not may_request(reader(erased), SubjectKind.MEMBER, now=instant("2025-12-01T00:00:00Z"))


def test_being_shut_out_by_an_operator_takes_nobody_their_own_B9():
    assert may_request(reader(standing(), is_blocked=True), SubjectKind.MEMBER, now=instant(MIDDLE))
