"""Tell people: one message per person, with their achievements where the policy attaches them.

Source: mission A3, A5, A6, B8, B11; policy language N1-N3; lessons L8, L10, L13.
"""

from collections.abc import Sequence
from functools import cache, partial

from offramp.core.model import Member
from offramp.core.notice import LOOK_AFTER
from offramp.data.handover.members import AchievementReader
from offramp.engine.calendar import attach_dates
from offramp.engine.delivery import Enclosure, deliver, see_delivered
from offramp.engine.readers import Attach, AttachAll, no_attachments
from offramp.engine.work import Result, Work
from offramp.ports import Attachment


def preview(work: Work) -> tuple[str, ...]:
    """Say whom the step would write to."""
    step = work.planned.step
    assert step is not None, "a notice is a step of the policy"
    return tuple(f"write to the {audience.value}: {step.id}" for audience in step.audience)


def perform(work: Work) -> Result | None:
    """Write to everybody who has not been written to by this step yet."""
    return deliver(work, enclose(work))


def verify(work: Work) -> Result | None:
    """Say whether everybody's message has its outcome."""
    return see_delivered(work)


def _dates(work: Work) -> AttachAll:
    """Give those who look after a whole organization its dates, in their language."""
    if work.claimed.subject.member is not None:
        return no_attachments
    home = work.organization().locale
    dates = cache(partial(attach_dates, work.context, work.claimed))

    def attach_own(readers: Sequence[Member]) -> Attach:
        own = {
            member.id: dates(locale=member.locale or home)
            for member in readers
            if member.roles & LOOK_AFTER
        }
        return lambda member: own.get(member.id, ())

    return attach_own


def enclose(work: Work) -> Enclosure:
    """Give each reader the achievements of their own, where the policy attaches them."""
    step = work.planned.step
    if step is None or step.attach is None:
        return Enclosure(attach=_dates(work))
    return Enclosure(attach=_achievements(work))


def _achievements(work: Work) -> AttachAll:
    data, organization = work.data, work.organization()
    reader = AchievementReader(data.datamap, data.sources, organization.id)

    def attach_own(readers: Sequence[Member]) -> Attach:
        earned = reader.read([member.id for member in readers])

        def attach_to(member: Member) -> tuple[Attachment, ...]:
            return work.context.composer.attach_achievements(
                earned.get(member.id, ()),
                member=member,
                organization=organization,
                at=work.planned.due_at,
            )

        return attach_to

    return attach_own
