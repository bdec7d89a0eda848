"""The store in memory keeps the promises of the databases."""

import pytest

from offramp.ports import DeletionInFlight, StoreUnavailable
from offramp.testing import memory_store
from offramp.testing.memory_store import MemoryStore
from tests.contract.store_contract import LEDGER_KEY, StoreContract
from tests.contract.store_fence_contract import MarkerContract
from tests.contract.store_world import LEAVING, NOW, chunk, claim_one, fill, read


class PowerCut(BaseException):
    """The process is gone."""


class TestMemoryStore(StoreContract, MarkerContract):
    @pytest.fixture
    def store(self):
        return MemoryStore(ledger_key=LEDGER_KEY)

    def test_a_process_that_died_in_its_fence_holds_it_until_the_deadline(self, store):
        fill(store, LEAVING)
        claimed = claim_one(store)
        deadline = NOW.add(seconds=30)

        def die():
            with chunk(store, claimed, deadline=deadline):
                raise PowerCut

        with pytest.raises(PowerCut):
            die()

        with pytest.raises(DeletionInFlight):
            read(store, lambda t: t.lock("leaving", now=NOW))
        assert read(store, lambda t: t.lock("leaving", now=deadline)) == claimed

    def test_a_transaction_inside_a_transaction_is_found_out(self, store, monkeypatch):
        """SQLite would wait for itself in the same way."""
        monkeypatch.setattr(memory_store, "WAIT_SECONDS_MAX", 0.01)

        with store.transaction(), pytest.raises(StoreUnavailable), store.transaction():
            pass
