"""What every mailer promises."""

from dataclasses import replace

import pytest
from whenever import Instant

from offramp.ports import (
    Attachment,
    MailerUnavailable,
    Message,
    MessageRefused,
    SendOutcomeUnknown,
)

AT = Instant.from_utc(2024, 8, 31, 7, 0)
MESSAGE = Message(
    id="offboarding-1/achievements/anna",
    to="anna@example.com",
    to_name="Anna Zając",
    subject="Your achievements",
    text="Here they are.\n",
    html="<p>Here they are.</p>\n",
    attachments=(
        Attachment(name="achievements.json", media_type="application/json", content=b"[]"),
    ),
)


class MailerContract:
    """Give the mailer in `mailer`, and its world in `world`.

    The world can `refuse(address)` for good, `put_off(address)`, `go_down()`, `come_up()` and
    `lose_next_answer()`; `accepted()` lists the recipients it has taken mail for.
    """

    def test_an_accepted_message_has_arrived(self, mailer, world):
        mailer.send(MESSAGE, at=AT)

        assert world.accepted() == ["anna@example.com"]
        assert mailer.was_accepted(MESSAGE.id) in (True, None)

    def test_a_refused_recipient_is_told_with_its_code(self, mailer, world):
        world.refuse("anna@example.com")

        with pytest.raises(MessageRefused) as refused:
            mailer.send(MESSAGE, at=AT)

        assert refused.value.reply == "550"
        assert world.accepted() == []
        assert mailer.was_accepted(MESSAGE.id) in (False, None)

    def test_one_refusal_does_not_touch_the_next_message(self, mailer, world):
        world.refuse("anna@example.com")
        with pytest.raises(MessageRefused):
            mailer.send(MESSAGE, at=AT)

        mailer.send(replace(MESSAGE, id="2", to="ben@example.com"), at=AT)

        assert world.accepted() == ["ben@example.com"]

    def test_a_recipient_who_is_put_off_may_be_tried_again(self, mailer, world):
        world.put_off("anna@example.com")

        with pytest.raises(MailerUnavailable):
            mailer.send(MESSAGE, at=AT)

        assert world.accepted() == []

    def test_a_server_that_is_down_has_taken_nothing_and_recovers(self, mailer, world):
        world.go_down()
        with pytest.raises(MailerUnavailable):
            mailer.send(MESSAGE, at=AT)
        assert world.accepted() == []

        world.come_up()
        mailer.send(MESSAGE, at=AT)

        assert world.accepted() == ["anna@example.com"]

    def test_a_lost_answer_is_neither_success_nor_failure(self, mailer, world):
        """L37: the message may have been taken; this one was."""
        world.lose_next_answer()

        with pytest.raises(SendOutcomeUnknown):
            mailer.send(MESSAGE, at=AT)

        assert world.accepted() == ["anna@example.com"]
        assert mailer.was_accepted(MESSAGE.id) in (True, None)

    def test_no_error_repeats_an_address_or_a_name(self, mailer, world):
        for fail in (world.refuse, world.put_off):
            fail("anna@example.com")

            with pytest.raises((MessageRefused, MailerUnavailable)) as error:
                mailer.send(MESSAGE, at=AT)

            told = f"{error.value} {error.value.attributes} {error.value.__cause__}"
            assert "anna" not in told.casefold()
