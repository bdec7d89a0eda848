"""Protocols that look right and are not, as others had them; put in the place of the true one.

Nothing of ours is replaced by a fake here: these are mutants, to see whether the tests have teeth.
"""

from contextlib import contextmanager

from offramp.core.policy import Action
from offramp.core.transitions import OffboardingStatus
from offramp.engine import steps
from offramp.engine.work import Result
from offramp.ports import DeliveryTally
from offramp.testing.memory_store import MemoryStore
from tests.simulation.laws import civil
from tests.simulation.trouble import FailingStore


def give_receipt_before_effect(context, claimed, verdict):
    """Write down first that a notice went out, then send it: all is well until a crash."""
    if verdict.planned.action is not Action.NOTIFY:
        return steps.carry_out(context, claimed, verdict)
    work, _is_repeat = steps._start(context, claimed, verdict.planned)
    context.probe("started")
    carried = steps._finish(work, Result())
    steps.ACTIONS[work.planned.action].perform(work)
    return carried


class UnfencedStore(MemoryStore):
    """Judges the guards right before a chunk, and does not hold them while it runs."""

    @contextmanager
    def fence(self, claimed, *, now, deadline, judge):
        with self.transaction() as transaction:
            transaction.require_current(claimed)
            judge(transaction)
        yield _Unkept()


class _Unkept:
    def prolong(self, *, deadline):
        """Hold nothing."""

    def record(self, table, rows):
        """Keep nothing."""


class OneDayStore(FailingStore):
    """Looks every day for what is due on that very day, so that a missed day is missed for good."""

    @contextmanager
    def transaction(self):
        with super().transaction() as transaction:
            yield _OfTheDay(transaction)


class _Changed:
    """A transaction some of whose answers are others."""

    def __init__(self, transaction):
        self._true = transaction

    def __getattr__(self, name):
        return getattr(self._true, name)


class _OfTheDay(_Changed):
    def claim_due(self, *, now, lease_until, limit):
        tables = self._true.tables
        others = {
            row.id: row
            for row in tables.offboardings.values()
            if row.next_due_at is not None and civil(row.next_due_at) != civil(now)
        }
        for each in others:
            del tables.offboardings[each]
        claimed = self._true.claim_due(now=now, lease_until=lease_until, limit=limit)
        tables.offboardings |= others
        return claimed


class FlaggingStore(FailingStore):
    """Keeps one flag for each person and notice, not for each term: the next term is not warned."""

    @contextmanager
    def transaction(self):
        with super().transaction() as transaction:
            yield _Flagged(transaction)


class _Flagged(_Changed):
    def fan_out(self, offboarding, *, step, **choice):
        if self._earlier(offboarding.id, step):
            return 0
        return self._true.fan_out(offboarding, step=step, **choice)

    def deliveries(self, offboarding, *, step=None):
        own = self._true.deliveries(offboarding, step=step)
        return own or self._earlier(offboarding, step)

    def tally_deliveries(self, offboarding, *, step):
        found = self.deliveries(offboarding, step=step)
        if self._true.deliveries(offboarding, step=step) or not found:
            return self._true.tally_deliveries(offboarding, step=step)
        delivered_at = max(each.accepted_at for each in found)
        number = len(found)
        return DeliveryTally(deliveries=number, accepted=number, delivered_at=delivered_at)

    def _earlier(self, offboarding, step):
        subject = self._true.offboarding(offboarding).subject
        return tuple(
            delivery
            for row in self._true.offboardings(subject.organization)
            if row.subject == subject and row.status is OffboardingStatus.CANCELED
            for delivery in self._true.deliveries(row.id, step=step)
            if delivery.accepted_at is not None and row.id != offboarding
        )
