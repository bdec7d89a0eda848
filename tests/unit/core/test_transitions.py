import pytest

from offramp.core import transitions
from offramp.core.transitions import (
    FINISHED,
    OFFBOARDING,
    STEP,
    IllegalTransition,
    OffboardingStatus,
    StepStatus,
    move,
)

S, O = StepStatus, OffboardingStatus  # noqa: E741 (as short as the table)


def test_every_status_has_its_row():
    assert set(STEP) == set(StepStatus)
    assert set(OFFBOARDING) == set(OffboardingStatus)


@pytest.mark.parametrize("table", [STEP, OFFBOARDING])
def test_the_table_allows_exactly_what_it_lists(table):
    for source, targets in table.items():
        for target in table:
            if target in targets:
                assert move(table, source, target) is target
            else:
                with pytest.raises(IllegalTransition):
                    move(table, source, target)


def test_a_step_that_was_canceled_stays_canceled():
    assert STEP[S.CANCELED] == frozenset()


@pytest.mark.parametrize("finished", [S.DONE, S.MISSED, S.UNREACHED])
def test_a_finished_step_can_only_be_taken_up_again_from_the_start(finished):
    assert STEP[finished] == {S.PENDING}


@pytest.mark.parametrize("final", [O.COMPLETED, O.CANCELED])
def test_an_episode_that_is_over_stays_over_L18(final):
    assert OFFBOARDING[final] == frozenset()


def test_nothing_is_done_without_having_been_started_L32():
    assert [source for source in StepStatus if S.DONE in STEP[source]] == [S.STARTED]


@pytest.mark.parametrize("source", [S.PENDING, S.STARTED, S.FAILED, S.HELD, S.ABANDONED])
def test_whatever_is_not_finished_can_be_missed_and_canceled_T7(source):
    assert {S.MISSED, S.CANCELED} <= STEP[source]


@pytest.mark.parametrize("stuck", [S.FAILED, S.HELD, S.ABANDONED, S.UNREACHED])
def test_whatever_is_stuck_can_be_done_in_the_end_L33(stuck):
    reached, frontier = set(), {stuck}
    while frontier - reached:
        reached |= frontier
        frontier = {target for source in frontier for target in STEP[source]}

    assert S.DONE in reached


def test_an_abandoned_step_is_put_back_and_not_simply_started():
    assert S.STARTED not in STEP[S.ABANDONED]


def test_what_is_finished_has_an_outcome():
    assert {status.value for status in FINISHED} == {"done", "missed", "unreached"}


def test_a_refusal_names_both_states():
    with pytest.raises(
        IllegalTransition, match="off-boarding that is completed cannot become open"
    ):
        move(OFFBOARDING, O.COMPLETED, O.OPEN)


def test_the_table_at_the_top_of_the_module_is_the_one_that_is_used():
    lines = [line for line in (transitions.__doc__ or "").splitlines() if "->" in line]
    drawn = {}
    for line in lines:
        source, targets = line.split(":", 1)[-1].split("->")
        without_remarks = targets.split("(")[0] + targets.split(")")[-1] * (")" in targets)
        drawn[source.strip()] = {t.strip() for t in without_remarks.split("|")} - {""}

    again = {S.STARTED, S.HELD}
    steps = {s.value: {t.value for t in STEP[s] - ({s} & again)} for s in STEP if STEP[s]}
    episodes = {s.value: {t.value for t in OFFBOARDING[s]} for s in OFFBOARDING if OFFBOARDING[s]}
    assert drawn == steps | episodes
