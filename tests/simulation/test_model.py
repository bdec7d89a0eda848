"""The protocol of a step as a model, all of it visited; and five protocols as others had them."""

import pytest

from offramp.core.transitions import OffboardingStatus, StepStatus
from tests.simulation.explorer import LawBroken, Stuck, explore, require_reachable, way_to
from tests.simulation.protocol import Protocol, State


def rows_go_only_while_nobody_forbids_it(before, after):
    """A row goes while nothing is held, and in the episode of whoever deletes it (L18)."""
    if after.rows == before.rows:
        return True
    (deleting,) = (
        worker for worker, then in zip(before.workers, after.workers, strict=True) if worker != then
    )
    return not before.is_held and deleting.episode == before.episode


def nothing_goes_without_notice(before, after):
    """A row goes only after this episode's notice went out (L9, L10)."""
    return after.rows == before.rows or before.sent_now > 0


def a_receipt_follows_its_effect(_before, after):
    """A notice that counts as sent went out in this episode (L32)."""
    return after.notice is not StepStatus.DONE or after.sent_now > 0


def a_second_mail_has_a_cause(_before, after):
    """A notice goes out again only after a death, or a lease that was lost (L8)."""
    return max(after.sent) <= 1 + after.deaths + after.lost_leases


def what_is_completed_is_gone(_before, after):
    """Completed means that no row is left."""
    return after.status is not OffboardingStatus.COMPLETED or after.rows == 0


LAWS = (
    rows_go_only_while_nobody_forbids_it,
    nothing_goes_without_notice,
    a_receipt_follows_its_effect,
    a_second_mail_has_a_cause,
    what_is_completed_is_gone,
)


START = State()
NO_ACCIDENTS = {"deaths_max": 0, "lost_leases_max": 0}


def is_completed(state):
    return state.status is OffboardingStatus.COMPLETED


def visit(protocol, start=START):
    """Visit all of a protocol; what may happen can always end well."""
    found = explore(start, protocol.moves, LAWS)
    require_reachable(found, protocol.moves, is_completed)
    return found


def test_in_every_order_of_events_the_protocol_keeps_its_laws_and_can_end():
    """L18 L32: with a death, a lost lease, a hold and a renewal at any moment."""
    found = visit(Protocol())

    assert len(found) > 10_000
    assert any(state.deaths and state.lost_leases and is_completed(state) for state in found)
    assert any(state.episode > 1 and is_completed(state) for state in found)
    assert any(max(state.sent) > 1 for state in found)  # which cannot be ruled out, and is counted


@pytest.mark.parametrize(
    ("flaw", "law"),
    [
        ("fence_is_held", rows_go_only_while_nobody_forbids_it),
        ("effect_comes_first", a_receipt_follows_its_effect),
        ("claims_are_checked", a_receipt_follows_its_effect),
        ("notices_are_per_episode", a_receipt_follows_its_effect),
    ],
)
def test_a_protocol_that_leaves_one_thing_out_is_caught_with_the_way_to_it(flaw, law):
    """L43."""
    with pytest.raises(LawBroken) as caught:
        visit(Protocol(**{flaw: False}))

    assert law.__doc__ in str(caught.value)


def test_a_protocol_that_asks_for_one_day_only_is_stuck_after_a_day_without_a_worker():
    """L2 L43."""
    with pytest.raises(Stuck) as caught:
        visit(Protocol(due_is_a_range=False, **NO_ACCIDENTS), State(renewals_left=0))

    assert "a day passes\na day passes" in str(caught.value)


def test_without_deaths_and_lost_leases_no_mail_goes_out_twice():
    """L8."""
    found = visit(Protocol(**NO_ACCIDENTS))

    assert {max(state.sent) for state in found} == {0, 1}


def test_the_way_to_a_state_is_told_from_the_start():
    protocol = Protocol(**NO_ACCIDENTS)
    found = explore(START, protocol.moves, LAWS)
    end = next(state for state in found if is_completed(state))

    state = State()
    for name in way_to(end, found):
        state = dict(protocol.moves(state))[name]

    assert state == end
