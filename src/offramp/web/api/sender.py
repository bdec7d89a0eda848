"""Who sends what: the checks of what a mail provider has signed, before any of it is believed.

Each signature covers all that is read, and the instant at which it was made. What is older than a
provider goes on trying is refused; what is sent again before that counts once, by its message.

Source: docs/decisions/029-returned-mail.md.
"""

from http import HTTPStatus

from fastapi import HTTPException
from whenever import Instant

AGE_HOURS_MAX = 25  # SendGrid tries again for a day, Amazon SNS for an hour
AHEAD_MINUTES_MAX = 5  # by which clocks may differ


def stranger(why: str) -> HTTPException:
    """Make the answer to what does not come from whom it says."""
    return HTTPException(HTTPStatus.UNAUTHORIZED, detail=why)


def require_recent(sent_at: Instant, *, now: Instant) -> None:
    """Refuse what was signed too long ago, or in the future."""
    if not now.subtract(hours=AGE_HOURS_MAX) < sent_at < now.add(minutes=AHEAD_MINUTES_MAX):
        raise stranger("It was signed too long ago, or our clocks differ.")
