"""What every store promises about deliveries and the ledger."""

from dataclasses import replace

import pytest

from offramp.core.ledger import GENESIS, Event, LedgerBroken, verify_chain
from offramp.core.model import Role, Subject
from offramp.core.policy import Audience
from offramp.core.transitions import OffboardingStatus
from offramp.ports import Delivery, DeliveryStatus, DeliveryTally
from tests.contract.store_world import (
    ANNA,
    BASIC,
    BEN,
    CARA,
    LATER,
    LEAVING,
    NOW,
    SIBLING,
    claim_one,
    fill,
    leaving,
    read,
)

LEDGER_KEY = b"a key for the ledger of the tests"
A, B, C = "anna", "ben", "cara"
OPENED = Event(kind="offboarding-opened", at=NOW, offboarding="leaving", episode=1)
ERASED = Event(
    kind="step-done", at=LATER, offboarding="leaving", episode=1, step="erase", actor="system",
    detail={"rows": 12, "digest": "ab12", "is_verified": True, "note": None},
)  # fmt: skip


def readers(store, offboarding, audience):
    with store.transaction() as transaction:
        count = transaction.fan_out(offboarding, step="warn", audience=audience)
        found = [delivery.member for delivery in transaction.deliveries(offboarding.id)]
    assert count == len(found)
    return found


def take(store, *, now=NOW, limit=10, after=""):
    return read(
        store,
        lambda t: t.take_deliveries("leaving", step="warn", now=now, limit=limit, after=after),
    )


def save(store, *deliveries):
    with store.transaction() as transaction:
        transaction.save_deliveries(deliveries, at=NOW)


class AudienceContract:
    """Who is written to."""

    @pytest.mark.parametrize(
        ("audience", "expected"),
        [
            (Audience.ADMINS, [A]),
            (Audience.OWNER, [C]),
            (Audience.BILLING, [C]),
            (Audience.MEMBERS, [A, B, C]),
            (Audience.SUBJECT, [A, B, C]),
        ],
    )
    def test_an_audience_is_those_with_the_role_or_everybody(self, store, audience, expected):
        fill(store, LEAVING)

        assert readers(store, LEAVING, audience) == expected

    @pytest.mark.parametrize("audience", [Audience.MEMBERS, Audience.SUBJECT])
    def test_a_members_own_off_boarding_concerns_that_member(self, store, audience):
        own = leaving(B)
        fill(store, own)

        assert readers(store, own, audience) == [B]

    def test_admins_hear_of_a_members_off_boarding(self, store):
        own = leaving(B)
        fill(store, own)

        assert readers(store, own, Audience.ADMINS) == [A]

    @pytest.mark.parametrize(
        ("status", "expected"),
        [
            (OffboardingStatus.OPEN, [A, C]),
            (OffboardingStatus.COMPLETED, [A, C]),
            (OffboardingStatus.CANCELED, [A, B, C]),
        ],
    )
    def test_who_leaves_alone_is_not_told_of_the_organizations_end(self, store, status, expected):
        """L11."""
        fill(store, LEAVING, leaving(B))
        with store.transaction() as transaction:
            transaction.save_offboarding(leaving(B, status=status), expected_episode=1)

        assert readers(store, LEAVING, Audience.MEMBERS) == expected

    def test_a_product_concerns_those_with_a_seat_in_it(self, store):
        notes = replace(LEAVING, subject=Subject(organization="acme", product="notes"))
        fill(store, notes)
        with store.transaction() as transaction:
            transaction.put_pools([replace(BASIC, organization="sibling", product="notes")])

        assert readers(store, notes, Audience.MEMBERS) == [B]

    def test_leaving_one_product_alone_says_nothing_of_another(self, store):
        courses = replace(LEAVING, subject=Subject(organization="acme", product="courses"))
        own = replace(courses, id="own", subject=replace(courses.subject, member=B))
        other = replace(
            own, id="o", subject=Subject(organization="acme", member=A, product="notes")
        )
        fill(store, courses, own, other)

        assert readers(store, courses, Audience.MEMBERS) == [A]

    def test_nobody_without_an_address_is_written_to(self, store):
        """L10."""
        fill(store, LEAVING, members=[replace(ANNA, email=""), BEN])

        assert readers(store, LEAVING, Audience.ADMINS) == []
        assert readers(store, LEAVING, Audience.MEMBERS) == [B]

    def test_who_was_removed_is_in_no_audience_but_their_own(self, store):
        """L10: an admin who has left is not a reader, and gets no link to the data."""
        own = leaving(A)
        fill(store, LEAVING, own, members=[replace(ANNA, removed_at=NOW), BEN])

        assert readers(store, LEAVING, Audience.ADMINS) == []
        assert readers(store, LEAVING, Audience.MEMBERS) == [B]
        assert readers(store, own, Audience.MEMBERS) == [A]

    def test_another_organizations_members_are_nobodys_readers(self, store):
        fill(store, LEAVING)
        with store.transaction() as transaction:
            transaction.put_members([replace(ANNA, id="zoe", organization=SIBLING.id)])

        assert readers(store, LEAVING, Audience.MEMBERS) == [A, B, C]


