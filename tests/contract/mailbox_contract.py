"""What every mailbox for what comes back promises."""

import pytest

from offramp.ports import Fate, MailboxUnavailable, Return, Returned

ID, OTHER_ID = "0123456789abcdef" * 2, "fedcba9876543210" * 2
AWAY = b"From: anna@acme.example\r\nSubject: Away\r\n\r\nUntil Monday.\r\n"


def report(message=ID, *, kind="failed"):
    """Write a report as a mail server does; of a kind such as delayed."""
    return (
        f"From: MAILER-DAEMON@mx.example\r\nTo: returns+{message}@vendor.example\r\n"
        "Content-Type: multipart/report; report-type=delivery-status;\r\n boundary=b\r\n\r\n"
        "--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.example\r\n"
        f"\r\nAction: {kind}\r\nStatus: 5.1.1\r\n\r\n--b--\r\n"
    ).encode()


def returned(message=ID):
    """Give what such a report says."""
    return Returned(message=message, why=Return.BOUNCED, reason="5.1.1")


def request(message=ID):
    """Write what a mail program sends for a reader who wants no more optional messages."""
    return (
        "From: anna@acme.example\r\nTo: returns@vendor.example\r\n"
        f"Subject: unsubscribe {message}\r\n\r\n"
    ).encode()


class Taker:
    """Whoever is shown reports.

    Attributes:
        shown: what was shown, in order.
        fates: what becomes of the reports of messages, where they are not put away.
        is_dying: whether it dies of the next one.
        dies_of: what it raises then.
    """

    def __init__(self):
        self.shown = []
        self.fates = {}
        self.is_dying = False
        self.dies_of = KeyboardInterrupt

    def __call__(self, report):
        self.shown.append(report)
        if self.is_dying:
            raise self.dies_of
        return self.fates.get(report.message, Fate.PUT_AWAY)


class MailboxContract:
    """Give the mailbox in `mailbox`, and its world in `world`.

    The world can `put(letter)`, `go_down()` and `come_up()`; `letters()` lists what is
    in the folder, `done()` what was put away.
    """

    @pytest.fixture
    def take(self):
        return Taker()

    def visit(self, mailbox, take):
        return mailbox.visit(take, is_stopping=lambda: False)

    def test_a_report_is_shown_and_put_away(self, mailbox, world, take):
        world.put(report())

        other = self.visit(mailbox, take)

        assert (take.shown, other) == ([returned()], 0)
        assert (world.letters(), world.done()) == ([], [report()])

    def test_a_request_to_unsubscribe_is_shown_and_put_away(self, mailbox, world, take):
        """L12."""
        world.put(request())

        self.visit(mailbox, take)

        assert take.shown == [Returned(message=ID, why=Return.DECLINED)]
        assert (world.letters(), world.done()) == ([], [request()])

    def test_reports_are_shown_in_the_order_in_which_they_came(self, mailbox, world, take):
        world.put(report())
        world.put(report(OTHER_ID))

        self.visit(mailbox, take)

        assert take.shown == [returned(), returned(OTHER_ID)]

    @pytest.mark.parametrize("letter", [AWAY, report(kind="delayed")], ids=["away", "delayed"])
    def test_what_is_no_report_stays_as_it_is(self, mailbox, world, take, letter):
        world.put(letter)
        world.put(report())

        other = self.visit(mailbox, take)

        assert (take.shown, other) == ([returned()], 1)
        assert world.letters() == [letter]

    @pytest.mark.parametrize("fate", [Fate.STAYS, Fate.COMES_AGAIN])
    def test_what_is_not_done_with_is_left_and_shown_again(self, mailbox, world, take, fate):
        world.put(report())
        world.put(report(OTHER_ID))
        take.fates = {ID: fate}

        self.visit(mailbox, take)
        stayed = world.letters()
        take.fates = {}
        self.visit(mailbox, take)

        assert stayed == [report()]
        assert take.shown == [returned(), returned(OTHER_ID), returned()]
        assert world.letters() == []

    def test_whoever_dies_of_a_report_finds_it_again(self, mailbox, world, take):
        world.put(report())
        take.is_dying = True
        with pytest.raises(KeyboardInterrupt):
            self.visit(mailbox, take)
        take.is_dying = False

        self.visit(mailbox, take)

        assert take.shown == [returned(), returned()]
        assert (world.letters(), world.done()) == ([], [report()])

    def test_who_is_to_stop_leaves_the_rest(self, mailbox, world, take):
        world.put(report())
        world.put(report(OTHER_ID))

        mailbox.visit(take, is_stopping=lambda: bool(take.shown))

        assert take.shown == [returned()]
        assert world.letters() == [report(OTHER_ID)]

    def test_an_empty_mailbox_is_no_trouble(self, mailbox, world, take):
        assert self.visit(mailbox, take) == 0

    def test_a_mailbox_that_is_down_is_told_and_good_again_later(self, mailbox, world, take):
        world.put(report())
        world.go_down()
        with pytest.raises(MailboxUnavailable):
            self.visit(mailbox, take)
        world.come_up()

        self.visit(mailbox, take)

        assert take.shown == [returned()]
