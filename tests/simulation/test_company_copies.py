"""E1: all that an organization has, for the administrator who asks, while a stage gives it."""

import json
from dataclasses import replace

import pytest
from whenever import Date, Instant

from offramp.core.case import Complaint
from offramp.core.model import Role, SubjectKind
from offramp.core.policy import Policy
from offramp.engine import copying
from offramp.engine import link as links
from offramp.engine.cases import open_case, repair_case
from offramp.engine.copying import tend_copies
from offramp.engine.own_copy import (
    CopyMissing,
    CopyNotGiven,
    CopyUnderWay,
    ask_for_copy,
    ask_for_mail_again,
    take_copy_back,
)
from offramp.engine.people import Person, end_members
from offramp.engine.publication import publish
from offramp.engine.unlock import grant_unlock
from offramp.ports import OrganizationErased
from tests.simulation.stories import POLICIES, open_world

PUBLIC = "https://leaving.example.com"
ADMIN, OWNER, USER = "acme-admin", "acme-owner", "acme-user"
EDITING = Instant.from_utc(2024, 9, 10)
OUT = Instant.from_utc(2024, 12, 10)
GONE = Instant.from_utc(2026, 4, 1)
WHOLE = SubjectKind.ORGANIZATION


@pytest.fixture
def world(app):
    """Give a world in which nobody can sign in any more and everything is still there."""
    world = open_world(app, "edit-only-grace", public_address=PUBLIC)
    world.run_until(OUT)
    return world


@pytest.fixture
def exports(monkeypatch):
    """Count the documents that are read out of the vendor's databases."""
    made, hand_over = [], copying.hand_over

    def counted(context, request, *given, **named):
        made.append(request.member)
        return hand_over(context, request, *given, **named)

    monkeypatch.setattr(copying, "hand_over", counted)
    return made


def ask(world, member=ADMIN):
    return ask_for_copy(world.context, "acme", member, scope=WHOLE, actor="admin")


def have(world, member=ADMIN):
    """Ask, let a worker come by, and give the mail that came."""
    before = len(mails(world))
    ask(world, member)
    tend_copies(world.context)
    (message,) = mails(world)[before:]
    return message


def copies(world):
    with world.store.transaction() as transaction:
        found = transaction.own_copies("acme", member=None)
        return {each.member: each for each in found if each.scope is WHOLE}


def mails(world):
    return [each.message for each in world.mail.sent if each.message.subject == "company-copy"]


def read(world, message):
    secret = message.text.partition(f"{PUBLIC}/links/")[2].partition(" ")[0]
    found = links.look_up(world.context, secret)
    links.note_download(world.context, found.link)
    content = links.pieces(world.context, found.link.file, start=0, stop=found.size_bytes)
    return json.loads(b"".join(content))


def files(world):
    return [name for name in world.vault.files if name.startswith("own/")]


def change(world, member, **changes):
    with world.store.transaction() as transaction:
        transaction.put_members([replace(transaction.member("acme", member), **changes)])


def test_an_administrator_is_led_to_everything_that_the_organization_has(world, app):
    """E1, B5."""
    message = have(world)

    document = read(world, message)

    assert message.to == "admin@acme.example"
    assert len(document["data"]["people"]) == app.rows("acme")["people"]
    assert len(mails(world)) == len(files(world)) == 1


def test_a_copy_of_their_own_is_another_thing(world):
    ask_for_copy(world.context, "acme", ADMIN)
    message = have(world)

    whole = read(world, message)

    with world.store.transaction() as transaction:
        assert len(transaction.own_copies("acme", member=ADMIN)) == 2
    assert len(whole["data"]["people"]) > 1


@pytest.mark.parametrize(
    ("member", "changes"),
    [
        (USER, {}),
        (ADMIN, {"roles": frozenset()}),
        (ADMIN, {"roles": frozenset({Role.BILLING})}),
        (ADMIN, {"removed_at": OUT}),
        (ADMIN, {"ends": Date(2024, 12, 1)}),
    ],
)
def test_it_is_given_to_those_alone_who_administer_the_organization(world, member, changes):
    change(world, member, **changes)

    with pytest.raises(CopyNotGiven):
        ask(world, member)


def test_a_policy_that_gives_no_organization_on_request_is_obeyed(app):
    world = open_world(app, "license-pool", public_address=PUBLIC)
    world.run_until(Instant.from_utc(2024, 9, 3))

    with pytest.raises(CopyNotGiven):
        ask(world)


def test_one_is_made_at_a_time_whoever_asks(world):
    ask(world)

    with pytest.raises(CopyUnderWay):
        ask(world, OWNER)


def test_what_nobody_could_change_meanwhile_is_issued_again_and_not_made_twice(world, exports):
    first = have(world)
    second = have(world, OWNER)

    assert exports == [None]
    assert read(world, first) == read(world, second)
    assert second.to == "owner@acme.example"
    assert len(files(world)) == 2


def test_the_document_that_a_step_sent_is_issued_again_and_not_made_twice(app, exports):
    told = POLICIES["license-pool"].model_dump(mode="json", by_alias=True)
    told["stages"][1]["export_on_request"] = ["organization"]
    policy = Policy.model_validate(told)
    world = open_world(app, "license-pool", public_address=PUBLIC)
    publish(world.context, policy.model_copy(update={"version": policy.version + 1}))
    world.run_until(Instant.from_utc(2024, 9, 24))

    message = have(world)

    sent = [content for name, content in world.vault.files.items() if "company-data.json" in name]
    assert exports == []
    assert read(world, message) == json.loads(sent[0])


