"""Every voter is named with what it says, and the explanation never differs from the decision."""

from dataclasses import replace

import pytest
from whenever import Date, Instant

from offramp.core.access import Standing, Voter
from offramp.core.banner import Reader
from offramp.core.explanation import Saying, depends_on_roles, explain
from offramp.core.model import Cause, Role
from offramp.core.policy import Capability
from offramp.documents.policy import find_policy
from offramp.testing.builders import make_receipt, make_receipts, make_timeline, make_unlock

EDIT_ONLY = find_policy("edit-only-grace")
ACTIVE = Instant.parse_iso("2024-08-01T12:00:00Z")
CUT = Instant.parse_iso("2024-08-30T23:00:00Z")
EXPIRED = Instant.parse_iso("2024-09-01T12:00:00Z")
DEACTIVATED = Instant.parse_iso("2024-11-29T00:00:00Z")
WHOLE = Standing(voter=Voter.ORGANIZATION, timeline=make_timeline(EDIT_ONLY))
OWN = Standing(voter=Voter.MEMBER, timeline=make_timeline(EDIT_ONLY, "2024-08-20"))
MEMBER = Reader(roles=frozenset({Role.MEMBER}), standings=(WHOLE,))
UNLOCK = make_unlock("2024-09-01T00:00:00Z", "2024-09-02T00:00:00Z")


def statement(reader, voter, *, now, capability=Capability.CREATE):
    found = explain(reader, capability, now=now).statements
    return next(each for each in found if each.voter is voter)


def test_every_voter_is_named_whether_or_not_it_has_something_to_say():
    said = [
        (each.voter.value, each.saying.value)
        for each in explain(MEMBER, Capability.CREATE, now=ACTIVE).statements
    ]

    assert said == [
        ("block", "silent"),
        ("organization", "allows"),
        ("member", "silent"),
        ("pool", "silent"),
        ("unlock", "silent"),
    ]


def test_a_voter_says_its_stage_since_and_until_when_and_from_which_end():
    found = statement(MEMBER, Voter.ORGANIZATION, now=EXPIRED)

    assert (found.saying, found.stage, found.level) == (Saying.REFUSES, "expired", "edit-only")
    assert (found.since, found.until, found.ends) == (CUT, DEACTIVATED, Date(2024, 8, 30))


def test_the_strictest_is_named_while_the_milder_one_still_allows():
    reader = replace(MEMBER, standings=(WHOLE, OWN))
    now = Instant.parse_iso("2024-08-25T12:00:00Z")

    explained = explain(reader, Capability.CREATE, now=now)

    assert (explained.decision.voter, explained.decision.is_allowed) == (Voter.MEMBER, False)
    assert statement(reader, Voter.ORGANIZATION, now=now).saying is Saying.ALLOWS
    assert statement(reader, Voter.MEMBER, now=now).saying is Saying.REFUSES


def test_a_removal_is_told_from_an_end():
    removed_at = Instant.parse_iso("2024-08-20T12:00:00Z")
    timeline = make_timeline(EDIT_ONLY, removed_at, cause=Cause.REMOVED, removed=removed_at)
    reader = replace(MEMBER, standings=(WHOLE, Standing(voter=Voter.MEMBER, timeline=timeline)))

    assert statement(reader, Voter.MEMBER, now=EXPIRED).is_removed
    assert not statement(reader, Voter.ORGANIZATION, now=EXPIRED).is_removed


def test_a_block_refuses_and_what_the_others_say_is_told_all_the_same():
    reader = replace(MEMBER, is_blocked=True)

    explained = explain(reader, Capability.READ, now=ACTIVE)

    assert explained.decision.voter is Voter.BLOCK
    assert statement(reader, Voter.BLOCK, now=ACTIVE).saying is Saying.REFUSES
    assert statement(reader, Voter.ORGANIZATION, now=ACTIVE).saying is Saying.ALLOWS


def test_an_unlock_in_force_is_a_voter_and_its_end_is_the_next_change():
    reader = replace(MEMBER, unlocks=(UNLOCK,))

    explained = explain(reader, Capability.CREATE, now=EXPIRED)

    assert (explained.decision.voter, explained.decision.is_allowed) == (Voter.UNLOCK, True)
    assert statement(reader, Voter.UNLOCK, now=EXPIRED).unlock == UNLOCK
    assert (explained.change.at, explained.change.decision.is_allowed) == (UNLOCK.ends_at, False)


def test_an_unlock_that_is_over_is_silent():
    reader = replace(MEMBER, unlocks=(UNLOCK,))

    assert statement(reader, Voter.UNLOCK, now=DEACTIVATED).saying is Saying.SILENT


@pytest.mark.parametrize(
    ("now", "changes_at", "stage"),
    [
        (ACTIVE, CUT, "expired"),
        (CUT, DEACTIVATED, "deactivated"),
        (DEACTIVATED, Instant.parse_iso("2025-08-30T23:00:00Z"), "marked-for-deletion"),
        (Instant.parse_iso("2027-01-01T00:00:00Z"), None, None),  # it waits for a deletion
    ],
)
def test_the_next_change_is_the_first_other_decision(now, changes_at, stage):
    change = explain(MEMBER, Capability.CREATE, now=now).change

    assert (change and change.at) == changes_at
    assert (change and change.decision.stage) == stage


def test_what_is_erased_is_so_since_it_was_done_and_not_since_it_was_planned():
    receipt = make_receipt("erase", "2025-10-05T09:00:00Z")
    reader = replace(MEMBER, standings=(replace(WHOLE, receipts=make_receipts(receipt)),))

    found = statement(reader, Voter.ORGANIZATION, now=Instant.parse_iso("2026-01-01T00:00:00Z"))

    assert (found.stage, found.since) == ("deleted", receipt.done_at)


def test_where_roles_decide_it_is_known():
    console = replace(MEMBER, surface="console")

    assert depends_on_roles(console, Capability.MANAGE, now=ACTIVE)
    assert not depends_on_roles(console, Capability.MANAGE, now=DEACTIVATED)
