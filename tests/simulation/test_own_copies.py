"""B9: a copy of what is their own, from the request to its end, whatever goes wrong on its way."""

import json
from contextlib import suppress
from dataclasses import replace

import pytest
from whenever import Instant

from offramp.core.errors import Unavailable
from offramp.core.policy import Capability
from offramp.engine import copying
from offramp.engine import link as links
from offramp.engine import own_copy as copies
from offramp.engine.access import may
from offramp.engine.brake import place_hold
from offramp.engine.copying import tend_copies
from offramp.engine.own_copy import (
    CopyMissing,
    CopyNotGiven,
    CopyState,
    CopyUnderWay,
    ask_for_copy,
    ask_for_mail_again,
    state_of_copy,
)
from offramp.ports import MailerUnavailable, MessageRefused, OrganizationErased
from offramp.testing.world import Crash
from tests.simulation.stories import open_world
from tests.simulation.trouble import FailingStore

PUBLIC = "https://leaving.example.com"
USER, MEMBER = "user@acme.example", "acme-user"
OUT = Instant.from_utc(2024, 12, 10)
GONE = Instant.from_utc(2026, 4, 1)


@pytest.fixture
def world(app):
    """Give a world in which nobody can sign in any more and everything is still there."""
    world = open_world(app, "edit-only-grace", public_address=PUBLIC)
    world.run_until(OUT)
    return world


def ask(world, member=MEMBER):
    return ask_for_copy(world.context, "acme", member)


def the_copy(world, member=MEMBER):
    with world.store.transaction() as transaction:
        return transaction.own_copy("acme", member=member)


def state(world):
    return state_of_copy(the_copy(world), now=world.now)


def mails(world):
    return [each.message for each in world.mail.sent if each.message.subject == "own-copy"]


def secret_in(message):
    return message.text.partition(f"{PUBLIC}/links/")[2].partition(" ")[0]


def download(world, secret):
    found = links.look_up(world.context, secret)
    links.note_download(world.context, found.link)
    content = links.pieces(world.context, found.link.file, start=0, stop=found.size_bytes)
    return json.loads(b"".join(content))


def people_in(document):
    return [row["id"] for row in document["data"]["people"]]


def own_files(world):
    return [name for name in world.vault.files if name.startswith("own/")]


def kinds(world):
    with world.store.transaction() as transaction:
        return [entry.event for entry in transaction.ledger() if "copy" in entry.event.kind]


def test_whoever_is_shut_out_for_good_is_given_what_is_their_own(world):
    """B9."""
    is_allowed = may(
        world.store, "acme", MEMBER, Capability.SIGN_IN, surface="app", product="notes", now=OUT
    ).is_allowed
    ask(world)
    assert state(world) is CopyState.ASKED

    assert tend_copies(world.context) == 1

    (message,) = mails(world)
    assert not is_allowed
    assert state(world) is CopyState.READY
    assert message.to == USER
    assert people_in(download(world, secret_in(message))) == [MEMBER]
    assert the_copy(world).downloads == 1


def test_it_is_written_and_told_of_once(world):
    ask(world)

    assert [tend_copies(world.context) for _ in range(3)] == [1, 0, 0]
    assert (len(mails(world)), len(own_files(world))) == (1, 1)


def test_nobody_asks_for_a_second_one_while_the_first_is_being_made(world):
    ask(world)

    with pytest.raises(CopyUnderWay):
        ask(world)


def test_a_newer_one_takes_the_place_of_the_older_and_of_its_link(world):
    ask(world)
    tend_copies(world.context)
    first = secret_in(mails(world)[0])

    ask(world)
    assert own_files(world) == []
    tend_copies(world.context)

    with pytest.raises(links.LinkDead):
        links.look_up(world.context, first)
    assert people_in(download(world, secret_in(mails(world)[1]))) == [MEMBER]


def test_the_mail_is_sent_once_more_after_an_hour_with_the_same_link_for_longer(world):
    ask(world)
    tend_copies(world.context)
    before = the_copy(world)
    with pytest.raises(CopyMissing):
        ask_for_mail_again(world.context, "acme", MEMBER)
    world.lie_still_until(world.now.add(hours=49))

    ask_for_mail_again(world.context, "acme", MEMBER)
    tend_copies(world.context)

    first, second = mails(world)
    assert first.id != second.id
    assert secret_in(first) == secret_in(second)
    assert the_copy(world).expires_at > before.expires_at
    assert len(own_files(world)) == 1


