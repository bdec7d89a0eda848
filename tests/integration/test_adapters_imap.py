"""Reports from a real IMAP server: moved only when they are done with, and everything else left."""

import ssl
from dataclasses import replace
from functools import partial

import pytest

from offramp.adapters.mailbox_imap import (
    LOOKS_MAX,
    ImapMailbox,
    ImapServer,
    may_be_letter,
    may_be_report,
)
from offramp.adapters.mailer_smtp import Security
from offramp.documents.case_mail import LETTER_BYTES_MAX, read_letter
from offramp.documents.returned_mail import REPORT_BYTES_MAX, read_returned
from offramp.ports import Fate, MailboxUnavailable, StoreUnavailable
from offramp.testing.imap import PASSWORD, USERNAME, running_imap
from tests.contract.mailbox_contract import (
    AWAY,
    ID,
    OTHER_ID,
    MailboxContract,
    Taker,
    report,
    returned,
)
from tests.integration.fault_proxy import FaultProxy

DONE = "Offramp done"
ANNA = "anna@acme.example"
LETTER = (
    b"From: Anna <anna@acme.example>\r\nTo: help+no-export@vendor.example\r\n"
    b"Subject: The file\r\nMessage-ID: <one@acme.example>\r\n\r\nWhere is it?\r\n"
)
AUTOMATIC = LETTER.replace(b"Subject:", b"Auto-Submitted: auto-replied\r\nSubject:")


@pytest.fixture
def server():
    with running_imap() as server:
        yield server


@pytest.fixture
def wire(server):
    with FaultProxy(server) as wire:
        yield wire


@pytest.fixture
def place(wire):
    """Where the mailbox is found."""
    return ImapServer(
        host="127.0.0.1",
        port=wire.port,
        username=USERNAME,
        password=PASSWORD,
        security=Security.NONE,
        done=DONE,
        timeout_seconds=5.0,
    )


@pytest.fixture
def take():
    return Taker()


def mailbox_at(place):
    return ImapMailbox(place, read=read_returned, bytes_max=REPORT_BYTES_MAX, may_be=may_be_report)


def letters_at(place):
    read = partial(read_letter, address="help@vendor.example")
    return ImapMailbox(place, read=read, bytes_max=LETTER_BYTES_MAX, may_be=may_be_letter)


def visit(mailbox, take):
    return mailbox.visit(take, is_stopping=lambda: False)


class ServerWorld:
    """The world of a mailbox on a server."""

    def __init__(self, server, wire):
        self.server, self.wire = server, wire

    def put(self, letter):
        self.server.put(letter)

    def letters(self):
        return self.server.letters()

    def done(self):
        return self.server.letters(DONE)

    def go_down(self):
        self.wire.down_bytes_max = 0

    def come_up(self):
        self.wire.down_bytes_max = 1 << 40


class TestImapMailbox(MailboxContract):
    @pytest.fixture
    def mailbox(self, place):
        return mailbox_at(place)

    @pytest.fixture
    def world(self, server, wire):
        return ServerWorld(server, wire)


def test_nothing_is_marked_as_read(place, server, take):
    server.put(AWAY)
    server.put(report())
    take.fates = {ID: Fate.STAYS}

    visit(mailbox_at(place), take)

    assert server.flags() == [frozenset(), frozenset()]


def test_without_a_folder_for_it_what_is_done_with_is_deleted(place, server, take):
    server.put(AWAY)
    server.put(report())

    visit(mailbox_at(replace(place, done="")), take)

    assert server.letters() == [AWAY]
    assert server.letters(DONE) == []


def test_what_a_person_deletes_is_neither_shown_nor_expunged(place, server, take):
    server.put(report())
    server.put(report(OTHER_ID))
    server.delete(1)

    visit(mailbox_at(place), take)

    assert take.shown == [returned(OTHER_ID)]
    assert server.letters() == [report()]


def test_what_stays_is_looked_at_a_few_times_by_each_process(place, server, take):
    server.put(report())
    take.fates = {ID: Fate.STAYS}
    mailbox = mailbox_at(place)

    for _ in range(LOOKS_MAX + 2):
        visit(mailbox, take)
    looks = len(take.shown)
    visit(mailbox_at(place), take)

    assert looks == LOOKS_MAX
    assert len(take.shown) == LOOKS_MAX + 1


def test_what_cannot_be_noted_now_is_looked_at_as_often_as_it_takes(place, server, take):
    server.put(report())
    take.fates = {ID: Fate.COMES_AGAIN}
    mailbox = mailbox_at(place)

    for _ in range(LOOKS_MAX + 2):
        visit(mailbox, take)

    assert len(take.shown) == LOOKS_MAX + 2


