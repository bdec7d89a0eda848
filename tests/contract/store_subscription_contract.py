"""What every store promises about what a billing system says of subscriptions."""

from dataclasses import replace

from offramp.core.subscription import Payments, Word
from offramp.ports import Subscription
from tests.contract.store_world import ACME, LATER, NOW, read

WORD = Word(event="evt_1", at=NOW, is_over=True, ends_at=LATER)
SUB = Subscription(id="sub_1", organization="acme", pool="basic", word=WORD)
OTHER = Subscription(id="sub_2", is_assigned=True, problem="Unassigned")


def save(store, *subscriptions):
    with store.transaction() as transaction:
        for each in subscriptions:
            transaction.hold_subscription(each.id)
            transaction.save_subscription(each)


class SubscriptionContract:
    """Every subscription is known once, with what was said of it last."""

    def test_a_subscription_is_known_from_when_it_is_first_held(self, store):
        first = read(store, lambda t: t.hold_subscription("sub_1"))
        save(store, SUB)

        assert first == Subscription(id="sub_1")
        assert read(store, lambda t: t.hold_subscription("sub_1")) == SUB

    def test_what_is_owed_is_kept_with_when_it_was_said(self, store):
        debts = {NOW: LATER, LATER: LATER.add(seconds=1)}
        owing = replace(SUB, payments=Payments(paid_at=NOW, debts=debts))
        save(store, owing)

        assert read(store, lambda t: t.hold_subscription("sub_1")) == owing
        assert read(store, lambda t: t.subscriptions_of("acme", "basic")) == (owing,)

    def test_what_pays_for_a_pool_is_listed_once_something_was_said_of_it(self, store):
        silent = replace(SUB, id="sub_0", word=None)
        renewing = replace(SUB, id="sub_3", word=replace(WORD, is_over=False, ends_at=None))
        save(store, OTHER, renewing, SUB, silent)

        assert read(store, lambda t: t.subscriptions_of("acme", "basic")) == (SUB, renewing)
        assert read(store, lambda t: t.subscriptions_of("acme", "extra")) == ()

    def test_subscriptions_come_page_by_page_and_those_that_do_not_count_apart(self, store):
        kept = replace(SUB, id="sub_3", problem="PoolUnknown")
        save(store, kept, OTHER, SUB)

        def listed(after):
            return read(store, lambda t: t.subscriptions_from(after=after, limit=2))

        assert (listed(""), listed("sub_2")) == ((SUB, OTHER), (kept,))
        assert read(store, lambda t: t.kept_subscriptions(after="", limit=9)) == (kept,)
        assert read(store, lambda t: t.kept_subscriptions(after="sub_3", limit=9)) == ()

    def test_they_go_with_their_organization(self, store):
        read(store, lambda t: t.put_organizations([ACME]))
        save(store, OTHER, SUB)

        counts = read(store, lambda t: t.forget("acme", member=None, at=LATER))

        assert counts["subscription"] == 1
        assert read(store, lambda t: t.subscriptions_from(after="", limit=9)) == (OTHER,)