def test_once_its_time_is_over_the_file_is_gone_and_another_may_be_asked_for(world):
    ask(world)
    tend_copies(world.context)
    world.lie_still_until(the_copy(world).expires_at)

    assert state(world) is CopyState.OVER
    assert tend_copies(world.context) == 1
    assert own_files(world) == []
    with pytest.raises(links.LinkDead):
        links.look_up(world.context, secret_in(mails(world)[0]))
    with pytest.raises(CopyMissing):
        ask_for_mail_again(world.context, "acme", MEMBER)
    ask(world)
    tend_copies(world.context)
    assert state(world) is CopyState.READY


def test_a_hold_keeps_nobody_from_a_copy(world):
    """L17."""
    place_hold(world.context, "acme", reason="dispute", owner="legal")
    ask(world)
    tend_copies(world.context)

    assert state(world) is CopyState.READY


def test_nothing_of_it_outlives_the_deletion(world):
    """B9, L30: neither the file, nor the link, nor a request that waits."""
    for member in (MEMBER, "acme-guest"):
        ask(world, member)
        tend_copies(world.context)
    world.lie_still_until(Instant.from_utc(2025, 9, 1))
    ask(world)
    tend_copies(world.context)
    secret = secret_in(mails(world)[-1])
    ask(world, "acme-admin")

    world.run_until(GONE)

    assert own_files(world) == []
    assert the_copy(world) is None
    with world.store.transaction() as transaction:
        assert transaction.own_copies("acme", member=None) == ()
        assert transaction.own_copy_due_at() is None
    with pytest.raises(links.LinkDead):
        links.look_up(world.context, secret)
    with pytest.raises(OrganizationErased):
        ask(world)
    assert tend_copies(world.context) == 0


def test_a_deletion_that_spares_a_held_category_spares_no_copy(world):
    """L25, L30: of the rest, which is gone, no copy may be left."""
    place_hold(world.context, "acme", reason="dispute", owner="legal", category="user.content")
    world.lie_still_until(Instant.from_utc(2025, 9, 29))
    ask(world)
    tend_copies(world.context)

    world.run_until(Instant.from_utc(2025, 12, 1))

    with world.store.transaction() as transaction:
        kinds_of_all = {entry.event.kind for entry in transaction.ledger()}
    assert "erased-in-part" in kinds_of_all
    assert own_files(world) == []
    assert the_copy(world) is None


def test_a_deletion_in_the_middle_of_writing_leaves_no_file(world, monkeypatch):
    """L30: whoever writes waits for nobody, and what they wrote goes too."""
    ask(world)
    hand_over = copying.hand_over

    def overtaken(*given, **named):
        hand_over(*given, **named)
        with world.store.transaction() as transaction:
            copies.drop_copies(world.context, transaction, "acme", member=MEMBER)
            transaction.forget("acme", member=MEMBER, at=world.now)

    monkeypatch.setattr(copying, "hand_over", overtaken)
    tend_copies(world.context)

    assert own_files(world) == []
    assert mails(world) == []


def test_of_what_is_being_deleted_no_copy_is_made_and_that_is_told(world):
    """B9: what is left is not whole."""
    ask(world)
    with world.store.transaction() as transaction:
        row = transaction.offboardings("acme")[0]
        transaction.advance(row.id, {"app.notes": 1})

    tend_copies(world.context)

    assert (state(world), the_copy(world).reason) == (CopyState.FAILED, "ErasureBegun")
    assert own_files(world) == []
    assert [event.kind for event in kinds(world)] == ["own-copy-asked", "own-copy-failed"]


def test_a_mail_server_that_is_down_is_tried_again_and_the_copy_is_there_meanwhile(world):
    ask(world)
    world.mail.fail(USER, MailerUnavailable(reason="down"))
    tend_copies(world.context)
    assert state(world) is CopyState.READY
    assert (mails(world), the_copy(world).mailed_at) == ([], None)
    world.mail.recover(USER)
    world.lie_still_until(the_copy(world).due_at)

    tend_copies(world.context)

    assert len(mails(world)) == 1


