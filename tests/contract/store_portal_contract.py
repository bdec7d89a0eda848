"""What every store promises about who is signed in to the portal, and what they ask for (B9)."""

from dataclasses import replace

import pytest

from offramp.core.model import SubjectKind
from offramp.core.policy import Audience
from offramp.ports import DeliveryStatus, OwnCopy, PortalLink, PortalSession
from tests.contract.store_world import ANNA, EARLIER, LATER, LEAVING, NOW, fill, read

LINK = PortalLink(
    digest="link", proof="proof", organization="acme", member="anna", made_at=NOW, expires_at=LATER
)
SESSION = PortalSession(
    digest="browser",
    proof="proof",
    organization="acme",
    member="anna",
    opened_at=EARLIER,
    seen_at=NOW,
    idle_ends_at=LATER,
    ends_at=LATER.add(hours=1),
)
COPY = OwnCopy(
    id="copy",
    organization="acme",
    member="anna",
    digest="secret",
    file="own/copy/data.json",
    asked_at=NOW,
    due_at=NOW,
)
DONE = replace(COPY, written_at=NOW, size_bytes=7, expires_at=LATER, due_at=LATER, mailed_at=NOW)


def do(store, name, *arguments, **named):
    return read(store, lambda t: getattr(t, name)(*arguments, **named))


def the_copy(store, member="anna"):
    return do(store, "own_copy", "acme", member=member)


