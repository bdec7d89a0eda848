"""What SendGrid and Amazon SES tell of messages, in their own words."""

import json

import pytest

from offramp.documents.returned_event import EventsUnreadable, read_amazon, read_sendgrid
from offramp.ports import Return, Returned

ID = "0123456789abcdef" * 2
OURS = f"<{ID}@vendor.example>"
BOUNCED = Returned(message=ID, why=Return.BOUNCED, reason="5.1.1")
UNNAMED = Returned(message=ID, why=Return.BOUNCED)
COMPLAINED = Returned(message=ID, why=Return.COMPLAINED)


def sendgrid(**changes):
    """Write one event as SendGrid does."""
    return {
        "email": "anna@acme.example",
        "timestamp": 1725091200,
        "smtp-id": OURS,
        "event": "bounce",
        "type": "bounce",
        "status": "5.1.1",
        "reason": "550 5.7.9 no such person as anna@acme.example",
        "sg_event_id": "c2VuZA",
        "sg_message_id": "abc.filter-1",
        **changes,
    }


@pytest.mark.parametrize(
    ("changes", "returned"),
    [
        ({}, BOUNCED),
        ({"type": "blocked"}, BOUNCED),
        ({"event": "dropped", "reason": "Bounced Address"}, BOUNCED),
        ({"status": "550"}, UNNAMED),
        ({"status": ""}, UNNAMED),
        ({"event": "spamreport"}, COMPLAINED),
        ({"event": "deferred"}, None),
        ({"event": "processed"}, None),
        ({"event": "delivered"}, None),
        ({"event": "open"}, None),
        ({"event": "unsubscribe"}, None),
        ({"event": "account_status_change"}, None),
        ({"smtp-id": "<14c5d75ce93.dfd.64b469@ismtpd-555>"}, None),
        ({"smtp-id": ID}, None),
    ],
    ids=str,
)
def test_what_sendgrid_tells_counts_where_a_message_of_ours_was_given_up(changes, returned):
    assert read_sendgrid(json.dumps([sendgrid(**changes)]).encode()) == (returned,)


def test_sendgrid_tells_many_events_at_once():
    events = [sendgrid(), sendgrid(event="open"), sendgrid(event="spamreport")]

    assert read_sendgrid(json.dumps(events).encode()) == (BOUNCED, None, COMPLAINED)


def test_an_event_without_a_message_is_no_report():
    event = {"event": "bounce", "email": "anna@acme.example"}

    assert read_sendgrid(json.dumps([event]).encode()) == (None,)


@pytest.mark.parametrize(
    "body", [b"", b"{}", b"[1]", b'[{"event": 7}]', b"[" * 100_000, b"\xff", b'["\\ud800"]']
)
def test_what_is_no_list_of_events_is_refused_without_saying_what_it_says(body):
    with pytest.raises(EventsUnreadable) as raised:
        read_sendgrid(body)

    assert str(raised.value) == "This is not what SendGrid sends."


def amazon(kind="Bounce", *, key="notificationType", mail=None, **changes):
    """Write a notification as Amazon SES does, with the headers of the message."""
    bounce = {
        "bounceType": "Permanent",
        "bounceSubType": "General",
        "bouncedRecipients": [
            {
                "emailAddress": "anna@acme.example",
                "action": "failed",
                "status": "5.1.1",
                "diagnosticCode": "smtp; 550 5.7.9 no such person as anna@acme.example",
            }
        ],
        "timestamp": "2024-08-31T08:00:00.000Z",
        "feedbackId": "0100018f",
    }
    complaint = {"complainedRecipients": [{"emailAddress": "anna@acme.example"}]}
    headers = [{"name": "Message-ID", "value": OURS}, {"name": "To", "value": "anna@acme.example"}]
    written = {
        key: kind,
        "mail": {"source": "offboarding@vendor.example", "messageId": "0101", "headers": headers}
        | (mail or {}),
    }
    if kind == "Bounce":
        written["bounce"] = bounce | changes
    if kind == "Complaint":
        written["complaint"] = complaint | changes
    return json.dumps(written)


@pytest.mark.parametrize(
    ("message", "returned"),
    [
        (amazon(), BOUNCED),
        (amazon(key="eventType"), BOUNCED),
        (amazon(bounceSubType="Suppressed", bouncedRecipients=[]), UNNAMED),
        (amazon(bounceType="Transient"), BOUNCED),
        (amazon(bounceType="Transient", bouncedRecipients=[{"emailAddress": "a@b.example"}]), None),
        (amazon(bounceType="Undetermined", bouncedRecipients=[]), None),
        (amazon(bounceType="Transient", bouncedRecipients=[{"action": "delayed"}]), None),
        (amazon("Complaint"), COMPLAINED),
        (amazon("Complaint", complaintSubType=None), COMPLAINED),
        (amazon("Complaint", complaintSubType="OnAccountSuppressionList"), UNNAMED),
        (amazon("Reject", key="eventType"), UNNAMED),
        (amazon("Delivery"), None),
        (amazon("DeliveryDelay", key="eventType"), None),
        (amazon("AmazonSnsSubscriptionSucceeded"), None),
        ("{}", None),
    ],
)
def test_what_amazon_tells_counts_where_a_message_of_ours_was_given_up(message, returned):
    assert read_amazon(message) == returned


@pytest.mark.parametrize(
    ("mail", "returned"),
    [
        ({"headers": [{"name": "message-id", "value": OURS}]}, BOUNCED),
        ({"headers": [], "source": f"returns+{ID}@vendor.example"}, BOUNCED),
        ({"headers": []}, None),
        ({"headers": [{"name": "In-Reply-To", "value": OURS}]}, None),
        ({"headers": [{"name": "Message-ID", "value": "<x@else.example>"}]}, None),
    ],
)
def test_amazon_names_a_message_by_our_id_or_by_the_address_it_was_sent_from(mail, returned):
    assert read_amazon(amazon(mail=mail)) == returned


@pytest.mark.parametrize("message", ["", "Successfully validated SNS topic.", "[]"])
def test_a_sentence_by_which_amazon_tries_a_topic_is_no_report(message):
    assert read_amazon(message) is None


@pytest.mark.parametrize("message", ['{"mail": 7}', "{", '{"bounce":' * 10_000])
def test_what_is_not_written_as_a_notification_is_refused(message):
    with pytest.raises(EventsUnreadable, match="not what Amazon SES sends"):
        read_amazon(message)