def test_a_document_that_goes_while_it_is_issued_again_is_made_anew(world, exports, monkeypatch):
    have(world)
    find = copying._find_same

    def outpaced(*given, **named):
        found = find(*given, **named)
        world.vault.delete(found)
        return found

    monkeypatch.setattr(copying, "_find_same", outpaced)

    assert read(world, have(world, OWNER))["data"]["people"]
    assert exports == [None, None]


def test_the_copy_of_one_does_not_hang_on_that_of_another(world):
    have(world)
    second = have(world, OWNER)

    take_copy_back(world.context, "acme", ADMIN, scope=WHOLE, actor="admin")

    assert read(world, second)["data"]["people"]
    assert list(copies(world)) == [OWNER]


def test_while_people_may_still_change_something_it_is_made_anew(app, exports):
    world = open_world(app, "edit-only-grace", public_address=PUBLIC)
    world.run_until(EDITING)

    have(world)
    have(world, OWNER)

    assert exports == [None, None]


def test_once_support_has_opened_everything_it_is_made_anew(world, exports):
    have(world)
    world.lie_still_until(world.now.add(hours=1))
    grant_unlock(world.context, "acme", owner="support", reason="invoices", hours=2)
    world.lie_still_until(world.now.add(hours=30))

    have(world, OWNER)

    assert exports == [None, None]


def test_it_is_taken_back_by_operators_too(world):
    """With the links that messages brought."""
    message = have(world)
    (listed,) = links.list_copies(world.context, "acme")
    assert (listed.member, listed.scope) == (ADMIN, WHOLE)

    assert links.revoke(world.context, "acme") == 1

    assert files(world) == []
    with pytest.raises(links.LinkDead):
        read(world, message)
    with pytest.raises(CopyMissing):
        take_copy_back(world.context, "acme", ADMIN, scope=WHOLE)


def test_its_mail_is_sent_once_more_after_an_hour(world):
    first = have(world)
    with pytest.raises(CopyMissing):
        ask_for_mail_again(world.context, "acme", ADMIN, scope=WHOLE)
    world.lie_still_until(world.now.add(hours=2))

    ask_for_mail_again(world.context, "acme", ADMIN, scope=WHOLE)
    tend_copies(world.context)

    assert len(mails(world)) == 2
    assert read(world, mails(world)[1]) == read(world, first)


def test_whoever_does_not_administer_any_more_is_not_led_to_it(world):
    message = have(world)
    change(world, ADMIN, roles=frozenset())

    with pytest.raises(links.LinkDead):
        read(world, message)


def test_whoever_stops_to_administer_while_it_is_made_gets_nothing(world):
    ask(world)
    change(world, ADMIN, removed_at=OUT)

    tend_copies(world.context)

    assert mails(world) == []
    assert files(world) == []
    assert copies(world) == {}


def test_nothing_of_it_outlives_the_deletion_and_none_is_given_afterwards(world):
    """B6, L30."""
    message = have(world)

    world.run_until(GONE)

    assert files(world) == []
    with pytest.raises(links.LinkDead):
        read(world, message)
    with pytest.raises(OrganizationErased):
        ask(world)


def test_nothing_of_a_member_who_was_deleted_is_in_any_copy_of_the_whole(app):
    """L30: neither in one that was there, nor in one that is made then."""
    world = open_world(app, "edit-only-grace", public_address=PUBLIC)
    end_members(world.context, "acme", [Person(member=USER, ends=Date(2024, 8, 10))])
    world.run_until(Instant.from_utc(2025, 9, 5))
    first = have(world)

    world.run_until(Instant.from_utc(2025, 9, 20))
    with world.store.reading() as transaction:
        assert transaction.member("acme", USER) is None

    with pytest.raises(links.LinkDead):
        read(world, first)
    assert files(world) == []
    people = read(world, have(world))["data"]["people"]
    assert USER not in [row["id"] for row in people]


def test_what_was_done_is_on_record_without_a_word_of_whose_it_is(world):
    read(world, have(world))
    take_copy_back(world.context, "acme", ADMIN, scope=WHOLE, actor="admin")

    with world.store.transaction() as transaction:
        events = [each.event for each in transaction.ledger() if "copy" in each.event.kind]

    told = ["own-copy-asked", "own-copy-downloaded", "own-copy-revoked"]
    assert [each.kind for each in events] == told
    assert {each.detail["scope"] for each in events} == {"organization"}
    assert ADMIN not in repr(events)


@pytest.mark.parametrize(("member", "scope"), [(ADMIN, WHOLE), (USER, SubjectKind.MEMBER)])
def test_a_case_about_data_that_was_never_sent_is_mended_by_a_copy(world, member, scope):
    """A12: of everything for whoever administers, of their own for everybody else."""
    case = open_case(world.context, "acme", Complaint.NO_EXPORT, member=member)

    repaired = repair_case(world.context, case.id)

    with world.store.transaction() as transaction:
        (copy,) = transaction.own_copies("acme", member=member)
    assert (repaired.messages, repaired.copies) == (0, 1)
    assert (copy.scope, copy.is_open) == (scope, True)
    with pytest.raises(CopyUnderWay):
        repair_case(world.context, case.id)


def test_a_case_is_not_mended_by_a_copy_that_the_policy_does_not_give(app):
    """A12."""
    world = open_world(app, "license-pool", public_address=PUBLIC)
    world.run_until(Instant.from_utc(2024, 9, 3))
    case = open_case(world.context, "acme", Complaint.NO_EXPORT, member=ADMIN)

    with pytest.raises(links.NoLinks):
        repair_case(world.context, case.id)