class PortalContract:
    """Who comes to the portal, and by which links."""

    def test_a_link_to_the_portal_is_spent_once_and_still_known(self, store):
        fill(store)
        assert do(store, "put_portal_link", LINK)

        assert do(store, "portal_link", "link") == LINK
        assert do(store, "spend_portal_link", "link", at=NOW) == replace(LINK, spent_at=NOW)
        assert do(store, "spend_portal_link", "link", at=NOW) is None
        assert do(store, "portal_link", "link") == replace(LINK, spent_at=NOW)

    def test_links_to_the_portal_are_counted_for_each_member(self, store):
        fill(store)
        for digest, member, at in (("a", "anna", EARLIER), ("b", "anna", NOW), ("c", "ben", NOW)):
            do(store, "put_portal_link", replace(LINK, digest=digest, member=member, made_at=at))

        def made(member, since):
            return do(store, "portal_links_made", "acme", member=member, since=since)

        assert made("anna", EARLIER) == 1
        assert made("anna", EARLIER.subtract(hours=1)) == 2
        do(store, "drop_portal_link", "b")
        assert [made("anna", EARLIER), made("ben", EARLIER), made("cara", EARLIER)] == [0, 1, 0]

    def test_a_session_in_the_portal_is_found_seen_moved_and_ended(self, store):
        fill(store)
        assert do(store, "open_portal_session", SESSION)

        do(store, "see_portal_session", "browser", at=LATER, idle_ends_at=LATER.add(hours=2))
        moved = do(store, "move_portal_session", "browser", organization="acme", member="ben")
        found = do(store, "portal_session", "browser")

        assert moved
        assert (found.member, found.seen_at, found.idle_ends_at) == (
            *("ben", LATER, LATER.add(hours=2)),
        )
        assert do(store, "end_portal_session", "browser")
        assert not do(store, "end_portal_session", "browser")
        assert do(store, "portal_session", "browser") is None

    def test_whoever_is_gone_gets_no_link_no_session_and_no_copy(self, store):
        """L30."""
        fill(store)
        do(store, "open_portal_session", SESSION)
        gone = {"organization": "acme", "member": "nobody"}

        assert not do(store, "put_portal_link", replace(LINK, **gone))
        assert not do(store, "open_portal_session", replace(SESSION, digest="x", **gone))
        assert not do(store, "move_portal_session", "browser", **gone)
        assert not do(store, "move_portal_session", "none", organization="acme", member="ben")
        assert not do(store, "put_own_copy", replace(COPY, **gone))

    def test_what_is_over_in_the_portal_is_forgotten(self, store):
        fill(store)
        alive = replace(SESSION, digest="alive", idle_ends_at=LATER.add(seconds=1))
        ended = replace(alive, digest="ended", ends_at=LATER)
        for session in (SESSION, alive, ended):
            do(store, "open_portal_session", session)
        for digest, at in (("old", EARLIER), ("new", NOW)):
            do(store, "put_portal_link", replace(LINK, digest=digest, made_at=at))

        do(store, "tidy_portal", at=LATER, made_before=NOW)

        left = [do(store, "portal_session", d) for d in ("browser", "alive", "ended")]
        assert left == [None, alive, None]
        assert do(store, "portal_link", "old") is None
        assert do(store, "portal_link", "new") is not None

    def test_somebody_whose_mailbox_does_not_exist_is_unreachable_until_a_mail_is_taken(
        self, store
    ):
        fill(store, LEAVING)

        def become(status, reason):
            with store.transaction() as transaction:
                (mine,) = transaction.deliveries_to("acme", member="anna", limit=9)
                changed = replace(mine, status=status, reason=reason)
                transaction.save_deliveries([changed], at=NOW)
            return do(store, "is_unreachable", "acme", member="anna")

        do(store, "fan_out", LEAVING, step="bye", audience=Audience.MEMBERS)

        assert become(DeliveryStatus.BOUNCED, "5.1.1")
        assert become(DeliveryStatus.REFUSED, "5.1.10")
        assert not become(DeliveryStatus.BOUNCED, "5.2.2")
        assert not become(DeliveryStatus.ACCEPTED, "5.1.1")
        assert not do(store, "is_unreachable", "acme", member="ben")
        assert do(store, "deliveries_to", "acme", member="anna", limit=0) == ()
        assert do(store, "deliveries_to", "sibling", member="anna", limit=9) == ()

    def test_a_request_for_a_copy_takes_the_place_of_the_one_before_it(self, store):
        fill(store)
        assert do(store, "put_own_copy", DONE)
        assert do(store, "put_own_copy", replace(COPY, id="next", digest="other"))

        assert the_copy(store).id == "next"
        assert do(store, "own_copy_behind", "secret") is None
        assert do(store, "own_copy_behind", "other").member == "anna"
        assert do(store, "own_copies", "acme", member="ben") == ()
        assert [each.id for each in do(store, "own_copies", "acme", member=None)] == ["next"]

    def test_a_copy_of_the_whole_stands_beside_that_of_their_own(self, store):
        whole = replace(COPY, id="whole", digest="of all", scope=SubjectKind.ORGANIZATION)
        fill(store)
        for each in (COPY, whole):
            do(store, "put_own_copy", each)
        changed = replace(whole, written_at=NOW, size_bytes=9)

        assert do(store, "save_own_copy", changed, claim=0)
        assert do(store, "own_copies", "acme", member="anna") == (COPY, changed)
        find = {"member": "anna", "scope": SubjectKind.ORGANIZATION}
        assert do(store, "own_copy", "acme", **find) == changed
        assert do(store, "own_copy_behind", "of all") == changed
        assert do(store, "drop_own_copies", "acme", **find) == 1
        assert do(store, "own_copies", "acme", member=None) == (COPY,)

    def test_a_copy_that_is_due_is_taken_by_one_worker(self, store):
        fill(store)
        do(store, "put_own_copy", replace(COPY, member="ben", id="later", due_at=NOW))
        do(store, "put_own_copy", replace(COPY, due_at=EARLIER))
        do(
            store,
            "put_own_copy",
            replace(COPY, member="cara", id="not", due_at=LATER.add(hours=24)),
        )
        assert do(store, "own_copy_due_at") == EARLIER

        def claim(now=NOW):
            return do(store, "claim_own_copy", now=now, lease_until=LATER)

        first, second, third = claim(), claim(), claim()

        assert (first.id, first.claim, first.attempts, first.due_at) == ("copy", 1, 1, LATER)
        assert second.id == "later"
        assert third is None
        assert claim(LATER).claim == 2  # its lease ran out

    def test_whoever_was_overtaken_writes_nothing_about_a_copy(self, store):
        fill(store)
        do(store, "put_own_copy", COPY)
        taken = do(store, "claim_own_copy", now=NOW, lease_until=LATER)
        over = replace(taken, written_at=NOW, size_bytes=7)

        assert do(store, "save_own_copy", over, claim=1)
        assert not do(store, "save_own_copy", replace(over, size_bytes=8), claim=0)
        assert not do(store, "save_own_copy", replace(over, id="other"), claim=1)
        assert the_copy(store) == over

    def test_downloads_of_a_copy_are_counted_whatever_else_is_written(self, store):
        fill(store)
        do(store, "put_own_copy", DONE)

        counts = [do(store, "count_own_download", "secret", at=LATER) for _ in range(2)]
        do(store, "save_own_copy", replace(DONE, round=2), claim=0)

        assert counts == [1, 2]
        assert do(store, "count_own_download", "none", at=LATER) == 0
        found = the_copy(store)
        assert (found.downloads, found.downloaded_at, found.round) == (2, LATER, 2)

    @pytest.mark.parametrize("member", ["anna", None])
    def test_all_that_is_of_the_portal_goes_with_its_member(self, store, member):
        """L30."""
        fill(store, members=[ANNA, replace(ANNA, id="ben")])
        for each in ("anna", "ben"):
            do(store, "put_portal_link", replace(LINK, digest=f"link {each}", member=each))
            session = replace(SESSION, digest=f"browser {each}", member=each)
            do(store, "open_portal_session", session)
            do(store, "put_own_copy", replace(COPY, id=each, member=each))

        counts = do(store, "forget", "acme", member=member, at=NOW)

        gone = 1 if member else 2
        assert {counts[name] for name in ("portal_link", "portal_session", "own_copy")} == {gone}
        assert the_copy(store) is None
        assert (do(store, "portal_session", "browser ben") is None) == (member is None)

    def test_copies_are_dropped_of_one_member_or_of_all(self, store):
        fill(store)
        for each in ("anna", "ben", "cara"):
            do(store, "put_own_copy", replace(COPY, id=each, member=each))

        assert do(store, "drop_own_copies", "acme", member="anna") == 1
        assert do(store, "drop_own_copies", "acme", member=None) == 2
        assert do(store, "own_copy_due_at") is None
