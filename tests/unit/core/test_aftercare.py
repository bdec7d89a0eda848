"""When a finished erasure is looked at again."""

import pytest
from whenever import Instant

from offramp.core.aftercare import next_look

NOW = Instant.from_utc(2024, 10, 1, 12)
TOMORROW, LATER = NOW.add(hours=24), NOW.add(hours=2400)
OVER = NOW.subtract(hours=1)


@pytest.mark.parametrize(
    ("ends", "watched_until", "has_looked", "expected"),
    [
        ([], OVER, True, None),
        ([LATER], OVER, True, LATER),
        ([LATER, OVER], OVER, True, TOMORROW),
        ([LATER, OVER], OVER, False, OVER),
        ([LATER], LATER, True, TOMORROW),
        ([], NOW.add(hours=3), True, NOW.add(hours=3)),
        ([], NOW, True, None),
    ],
    ids=[
        "nothing is kept and nobody watches",
        "the end of a keeping",
        "what could not go is tried again tomorrow",
        "what is over already goes at once",
        "late rows are looked for daily",
        "the last look is at the end of the watch",
        "the watch is over",
    ],
)
def test_the_next_look_is_the_earliest_that_there_is_a_reason_for_A11_L22(
    ends, watched_until, has_looked, expected
):
    assert next_look(ends, watched_until=watched_until, now=NOW, has_looked=has_looked) == expected
