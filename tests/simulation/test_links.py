"""L14: what is too large for a mail is led to, for long enough, once for each reader."""

import re
from dataclasses import replace

import pytest
from whenever import Date, Instant

from offramp.core.link import LinkState
from offramp.engine import link as links
from offramp.engine.link import LinkDead, NoLinks
from offramp.engine.offboarding import register
from offramp.engine.offer import digest_of
from offramp.engine.publication import publish
from offramp.ports import MailerUnavailable, MessageRefused, SendOutcomeUnknown
from offramp.testing.builders import make_policy
from offramp.testing.world import SMALL_CHUNKS, World
from tests.simulation import shop
from tests.simulation.stories import LONG_AFTER, open_world

POLICY = "license-pool"
ADDRESS = "https://leaving.vendor.example"
ADMIN, OWNER = "admin@acme.example", "owner@acme.example"
MAILED = Instant.parse_iso("2024-09-22T08:00:00Z")
HANDED_OVER = MAILED.add(hours=4)
ERASED = Instant.parse_iso("2024-09-30T12:00:00Z")
LINK = re.compile(rf"{ADDRESS}/links/([A-Za-z0-9_-]{{43}})")
TINY = replace(SMALL_CHUNKS, attachment_bytes_max=100)
PLACES = range(0, 10)


def open_with_links(app, *, limits=TINY, **options):
    return open_world(app, POLICY, limits=limits, public_address=ADDRESS, **options)


@pytest.fixture
def world(app):
    return open_with_links(app)


def mails(world, address=ADMIN):
    return [
        sent.message
        for sent in world.mail.sent
        if (sent.message.to, sent.message.subject) == (address, "company-data")
    ]


def secrets(world, address=ADMIN):
    return [LINK.search(message.text)[1] for message in mails(world, address)]


def states(world, member=None):
    listed = links.list_links(world.context, "acme", member=member)
    return [(each.link.member, each.link.round, each.state) for each in listed]


def leads(world, secret):
    try:
        return links.look_up(world.context, secret)
    except LinkDead:
        return None


def ledger(world, kind):
    with world.store.transaction() as transaction:
        return [entry.event for entry in transaction.ledger() if entry.event.kind == kind]


def read_all(world, found):
    parts = links.pieces(world.context, found.link.file, start=0, stop=found.size_bytes)
    return b"".join(parts)


def test_a_large_export_is_mailed_as_a_link_that_names_nobody(world):
    """A8, L14."""
    world.run_until(HANDED_OVER)

    (message,) = mails(world)
    (secret,) = secrets(world)
    found = leads(world, secret)
    assert message.attachments == ()
    assert "acme" not in message.text
    assert read_all(world, found) == world.vault.files[found.link.file]
    assert (found.organization, found.locale, found.zone) == ("acme Ltd", "en", None)
    assert digest_of(secret) == found.link.digest
    assert states(world) == [("acme-admin", 1, LinkState.ALIVE)]


@pytest.mark.parametrize(
    ("limits", "address"),
    [(SMALL_CHUNKS, ADDRESS), (TINY, None)],
    ids=["small enough", "no address"],
)
def test_what_cannot_be_led_to_or_need_not_be_is_attached(app, limits, address):
    world = open_world(app, POLICY, limits=limits, public_address=address)

    world.run_until(HANDED_OVER)

    (message,) = mails(world)
    assert len(message.attachments) == 1
    assert states(world) == []
    assert any("heavy" in line for line in world.trace) == (address is None)


def test_a_link_lives_for_its_days_from_the_mail_and_not_from_the_export(app):
    """L14: the mail server was down for two days, and the day that is told is a whole day."""
    world = open_with_links(app, limits=replace(TINY, link_days=3))
    world.mail.fail(ADMIN, MailerUnavailable(reason="down"))
    world.run_until(MAILED.add(hours=48))
    world.mail.recover_wholly()
    world.run_until(MAILED.add(hours=72))
    (secret,) = secrets(world)
    (listed,) = links.list_links(world.context, "acme")

    ends_at = listed.link.expires_at
    world.run_until(ends_at.subtract(seconds=1))
    before = leads(world, secret)
    world.run_until(ends_at)

    mailed_on = listed.link.mailed_at.to_tz(shop.ZONE).date()
    assert mailed_on >= Date(2024, 9, 24)
    assert before.until_on == mailed_on.add(days=3)
    assert str(before.until_on) in mails(world)[0].text
    assert leads(world, secret) is None
    assert states(world) == [("acme-admin", 1, LinkState.EXPIRED)]


