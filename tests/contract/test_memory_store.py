"""The store in memory keeps the promises of the databases."""

import pytest

from offramp.testing.memory_store import MemoryStore
from tests.contract.store_contract import LEDGER_KEY, StoreContract
from tests.contract.store_fence_contract import MarkerContract


class TestMemoryStore(StoreContract, MarkerContract):
    @pytest.fixture
    def store(self):
        return MemoryStore(ledger_key=LEDGER_KEY)
