"""Shutting somebody out at once, and what is kept of it."""

import pytest

from offramp.core.access import Place, Voter
from offramp.core.policy import Capability
from offramp.engine.access import may
from offramp.engine.block import BLOCKED, UNBLOCKED, BlockUnchanged, set_block
from offramp.engine.explanation import explain_access
from offramp.engine.situation import MemberUnknown
from offramp.engine.unlock import grant_unlock
from tests.unit.web.acme import acme


@pytest.fixture
def world():
    return acme()


def shut_out(world, *, member="ulf", is_blocked=True, reason="a stolen password"):
    return set_block(
        world.context,
        "acme",
        member=member,
        is_blocked=is_blocked,
        owner="sam",
        reason=reason,
    )


def decide(world, member="ulf"):
    return may(
        world.store,
        "acme",
        member,
        Capability.READ,
        surface="app",
        product="notes",
        now=world.now,
    )


def explain(world, at):
    place = Place(organization="acme", member="ulf", surface="app", product="notes")
    (account,) = explain_access(world.context, place, Capability.READ, at=at)
    return account


def test_a_block_has_the_last_word_until_it_is_taken_away(world):
    grant_unlock(world.context, "acme", owner="sam", reason="a ticket", hours=24)
    shut_out(world)
    assert (decide(world).voter, decide(world, "anna").is_allowed) == (Voter.BLOCK, True)

    shut_out(world, is_blocked=False, reason="it was changed")

    assert decide(world).is_allowed


@pytest.mark.parametrize("member", [None, "ulf"])
def test_a_block_of_all_and_one_of_a_member_are_taken_away_by_themselves(world, member):
    shut_out(world, member=None)
    shut_out(world, member="ulf")

    shut_out(world, member=member, is_blocked=False)

    assert decide(world).voter is Voter.BLOCK


def test_the_ledger_says_that_it_was_done_and_names_nobody(world):
    shut_out(world)
    shut_out(world, is_blocked=False)

    with world.store.transaction() as transaction:
        events = [entry.event for entry in transaction.ledger()][-2:]
    assert [event.kind for event in events] == [BLOCKED, UNBLOCKED]
    assert {event.actor for event in events} == {"operator"}
    assert "ulf" not in str(events)
    assert "stolen" not in str(events)


def test_what_is_so_already_is_refused_and_kept_once(world):
    with pytest.raises(BlockUnchanged, match="ulf is not shut out"):
        shut_out(world, is_blocked=False)
    shut_out(world)

    with pytest.raises(BlockUnchanged, match="ulf is shut out already"):
        shut_out(world)

    assert len(explain(world, None).blocks) == 1


def test_nobody_unknown_can_be_shut_out(world):
    with pytest.raises(MemberUnknown):
        shut_out(world, member="eve")


def test_of_the_past_it_is_known_when_somebody_was_shut_out(world):
    """Asked later, each hour is answered as it was then."""
    begin = world.now
    world.clock.advance_to(begin.add(hours=10))
    shut_out(world)
    world.clock.advance_to(begin.add(hours=20))
    shut_out(world, is_blocked=False)
    world.clock.advance_to(begin.add(hours=30))

    told = [explain(world, begin.add(hours=hours)) for hours in (5, 15, 25)]

    assert [each.explanation.decision.voter for each in told] == [
        Voter.ORGANIZATION,
        Voter.BLOCK,
        Voter.ORGANIZATION,
    ]
    assert [note.owner for note in told[1].blocks] == ["sam", "sam"]


def test_what_was_noted_of_one_leaves_open_what_was_of_all(world):
    begin = world.now
    world.clock.advance_to(begin.add(hours=10))
    shut_out(world)
    shut_out(world, member=None)
    world.clock.advance_to(begin.add(hours=20))

    before, during = explain(world, begin.add(hours=5)), explain(world, begin.add(hours=15))

    assert "block" not in {gap.value for gap in (*before.gaps, *during.gaps)}
    assert during.explanation.decision.voter is Voter.BLOCK