def test_no_mail_promises_a_day_on_which_the_data_is_gone(world):
    """L7, L14: the link would live for thirty days, the data for seven."""
    world.run_until(HANDED_OVER)

    assert leads(world, secrets(world)[0]).until_on == Date(2024, 9, 28)
    assert "until 2024-09-28" in mails(world)[0].text


def test_every_reader_has_a_link_of_their_own(world):
    world.mail.fail(ADMIN, MessageRefused(reply="550"))
    world.run_until(HANDED_OVER)

    assert len(secrets(world, ADMIN)) == 0
    assert len(set(secrets(world, OWNER))) == 1
    assert {member for member, _, _ in states(world)} == {"acme-admin", "acme-owner"}


def test_a_message_that_goes_out_twice_carries_one_link(world):
    """L32: nobody knows whether the first one was taken."""
    world.mail.can_tell = False
    world.run_until(MAILED.subtract(hours=1))
    world.mail.lose_next_answer()

    world.run_until(HANDED_OVER)

    first, second = secrets(world)
    assert first == second
    assert states(world) == [("acme-admin", 1, LinkState.ALIVE)]


def test_a_download_is_counted_when_it_begins_and_put_on_record_once(world):
    world.run_until(HANDED_OVER)
    found = leads(world, secrets(world)[0])
    looked = leads(world, secrets(world)[0])

    links.note_download(world.context, found.link)
    links.note_download(world.context, found.link)

    (listed,) = links.list_links(world.context, "acme")
    assert looked.link.downloads == 0
    assert (listed.link.downloads, listed.link.downloaded_at) == (2, HANDED_OVER)
    (event,) = ledger(world, "export-downloaded")
    assert (event.actor, dict(event.detail)) == ("user", {})


def test_a_new_link_ends_the_old_one_of_the_same_reader_once_it_was_taken(world):
    """E1: re-issued while the data lives."""
    world.run_until(HANDED_OVER)
    world.mail.fail(ADMIN, MailerUnavailable(reason="down"))
    count = links.reissue(world.context, "acme", member="acme-admin")
    world.run_until(HANDED_OVER.add(minutes=10))
    (old,) = secrets(world)
    waiting = leads(world, old)

    world.mail.recover_wholly()
    world.run_until(HANDED_OVER.add(hours=2))

    _, new = secrets(world)
    assert count == 1
    assert waiting is not None
    assert (leads(world, old), leads(world, new) is not None) == (None, True)
    assert states(world) == [
        ("acme-admin", 1, LinkState.REVOKED),
        ("acme-admin", 2, LinkState.ALIVE),
    ]


def test_a_new_link_works_after_the_old_one_has_expired(app):
    """L14: it can be had again for as long as the data lives."""
    world = open_with_links(app, limits=replace(TINY, link_days=1))
    world.run_until(MAILED.add(hours=72))
    expired = leads(world, secrets(world)[0])

    links.reissue(world.context, "acme")
    world.run_until(MAILED.add(hours=73))

    assert expired is None
    assert leads(world, secrets(world)[1]) is not None


def test_data_that_has_changed_is_led_to_anew_and_the_old_link_ends(world, app):
    world.run_until(HANDED_OVER)
    app.write("acme")

    world.run_until(ERASED)

    old, new = secrets(world)
    assert leads(world, old) is None
    assert leads(world, new).link.step == "company-data/2"


def test_what_is_one_persons_own_is_led_to_in_the_same_way(app):
    """B9: a policy hands it over to whoever leaves alone."""
    policy = make_policy(
        {"id": "own-data", "at": "expiry + P1D", "export": "member", "send_to": "subject"},
        {"id": "erase", "at": "expiry + P30D", "erase": "member"},
        applies_to=["member"],
    )
    app.fill("acme")
    world = World(MAILED, data=app.data, limits=TINY, public_address=ADDRESS)
    publish(world.context, policy)
    leaver, *others = shop.members("acme")
    register(
        world.context,
        organizations=[shop.organization("acme", policy=policy.policy)],
        pools=[shop.pool("acme", ends=None)],
        members=[replace(leaver, ends=Date(2024, 9, 20)), *others],
    )

    world.run_until(MAILED.add(hours=24))
    (message,) = [sent.message for sent in world.mail.sent]
    secret = LINK.search(message.text)[1]
    found = leads(world, secret)
    document = read_all(world, found)
    world.run_until(MAILED.add(hours=24 * 60))

    assert (message.to, found.link.member, found.subject.member) == (OWNER, leaver.id, leaver.id)
    assert b"owner@acme.example" in document
    assert b"admin@acme.example" not in document
    assert leads(world, secret) is None
    with world.store.transaction() as transaction:
        assert transaction.links(found.link.offboarding) == ()


