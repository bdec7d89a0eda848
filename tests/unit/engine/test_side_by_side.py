"""Calls side by side: only so many at once, and nothing gets lost."""

import threading
from itertools import islice
from threading import Barrier
from time import sleep

import pytest

from offramp.engine.side_by_side import side_by_side

AT_ONCE = 3


class Unlucky(Exception):
    """What one of the calls is."""


def few_at_a_time(calls):
    """Give a few calls whenever some are asked for, until there are no more."""
    source = iter(calls)
    return lambda: list(islice(source, AT_ONCE))


@pytest.mark.parametrize("at_once", [1, 2, AT_ONCE, 50])
def test_every_call_is_made_once_and_its_result_given(at_once):
    calls = [lambda number=number: number for number in range(20)]

    results = list(side_by_side(few_at_a_time(calls), at_once=at_once))

    assert sorted(results) == list(range(20))


def test_so_many_calls_wait_for_one_another():
    together = Barrier(AT_ONCE, timeout=10)

    results = list(side_by_side(few_at_a_time([together.wait] * AT_ONCE), at_once=AT_ONCE))

    assert sorted(results) == list(range(AT_ONCE))


@pytest.mark.parametrize("at_once", [1, AT_ONCE])
def test_more_calls_are_asked_for_at_first_and_after_each_result_and_by_the_caller(at_once):
    askers, calls = [], few_at_a_time([lambda: None] * 20)

    def more():
        askers.append(threading.current_thread())
        return calls()

    for given, _ in enumerate(side_by_side(more, at_once=at_once), 1):
        assert len(askers) == given

    assert askers == [threading.current_thread()] * 21


@pytest.mark.parametrize("at_once", [1, AT_ONCE])
def test_it_goes_on_after_a_round_that_brought_nothing(at_once):
    rounds = iter([[lambda: 1, lambda: 2], [], [lambda: 3], []])

    results = list(side_by_side(lambda: next(rounds, []), at_once=at_once))

    assert sorted(results) == [1, 2, 3]


@pytest.mark.parametrize("at_once", [1, AT_ONCE])
def test_an_error_ends_it_and_takes_no_result_along(at_once):
    begun, results = [], []

    def call(number):
        begun.append(number)
        if number == 5:
            raise Unlucky
        return number

    calls = [lambda number=number: call(number) for number in range(20)]

    with pytest.raises(Unlucky):
        results.extend(side_by_side(few_at_a_time(calls), at_once=at_once))

    assert sorted(results) == sorted(set(begun) - {5})
    assert len(begun) < 20


def test_whoever_takes_no_more_results_makes_no_more_calls():
    begun = []

    def call():
        begun.append(1)
        sleep(0.01)

    results = side_by_side(lambda: [call] * 10_000, at_once=AT_ONCE)
    next(results)

    results.close()

    assert len(begun) < 10_000
