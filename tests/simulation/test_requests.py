"""A4: whoever has no account asks by their address, and is sent what is theirs."""

from dataclasses import replace

import pytest
from whenever import Date, Instant

from offramp.engine import request as requests
from offramp.engine.bounces import take_back
from offramp.engine.courier import carry_once
from offramp.engine.request import answer_requests, note_request
from offramp.ports import Return, Returned
from offramp.testing.memory_store import MemoryStore
from offramp.testing.world import Crash
from tests.simulation.stories import open_world

TOLD = Instant.from_utc(2024, 9, 3)
HANDED_OVER = Instant.from_utc(2024, 9, 24)
ADMIN = "admin@acme.example"
USER, OTHER_USER = "user@acme.example", "user@gone.example"


@pytest.fixture
def world(app):
    """Give a world in which two organizations have left and everybody was written to."""
    world = open_world(app, "license-pool", leaving=("acme", "gone"))
    world.run_until(TOLD)
    return world


def ask(world, address=USER):
    """Ask, let a worker look whose it is, and send; give what arrived of it."""
    before = len(world.mail.sent)
    note_request(world.context, address)
    answer_requests(world.context)
    world.work()
    return [(each.message.subject, each.message.to) for each in world.mail.sent[before:]]


def waiting(world):
    with world.store.transaction() as transaction:
        return transaction.requests(limit=100)


def rename(world, member, *, email, organization="acme"):
    with world.store.transaction() as transaction:
        person = transaction.member(organization, member)
        transaction.put_members([replace(person, email=email)])


def ledger_since(world, before):
    with world.store.transaction() as transaction:
        return [entry.event for entry in transaction.ledger()][before:]


def test_what_is_theirs_is_sent_to_the_address_of_the_roster(world):
    assert ask(world, "  USER@Acme.example ") == [("achievements", USER)]
    assert waiting(world) == ()


def test_whoever_asks_again_is_sent_it_again_after_an_hour(world):
    first, soon = ask(world), ask(world)
    world.run_until(world.now.add(minutes=61))

    assert (len(first), soon) == (1, [])
    assert ask(world) == first


def test_everything_is_sent_that_is_theirs_in_every_organization(world):
    rename(world, "gone-user", email=USER.upper(), organization="gone")

    assert sorted(ask(world)) == [("achievements", USER.upper()), ("achievements", USER)]


@pytest.mark.parametrize("address", ["nobody@acme.example", "user@beta.example"])
def test_a_stranger_and_whoever_was_sent_nothing_are_forgotten_without_a_trace(world, address):
    before = len(ledger_since(world, 0))

    assert ask(world, address) == []
    assert waiting(world) == ()
    assert ledger_since(world, before) == []


@pytest.mark.parametrize(
    "text",
    ["", "  ", "user", "@", "a@", "@b", "a b@c.example", "a\x00@b", "a@b\nc", f"{'a' * 250}@b.de"],
    ids=repr,
)
def test_what_is_no_address_is_not_noted(world, text):
    note_request(world.context, text)

    assert waiting(world) == ()


def test_no_more_wait_than_a_worker_can_bear(world, monkeypatch):
    monkeypatch.setattr(requests, "WAITING_MAX", 2)
    for address in ("a@b.example", "c@d.example", USER):
        note_request(world.context, address)

    assert set(waiting(world)) == {"a@b.example", "c@d.example"}
    answer_requests(world.context)
    assert ask(world) == [("achievements", USER)]


def test_a_round_takes_some_and_the_next_one_the_others(world, monkeypatch):
    monkeypatch.setattr(requests, "ANSWERED_MAX", 2)
    for address in ("a@b.example", "c@d.example", USER):
        note_request(world.context, address)

    counts = [answer_requests(world.context) for _ in range(3)]

    assert counts == [2, 1, 0]


def test_the_ledger_says_that_a_person_asked_and_not_by_which_address(world):
    """L30."""
    before = len(ledger_since(world, 0))
    ask(world)

    asked = [event for event in ledger_since(world, before) if event.kind == "messages-asked-again"]
    assert [(event.actor, event.detail) for event in asked] == [("user", {"messages": 1})]
    assert "@" not in repr(ledger_since(world, before))


def test_whoever_complained_is_not_written_to(world):
    (message,) = [
        each.message
        for each in world.mail.sent
        if (each.message.subject, each.message.to) == ("achievements", USER)
    ]
    take_back(world.context, Returned(message=message.id, why=Return.COMPLAINED))

    assert ask(world) == []


def test_nobody_is_found_once_everything_is_erased(world):
    """A10, L30."""
    note_request(world.context, USER)
    world.run_until(Instant.from_utc(2024, 11, 1))
    left = waiting(world)

    assert left == ()
    assert ask(world) == []


class Mortal(MemoryStore):
    """Loses its process at one of its transactions."""

    def __init__(self, store, *, left):
        self._store, self._left = store, left

    def transaction(self):
        if not self._left:
            raise Crash
        self._left -= 1
        return self._store.transaction()


@pytest.mark.parametrize("left", range(4))
def test_whoever_dies_while_answering_leaves_it_to_the_next_and_nothing_comes_twice(world, left):
    note_request(world.context, USER)
    before = len(world.mail.sent)

    with pytest.raises(Crash):
        answer_requests(replace(world.context, store=Mortal(world.store, left=left)))
    answer_requests(world.context)
    world.work()

    assert [each.message.to for each in world.mail.sent[before:]] == [USER]
    assert waiting(world) == ()


def test_what_cannot_be_answered_is_not_in_the_way_of_others(world):
    note_request(world.context, OTHER_USER)
    lost = replace(world.context, clock=None)

    with pytest.raises(AttributeError):
        answer_requests(lost)

    assert waiting(world) == ()


def test_a_command_and_the_rounds_beside_a_worker_answer_as_well(world):
    note_request(world.context, USER)

    carry_once(world.context)

    assert waiting(world) == ()


@pytest.mark.parametrize(
    "changes",
    [{"roles": frozenset()}, {"removed_at": HANDED_OVER}, {"ends": Date(2024, 9, 1)}],
    ids=["without a role", "removed", "expired"],
)
def test_whoever_does_not_administer_any_more_is_not_sent_the_data_of_everybody(world, changes):
    """A8, A4: what is their own they are."""
    world.run_until(HANDED_OVER)
    with world.store.transaction() as transaction:
        person = transaction.member("acme", "acme-admin")
        transaction.put_members([replace(person, **changes)])

    assert ask(world, ADMIN) == [("achievements", ADMIN)]


def test_whoever_still_administers_is_sent_the_data_of_everybody_too(world):
    """A8, A4."""
    world.run_until(HANDED_OVER)

    assert sorted(ask(world, ADMIN)) == [("achievements", ADMIN), ("company-data", ADMIN)]