class DeliveryContract:
    """What became of each message."""

    def test_fanning_out_twice_writes_to_nobody_twice(self, store):
        """L8."""
        fill(store, LEAVING)
        readers(store, LEAVING, Audience.ADMINS)
        accepted = replace(_first(store), status=DeliveryStatus.ACCEPTED, accepted_at=NOW)
        save(store, accepted)

        assert readers(store, LEAVING, Audience.MEMBERS) == [A, B, C]

        assert _first(store) == accepted

    def test_steps_have_deliveries_of_their_own(self, store):
        fill(store, LEAVING)
        with store.transaction() as transaction:
            transaction.fan_out(LEAVING, step="warn", audience=Audience.ADMINS)
            assert transaction.fan_out(LEAVING, step="bye", audience=Audience.OWNER) == 1

        assert read(store, lambda t: t.deliveries("leaving", step="bye")) == (
            Delivery(offboarding="leaving", step="bye", member=C),
        )
        assert len(read(store, lambda t: t.deliveries("leaving"))) == 2

    def test_deliveries_are_taken_once_and_shown_as_they_were(self, store):
        fill(store, LEAVING)
        claim_one(store)
        readers(store, LEAVING, Audience.MEMBERS)

        first, second, third = take(store, limit=2), take(store, limit=2), take(store)

        assert [each.member for each in first + second] == [A, B, C]
        assert {each.status for each in first} == {DeliveryStatus.QUEUED}
        assert third == ()
        assert _first(store).status is DeliveryStatus.SENDING

    def test_deliveries_are_taken_from_beyond_a_member(self, store):
        fill(store, LEAVING)
        claim_one(store)
        readers(store, LEAVING, Audience.MEMBERS)

        beyond, left = take(store, after=A), take(store)

        assert [each.member for each in beyond] == [B, C]
        assert [each.member for each in left] == [A]

    def test_who_is_taken_next_is_named_and_not_taken(self, store):
        fill(store, LEAVING)
        claim_one(store)
        readers(store, LEAVING, Audience.MEMBERS)

        def awaited(**kwargs):
            chosen = {"step": "warn", "now": NOW, "limit": 10, "after": "", **kwargs}
            return read(store, lambda t: t.awaited("leaving", **chosen))

        assert awaited(limit=2) == (A, B)
        assert awaited(after=A) == (B, C)
        assert awaited(step="bye") == ()
        assert [each.member for each in take(store, limit=2)] == [A, B]
        assert awaited() == (C,)

    def test_a_tally_counts_what_is_listed(self, store):
        fill(store, LEAVING)
        readers(store, LEAVING, Audience.MEMBERS)
        first, second, third = read(store, lambda t: t.deliveries("leaving", step="warn"))
        accepted = replace(first, status=DeliveryStatus.ACCEPTED, accepted_at=NOW, repeats=2)
        save(
            store,
            accepted,
            replace(second, status=DeliveryStatus.COMPLAINED, accepted_at=LATER, repeats=1),
            replace(third, status=DeliveryStatus.FAILED),
        )

        tally = read(store, lambda t: t.tally_deliveries("leaving", step="warn"))
        none = read(store, lambda t: t.tally_deliveries("leaving", step="other"))

        assert tally == DeliveryTally(
            deliveries=3, accepted=2, under_way=1, repeats=3, delivered_at=LATER
        )
        assert none == DeliveryTally()
        assert _first(store) == accepted

    def test_what_a_dead_attempt_was_sending_is_taken_by_the_next(self, store):
        """L32: whether it was accepted has to be found out first."""
        fill(store, LEAVING)
        claimed = claim_one(store)
        readers(store, LEAVING, Audience.ADMINS)
        take(store)
        claim_one(store, now=claimed.lease_until)

        (again,) = take(store)

        assert again.status is DeliveryStatus.SENDING
        assert take(store) == ()

    def test_an_overtaken_attempt_writes_no_outcome(self, store):
        """L18: what the next one has taken is counted and noted by that one."""
        fill(store, LEAVING)
        first = claim_one(store)
        readers(store, LEAVING, Audience.ADMINS)
        (taken,) = take(store)
        claim_one(store, now=first.lease_until)
        take(store)

        with store.transaction() as transaction:
            sent = replace(taken, status=DeliveryStatus.ACCEPTED, accepted_at=NOW)
            transaction.save_deliveries([sent], at=NOW, taken_by=first.attempt)

        assert (_first(store).status, _first(store).repeats) == (DeliveryStatus.SENDING, 1)

    def test_every_attempt_that_dies_counts_as_a_repeat(self, store):
        """L32: none of them could tell of it any more."""
        fill(store, LEAVING)
        claimed = claim_one(store)
        readers(store, LEAVING, Audience.ADMINS)
        take(store)
        second = claim_one(store, now=claimed.lease_until)
        take(store)
        claim_one(store, now=second.lease_until)

        (third,) = take(store)

        assert third.repeats == 1
        assert _first(store).repeats == 2

    def test_a_failed_delivery_waits_for_its_next_try(self, store):
        fill(store, LEAVING)
        claim_one(store)
        readers(store, LEAVING, Audience.ADMINS)
        failed = replace(
            take(store)[0],
            status=DeliveryStatus.FAILED,
            attempts=1,
            next_try_at=LATER,
            reason="451",
        )
        save(store, failed)

        assert take(store, now=LATER.subtract(microseconds=1)) == ()
        assert take(store, now=LATER) == (failed,)

    @pytest.mark.parametrize("final", ["accepted", "refused", "bounced"])
    def test_what_is_decided_is_not_taken_again(self, store, final):
        fill(store, LEAVING)
        claimed = claim_one(store)
        readers(store, LEAVING, Audience.ADMINS)
        save(store, replace(take(store)[0], status=DeliveryStatus(final)))
        claim_one(store, now=claimed.lease_until)

        assert take(store, now=LATER) == ()

    def test_the_outcome_of_a_forgotten_delivery_is_forgotten_too(self, store):
        """L30."""
        fill(store, LEAVING)
        claim_one(store)
        readers(store, LEAVING, Audience.MEMBERS)
        anna, ben, _ = take(store)
        with store.transaction() as transaction:
            transaction.forget("acme", member=A, at=NOW)

        done = DeliveryStatus.ACCEPTED
        save(store, replace(anna, status=done), replace(ben, status=done))

        found = {
            each.member: each.status for each in read(store, lambda t: t.deliveries("leaving"))
        }
        assert found == {B: DeliveryStatus.ACCEPTED, C: DeliveryStatus.SENDING}

    def test_an_owner_who_is_admin_too_gets_one_message(self, store):
        both = replace(CARA, roles=frozenset({Role.OWNER, Role.ADMIN}))
        fill(store, LEAVING, members=[both])
        readers(store, LEAVING, Audience.OWNER)

        assert readers(store, LEAVING, Audience.ADMINS) == [C]


