"""A snapshot of access is read set by set, however many members an organization has."""

import pytest
import sqlalchemy as sa

from offramp.adapters.store.connection import connect
from offramp.adapters.store.migration import migrate
from offramp.adapters.store.store import SqlStore
from offramp.core.model import Organization
from offramp.core.policy import Capability
from offramp.documents.policy import find_policy
from offramp.engine.offboarding import register
from offramp.engine.publication import publish
from offramp.engine.snapshot import snapshot_of
from offramp.testing.builders import make_member, make_pool
from offramp.testing.world import World
from tests.contract.store_world import NOW

LEDGER_KEY = b"k" * 32
ORGANIZATION = Organization(
    id="acme", name="Acme", zone="Europe/Dublin", locale="en", policy="license-pool"
)


@pytest.fixture
def engine(tmp_path):
    engine = connect(f"sqlite:///{tmp_path / 'store.sqlite'}", lock_wait_seconds=5)
    migrate(engine)
    yield engine
    engine.dispose()


def test_many_members_are_read_by_as_many_statements_as_few(engine):
    world = World(NOW, store=SqlStore(engine, ledger_key=LEDGER_KEY))
    publish(world.context, find_policy("license-pool"))
    asked = []
    sa.event.listen(engine, "before_cursor_execute", lambda *given: asked.append(given[2]))

    def statements(people):
        members = [make_member(f"m-{number}", "pool", ends="2024-09-10") for number in people]
        pools = [make_pool(ends="2024-12-31")]
        register(world.context, organizations=[ORGANIZATION], pools=pools, members=members)
        asked.clear()
        taken = snapshot_of(world.context, "acme")
        assert len(taken.members) == people.stop
        assert not taken.decide("m-0", Capability.READ, now=world.now.add(hours=24 * 30)).is_allowed
        return len(asked)

    assert statements(range(2)) == statements(range(200)) < 20
