"""The messages of a step that are in hand: taken and noted a few at a time, sent side by side.

One transaction writes the outcomes that have come and marks as many messages more as being sent.
There are never more in hand than a batch, and every one of them is marked before its mailer is
called: so that is what a crash can leave uncertain, and all that may arrive twice.

Source: docs/decisions/028-mail-side-by-side.md; lessons L8, L32.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial

from whenever import Instant

from offramp.core.errors import OfframpError
from offramp.engine.readers import Addressed, AttachAll, Readers
from offramp.engine.side_by_side import side_by_side
from offramp.engine.work import Work
from offramp.ports import Delivery, Transaction

OUTCOME_SECONDS_MAX = 1.0  # an outcome is noted with the next ones, unless it waits for so long

Sent = tuple[Delivery, OfframpError | None]
"""The new row of a message, and what went wrong with it for a while."""

Prepare = Callable[[Sequence[Addressed]], Iterable[Callable[[], Sent]]]


def hand_over(work: Work, *, prepare: Prepare, attach_all: AttachAll) -> None:
    """Hand over whatever a step has to send; what could not be is tried again later.

    Args:
        prepare: gives for a few messages, as they were before, the calls that hand them over.
        attach_all: looks up what the messages of a few readers carry.

    Raises:
        MailerUnavailable, SendOutcomeUnknown: some have to be tried again.
    """
    readers = Readers(work=work, attach_all=attach_all)
    bag = _Bag(work=work, prepare=prepare, readers=readers)
    try:
        for outcome, error in side_by_side(bag.more, at_once=work.context.limits.mails_at_once):
            bag.put_back(outcome, error)
    except OfframpError:
        bag.note()  # what was sent was sent, whatever keeps the rest
        raise
    bag.note()
    if bag.trouble is not None:
        raise bag.trouble


@dataclass(slots=True, kw_only=True)
class _Bag:
    """What is marked as being sent and has no outcome in the store yet."""

    work: Work
    prepare: Prepare
    readers: Readers
    trouble: OfframpError | None = None
    _in_hand: int = 0
    _outcomes: list[Delivery] = field(default_factory=list)
    _oldest: float = 0.0  # when the first of them came, in seconds of the forward clock
    _after: str = ""  # the last member that was taken

    def more(self) -> Iterable[Callable[[], Sent]]:
        """Give further hand-overs, early enough that no connection waits for them."""
        is_low = self._in_hand < 2 * self.work.context.limits.mails_at_once
        return self._turn() if is_low or self._is_overdue() else ()

    def put_back(self, outcome: Delivery, error: OfframpError | None) -> None:
        """Take what became of one message."""
        if not self._outcomes:
            self._oldest = self.work.context.elapsed()
        self._in_hand -= 1
        self._outcomes.append(outcome)
        self.trouble = error or self.trouble

    def note(self) -> None:
        """Write the outcomes that there are, and take nothing more."""
        if self._outcomes:
            context = self.work.context
            with context.store.transaction() as transaction:
                self._save(transaction, at=context.clock.now())
            self._noted()

    def _is_overdue(self) -> bool:
        waited_seconds = self.work.context.elapsed() - self._oldest
        return bool(self._outcomes) and waited_seconds > OUTCOME_SECONDS_MAX

    def _turn(self) -> Iterable[Callable[[], Sent]]:
        """Write the outcomes, and mark as many messages more, in one transaction."""
        work, context, now = self.work, self.work.context, self.work.context.clock.now()
        with context.store.transaction() as transaction:
            transaction.extend_lease(work.claimed, lease_until=context.lease_from(now))
            self._save(transaction, at=now)
            taken = self._take(transaction, now=now)
            if taken:
                self.readers.look_up(transaction, taken, now=now)
        self._noted()
        context.probe("sending")
        self._in_hand += len(taken)
        return self.prepare(self.readers.address(taken)) if taken else ()

    def _take(self, transaction: Transaction, *, now: Instant) -> tuple[Delivery, ...]:
        """Take the next in the order of their readers, and after the last from the start again."""
        room = self.work.context.limits.mails_per_batch - self._in_hand
        if room <= 0:
            return ()
        take = partial(
            transaction.take_deliveries,
            self.work.claimed.id,
            step=self.work.delivery_key,
            now=now,
            limit=room,
        )
        taken = take(after=self._after)
        if not taken and self._after:
            taken = take(after="")
        self._after = taken[-1].member if taken else ""
        return taken

    def _save(self, transaction: Transaction, *, at: Instant) -> None:
        """Write the outcomes of what no other attempt has taken meanwhile."""
        attempt = self.work.claimed.attempt
        transaction.save_deliveries(self._outcomes, at=at, taken_by=attempt)

    def _noted(self) -> None:
        if self._outcomes:
            self._outcomes.clear()
            self.work.context.probe("delivery saved")
