"""When to look after an erasure again: while late writes are watched for, and when keeping ends.

Source: mission A11; lesson L22.
"""

from collections.abc import Iterable

from whenever import Instant

LOOK_AGAIN_HOURS = 24


def next_look(
    ends: Iterable[Instant], *, watched_until: Instant, now: Instant, has_looked: bool
) -> Instant | None:
    """Give the next instant at which something of a finished erasure is to be looked at.

    Shape:
        ends: when the keeping of rows that are still there ends.
        watched_until: the last look for rows that came late.
        has_looked: what is past and still there has just been tried, and waits for tomorrow.
    """
    tomorrow = now.add(hours=LOOK_AGAIN_HOURS)
    looks = [tomorrow if has_looked and end <= now else end for end in ends]
    if now < watched_until:
        looks.append(min(tomorrow, watched_until))
    return min(looks, default=None)