def test_a_mail_that_is_refused_leaves_the_copy_to_be_had_without_it(world):
    ask(world)
    world.mail.fail(USER, MessageRefused(reply="550"))

    assert [tend_copies(world.context) for _ in range(2)] == [1, 0]
    assert (state(world), the_copy(world).reason) == (CopyState.READY, "MessageRefused")
    world.mail.recover(USER)
    ask_for_mail_again(world.context, "acme", MEMBER)
    tend_copies(world.context)
    assert len(mails(world)) == 1


def test_a_database_that_is_down_is_tried_again_and_given_up_in_the_end(world):
    ask(world)
    down = replace(world.context, data=None)
    for _ in range(world.context.limits.attempts_max):
        assert tend_copies(down) == 1
        due_at = the_copy(world).due_at
        if due_at is not None:
            assert tend_copies(down) == 0
            world.lie_still_until(due_at)

    assert (state(world), the_copy(world).reason) == (CopyState.FAILED, "DataMapMissing")
    ask(world)
    tend_copies(world.context)
    assert state(world) is CopyState.READY


@pytest.mark.parametrize("point", ["copy written", "copy told"])
def test_whoever_dies_on_the_way_is_followed_by_another(world, point):
    """L32: the file is there once, and a mail that goes twice is the same one."""
    ask(world)
    dead = []

    def die(reached):
        if reached == point and not dead:
            dead.append(reached)
            raise Crash

    with pytest.raises(Crash):
        tend_copies(replace(world.context, probe=die))
    assert tend_copies(world.context) == 0  # its claim still runs
    world.lie_still_until(the_copy(world).due_at)

    assert tend_copies(world.context) == 1
    assert state(world) is CopyState.READY
    assert len({message.id for message in mails(world)}) == 1
    assert len(own_files(world)) == 1


def test_of_two_workers_the_slower_one_writes_nothing(world, monkeypatch):
    """L18."""
    ask(world)
    hand_over = copying.hand_over

    def slept(*given, **named):
        monkeypatch.setattr(copying, "hand_over", hand_over)
        world.lie_still_until(the_copy(world).due_at)
        assert tend_copies(world.context) == 1
        hand_over(*given, **named)

    monkeypatch.setattr(copying, "hand_over", slept)
    tend_copies(world.context)

    assert len(mails(world)) == 1
    assert people_in(download(world, secret_in(mails(world)[0]))) == [MEMBER]


def test_long_writing_keeps_its_claim(world, monkeypatch):
    ask(world)
    monkeypatch.setattr(copying, "LEASE_SECONDS", 0)
    ends = []

    def watch(event, facts):
        ends.append(the_copy(world).due_at)
        world.lie_still_until(world.now.add(seconds=1))

    tend_copies(replace(world.context, report=watch))

    assert ends == sorted(set(ends))
    assert state(world) is CopyState.READY


def test_where_people_have_full_access_they_may_ask_as_well(app):
    world = open_world(app, "edit-only-grace", public_address=PUBLIC)

    ask(world)


def test_a_policy_that_gives_users_nothing_on_request_is_obeyed(app):
    world = open_world(app, "license-pool", public_address=PUBLIC)
    world.run_until(Instant.from_utc(2024, 9, 3))

    with pytest.raises(CopyNotGiven):
        ask(world)


def test_what_was_asked_for_is_on_record_without_a_word_of_whose_it_is(world):
    ask(world)
    tend_copies(world.context)
    download(world, secret_in(mails(world)[0]))

    events = kinds(world)

    assert [each.kind for each in events] == ["own-copy-asked", "own-copy-downloaded"]
    assert MEMBER not in repr(events)
    assert {each.actor for each in events} == {"user"}


@pytest.mark.parametrize("trouble", ["down", "lost"])
@pytest.mark.parametrize("after", range(8))
def test_a_store_that_fails_anywhere_loses_nothing(world, trouble, after):
    """L32."""
    ask(world)
    failing = FailingStore(world.store)
    failing.trouble.extend([""] * after + [trouble])
    with suppress(Unavailable):
        tend_copies(replace(world.context, store=failing))
    due_at = the_copy(world).due_at
    if not the_copy(world).mailed_at:
        world.lie_still_until(max(due_at, world.now))

    tend_copies(world.context)

    assert state(world) is CopyState.READY
    assert len({message.id for message in mails(world)}) == 1
    assert len(own_files(world)) == 1
