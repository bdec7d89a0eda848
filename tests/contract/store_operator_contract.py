"""What every store promises about the operators of the console and how they are signed in."""

from dataclasses import replace

import pytest

from offramp.core.operator import OperatorRole
from offramp.ports import Condition, Operator, OperatorSession, SavedView, SignInLink
from tests.contract.store_world import EARLIER, LATER, NOW, read

OLGA = Operator(
    id="olga",
    name="Olga Öz",
    address="olga@vendor.example",
    role=OperatorRole.ADMIN,
    zone="Europe/Dublin",
    added_at=NOW,
    password="a hash",
)
SAM = replace(OLGA, id="sam", address="sam@vendor.example", role=OperatorRole.SUPPORT)
SESSION = OperatorSession(
    digest="browser",
    operator="olga",
    opened_at=EARLIER,
    seen_at=NOW,
    idle_ends_at=LATER,
    ends_at=LATER.add(hours=1),
)
VIEW = SavedView(operator="olga", name="a", condition=Condition.HELD, stage="")
LINK = SignInLink(digest="link", operator="olga", made_at=NOW, expires_at=LATER)


def hire(store, *operators):
    return [read(store, lambda t, each=each: t.add_operator(each)) for each in operators]


class OperatorContract:
    """Who works with the console, and where they are signed in."""

    def test_operators_are_found_by_id_and_by_address_however_it_is_written(self, store):
        hire(store, SAM, replace(OLGA, address="Olga@Vendor.example"))

        assert read(store, lambda t: t.operator("olga")) == OLGA
        assert read(store, lambda t: t.operator_at("OLGA@vendor.example")) == OLGA
        assert read(store, lambda t: t.operators()) == (OLGA, SAM)
        assert read(store, lambda t: t.operator_at("nobody@vendor.example")) is None

    def test_an_address_belongs_to_one_operator(self, store):
        other = replace(SAM, id="other", address="OLGA@vendor.example")

        assert hire(store, OLGA, other) == [True, False]
        assert read(store, lambda t: t.operators()) == (OLGA,)

    def test_views_are_kept_by_name_for_whoever_made_them(self, store):
        hire(store, OLGA, SAM)
        for view in (VIEW, replace(VIEW, name="b"), replace(VIEW, operator="sam")):
            read(store, lambda t, view=view: t.put_view(view))
        changed = replace(VIEW, condition=Condition.ANY, stage="expired")
        read(store, lambda t: t.put_view(changed))

        assert read(store, lambda t: t.views("olga")) == (changed, replace(VIEW, name="b"))
        assert read(store, lambda t: t.drop_view("olga", "b"))
        assert not read(store, lambda t: t.drop_view("olga", "b"))
        assert read(store, lambda t: t.views("olga")) == (changed,)
        assert read(store, lambda t: t.views("sam")) == (replace(VIEW, operator="sam"),)

    def test_everything_of_an_operator_may_change_but_the_address(self, store):
        hire(store, OLGA)
        changed = replace(
            OLGA, name="O", role=OperatorRole.VIEWER, zone="UTC", password=None, disabled_at=LATER
        )

        read(store, lambda t: t.save_operator(replace(changed, address="else@vendor.example")))

        assert read(store, lambda t: t.operator("olga")) == changed

    def test_a_session_is_found_seen_and_ended(self, store):
        hire(store, OLGA)
        read(store, lambda t: t.open_session(SESSION))
        far = LATER.add(hours=2)

        read(store, lambda t: t.see_session("browser", at=LATER, idle_ends_at=far))
        seen = read(store, lambda t: t.session("browser"))

        assert seen == replace(SESSION, seen_at=LATER, idle_ends_at=far)
        assert read(store, lambda t: t.end_session("browser"))
        assert not read(store, lambda t: t.end_session("browser"))
        assert read(store, lambda t: t.session("browser")) is None

    def test_an_operator_is_signed_out_everywhere_but_in_one_browser(self, store):
        hire(store, OLGA, SAM)
        for name, whose in (("one", "olga"), ("two", "olga"), ("sams", "sam")):
            session = replace(SESSION, digest=name, operator=whose)
            read(store, lambda t, session=session: t.open_session(session))

        assert read(store, lambda t: t.end_sessions("olga", spared="two")) == 1
        assert read(store, lambda t: t.session("two")) is not None
        assert read(store, lambda t: t.end_sessions("olga")) == 1
        assert read(store, lambda t: t.session("sams")) is not None

    def test_a_link_is_taken_once(self, store):
        hire(store, OLGA)
        read(store, lambda t: t.put_sign_in_link(LINK))

        assert read(store, lambda t: t.sign_in_link("link")) == LINK
        assert read(store, lambda t: t.take_sign_in_link("link")) == LINK
        assert read(store, lambda t: t.take_sign_in_link("link")) is None
        assert read(store, lambda t: t.sign_in_link("link")) is None

    @pytest.mark.parametrize("whose", ["olga", None])
    def test_a_new_link_ends_the_one_before_it_and_no_others(self, store, whose):
        hire(store, OLGA, SAM)
        others = [
            replace(LINK, digest=f"of {each}", operator=each)
            for each in ("olga", "sam", None)
            if each != whose
        ]
        for link in [*others, replace(LINK, operator=whose)]:
            read(store, lambda t, link=link: t.put_sign_in_link(link))

        read(store, lambda t: t.put_sign_in_link(replace(LINK, digest="new", operator=whose)))

        assert read(store, lambda t: t.sign_in_link("link")) is None
        for link in others:
            assert read(store, lambda t, link=link: t.sign_in_link(link.digest)) == link

    def test_failures_are_counted_under_one_digest_and_in_all(self, store):
        for who, at in (("a", EARLIER), ("a", NOW), ("a", LATER), ("b", LATER)):
            read(store, lambda t, who=who, at=at: t.note_failure(who, at=at))

        assert read(store, lambda t: t.failures("a", since=EARLIER)) == 2
        assert read(store, lambda t: t.failures(since=EARLIER)) == 3
        read(store, lambda t: t.forget_failures("a"))
        assert read(store, lambda t: t.failures(since=EARLIER.subtract(hours=1))) == 1

    def test_what_is_over_is_forgotten(self, store):
        hire(store, OLGA)
        alive = replace(SESSION, digest="alive", idle_ends_at=LATER.add(seconds=1))
        ended = replace(alive, digest="ended", ends_at=LATER)
        for session in (SESSION, alive, ended):
            read(store, lambda t, session=session: t.open_session(session))
        read(store, lambda t: t.put_sign_in_link(LINK))
        for at in (EARLIER, NOW):
            read(store, lambda t, at=at: t.note_failure("a", at=at))

        read(store, lambda t: t.tidy_sign_ins(at=LATER, failed_before=NOW))

        left = [read(store, lambda t, d=d: t.session(d)) for d in ("browser", "alive", "ended")]
        assert left == [None, alive, None]
        assert read(store, lambda t: t.sign_in_link("link")) is None
        assert read(store, lambda t: t.failures(since=EARLIER.subtract(hours=1))) == 1

    def test_an_operator_is_found_by_who_they_are_elsewhere_once_that_is_noted(self, store):
        hire(store, OLGA, SAM)

        read(store, lambda t: t.link_identity("olga", issuer="a", subject="1"))

        linked = replace(OLGA, issuer="a", subject="1")
        assert read(store, lambda t: t.operator_known_as("a", "1")) == linked
        assert read(store, lambda t: t.operator("olga")) == linked
        for issuer, subject in (("a", "2"), ("b", "1"), ("", "")):
            found = read(store, lambda t, i=issuer, s=subject: t.operator_known_as(i, s))
            assert found is None

    def test_who_somebody_is_elsewhere_is_noted_once_for_each_provider(self, store):
        hire(store, OLGA)
        noted = [
            read(store, lambda t, i=issuer, s=subject: t.link_identity("olga", issuer=i, subject=s))
            for issuer, subject in (("a", "1"), ("a", "2"), ("b", "1"))
        ]

        assert noted == [True, False, True]
        assert read(store, lambda t: t.operator_known_as("a", "1")) is None
        read(store, lambda t: t.forget_identity("olga"))
        assert read(store, lambda t: t.operator("olga")) == OLGA
        assert read(store, lambda t: t.link_identity("olga", issuer="b", subject="2"))

    def test_an_operator_who_changes_stays_who_they_are_elsewhere(self, store):
        hire(store, OLGA)
        read(store, lambda t: t.link_identity("olga", issuer="a", subject="1"))

        read(store, lambda t: t.save_operator(replace(OLGA, zone="UTC")))

        found = read(store, lambda t: t.operator_known_as("a", "1"))
        assert found == replace(OLGA, zone="UTC", issuer="a", subject="1")

    def test_a_way_through_a_provider_is_spent_once_and_forgotten_later(self, store):
        spent = [read(store, lambda t: t.spend_journey("way", at=EARLIER)) for _ in range(2)]

        read(store, lambda t: t.tidy_sign_ins(at=NOW, failed_before=EARLIER))
        known = read(store, lambda t: t.spend_journey("way", at=NOW))
        read(store, lambda t: t.tidy_sign_ins(at=NOW, failed_before=NOW))

        assert spent == [True, False]
        assert not known
        assert read(store, lambda t: t.spend_journey("way", at=NOW))
