"""A mailbox for what comes back: nothing in it is lost, and nothing counts twice (A4, L32)."""

from dataclasses import replace

import pytest
from whenever import Instant

from offramp.documents.returned_mail import read_returned
from offramp.engine.correspondence import history
from offramp.engine.intake import Fetched, fetch
from offramp.ports import DeletionInFlight, StoreUnavailable
from offramp.testing.mailbox import MemoryMailbox
from offramp.testing.world import Crash
from tests.contract.mailbox_contract import AWAY, report
from tests.simulation.stories import open_world
from tests.simulation.trouble import FailingStore

TOLD = Instant.parse_iso("2024-08-31T12:00:00Z")
NOTHING = Fetched(noted=0, known=0, nobodys=0, waiting=0, other=0)


@pytest.fixture
def world(app):
    world = open_world(app, "license-pool")
    world.run_until(TOLD)
    return world


@pytest.fixture
def mailbox():
    return MemoryMailbox(read=read_returned)


@pytest.fixture
def context(world, mailbox):
    return replace(world.context, returns=mailbox)


@pytest.fixture
def reports(world):
    """A report of each message with achievements."""
    return [
        report(sent.message.id)
        for sent in world.mail.sent
        if sent.message.subject == "achievements"
    ]


def look(context):
    return fetch(context, context.returns, is_stopping=lambda: False)


def told(context):
    """Give what is told of the achievements of everybody, in order."""
    return [
        [note.status.value for note in written.notes]
        for written in history(context, "acme", step="achievements")
    ]


def test_every_report_is_noted_and_put_away(context, mailbox, reports):
    mailbox.letters = [AWAY, *reports]

    found = look(context)

    assert found == replace(NOTHING, noted=len(reports), other=1)
    assert mailbox.letters == [AWAY]
    assert told(context) == [["accepted", "bounced"]] * len(reports)


def test_what_is_known_already_is_put_away_and_counts_no_more(context, mailbox, reports):
    mailbox.letters = [reports[0], reports[0]]

    found = look(context)

    assert found == replace(NOTHING, noted=1, known=1)
    assert mailbox.letters == []


def test_what_is_of_nobody_here_stays(context, mailbox):
    """It may be of another installation, or of a message whose outcome is not written down yet."""
    mailbox.letters = [report("0" * 32)]

    found = look(context)

    assert found == replace(NOTHING, nobodys=1)
    assert mailbox.letters == [report("0" * 32)]


def test_whoever_dies_between_noting_and_putting_away_loses_nothing(context, mailbox, reports):
    def die(point):
        if point == "returned noted":
            raise Crash

    mailbox.letters = list(reports)
    with pytest.raises(Crash):
        look(replace(context, probe=die))
    stayed = list(mailbox.letters)

    found = look(context)

    assert stayed == reports
    assert found == replace(NOTHING, noted=len(reports) - 1, known=1)
    assert told(context) == [["accepted", "bounced"]] * len(reports)


def test_a_store_that_is_down_leaves_every_report_where_it_is(context, mailbox, reports):
    store = FailingStore(context.store)
    store.trouble.append("down")
    mailbox.letters = list(reports)

    with pytest.raises(StoreUnavailable):
        look(replace(context, store=store))

    assert mailbox.letters == reports


class FrozenStore:
    """A store in which a worker is frozen in the middle of a chunk."""

    def __init__(self, store):
        self._store = store

    def transaction(self):
        raise DeletionInFlight(organization="acme")

    def __getattr__(self, name):
        return getattr(self._store, name)


def test_what_a_deletion_in_flight_keeps_from_being_noted_waits(context, mailbox, reports):
    mailbox.letters = [*reports, AWAY]

    found = look(replace(context, store=FrozenStore(context.store), pause=lambda seconds: None))

    assert found == replace(NOTHING, waiting=len(reports), other=1)
    assert mailbox.letters == [*reports, AWAY]
