"""How much mail is still to be sent, counted by an index that holds nothing else.

Source: ``ports.MailLoad``; docs/console.md, "Health".
"""

from sqlalchemy import Subquery, Text, cast, func, or_, select
from whenever import Instant

from offramp.adapters.store import schema, schema_mail_load
from offramp.adapters.store.offboarding import HAS_WORK
from offramp.adapters.store.part import Part, written
from offramp.core.transitions import StepStatus
from offramp.ports import MAILS_COUNTED_MAX, DeliveryStatus, MailLoad

assert schema_mail_load.under_way.table is schema.delivery, "its indexes are declared"
_delivery, _note = schema.delivery.c, schema.delivery_note.c
_offboarding, _step = schema.offboarding.c, schema.step.c
_FAILED = DeliveryStatus.FAILED
_UNDER_WAY = (DeliveryStatus.QUEUED, _FAILED, DeliveryStatus.SENDING)
_LOST = (DeliveryStatus.REFUSED, DeliveryStatus.BOUNCED)
_GOES_ON = (StepStatus.PENDING, StepStatus.STARTED, StepStatus.FAILED)


class MailLoadPart(Part):
    """What a person who watches the mail wants to know first."""

    def mail_load(self, *, lost_since: Instant) -> MailLoad:
        """Count what is to be sent, is being sent, waits, and was lost."""
        found = _under_way()
        counted = select(found.c.status, func.count()).group_by(found.c.status)
        counts = {status: number for status, number in self.connection.execute(counted)}
        lost = select(func.count()).where(_note.at > lost_since, _note.status.in_(_each(_LOST)))
        return MailLoad(
            due=counts.get(DeliveryStatus.QUEUED, 0),
            sending=counts.get(DeliveryStatus.SENDING, 0),
            deferred=counts.get(_FAILED, 0),
            deferred_since=self._deferred_since(found) if counts.get(_FAILED) else None,
            lost=self.connection.scalar(lost) or 0,
        )

    def _deferred_since(self, found: Subquery) -> Instant | None:
        """Say when the one first failed that was tried most often."""
        oldest = (
            select(found.c.offboarding, found.c.step, found.c.member)
            .where(found.c.status == _FAILED)
            .order_by(found.c.attempts.desc())
            .limit(1)
        )
        its = self.connection.execute(oldest).first()
        assert its is not None, "one of them has failed"
        first = select(func.min(_note.at)).where(
            _note.offboarding == its.offboarding,
            _note.step == its.step,
            _note.member == its.member,
            _note.status == _FAILED,
        )
        failed_at: Instant | None = self.connection.scalar(first)
        return failed_at


def _under_way() -> Subquery:
    """Choose what somebody goes on to send, and no more of it than is counted."""
    issue = or_(
        _delivery.step == _step.key, _delivery.step == _step.key + "/" + cast(_step.issue, Text)
    )
    goes_on = (
        select(_step.key)
        .where(_step.offboarding == _delivery.offboarding, issue)
        .where(_step.status.in_(_GOES_ON))
        .exists()
    )
    return (
        select(schema.delivery)
        .join(schema.offboarding, _offboarding.id == _delivery.offboarding)
        .where(_delivery.status.in_(_each(_UNDER_WAY)), HAS_WORK, or_(_delivery.round > 1, goes_on))
        .limit(MAILS_COUNTED_MAX)
        .subquery()
    )


def _each(statuses: tuple[DeliveryStatus, ...]) -> list[object]:
    return [written(status) for status in statuses]
