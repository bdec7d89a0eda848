"""What becomes of an event after each attempt: ten of them in three days, and then a person."""

from itertools import pairwise

import pytest
from whenever import Instant

from offramp.core.parcel import (
    ATTEMPTS_MAX,
    RETRY_AFTER_SECONDS_MAX,
    SPREAD,
    WAITS_SECONDS,
    ParcelStatus,
    Reply,
    chance_of,
    judge,
)

NOW = Instant.from_utc(2024, 8, 30)
NO_ANSWER = Reply(status=None, reason="ReadTimeout")


def no(status, **options):
    return Reply(status=status, reason=str(status), **options)


def waited(fate):
    return (fate.next_try_at - NOW).total("seconds")


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
def test_every_status_of_the_2xx_is_a_yes(status):
    fate = judge(no(status), attempts=3, now=NOW, chance=0.5)

    assert (fate.status, fate.attempts) == (ParcelStatus.DELIVERED, 4)


@pytest.mark.parametrize(
    "reply", [NO_ANSWER, no(100), no(301), no(302), no(400), no(404), no(429), no(500), no(503)]
)
def test_everything_else_is_tried_again(reply):
    fate = judge(reply, attempts=0, now=NOW, chance=0.5)

    assert (fate.status, fate.attempts, waited(fate)) == (ParcelStatus.WAITING, 1, 5)


def test_ten_attempts_take_three_days_and_the_waits_grow():
    fates = [judge(NO_ANSWER, attempts=n, now=NOW, chance=0.5) for n in range(ATTEMPTS_MAX)]

    *again, last = fates
    assert ATTEMPTS_MAX == 10
    assert [waited(fate) for fate in again] == list(WAITS_SECONDS)
    assert all(shorter < longer for shorter, longer in pairwise(WAITS_SECONDS))
    assert 75 <= sum(WAITS_SECONDS) / 3600 < 76
    assert (last.status, last.attempts) == (ParcelStatus.FAILED, 10)


@pytest.mark.parametrize(("chance", "seconds"), [(0.0, 270), (0.5, 300), (0.999, 329.94)])
def test_what_failed_together_does_not_come_back_together(chance, seconds):
    fate = judge(NO_ANSWER, attempts=1, now=NOW, chance=chance)

    assert waited(fate) == pytest.approx(seconds)


@pytest.mark.parametrize(
    ("asked", "seconds"), [(0, 300), (60, 300), (3600, 3600), (10**9, RETRY_AFTER_SECONDS_MAX)]
)
def test_an_endpoint_that_says_when_to_come_back_is_heard_within_reason(asked, seconds):
    fate = judge(no(503, retry_after_seconds=asked), attempts=1, now=NOW, chance=0.5)

    assert waited(fate) == seconds


@pytest.mark.parametrize("attempts", [0, ATTEMPTS_MAX - 1])
def test_what_an_endpoint_wants_no_more_waits_for_a_person_and_is_not_counted(attempts):
    fate = judge(no(410), attempts=attempts, now=NOW, chance=0.5)

    assert (fate.status, fate.attempts) == (ParcelStatus.WAITING, attempts)


def test_chance_is_spread_and_the_same_when_repeated():
    drawn = [chance_of("crm", f"event-{number}", 1) for number in range(1000)]

    assert drawn == [chance_of("crm", f"event-{number}", 1) for number in range(1000)]
    assert all(0 <= chance < 1 for chance in drawn)
    assert 0.45 < sum(drawn) / len(drawn) < 0.55
    assert len({chance_of("crm", "event", attempts) for attempts in range(10)}) == 10
    assert 0 < SPREAD < 1
