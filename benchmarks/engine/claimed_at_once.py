"""The work of an engine behind a queue that is not ours: claimed at once, and carried out by id.

Everything that the baselines of `execution.py` share lives here.
"""

from collections.abc import Iterator, Sequence

from offramp.engine.context import Context
from offramp.engine.sweep import admit, carry
from offramp.ports import Offboarding, Transaction

CONCURRENCY = 8  # steps at once, as a worker has by default
CLAIMS = 500  # handed over at once


class Gathered:
    """A dispatcher that only remembers what it was given."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self.ids: list[str] = []

    def enqueue(self, claims: Sequence[Offboarding], *, transaction: Transaction) -> None:
        """Remember."""
        self.ids.extend(claimed.id for claimed in claims)


def claim_all(context: Context) -> Iterator[Sequence[str]]:
    """Claim what is due, and give the ids batch by batch."""
    gathered = Gathered()
    while admit(context, gathered, limit=CLAIMS):
        yield gathered.ids
        gathered.ids = []


def carry_by_id(context: Context, offboarding: str) -> None:
    """Carry out the steps of an off-boarding that was claimed, as the engine does."""
    with context.store.transaction() as transaction:
        claimed = transaction.offboarding(offboarding)
    assert claimed is not None, "nobody erases anything here"
    carry(context, claimed)