def test_an_outage_while_a_report_is_noted_is_no_look(place, server, take):
    server.put(report())
    mailbox = mailbox_at(place)
    take.is_dying, take.dies_of = True, StoreUnavailable(reason="it was taken away")
    for _ in range(LOOKS_MAX):
        with pytest.raises(StoreUnavailable):
            visit(mailbox, take)
    take.is_dying = False

    visit(mailbox, take)

    assert server.letters() == []


def test_a_letter_that_something_breaks_of_does_not_stop_the_rest_for_long(place, server, take):
    """Behind it comes what was not looked at, and after a few looks everything else."""
    for message in (ID, OTHER_ID):
        server.put(report(message))

    def read(content):
        if ID.encode() in content:
            raise TypeError
        return read_returned(content)

    mailbox = ImapMailbox(place, read=read, bytes_max=REPORT_BYTES_MAX, may_be=may_be_report)
    for _ in range(LOOKS_MAX):
        with pytest.raises(TypeError):
            visit(mailbox, take)
    visit(mailbox, take)

    assert take.shown == [returned(OTHER_ID)]
    assert server.letters() == [report(ID)]


def test_letters_of_people_are_read_as_far_as_their_files_and_left_unread(place, server, wire):
    large = LETTER.replace(b"Where", b"x" * LETTER_BYTES_MAX * 2 + b"Where")
    for letter in (LETTER, AUTOMATIC, large):
        server.put(letter)
    shown = []

    def take(letter):
        shown.append(letter)
        return Fate.STAYS

    other = visit(letters_at(place), take)

    assert [(each.sender, each.about) for each in shown] == [(ANNA, "no-export")] * 2
    assert len(shown[1].text) < LETTER_BYTES_MAX
    assert wire.down_bytes < 3 * LETTER_BYTES_MAX
    assert other == 1
    assert server.flags() == [frozenset()] * 3


def test_of_one_mailbox_for_both_each_takes_its_own(place, server, take):
    server.put(LETTER)
    server.put(report())
    written = []

    visit(mailbox_at(place), take)
    visit(letters_at(place), lambda letter: written.append(letter.sender) or Fate.PUT_AWAY)

    assert (take.shown, written) == ([returned()], [ANNA])
    assert server.letters() == []


def test_of_a_report_that_brings_back_a_large_message_the_beginning_is_read(place, server, wire):
    letter = report().replace(
        b"\r\n--b--", b"\r\n--b\r\nContent-Type: message/rfc822\r\n\r\n" + b"x" * 2_000_000
    )
    server.put(letter)
    take = Taker()

    visit(mailbox_at(place), take)

    assert take.shown == [returned()]
    assert wire.down_bytes < 2 * REPORT_BYTES_MAX


@pytest.mark.parametrize("number", range(1, 14, 2))
def test_a_connection_that_breaks_anywhere_loses_nothing(place, server, wire, take, number):
    """L32: whatever was taken is put away then or at the next visit, and shown again at most."""
    reports = [report(), report(OTHER_ID)]
    for letter in (AWAY, *reports):
        server.put(letter)
    mailbox = mailbox_at(place)
    wire.up_bytes_max = number * 25
    with pytest.raises(MailboxUnavailable):
        visit(mailbox, take)
    wire.up_bytes_max = 1 << 40

    visit(mailbox, take)

    assert set(map(repr, take.shown)) == {repr(returned()), repr(returned(OTHER_ID))}
    assert server.letters() == [AWAY]
    assert set(server.letters(DONE)) == set(reports)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"password": "guess"}, "the server refuses the name or the password"),
        ({"folder": "Nowhere"}, "it has no folder Nowhere"),
        ({"port": 1}, "the server cannot be reached"),
        ({"security": Security.TLS}, "the server cannot be reached"),
        ({"security": Security.STARTTLS}, "the server cannot be reached"),
    ],
)
def test_what_is_wrong_is_said_without_the_servers_words(place, changes, said):
    mailbox = mailbox_at(replace(place, **changes))

    with pytest.raises(MailboxUnavailable) as raised:
        visit(mailbox, Taker())

    assert said in raised.value.reason
    assert USERNAME not in str(raised.value)
    assert PASSWORD not in repr(place)


class TestPrivacy:
    @pytest.fixture
    def tls(self, certificate):
        return ssl.create_default_context(cafile=certificate)

    def test_a_connection_becomes_private_before_the_password_is_sent(
        self, place, certificate, tls, take
    ):
        with running_imap(certificate=certificate) as server:
            server.put(report())
            private = replace(
                place, host="localhost", port=server.port, security=Security.STARTTLS, tls=tls
            )

            visit(mailbox_at(private), take)

        assert take.shown == [returned()]

    def test_a_server_with_a_certificate_of_its_own_is_told_nothing(self, place, certificate):
        with running_imap(certificate=certificate) as server:
            unknown = replace(place, host="localhost", port=server.port, security=Security.STARTTLS)

            with pytest.raises(MailboxUnavailable, match="SSLCertVerificationError"):
                visit(mailbox_at(unknown), Taker())
