"""Acts on many organizations, with several people and workers at once, on both databases."""

from dataclasses import replace

import pytest
from whenever import Date, Instant

from offramp.adapters.store.connection import connect
from offramp.adapters.store.migration import migrate
from offramp.adapters.store.store import SqlStore
from offramp.core.bulk import BulkKind, BulkWish, TargetStatus
from offramp.core.operator import OperatorRole
from offramp.documents.policy import find_policy
from offramp.engine.arming import ArmingApproved
from offramp.engine.bulk import approve, ask, foresee, look_at_act
from offramp.engine.bulk_work import carry_out_acts
from offramp.engine.offboarding import register
from offramp.engine.publication import publish
from offramp.ports import Operator
from offramp.testing.world import SMALL_CHUNKS, World
from tests.contract.store_contract import LEDGER_KEY
from tests.integration.waiting import SECONDS_MAX, in_threads
from tests.simulation import shop

START = Instant.from_utc(2024, 8, 1)
CROWD = tuple(f"c{number}" for number in range(8))
WISH = BulkWish(kind=BulkKind.EXTEND, reason="the merger", until=Date(2031, 1, 31))
PEOPLE = [
    Operator(
        id=name, name=name, address=name, role=OperatorRole.APPROVER, zone="UTC", added_at=START
    )
    for name in ("olga", "anna", "bea")
]


@pytest.fixture
def world(database_url):
    engine = connect(database_url, lock_wait_seconds=SECONDS_MAX)
    migrate(engine)
    limits = replace(SMALL_CHUNKS, acts_alone_max=0)
    world = World(START, store=SqlStore(engine, ledger_key=LEDGER_KEY), limits=limits)
    publish(world.context, find_policy("license-pool"))
    register(
        world.context,
        organizations=[shop.organization(each) for each in CROWD],
        pools=[shop.pool(each) for each in CROWD],
    )
    yield world
    engine.dispose()


def test_of_two_approvers_one_approves_and_of_two_workers_each_does_what_the_other_does_not(world):
    seen = foresee(world.context, WISH, CROWD)
    asked = ask(world.context, WISH, CROWD, seen=seen.digest, by=PEOPLE[0])

    def let(person):
        def approving():
            try:
                return approve(world.context, asked.id, by=person)
            except ArmingApproved as refused:
                return refused

        return approving

    answers = in_threads(*[let(person) for person in PEOPLE[1:]])
    done = in_threads(*[lambda: carry_out_acts(world.context)] * 2)

    assert [type(each) for each in answers].count(ArmingApproved) == 1
    assert sum(done) + carry_out_acts(world.context) == len(CROWD)
    view = look_at_act(world.context, asked.id)
    assert {each.status for each in view.targets} == {TargetStatus.DONE}
    with world.store.transaction() as transaction:
        entries = [entry.event.kind for entry in transaction.ledger()]
    assert entries.count("bulk-act-carried-out") == len(CROWD)
    assert entries.count("bulk-act-approved") == 1
