"""B1, L7: an explanation never says anything else than the decision, whatever the organization."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from offramp.core.access import Voter
from offramp.core.explanation import Saying, explain
from offramp.core.policy import Capability
from offramp.engine.access import find_reader
from tests.property.strategies import boundaries, instants, policies, zones
from tests.property.test_snapshot import clocks, people, places, pools, told, unlocks


@given(data=st.data(), policy=policies, zone=zones, clock=clocks, place=places, now=instants)
def test_the_voter_that_decides_says_so_and_the_next_change_is_the_first_one_L7(
    data, policy, zone, clock, place, now
):
    bought = data.draw(pools(boundaries))
    members = data.draw(people(bought, boundaries))
    world = told(policy.model_copy(update={"clock": clock}), zone, bought, members)
    with world.store.transaction() as transaction:
        reader = find_reader(transaction, replace(place, member=members[0].id))
    reader = replace(
        reader,
        is_blocked=data.draw(st.booleans()),
        unlocks=tuple(data.draw(st.lists(unlocks(), max_size=1))),
    )
    capability = data.draw(st.sampled_from(list(Capability)))

    explained = explain(reader, capability, now=now)

    decision, said = explained.decision, explained.statements
    assert decision == reader.decide(capability, now=now)
    if decision.voter is not Voter.UNKNOWN:
        saying = Saying.ALLOWS if decision.is_allowed else Saying.REFUSES
        assert saying in {each.saying for each in said if each.voter is decision.voter}
    if decision.is_allowed and decision.voter is not Voter.UNLOCK:
        assert Saying.REFUSES not in {each.saying for each in said}
    change = explained.change
    if change is not None:
        just_before = reader.decide(capability, now=change.at.subtract(nanoseconds=1))
        assert change.at > now
        assert change.decision == reader.decide(capability, now=change.at)
        assert just_before.capabilities == decision.capabilities
        assert just_before.is_allowed == decision.is_allowed
