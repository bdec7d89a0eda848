"""What every store promises about optional messages, and about who has declined them (L12)."""

from dataclasses import replace

import pytest

from offramp.core.policy import Audience
from offramp.ports import DeliveryStatus, OptionalMessage
from tests.contract.store_world import ANNA, LATER, LEAVING, NOW, claim_one, fill, leaving, read

A, C = "anna", "cara"
MESSAGE = OptionalMessage(message="a1", offboarding="leaving", step="tips", member=A)
AGAIN = replace(MESSAGE, message="a2")
OTHERS = replace(MESSAGE, message="c1", member=C)


def write(store, *messages):
    """Let one step write to the admin and to the owner, and note messages of it."""
    fill(store, LEAVING)
    claim_one(store)
    with store.transaction() as transaction:
        transaction.fan_out(LEAVING, step="tips", audience=Audience.ADMINS)
        transaction.fan_out(LEAVING, step="tips", audience=Audience.OWNER)
        transaction.put_optional(messages)


def find(store, message):
    return read(store, lambda t: t.find_optional(message))


def decline(store, member=A, *, organization="acme", at=NOW):
    return read(store, lambda t: t.decline(organization, member=member, at=at))


def declined(store, *, organization="acme", among=(A, "ben", C)):
    return read(store, lambda t: t.declined(organization, among=among))


class OptionalContract:
    """What a reader may decline."""

    def test_every_optional_message_is_found_however_many_a_reader_got(self, store):
        write(store, MESSAGE, OTHERS)
        read(store, lambda t: t.put_optional([MESSAGE, AGAIN]))

        assert [find(store, each) for each in ("a1", "a2", "c1")] == [MESSAGE, AGAIN, OTHERS]
        assert find(store, "a3") is None

    def test_what_was_never_addressed_is_not_noted(self, store):
        write(store, replace(MESSAGE, member="ben"), replace(MESSAGE, step="bye", message="b1"))

        assert find(store, "a1") is None
        assert find(store, "b1") is None

    def test_whoever_declines_twice_has_declined_once(self, store):
        fill(store)

        assert [decline(store), decline(store, at=LATER)] == [True, False]
        assert declined(store) == {A}

    def test_whoever_wants_messages_again_has_not_declined_and_may_once_more(self, store):
        fill(store)
        decline(store)
        decline(store, C)

        took_back = [read(store, lambda t: t.want_again("acme", member=A)) for _ in range(2)]

        assert took_back == [True, False]
        assert declined(store) == {C}
        assert decline(store, at=LATER)

    def test_a_wish_is_of_one_member_of_one_organization(self, store):
        fill(store)
        decline(store)

        assert declined(store, among=("ben", C)) == frozenset()
        assert declined(store, organization="sibling") == frozenset()
        assert declined(store, among=()) == frozenset()

    def test_a_wish_outlives_the_roster(self, store):
        fill(store)
        decline(store)
        with store.transaction() as transaction:
            transaction.put_members([replace(ANNA, removed_at=NOW)])
            transaction.put_members([replace(ANNA, email="anna.b@acme.example")])

        assert declined(store) == {A}

    @pytest.mark.parametrize(("member", "left"), [(None, frozenset()), (A, frozenset({C}))])
    def test_wishes_and_messages_go_with_their_reader(self, store, member, left):
        """L30."""
        write(store, MESSAGE, AGAIN, OTHERS)
        decline(store, A)
        decline(store, C)

        counts = read(store, lambda t: t.forget("acme", member=member, at=LATER))
        read(store, lambda t: t.put_optional([replace(MESSAGE, message="a4")]))  # still sending

        assert counts["optional_message"] == (2 if member else 3)
        assert counts["declined"] == 2 - len(left)
        assert declined(store) == left
        assert find(store, "a1") is find(store, "a4") is None
        assert find(store, "c1") == (OTHERS if left else None)

    def test_wishes_and_messages_of_others_stay(self, store):
        """L30."""
        fill(store, LEAVING, leaving("ben"))
        with store.transaction() as transaction:
            transaction.fan_out(LEAVING, step="tips", audience=Audience.ADMINS)
            transaction.put_optional([MESSAGE])
            transaction.decline("acme", member=A, at=NOW)

        read(store, lambda t: t.forget("acme", member="ben", at=LATER))

        assert find(store, "a1") == MESSAGE
        assert declined(store) == {A}

    def test_what_was_declined_is_counted_unless_it_was_accepted_before(self, store):
        write(store)
        with store.transaction() as transaction:
            first, second = transaction.deliveries("leaving")
            unsent = replace(first, status=DeliveryStatus.DECLINED)
            sent_before = replace(second, status=DeliveryStatus.DECLINED, accepted_at=NOW)
            transaction.save_deliveries([unsent, sent_before], at=LATER)

        tally = read(store, lambda t: t.tally_deliveries("leaving", step="tips"))

        assert (tally.deliveries, tally.accepted, tally.declined) == (2, 1, 1)
        assert tally.under_way == 0
