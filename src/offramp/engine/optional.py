"""Optional messages: noted so that their readers can decline, and kept from those who have (L12).

A message is noted before it is sent: a reader may be faster than the answer of a mail server. What
declines is the id of any message that was ever sent, so that an old mail does it as well.

Source: lesson L12; RFC 8058; docs/messages.md, "Messages that may be declined".
"""

from collections.abc import Mapping

from offramp.engine.work import Work
from offramp.ports import Delivery, OptionalMessage

PATH = "unsubscribe"  # below the public address


def heed_wishes(work: Work, messages: Mapping[str, Delivery]) -> frozenset[str]:
    """Name the readers of some messages who have declined, and let the others do so from now on.

    Shape:
        messages: the id of each message -> its delivery.
    """
    readers = {delivery.member for delivery in messages.values()}
    with work.context.store.transaction() as transaction:
        declined = transaction.declined(work.claimed.subject.organization, among=readers)
        transaction.put_optional(
            [
                OptionalMessage(
                    message=message,
                    offboarding=delivery.offboarding,
                    step=delivery.step,
                    member=delivery.member,
                )
                for message, delivery in messages.items()
                if delivery.member not in declined
            ]
        )
    return declined
