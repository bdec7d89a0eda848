"""What every store promises about requests by address, and about whose address one is (A4)."""

from dataclasses import replace

import pytest

from offramp.ports import RequestKind
from tests.contract.store_world import ANNA, BEN, CARA, LATER, NOW, fill, read

ADDRESS, OTHER = "anna@acme.example", "ben@acme.example"
MANY = 100
SIGN_IN = RequestKind.SIGN_IN


def ask(store, address=ADDRESS, *, at=NOW, waiting_max=MANY):
    return read(store, lambda t: t.put_request(address, at=at, waiting_max=waiting_max))


def waiting(store, limit=MANY):
    return read(store, lambda t: t.requests(limit=limit))


def readers(store, address=ADDRESS):
    return read(store, lambda t: t.readers_at(address))


class RequestContract:
    """What people ask for who have no account."""

    def test_whoever_has_waited_longest_comes_first(self, store):
        ask(store, OTHER, at=LATER)
        ask(store, "zoe@acme.example", at=NOW)
        ask(store, ADDRESS, at=LATER)

        assert waiting(store) == ("zoe@acme.example", ADDRESS, OTHER)
        assert waiting(store, limit=1) == ("zoe@acme.example",)

    def test_an_address_waits_once_however_it_is_written(self, store):
        assert [ask(store), ask(store, "Anna@ACME.example", at=LATER)] == [True, False]
        assert waiting(store) == (ADDRESS,)

    def test_an_address_waits_for_each_thing_by_itself(self, store):
        ask(store)
        for at in (NOW, LATER):
            read(store, lambda t, at=at: t.put_request(ADDRESS, kind=SIGN_IN, at=at, waiting_max=1))

        assert waiting(store) == (ADDRESS,)
        assert read(store, lambda t: t.requests(kind=SIGN_IN, limit=MANY)) == (ADDRESS,)
        read(store, lambda t: t.drop_request(ADDRESS, kind=SIGN_IN))
        assert read(store, lambda t: t.requests(kind=SIGN_IN, limit=MANY)) == ()
        assert waiting(store) == (ADDRESS,)

    def test_no_more_wait_than_may(self, store):
        assert [ask(store, waiting_max=1), ask(store, OTHER, waiting_max=1)] == [True, False]
        assert waiting(store) == (ADDRESS,)

    def test_what_is_dropped_waits_no_more_and_may_be_asked_again(self, store):
        ask(store)
        ask(store, OTHER)
        read(store, lambda t: t.drop_request("ANNA@acme.example"))
        left = waiting(store)

        assert left == (OTHER,)
        assert ask(store)

    @pytest.mark.parametrize("written", [ADDRESS, "ANNA@Acme.Example"])
    @pytest.mark.parametrize("kept", [ADDRESS, "Anna@acme.EXAMPLE"])
    def test_an_address_is_found_however_it_is_written(self, store, kept, written):
        fill(store, members=[replace(ANNA, email=kept), BEN, CARA])

        assert readers(store, written) == (("acme", "anna"),)

    def test_letters_beyond_ascii_are_compared_as_they_are(self, store):
        fill(store, members=[replace(ANNA, email="Émile@acme.example")])

        assert readers(store, "Émile@ACME.example") == (("acme", "anna"),)
        assert readers(store, "émile@acme.example") == ()

    def test_everybody_is_found_who_has_the_address_in_any_organization(self, store):
        fill(store)
        with store.transaction() as transaction:
            transaction.put_members(
                [
                    replace(ANNA, organization="sibling", removed_at=NOW),
                    replace(CARA, organization="sibling", email="Anna@acme.example"),
                ]
            )

        assert readers(store) == (("acme", "anna"), ("sibling", "anna"), ("sibling", "cara"))

    @pytest.mark.parametrize(
        "unknown", ["nobody@acme.example", "anna", "%", "", "anna@acme_example"]
    )
    def test_nobody_is_found_at_another_address(self, store, unknown):
        fill(store)

        assert readers(store, unknown) == ()

    @pytest.mark.parametrize(("member", "left"), [(None, ()), ("anna", (OTHER,))])
    def test_nobody_is_found_who_was_forgotten_and_none_of_them_waits(self, store, member, left):
        """L30."""
        fill(store, members=[replace(ANNA, email="Anna@acme.example"), BEN, CARA])
        for address in (ADDRESS, OTHER):
            ask(store, address)

        counts = read(store, lambda t: t.forget("acme", member=member, at=LATER))

        assert readers(store) == ()
        assert waiting(store) == left
        assert counts["request"] == 2 - len(left)

    def test_who_asks_at_another_address_goes_on_waiting(self, store):
        fill(store)
        ask(store, "somebody@else.example")

        read(store, lambda t: t.forget("acme", member=None, at=LATER))

        assert waiting(store) == ("somebody@else.example",)