def test_a_link_is_revoked_at_once(world):
    world.run_until(HANDED_OVER)

    count = links.revoke(world.context, "acme")

    assert count == 1
    assert leads(world, secrets(world)[0]) is None
    assert [dict(event.detail) for event in ledger(world, "links-revoked")] == [{"links": 1}]
    with pytest.raises(NoLinks):
        links.revoke(world.context, "acme")


def test_what_was_handed_over_again_is_revoked_by_the_name_of_its_step(world, app):
    world.run_until(HANDED_OVER)
    app.write("acme")
    world.run_until(ERASED)
    with pytest.raises(NoLinks):
        links.revoke(world.context, "acme", step="expiring-soon")

    links.revoke(world.context, "acme", step="company-data")

    assert [leads(world, secret) for secret in secrets(world)] == [None, None]


def test_nothing_is_sent_again_to_those_who_were_sent_nothing(world):
    world.run_until(MAILED.subtract(hours=24))

    with pytest.raises(NoLinks):
        links.reissue(world.context, "acme")


def test_after_the_erasure_a_link_is_as_if_it_had_never_been(world):
    """L30."""
    world.run_until(HANDED_OVER)
    (secret,) = secrets(world)
    found = leads(world, secret)

    world.run_until(LONG_AFTER[POLICY])

    assert leads(world, secret) is None
    with world.store.transaction() as transaction:
        assert transaction.links(found.link.offboarding) == ()
        assert transaction.find_link(found.link.digest) is None
    with pytest.raises(LinkDead):
        links.note_download(world.context, found.link)


def test_an_erasure_ends_a_download_that_is_under_way(world):
    world.run_until(HANDED_OVER)
    file = leads(world, secrets(world)[0]).link.file
    world.vault.files[file] = bytes(3 * links.PIECE_BYTES)
    download = links.pieces(world.context, file, start=0, stop=3 * links.PIECE_BYTES)
    begun = next(download)

    world.run_until(LONG_AFTER[POLICY])

    assert len(begun) == links.PIECE_BYTES
    assert list(download) == []


@pytest.mark.parametrize("place", PLACES)
def test_a_crash_around_a_link_leaves_one_that_works(app, place):
    """L32."""
    world = open_with_links(app)
    world.mail.can_tell = False
    world.run_until(MAILED.subtract(hours=1))
    world.die_at(len(world.points), place)

    world.run_until(HANDED_OVER)

    assert len(set(secrets(world))) == 1
    assert leads(world, secrets(world)[0]) is not None
    assert states(world) == [("acme-admin", 1, LinkState.ALIVE)]


@pytest.mark.parametrize("can_tell", [True, False])
@pytest.mark.parametrize("place", PLACES)
def test_a_crash_while_a_link_is_replaced_leaves_the_new_one_alone(app, place, can_tell):
    """L32."""
    world = open_with_links(app)
    world.mail.can_tell = can_tell
    world.run_until(HANDED_OVER)
    links.reissue(world.context, "acme")
    world.die_at(len(world.points), place)

    world.run_until(HANDED_OVER.add(hours=2))

    assert len(set(secrets(world))) == 2
    assert states(world) == [
        ("acme-admin", 1, LinkState.REVOKED),
        ("acme-admin", 2, LinkState.ALIVE),
    ]


def test_a_lost_answer_is_no_reason_for_a_second_link(world):
    world.mail.can_tell = True
    world.run_until(MAILED.subtract(hours=1))
    world.mail.then(SendOutcomeUnknown())

    world.run_until(HANDED_OVER)

    assert len(set(secrets(world))) == 1
    assert states(world) == [("acme-admin", 1, LinkState.ALIVE)]
