"""Readers are looked up for some turns at once, and never used for long."""

from types import SimpleNamespace

import pytest
from whenever import Instant

from offramp.engine.readers import READERS_AT_ONCE, SECONDS_MAX, Readers
from offramp.ports import Delivery
from offramp.testing.builders import make_member

NOW = Instant.from_utc(2024, 9, 1)
IDS = [f"{number:03}" for number in range(2 * READERS_AT_ONCE)]


class Register:
    """A store that knows who comes next, and remembers who was asked for."""

    def __init__(self):
        self.asked = []
        self.gone = set()

    def awaited(self, offboarding, *, step, now, limit, after):
        return tuple([each for each in IDS if each > after][:limit])

    def members(self, organization, *, among):
        self.asked.append(sorted(among))
        return tuple(make_member(each) for each in sorted(set(among) - self.gone))


@pytest.fixture
def register():
    return Register()


@pytest.fixture
def work():
    claimed = SimpleNamespace(id="leaving", subject=SimpleNamespace(organization="acme"))
    clock = SimpleNamespace(seconds=0.0)
    context = SimpleNamespace(elapsed=lambda: clock.seconds)
    return SimpleNamespace(claimed=claimed, delivery_key="warn", context=context, clock=clock)


def turn(readers, register, ids):
    taken = [Delivery(offboarding="leaving", step="warn", member=each) for each in ids]
    readers.look_up(register, taken, now=NOW)
    return readers.address(taken)


def nothing_for(asked):
    """Attach nothing, and note for whom that was looked up."""

    def attach_all(members):
        asked.append([each.id for each in members])
        return lambda member: ()

    return attach_all


def test_who_comes_next_is_looked_up_with_whose_turn_it_is_and_not_again(register, work):
    carried = []
    readers = Readers(work=work, attach_all=nothing_for(carried))

    for start in range(0, READERS_AT_ONCE, 16):
        addressed = turn(readers, register, IDS[start : start + 16])
        assert [each.member.id for each in addressed] == IDS[start : start + 16]

    assert register.asked == carried == [IDS[:READERS_AT_ONCE]]


def test_whoever_was_not_asked_about_is(register, work):
    readers = Readers(work=work, attach_all=nothing_for([]))
    turn(readers, register, IDS[:8])

    beyond = turn(readers, register, IDS[READERS_AT_ONCE - 1 : READERS_AT_ONCE + 1])

    assert all(each.member for each in beyond)
    assert len(register.asked) == 2


def test_what_is_older_than_a_few_seconds_is_looked_up_again(register, work):
    readers = Readers(work=work, attach_all=nothing_for([]))
    turn(readers, register, IDS[:8])

    work.clock.seconds = SECONDS_MAX + 0.1
    register.gone = {IDS[8]}
    gone, there = turn(readers, register, IDS[8:10])

    assert gone.member is None
    assert there.member.id == IDS[9]


def test_who_is_gone_is_asked_about_once(register, work):
    register.gone = {IDS[0]}
    readers = Readers(work=work, attach_all=nothing_for([]))

    assert turn(readers, register, IDS[:1])[0].member is None
    turn(readers, register, IDS[:2])

    assert len(register.asked) == 1
