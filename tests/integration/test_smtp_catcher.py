"""The mail server that every other mail test believes."""

import smtplib
from email.message import EmailMessage

import pytest

from offramp.testing.smtp import SmtpCatcher

ANNA, BEN = "anna@example.com", "ben@example.com"


def mail_to(*recipients):
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = "us@example.com", ", ".join(recipients), "Zażółć"
    mail.set_content("Good bye.")
    return mail


def send(mail, catcher):
    with smtplib.SMTP(catcher.host, catcher.port, timeout=5) as client:
        return client.send_message(mail)


def test_a_mail_is_kept_with_its_envelope_and_as_a_file(tmp_path):
    with SmtpCatcher(folder=tmp_path) as catcher:
        send(mail_to(ANNA, BEN), catcher)

    [caught] = catcher.messages
    assert caught.message["Subject"] == "Zażółć"
    assert caught.message.get_content().strip() == "Good bye."
    assert (caught.sender, caught.recipients) == ("us@example.com", (ANNA, BEN))
    assert [file.name for file in tmp_path.iterdir()] == ["0001.eml"]


def test_a_later_run_numbers_its_files_on(tmp_path):
    for _ in range(2):
        with SmtpCatcher(folder=tmp_path) as catcher:
            send(mail_to(ANNA), catcher)

    assert sorted(file.name for file in tmp_path.iterdir()) == ["0001.eml", "0002.eml"]


@pytest.mark.parametrize("code", [451, 550])
def test_one_recipient_is_refused_and_the_other_served(code):
    with SmtpCatcher() as catcher:
        catcher.refuse(BEN, code)

        refused = send(mail_to(ANNA, BEN), catcher)

    assert {address: reply[0] for address, reply in refused.items()} == {BEN: code}
    assert [caught.recipients for caught in catcher.messages] == [(ANNA,)]


def test_a_recipient_who_was_refused_can_be_accepted_again():
    with SmtpCatcher() as catcher:
        catcher.refuse(ANNA, 451)
        catcher.accept(ANNA)

        assert send(mail_to(ANNA), catcher) == {}


def test_a_server_that_is_down_refuses_connections_and_comes_back_on_its_port():
    with SmtpCatcher() as catcher:
        port = catcher.port
        catcher.down()
        with pytest.raises(ConnectionRefusedError):
            send(mail_to(ANNA), catcher)
        catcher.up()

        send(mail_to(ANNA), catcher)

    assert catcher.port == port
    assert len(catcher.messages) == 1


def test_going_down_cuts_an_open_connection():
    with SmtpCatcher() as catcher:
        client = smtplib.SMTP(catcher.host, catcher.port, timeout=5)
        catcher.down()

        with pytest.raises(smtplib.SMTPServerDisconnected):
            client.noop()

        client.close()
