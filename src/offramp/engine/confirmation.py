"""The last message: a deletion is done, with its certificate for those who have to show it.

It is written when the certificate is there and before the receipt, which empties our own tables and
takes every address with it. So it has little time: a mail server that is down for longer than a few
attempts is not waited for, and the end of the deletion does not depend on anybody's mailbox.

Source: mission B8; policy language N1; lesson L30; docs/decisions/030-last-letters.md.
"""

from collections.abc import Sequence

from offramp.core.model import Member
from offramp.core.notice import LOOK_AFTER
from offramp.engine.delivery import Enclosure, deliver, tally_of
from offramp.engine.readers import Attach
from offramp.engine.work import Work
from offramp.ports import Attachment, MailerUnavailable, SendOutcomeUnknown

FILE = "certificate.json"


def confirm(work: Work, *, certificate: str) -> bool:
    """Tell whom the step names, and say whether `is_confirmed` can see it.

    Raises:
        MailerUnavailable, SendOutcomeUnknown: somebody has to be tried again soon.
    """
    step = work.planned.step
    assert step is not None, "destruction is always a step of the policy"
    if not step.audience:
        return True

    def attach(readers: Sequence[Member]) -> Attach:
        file = _certificate(work, certificate)
        return lambda member: file if _may_have_it(work, member) else ()

    try:
        deliver(work, Enclosure(attach=attach))
    except (MailerUnavailable, SendOutcomeUnknown):
        if work.row.attempts < work.context.limits.attempts_max:
            raise
        return False
    return is_confirmed(work)


def is_confirmed(work: Work) -> bool:
    """Whether everybody's message has its outcome; where there is nobody, nothing can be seen."""
    step = work.planned.step
    assert step is not None, "destruction is always a step of the policy"
    tally = tally_of(work)
    return not step.audience or (tally.deliveries > 0 and not tally.under_way)


def _may_have_it(work: Work, member: Member) -> bool:
    return member.id == work.claimed.subject.member or bool(member.roles & LOOK_AFTER)


def _certificate(work: Work, name: str) -> tuple[Attachment, ...]:
    with work.context.vault.read(name) as source:
        content = source.read()
    return (Attachment(name=FILE, media_type="application/json", content=content),)
