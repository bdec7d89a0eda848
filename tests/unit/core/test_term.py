import pytest
from whenever import Date, Instant

from offramp.core.dates import effect
from offramp.core.model import Anchor, Cause
from offramp.core.term import (
    EndNotExact,
    Source,
    as_published,
    last_end,
    member_term,
    organization_term,
    overtakes,
)
from offramp.testing.builders import ZONE, make_member, make_pool

EARLY = make_pool("early", "2024-06-30")
LATE = make_pool("late", "2024-08-30")
OPEN = make_pool("open", None)
OTHER_PRODUCT = make_pool("notes", "2024-03-31", product="notes")


@pytest.mark.parametrize(
    ("pools", "ends"),
    [
        ([], None),
        ([EARLY], Date(2024, 6, 30)),
        ([EARLY, LATE], Date(2024, 8, 30)),
        ([LATE, EARLY], Date(2024, 8, 30)),
        ([EARLY, OPEN], None),
    ],
)
def test_an_organization_leaves_when_its_last_pool_ends_A1_L11(pools, ends):
    term = organization_term(pools, zone=ZONE)

    assert (term and term.ends) == ends


def test_each_product_has_a_clock_of_its_own_B1():
    pools = [EARLY, OTHER_PRODUCT]

    ends = [organization_term(pools, zone=ZONE, product=p) for p in ("training", "notes", "mail")]

    assert [term and term.ends for term in ends] == [Date(2024, 6, 30), Date(2024, 3, 31), None]


def test_the_last_end_is_judged_by_its_effect_and_not_by_its_kind():
    in_the_evening = make_pool("evening", "2024-08-30T20:00:00Z")
    next_morning = make_pool("morning", "2024-08-31T06:00:00Z")

    assert last_end([LATE, in_the_evening], zone=ZONE) == LATE.ends
    assert last_end([LATE, next_morning], zone=ZONE) == next_morning.ends


@pytest.mark.parametrize(
    ("seats", "ends"),
    [
        (("early",), Date(2024, 6, 30)),
        (("early", "late"), Date(2024, 8, 30)),  # a seat in another live pool keeps access
        (("early", "open"), None),
        ((), None),
        (("unknown",), None),
    ],
)
def test_a_member_leaves_with_the_last_live_seat_A1(seats, ends):
    term = member_term(make_member("anna", *seats), [EARLY, LATE, OPEN], zone=ZONE)

    assert (term and term.ends) == ends
    assert term is None or (term.cause, term.source) == (Cause.EXPIRED, Source.POOL)


@pytest.mark.parametrize(
    ("own_end", "removed_at", "cause", "source"),
    [
        ("2024-07-31", None, Cause.EXPIRED, Source.MEMBER),
        (None, "2024-07-01T10:00:00Z", Cause.REMOVED, Source.MEMBER),
        ("2024-07-31", "2024-07-01T10:00:00Z", Cause.REMOVED, Source.MEMBER),
        ("2024-06-15", "2024-07-01T10:00:00Z", Cause.EXPIRED, Source.MEMBER),
        ("2024-12-31", None, Cause.EXPIRED, Source.POOL),
    ],
)
def test_the_earliest_of_three_ends_is_the_members_own_S7(own_end, removed_at, cause, source):
    member = make_member("anna", "late", ends=own_end, removed_at=removed_at)

    term = member_term(member, [LATE], zone=ZONE)

    assert (term.cause, term.source) == (cause, source)


def test_a_removal_is_counted_from_itself_and_is_an_end_as_well():
    removed_at = "2024-07-01T10:00:00Z"

    term = member_term(make_member("anna", removed_at=removed_at), [], zone=ZONE)

    end = Instant.parse_iso(removed_at)
    assert term.anchors == {Anchor.EXPIRY: end, Anchor.REMOVED: end}


def test_a_plain_end_is_the_only_anchor_of_its_term():
    term = organization_term([LATE], zone=ZONE)

    assert term.anchors == {Anchor.EXPIRY: LATE.ends}


@pytest.mark.parametrize(
    ("member_pool", "organization_pool", "expected"),
    [(EARLY, LATE, True), (LATE, EARLY, False), (LATE, LATE, False), (LATE, OPEN, True)],
)
def test_a_member_overtakes_an_organization_that_ends_later_S7(
    member_pool, organization_pool, expected
):
    own = member_term(make_member("anna", member_pool.id), [member_pool], zone=ZONE)
    theirs = organization_term([organization_pool], zone=ZONE)

    assert overtakes(own, theirs, zone=ZONE) is expected


def test_a_member_without_an_end_overtakes_nobody():
    assert not overtakes(None, organization_term([LATE], zone=ZONE), zone=ZONE)


def test_the_same_end_day_in_another_zone_is_another_instant():
    assert effect(LATE.ends, zone="Asia/Tokyo") < effect(LATE.ends, zone="America/Lima")


def test_a_policy_of_whole_days_takes_an_exact_end_as_its_last_day():
    end = Instant.parse_iso("2024-08-30T12:00:00Z")

    read = as_published(end, expiry="end-of-day", zone="Pacific/Auckland")

    assert read == Date(2024, 8, 31)


def test_a_policy_of_instants_refuses_an_end_that_is_only_a_date():
    with pytest.raises(EndNotExact, match="counts from an instant"):
        as_published(Date(2024, 8, 30), expiry="instant", zone="UTC")
