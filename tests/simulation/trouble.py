"""A store that fails: before a transaction, or after it was kept and before anybody was told."""

from collections import deque
from contextlib import contextmanager

from offramp.ports import StoreUnavailable


class FailingStore:
    """The true store behind a connection that is lost as often as it is told."""

    def __init__(self, store):
        self._store = store
        self.trouble = deque()

    @contextmanager
    def transaction(self):
        with self._through(self._store.transaction()) as transaction:
            yield transaction

    @contextmanager
    def reading(self):
        with self._through(self._store.reading()) as transaction:
            yield transaction

    @contextmanager
    def fence(self, claimed, **guarded):
        with self._through(self._store.fence(claimed, **guarded)) as record:
            yield record

    @contextmanager
    def _through(self, block):
        trouble = self.trouble.popleft() if self.trouble else ""
        if trouble == "down":
            raise StoreUnavailable(reason="it is down")
        with block as value:
            yield value
        if trouble == "lost":
            raise StoreUnavailable(reason="the connection was lost")
