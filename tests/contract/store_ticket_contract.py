"""What every store promises about tickets: a claim that travels to whoever carries it out."""

from dataclasses import replace

import pytest

from offramp.core.transitions import OffboardingStatus
from offramp.ports import Ticket
from tests.contract.store_world import LATER, LEAVING, NOW, claim, claim_one, fill, leaving, read

MUCH_LATER = LATER.add(hours=1)


def ticket_of(claimed):
    return Ticket(offboarding=claimed.id, attempt=claimed.attempt)


def take_up(store, ticket, *, lease_until=MUCH_LATER):
    return read(store, lambda t: t.take_up(ticket, lease_until=lease_until))


def renew(store, *tickets, before=MUCH_LATER, lease_until=MUCH_LATER):
    return read(store, lambda t: t.renew(tickets, before=before, lease_until=lease_until))


def settle(store, claimed):
    read(store, lambda t: t.settle(claimed, next_due_at=LATER))


def cancel(store, claimed):
    ended = replace(claimed, status=OffboardingStatus.CANCELED, next_due_at=None, closed_at=NOW)
    read(store, lambda t: t.save_offboarding(ended, expected_episode=1))


def overtake(store, claimed):
    claim(store, now=claimed.lease_until)


GONE = [settle, cancel, overtake]


class TicketContract:
    """A ticket is good once, and for as long as nobody overtook its claim."""

    def test_tickets_are_claimed_as_off_boardings_are(self, store):
        fill(store, leaving("anna"), leaving("ben"), leaving("cara", next_due_at=MUCH_LATER))
        claim(store, limit=1)
        lease_until = NOW.add(minutes=5)

        tickets = read(store, lambda t: t.claim_tickets(now=NOW, lease_until=lease_until, limit=9))

        assert tickets == (Ticket(offboarding="ben", attempt=1),)
        claimed = read(store, lambda t: t.offboarding("ben"))
        assert (claimed.attempt, claimed.lease_until) == (1, lease_until)

    def test_taking_up_is_the_next_attempt_with_a_lease_of_its_own(self, store):
        fill(store, LEAVING)
        claimed = claim_one(store)

        begun = take_up(store, ticket_of(claimed))

        assert begun == replace(claimed, attempt=claimed.attempt + 1, lease_until=MUCH_LATER)
        assert read(store, lambda t: t.offboarding("leaving")) == begun

    def test_a_ticket_that_arrives_twice_is_taken_up_once(self, store):
        """A queue may give the same work to two processes."""
        fill(store, LEAVING)
        ticket = ticket_of(claim_one(store))
        begun = take_up(store, ticket)

        assert take_up(store, ticket) is None
        assert read(store, lambda t: t.offboarding("leaving")) == begun

    @pytest.mark.parametrize("lose", GONE)
    def test_a_ticket_whose_claim_is_gone_is_void(self, store, lose):
        fill(store, LEAVING)
        claimed = claim_one(store)
        lose(store, claimed)
        before = read(store, lambda t: t.offboarding("leaving"))

        assert take_up(store, ticket_of(claimed)) is None
        assert read(store, lambda t: t.offboarding("leaving")) == before

    def test_nobody_knows_a_ticket_of_nobody(self, store):
        fill(store, LEAVING)

        assert take_up(store, Ticket(offboarding="nobody", attempt=1)) is None

    def test_the_leases_of_many_are_kept_at_once(self, store):
        fill(store, leaving("anna"), leaving("ben"), leaving("cara"))
        tickets = [ticket_of(claimed) for claimed in claim(store, limit=2)]

        assert renew(store, *tickets) == 2

        leases = {row.id: row.lease_until for row in read(store, lambda t: t.offboardings())}
        assert leases == {"anna": MUCH_LATER, "ben": MUCH_LATER, "cara": None}

    def test_a_lease_that_lasts_long_enough_is_left_alone(self, store):
        fill(store, LEAVING)
        claimed = claim_one(store)

        assert renew(store, ticket_of(claimed), before=claimed.lease_until) == 0
        assert read(store, lambda t: t.offboarding("leaving")) == claimed

    @pytest.mark.parametrize("lose", GONE)
    def test_the_lease_of_a_claim_that_is_gone_is_not_kept(self, store, lose):
        fill(store, LEAVING)
        claimed = claim_one(store)
        lose(store, claimed)
        before = read(store, lambda t: t.offboarding("leaving"))

        assert renew(store, ticket_of(claimed)) == 0
        assert read(store, lambda t: t.offboarding("leaving")) == before

    def test_keeping_nothing_keeps_nothing(self, store):
        fill(store, LEAVING)

        assert renew(store) == 0
