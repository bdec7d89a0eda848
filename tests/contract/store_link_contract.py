"""What every store promises about links to what was handed over (L14)."""

from dataclasses import replace

import pytest

from offramp.core.policy import Audience
from offramp.ports import Link
from tests.contract.store_world import EARLIER, LATER, LEAVING, NOW, claim_one, fill, leaving, read

A, C = "anna", "cara"
LINK = Link(
    digest="a1",
    offboarding="leaving",
    step="data",
    member=A,
    file="exports/leaving/data.json",
    mailed_at=NOW,
    expires_at=NOW.add(hours=24),
)
AGAIN = replace(LINK, digest="a2", round=2)
OTHERS = replace(LINK, digest="c1", member=C)


def write(store, *links):
    """Let one step write to the admin and to the owner, and note links of its messages."""
    fill(store, LEAVING)
    claim_one(store)
    with store.transaction() as transaction:
        transaction.fan_out(LEAVING, step="data", audience=Audience.ADMINS)
        transaction.fan_out(LEAVING, step="data", audience=Audience.OWNER)
        for link in links:
            transaction.put_link(link)


def links(store):
    return read(store, lambda t: t.links("leaving"))


def find(store, digest):
    return read(store, lambda t: t.find_link(digest))


class LinkContract:
    """What messages lead to."""

    def test_a_link_is_found_by_its_digest_and_listed_with_its_kind(self, store):
        write(store, OTHERS, AGAIN, LINK)

        assert find(store, "a1") == LINK
        assert find(store, "a3") is None
        assert links(store) == (LINK, AGAIN, OTHERS)
        assert read(store, lambda t: t.links("another")) == ()

    def test_a_link_that_is_mailed_again_lives_from_then_and_keeps_the_rest(self, store):
        write(store, LINK)
        used = replace(LINK, downloads=1, downloaded_at=NOW, revoked_at=NOW)
        with store.transaction() as transaction:
            transaction.count_download("a1", at=NOW)
            transaction.revoke_links("leaving", at=NOW)

        later = {"mailed_at": LATER, "expires_at": LATER.add(hours=24)}
        read(store, lambda t: t.put_link(replace(LINK, **later)))

        assert find(store, "a1") == replace(used, **later)

    def test_each_download_that_begins_is_counted(self, store):
        write(store, LINK, OTHERS)

        counts = [
            read(store, lambda t, at=at: t.count_download("a1", at=at)) for at in (EARLIER, LATER)
        ]

        assert counts == [1, 2]
        assert find(store, "a1") == replace(LINK, downloads=2, downloaded_at=LATER)
        assert find(store, "c1") == OTHERS
        assert read(store, lambda t: t.count_download("gone", at=NOW)) == 0

    @pytest.mark.parametrize(
        ("chosen", "expected"),
        [
            ({}, ["a1", "a2", "c1"]),
            ({"member": A}, ["a1", "a2"]),
            ({"member": A, "spared": "a2"}, ["a1"]),
            ({"steps": ("data", "data/2")}, ["a1", "a2", "c1"]),
            ({"steps": ("data/2",)}, []),
            ({"at": LINK.expires_at}, []),
        ],
        ids=str,
    )
    def test_what_is_revoked_is_what_was_asked_for_and_still_led_anywhere(
        self, store, chosen, expected
    ):
        write(store, LINK, AGAIN, OTHERS)
        at = chosen.get("at", LATER)

        count = read(store, lambda t: t.revoke_links("leaving", **({"at": LATER} | chosen)))

        revoked = [each.digest for each in links(store) if each.revoked_at == at]
        assert (count, revoked) == (len(expected), expected)

    def test_what_is_revoked_twice_keeps_its_date(self, store):
        write(store, LINK)
        read(store, lambda t: t.revoke_links("leaving", at=NOW))

        assert read(store, lambda t: t.revoke_links("leaving", at=LATER)) == 0
        assert find(store, "a1").revoked_at == NOW

    @pytest.mark.parametrize(("member", "left"), [(None, ()), (A, (OTHERS,))])
    def test_links_go_with_their_reader_and_none_is_noted_afterwards(self, store, member, left):
        """L30."""
        write(store, LINK, AGAIN, OTHERS)

        counts = read(store, lambda t: t.forget("acme", member=member, at=LATER))
        read(store, lambda t: t.put_link(replace(LINK, digest="a4")))  # a worker was still sending

        assert counts["link"] == 3 - len(left)
        assert links(store) == left

    def test_links_of_others_stay(self, store):
        """L30."""
        fill(store, LEAVING, leaving("ben"))
        with store.transaction() as transaction:
            for row in transaction.offboardings("acme"):
                transaction.fan_out(row, step="data", audience=Audience.ADMINS)
            transaction.put_link(LINK)

        read(store, lambda t: t.forget("acme", member="ben", at=LATER))

        assert links(store) == (LINK,)
