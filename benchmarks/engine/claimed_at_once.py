"""The work of an engine behind a queue that is not ours: claimed at once, and carried out by id.

Everything that the baselines of `execution.py` share lives here.
"""

from collections.abc import Iterator, Sequence

from offramp.config import Settings
from offramp.engine.context import Context
from offramp.engine.sweep import carry
from offramp.ports import Ticket

CONCURRENCY: int = Settings.model_fields["worker_steps"].default  # as a worker has
CLAIMS = 500  # handed over at once


def claim_all(context: Context) -> Iterator[Sequence[str]]:
    """Claim what is due, and give the ids batch by batch."""
    while tickets := _claim(context):
        yield [ticket.offboarding for ticket in tickets]


def _claim(context: Context) -> Sequence[Ticket]:
    now = context.clock.now()
    with context.store.transaction() as transaction:
        return transaction.claim_tickets(now=now, lease_until=context.lease_from(now), limit=CLAIMS)


def carry_by_id(context: Context, offboarding: str) -> None:
    """Carry out the steps of an off-boarding that was claimed, as the engine does."""
    with context.store.transaction() as transaction:
        claimed = transaction.offboarding(offboarding)
    assert claimed is not None, "nobody erases anything here"
    carry(context, claimed)
