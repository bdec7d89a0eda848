"""Calls side by side: only so many, only when a thread is free, and nothing gets lost."""

import threading
from threading import Barrier

import pytest

from offramp.engine.side_by_side import side_by_side

AT_ONCE = 3


class Unlucky(Exception):
    """What one of the calls is."""


@pytest.mark.parametrize("at_once", [1, 2, AT_ONCE, 50])
def test_every_call_is_made_once_and_its_result_given(at_once):
    calls = [lambda number=number: number for number in range(20)]

    results = list(side_by_side(calls, at_once=at_once))

    assert sorted(results) == list(range(20))


def test_so_many_calls_wait_for_one_another():
    together = Barrier(AT_ONCE, timeout=10)

    results = list(side_by_side([together.wait] * AT_ONCE, at_once=AT_ONCE))

    assert sorted(results) == list(range(AT_ONCE))


@pytest.mark.parametrize("at_once", [1, AT_ONCE])
def test_a_call_is_asked_for_only_when_a_thread_is_free_and_by_the_caller(at_once):
    asked = []

    def calls():
        for number in range(20):
            asked.append(threading.current_thread())
            yield lambda number=number: number

    for given, _ in enumerate(side_by_side(calls(), at_once=at_once), 1):
        assert len(asked) - given < 2 * at_once

    assert set(asked) == {threading.current_thread()}


@pytest.mark.parametrize("at_once", [1, AT_ONCE])
def test_an_error_ends_it_and_takes_no_result_along(at_once):
    begun, results = [], []

    def call(number):
        begun.append(number)
        if number == 5:
            raise Unlucky
        return number

    calls = (lambda number=number: call(number) for number in range(20))

    with pytest.raises(Unlucky):
        results.extend(side_by_side(calls, at_once=at_once))

    assert sorted(results) == sorted(set(begun) - {5})
    assert len(begun) < 20
