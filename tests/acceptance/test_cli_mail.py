"""`offramp mail`: mail that never came is seen, sent again, and known when it comes back (A4)."""

import pytest

from offramp.testing.imap import PASSWORD, USERNAME, running_imap
from tests.acceptance.installation import LEAVING, MEMBER

SIOBHAN = "siobhan.ohara@ohara-mueller.example"
RETURNS = "returns@vendor.example"

REPORT = """\
From: MAILER-DAEMON@mx.example
To: {to}
Content-Type: multipart/report; report-type=delivery-status; boundary=b

--b
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example

Final-Recipient: rfc822; {of}
Action: failed
Status: 5.2.2

--b--
"""


def achievements(smtp, address=SIOBHAN):
    """Give the mails with achievements to one person, in order."""
    return [
        mail
        for mail in smtp.messages
        if mail.recipients == (address,)
        and "open-badges.json" in {part.get_filename() for part in mail.message.walk()}
    ]


def written(installation, *options):
    return installation.ask("mail", "history", LEAVING, "--step", "achievements", *options)[
        "messages"
    ]


@pytest.fixture
def installation(installation):
    """Give an installation with a mailbox for what comes back."""
    installation.settings |= {"OFFRAMP_MAIL_RETURNS_TO": RETURNS}
    return installation


def test_who_was_refused_is_listed_and_gets_it_again_when_the_address_is_mended(
    installation, smtp
):  # A4
    smtp.refuse(SIOBHAN, 550)
    installation.say("run")
    (lost,) = written(installation, "--lost")
    smtp.accept(SIOBHAN)

    asked = installation.ask("mail", "resend", LEAVING, "--step", "achievements", "--lost")
    before = len(smtp.messages)
    installation.say("run")

    assert (lost["status"], lost["reason"]) == ("refused", "550")
    assert asked == {"queued": {LEAVING: 1}}
    assert len(smtp.messages) == before + 1
    (again,) = written(installation, "--member", lost["member"])
    told = [(each["status"], each["reason"]) for each in again["history"]]
    assert told == [("refused", "550"), ("queued", None), ("accepted", None)]
    assert written(installation, "--lost") == []


def test_what_comes_back_is_known_by_the_address_it_was_sent_to(installation, smtp):  # A4
    installation.say("run")
    (mail,) = achievements(smtp)
    report = REPORT.format(to=mail.sender, of=SIOBHAN)

    first = installation.run("mail", "returned", given=report)
    second = installation.run("mail", "returned", "--json", given=report)

    assert mail.sender.startswith("returns+")
    assert mail.sender.endswith("@vendor.example")
    assert "1 noted" in first.out
    assert second.data == {"noted": 0, "known": 1, "nobodys": 0, "other": 0}
    (lost,) = written(installation, "--lost")
    assert (lost["status"], lost["reason"]) == ("bounced", "5.2.2")
    assert SIOBHAN not in str(installation.ask("ledger", "verify"))


def test_everything_that_came_back_is_sent_again_in_one_go(installation, smtp):  # A4
    installation.say("run")
    (first,) = achievements(smtp)
    file = installation.folder / "report.eml"
    file.write_text(REPORT.format(to=first.sender, of=SIOBHAN))
    installation.say("mail", "returned", file)

    asked = installation.ask("mail", "resend", "--lost")
    installation.say("run")

    _, second = achievements(smtp)
    assert asked == {"queued": {LEAVING: 1}}
    assert second.message["Message-ID"] != first.message["Message-ID"]
    assert second.sender != first.sender
    assert "nothing was lost" in installation.say("mail", "resend", "--lost")


def test_a_history_is_a_table_for_people(installation, smtp):
    smtp.refuse(SIOBHAN, 550)
    installation.say("run")

    printed = installation.say("mail", "history", LEAVING, "--lost")

    assert "refused" in printed
    assert "550" in printed
    assert "accepted" not in printed


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("resend", LEAVING), 3, "NothingToResend"),
        (("resend",), 2, "OptionMissing"),
        (("resend", "--lost", "--member", MEMBER), 2, "OptionMissing"),
        (("resend", "nobody"), 4, "OrganizationUnknown"),
        (("history", LEAVING, "--member", "nobody"), 4, "MemberUnknown"),
        (("returned", "missing.eml"), 2, "FileUnreadable"),
        (("fetch",), 4, "MailboxMissing"),
    ],
    ids=str,
)
def test_what_cannot_be_done_is_said_and_changes_nothing(installation, arguments, code, said):
    before = installation.contents()

    finished = installation.run("mail", *arguments, "--json")

    assert (finished.code, finished.data["error"]["code"]) == (code, said)
    assert installation.contents() == before


def test_what_is_no_report_of_ours_is_counted_and_left(installation):
    finished = installation.run(
        "mail", "returned", "--json", given="Subject: Away\n\nUntil Monday."
    )

    assert finished.data == {"noted": 0, "known": 0, "nobodys": 0, "other": 1}


@pytest.fixture
def mailbox(installation):
    """A mailbox for what comes back, on a server that the installation knows."""
    with running_imap() as server:
        installation.settings |= {
            "OFFRAMP_RETURNS_IMAP_HOST": server.host,
            "OFFRAMP_RETURNS_IMAP_PORT": str(server.port),
            "OFFRAMP_RETURNS_IMAP_SECURITY": "none",
            "OFFRAMP_RETURNS_IMAP_USERNAME": USERNAME,
            "OFFRAMP_RETURNS_IMAP_PASSWORD": PASSWORD,
        }
        yield server


def test_what_comes_back_to_a_mailbox_is_fetched_and_the_rest_stays_there(
    installation, smtp, mailbox
):  # A4
    installation.settings["OFFRAMP_RETURNS_IMAP_DONE"] = "Noted"
    installation.say("run")
    (mail,) = achievements(smtp)
    away = b"From: anna@acme.example\r\nSubject: Away\r\n\r\nUntil Monday.\r\n"
    mailbox.put(away)
    mailbox.put(REPORT.format(to=mail.sender, of=SIOBHAN).replace("\n", "\r\n").encode())

    first = installation.say("mail", "fetch")
    second = installation.ask("mail", "fetch")

    assert first == "1 noted; 1 no report of ours\n"
    assert second == {"noted": 0, "known": 0, "nobodys": 0, "waiting": 0, "other": 1}
    (lost,) = written(installation, "--lost")
    assert (lost["status"], lost["reason"]) == ("bounced", "5.2.2")
    assert mailbox.letters() == [away]
    assert len(mailbox.letters("Noted")) == 1


def test_whoever_carries_out_what_is_due_fetches_too(installation, smtp, mailbox):  # A4
    installation.say("run")
    (mail,) = achievements(smtp)
    mailbox.put(REPORT.format(to=mail.sender, of=SIOBHAN).replace("\n", "\r\n").encode())

    installation.say("run")

    (lost,) = written(installation, "--lost")
    assert lost["status"] == "bounced"
    assert mailbox.letters() == []


def test_a_mailbox_that_cannot_be_read_keeps_no_work_from_being_done(installation, smtp, mailbox):
    installation.settings["OFFRAMP_RETURNS_IMAP_PASSWORD"] = "guess"

    worked = installation.run("run")
    fetched = installation.run("mail", "fetch")

    assert worked.code == 0
    assert achievements(smtp)
    assert fetched.code == 5
    assert "the server refuses the name or the password" in fetched.err
    assert "guess" not in worked.err + fetched.err
