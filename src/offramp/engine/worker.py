"""A worker: one of any number of processes that sweep, carry out, and keep what they have in hand.

A claim has a lease of seconds. While its ticket waits in the queue, every worker keeps the lease;
once a process has taken the ticket up, that process alone does. So the work of a process that
died, froze or lost its network is swept again by a peer as soon as the lease has run out, and the
number of its attempt keeps it from writing anything should it come back.

Source: docs/decisions/019-workers.md; docs/architecture.md; lessons L18, L31, L33.
"""

from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock

from whenever import Instant

from offramp.core.errors import Unavailable
from offramp.engine.context import Context
from offramp.engine.reporting import report_sweep, report_unavailable, report_void
from offramp.engine.sweep import carry, watch_the_clock
from offramp.ports import Offboarding, Ticket, Transaction, WorkQueue

REST_SECONDS = 0.2  # between two looks at the schedule when nothing was due
OUTAGE_SECONDS = 1.0  # between two looks while the store is down
STOP_SECONDS = 30.0  # for the steps in hand, once somebody wants the worker to stop
WAITING_MAX = 500  # tickets that no process was given yet; the others wait in the schedule
PRUNE_SECONDS = 60.0
PRUNED_MAX = 1000  # tickets forgotten at once
REMEMBERED_SECONDS = 3600  # a finished ticket, for whoever looks at the queue


class Hands:
    """What this process carries out at the moment."""

    def __init__(self, context: Context) -> None:
        """Begin with empty hands."""
        self._context = context
        self._held: set[Ticket] = set()
        self._lock = Lock()

    def carry(self, ticket: Ticket) -> None:
        """Take up a ticket and carry it out, unless it is void.

        An outage of the store ends it here: the lease runs out, and the next attempt goes on.
        """
        try:
            claimed = self._take_up(ticket)
            if claimed is None:
                report_void(self._context, ticket)
            else:
                self._work_off(claimed)
        except Unavailable as error:
            report_unavailable(self._context, error)

    def tickets(self) -> tuple[Ticket, ...]:
        """List the claims in hand, each as its own attempt."""
        with self._lock:
            return tuple(self._held)

    def _take_up(self, ticket: Ticket) -> Offboarding | None:
        context = self._context
        lease_until = context.lease_from(context.clock.now())
        with context.store.transaction() as transaction:
            return transaction.take_up(ticket, lease_until=lease_until)

    def _work_off(self, claimed: Offboarding) -> None:
        held = Ticket(offboarding=claimed.id, attempt=claimed.attempt)
        with self._lock:
            self._held.add(held)
        try:
            carry(self._context, claimed)
        finally:
            with self._lock:
                self._held.remove(held)


@dataclass(slots=True, kw_only=True)
class Worker:
    """One process that serves the queue; whatever it remembers may be lost at any moment."""

    context: Context
    queue: WorkQueue
    hands: Hands
    _kept_at: float = float("-inf")  # seconds on the context's forward clock, and so is the next
    _pruned_at: float = float("-inf")

    def sweep(self) -> int:
        """Keep leases, fill the queue from the schedule, and clear up now and then.

        Returns how many off-boardings were claimed.
        """
        context, began = self.context, self.context.elapsed()
        watch_the_clock(context)
        waiting = self.keep()
        room = min(context.limits.claims_max, WAITING_MAX - waiting)
        claimed = admit(context, self.queue, limit=room) if room > 0 else 0
        self._prune()
        report_sweep(context, claimed=claimed, failed=0, began=began)
        return claimed

    def keep(self) -> int:
        """Extend the leases of what waits and of what is in hand, long before they run out.

        Returns how many tickets wait.
        """
        context, lease_seconds = self.context, self.context.limits.lease_seconds
        waiting = self.queue.waiting(limit=WAITING_MAX)
        elapsed = context.elapsed()
        if elapsed - self._kept_at >= lease_seconds / 8:
            now = context.clock.now()
            with context.store.transaction() as transaction:
                transaction.renew(
                    (*self.hands.tickets(), *waiting),
                    before=now.add(seconds=lease_seconds * 3 / 4),
                    lease_until=context.lease_from(now),
                )
            self._kept_at = elapsed
        return len(waiting)

    def _prune(self) -> None:
        """Forget what was finished long ago, and what was given to those who died of it."""
        context, elapsed = self.context, self.context.elapsed()
        if elapsed - self._pruned_at < PRUNE_SECONDS:
            return
        now = context.clock.now()
        long_ago = now.subtract(seconds=REMEMBERED_SECONDS)
        begun = self.queue.begun(before=long_ago, limit=PRUNED_MAX)
        with context.store.transaction() as transaction:
            lost = [each for each in begun if not _is_in_hand(transaction, each, now=now)]
        finished = self.queue.finished(before=long_ago, limit=PRUNED_MAX)
        self.queue.forget((*finished, *lost))
        if len(finished) < PRUNED_MAX:  # otherwise more of them are left, for the next sweep
            self._pruned_at = elapsed


def admit(context: Context, queue: WorkQueue, *, limit: int) -> int:
    """Claim what is due and write its tickets, in one transaction; says how many there were."""
    now = context.clock.now()
    with context.store.transaction() as transaction:
        tickets = transaction.claim_tickets(
            now=now, lease_until=context.lease_from(now), limit=limit
        )
        queue.enqueue(tickets, transaction=transaction)
    return len(tickets)


def serve(
    context: Context, queue: WorkQueue, *, after_sweep: Callable[[Unavailable | None], None]
) -> int:
    """Work until somebody wants to stop; what is in hand then is finished, if that is soon.

    Args:
        after_sweep: hears of every sweep, and of the outage that ended it, if one did.

    Returns how many off-boardings were left to their leases.
    """
    hands = Hands(context)
    worker = Worker(context=context, queue=queue, hands=hands)
    with queue.serving(hands.carry):
        while not context.is_stopping():
            if not _despite_outages(context, worker.sweep, after_sweep):
                context.pause(REST_SECONDS)
        until = context.elapsed() + STOP_SECONDS
        while hands.tickets() and context.elapsed() < until:
            _despite_outages(context, worker.keep, after_sweep)
            context.pause(REST_SECONDS)
        return len(hands.tickets())


def _despite_outages(
    context: Context, deed: Callable[[], int], afterwards: Callable[[Unavailable | None], None]
) -> int:
    """Do something, and say what came of it; an outage of the store is waited out."""
    try:
        number = deed()
        afterwards(None)
    except Unavailable as error:
        afterwards(error)
        context.pause(OUTAGE_SECONDS)
        return 0
    return number


def _is_in_hand(transaction: Transaction, ticket: Ticket, *, now: Instant) -> bool:
    """Whether some process may still be working on what it was given."""
    row = transaction.offboarding(ticket.offboarding)
    if row is None or row.lease_until is None or row.lease_until <= now:
        return False
    return row.attempt <= ticket.attempt + 1  # it took the ticket up as the next attempt
