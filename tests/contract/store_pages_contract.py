"""What every store promises to whoever reads what there may be very much of, page by page."""

from dataclasses import replace

from offramp.core.policy import Audience
from offramp.ports import DeliveryStatus
from tests.contract.store_world import ANNA, BEN, CARA, LEAVING, NOW, fill, leaving, read


def pages(store, question, *, first, after_of, limit=2):
    """Read page after page until one is not full; give the ids on each."""
    found, after = [], first
    while True:
        page = read(store, lambda t, after=after: question(t, after=after, limit=limit))
        found.append(page)
        if len(page) < limit:
            return found
        after = after_of(page[-1])


class PagesContract:
    """Everything comes once, in one order."""

    def test_members_come_page_by_page_with_their_roles_and_seats(self, store):
        fill(store, LEAVING)

        found = pages(
            store,
            lambda t, **page: t.members_from("acme", **page),
            first="",
            after_of=lambda member: member.id,
        )

        assert found == [(ANNA, BEN), (CARA,)]
        assert read(store, lambda t: t.members_from("sibling", after="", limit=9)) == ()

    def test_off_boardings_come_page_by_page_the_whole_before_its_members(self, store):
        fill(store, leaving("ben"), LEAVING, leaving("anna"))

        found = pages(
            store,
            lambda t, **page: t.offboardings_from("acme", **page),
            first=None,
            after_of=lambda row: row,
        )

        members = [[row.subject.member for row in page] for page in found]
        assert members == [[None, "anna"], ["ben"]]
        assert read(store, lambda t: t.offboardings_from("sibling", after=None, limit=9)) == ()

    def test_deliveries_come_page_by_page_with_their_own_history(self, store):
        fill(store, LEAVING, leaving("anna"))
        with store.transaction() as transaction:
            for step in ("warn", "export"):
                transaction.fan_out(LEAVING, step=step, audience=Audience.MEMBERS)
            transaction.fan_out(leaving("anna"), step="warn", audience=Audience.SUBJECT)
            sent = [
                replace(each, status=DeliveryStatus.ACCEPTED)
                for each in transaction.deliveries("leaving")
            ]
            transaction.save_deliveries(sent, at=NOW)

        found = pages(
            store,
            lambda t, **page: t.deliveries_from("leaving", **page),
            first=("", ""),
            after_of=lambda each: (each.step, each.member),
        )
        notes = read(store, lambda t: t.notes_on(found[0]))

        flat = [(each.step, each.member) for page in found for each in page]
        assert flat == [(step, who) for step in ("export", "warn") for who in ("ben", "cara")]
        assert [(note.step, note.member) for note in notes] == flat[:2]
        assert read(store, lambda t: t.notes_on([])) == ()
