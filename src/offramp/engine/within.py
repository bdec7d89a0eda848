"""A use case inside of a transaction that is open already, so that both happen, or neither.

Every use case begins a transaction of its own; one that is done to many organizations has to be
one with the note that it was done, or has to be taken back once it is known what it would do.

Source: docs/decisions/040-acts-on-many.md.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace

from whenever import Instant

from offramp.engine.context import Context
from offramp.ports import FenceRecord, Offboarding, Store, Transaction


@dataclass(frozen=True, slots=True, kw_only=True)
class _Opened:
    """A store in which one transaction is open, and is the only one."""

    store: Store
    opened: Transaction

    @contextmanager
    def transaction(self) -> Iterator[Transaction]:
        """Go on in the transaction that is open; whoever opened it ends it."""
        yield self.opened

    @contextmanager
    def reading(self) -> Iterator[Transaction]:
        """Look in the transaction that is open."""
        yield self.opened

    def revision(self, organization: str) -> str | None:
        """Name the state of an organization as others see it."""
        return self.store.revision(organization)

    def fence(
        self,
        claimed: Offboarding,
        *,
        now: Instant,
        deadline: Instant,
        judge: Callable[[Transaction], None],
    ) -> AbstractContextManager[FenceRecord]:
        """Refuse: a chunk of a deletion needs transactions of its own."""
        raise AssertionError("nothing is destroyed inside of an open transaction")


def within(context: Context, transaction: Transaction) -> Context:
    """Give the context of a use case that is to be part of an open transaction.

    It waits for no deletion in flight: whoever opened the transaction ends it, and may wait.
    """
    opened = _Opened(store=context.store, opened=transaction)
    return replace(context, store=opened, limits=replace(context.limits, lock_tries_max=1))
