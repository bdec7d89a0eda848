"""When to look after an erasure again: while late writes are watched for, and when keeping ends.

Source: mission A11; lesson L22.
"""

from collections.abc import Iterable

from whenever import Instant

LOOK_AGAIN_HOURS = 24


def next_look(
    ends: Iterable[Instant], *, watched_until: Instant | None, now: Instant
) -> Instant | None:
    """Give the next instant at which something of a finished erasure is to be looked at.

    Shape:
        ends: when the keeping of rows that are still there ends; one that is past is waited for.
        watched_until: the last look for rows that came late; none where nobody watches.
    """
    tomorrow = now.add(hours=LOOK_AGAIN_HOURS)
    looks = [tomorrow if end <= now else end for end in ends]
    if watched_until is not None and now < watched_until:
        looks.append(min(tomorrow, watched_until))
    return min(looks, default=None)