class LedgerContract:
    """The sealed chain."""

    def test_an_empty_ledger_begins_at_genesis(self, store):
        with store.transaction() as transaction:
            transaction.append([])
            assert transaction.ledger() == ()
            assert transaction.ledger_head() == (0, GENESIS)

    def test_what_was_appended_is_read_in_order_and_verifies(self, store):
        """L41."""
        for events in ([OPENED], [ERASED, OPENED]):
            with store.transaction() as transaction:
                transaction.append(events)

        entries, head = read(store, lambda t: (t.ledger(), t.ledger_head()))

        assert [entry.event for entry in entries] == [OPENED, ERASED, OPENED]
        assert [entry.number for entry in entries] == [1, 2, 3]
        assert verify_chain(entries, key=LEDGER_KEY, heads=[head]) == 3

    def test_it_is_read_in_pieces(self, store):
        with store.transaction() as transaction:
            transaction.append([OPENED] * 5)

        pieces = read(
            store, lambda t: (t.ledger(after=1, limit=2), t.ledger(after=3), t.ledger(after=5))
        )

        assert [[entry.number for entry in piece] for piece in pieces] == [[2, 3], [4, 5], []]

    def test_what_it_says_of_some_off_boardings_is_read_alone(self, store):
        other = replace(OPENED, offboarding="other")
        with store.transaction() as transaction:
            transaction.append([OPENED, other, replace(OPENED, offboarding=None), ERASED])

        def numbers(**asked):
            entries = read(store, lambda t: t.ledger(**asked))
            return [entry.number for entry in entries]

        assert numbers(about=["leaving"]) == [1, 4]
        assert numbers(about=["leaving", "other"], after=1, limit=1) == [2]
        assert numbers(about=[]) == []

    def test_it_can_be_read_in_the_transaction_that_extends_it(self, store):
        with store.transaction() as transaction:
            transaction.append([OPENED])
            number, _ = transaction.ledger_head()
            transaction.append([ERASED])
            entries = transaction.ledger()

        assert number == 1
        assert [entry.event for entry in entries] == [OPENED, ERASED]
        assert read(store, lambda t: t.ledger()) == entries

    def test_a_failed_transaction_leaves_no_gap(self, store):
        def fail():
            with store.transaction() as transaction:
                transaction.append([OPENED])
                transaction.ledger_head()
                raise ValueError

        with pytest.raises(ValueError):  # noqa: PT011 (any error will do)
            fail()
        with store.transaction() as transaction:
            transaction.append([ERASED])

        assert verify_chain(read(store, lambda t: t.ledger()), key=LEDGER_KEY) == 1

    def test_an_instant_finer_than_a_microsecond_is_sealed_as_it_is_kept(self, store):
        with store.transaction() as transaction:
            transaction.append([replace(OPENED, at=NOW.add(nanoseconds=1_234_567))])

        assert verify_chain(read(store, lambda t: t.ledger()), key=LEDGER_KEY) == 1

    @pytest.mark.parametrize("change", [{"kind": "step-failed"}, {"detail": {"rows": 13}}], ids=str)
    def test_an_edit_is_detected(self, store, change):
        """L41."""
        with store.transaction() as transaction:
            transaction.append([OPENED, ERASED])
        first, second = read(store, lambda t: t.ledger())

        edited = replace(second, event=replace(second.event, **change))

        with pytest.raises(LedgerBroken):
            verify_chain([first, edited], key=LEDGER_KEY)


def _first(store):
    return read(store, lambda t: t.deliveries("leaving", step="warn"))[0]
