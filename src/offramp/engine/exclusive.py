"""One transaction that waits for deletions in flight, so that a person always wins (L18).

Whoever gives access back or forbids destruction takes the off-boarding exclusively: a deletion in
flight finishes its chunk first, and is refused the next one.

Source: docs/decisions/005-the-fence.md.
"""

from collections.abc import Callable
from typing import TypeVar

from whenever import Instant

from offramp.engine.context import Context
from offramp.ports import DeletionInFlight, Transaction

_T = TypeVar("_T")


def exclusively(context: Context, write: Callable[[Transaction, Instant], _T]) -> _T:
    """Run one transaction, waiting for deletions in flight to finish their chunk.

    Raises:
        DeletionInFlight: one does not finish; a worker may be frozen.
    """
    for attempt in range(1, context.limits.lock_tries_max + 1):
        try:
            with context.store.transaction() as transaction:
                return write(transaction, context.clock.now())
        except DeletionInFlight:
            if attempt == context.limits.lock_tries_max:
                raise
            context.pause(context.limits.lock_wait_seconds)
    raise AssertionError("the loop returns or raises")
