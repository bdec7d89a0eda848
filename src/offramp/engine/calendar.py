"""The dates of an organization as a file for a calendar: with its notices, and by hand.

The entries of an episode have the identity of its off-boarding. Their sequence is the number of its
attempt, which grows with every claim and whenever its end moves: what is sent later replaces what
was sent before. What a renewal ends is taken back under a number that is higher still.

Source: RFC 5546; mission A7; policy language R1.
"""

from offramp.core.errors import Missing, Refused
from offramp.core.transitions import OffboardingStatus
from offramp.engine.context import Context
from offramp.engine.situation import announced_timeline_of, receipts_of, require_organization
from offramp.ports import Attachment, CalendarPart, Offboarding, Transaction

FILE = "dates.ics"
MEDIA_TYPE = "text/calendar; charset=utf-8; method={method}"


class NoDates(Missing):
    """There are no dates of {organization} to write, or none to take back."""


class NoCalendar(Refused):
    """This installation writes no calendars."""


def attach_dates(context: Context, row: Offboarding, *, locale: str) -> tuple[Attachment, ...]:
    """Write the dates of one off-boarding as they are now, for a message; nothing without a way.

    Those of one that ended because the subject stays are taken back.
    """
    if context.calendar is None:
        return ()
    is_canceled = row.status is OffboardingStatus.CANCELED
    with context.store.transaction() as transaction:
        part = _part(transaction, row)
    content = context.calendar(
        (part,), stamped_at=context.clock.now(), is_canceled=is_canceled, locale=locale
    )
    media_type = MEDIA_TYPE.format(method="CANCEL" if is_canceled else "PUBLISH")
    return (Attachment(name=FILE, media_type=media_type, content=content),)


def write_dates(
    context: Context, organization: str, *, is_canceled: bool, locale: str = ""
) -> bytes:
    """Write the dates of an organization, or take back those of the episodes that were ended.

    Args:
        locale: of whoever opens it; the organization's if empty.

    Raises:
        NoDates: it is not leaving, or nothing of it was ended by a return.
    """
    if context.calendar is None:
        raise NoCalendar
    wanted = OffboardingStatus.CANCELED if is_canceled else OffboardingStatus.OPEN
    with context.store.transaction() as transaction:
        found = require_organization(transaction, organization)
        rows = transaction.offboardings(organization, status=wanted)
        parts = [_part(transaction, row) for row in rows if row.subject.member is None]
    if not parts:
        raise NoDates(organization=organization, hint="offramp timeline shows what is planned")
    return context.calendar(
        parts,
        stamped_at=context.clock.now(),
        is_canceled=is_canceled,
        locale=locale or found.locale,
    )


def _part(transaction: Transaction, row: Offboarding) -> CalendarPart:
    is_over, subject = row.status is OffboardingStatus.CANCELED, row.subject
    organization = require_organization(transaction, subject.organization)
    name = organization.name or organization.id
    return CalendarPart(
        timeline=announced_timeline_of(transaction, row),
        name=row.id,
        sequence=row.attempt + is_over,
        receipts=receipts_of(transaction.steps(row.id)),
        place=f"{subject.product} ({name})" if subject.product else name,
    )
