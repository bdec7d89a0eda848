"""What mail providers tell of messages that were given up, and of readers who complain.

Two of them, each in its own words. As in a report that comes as mail, what counts is that a message
was given up, in whatever way; a delay is none, and neither is an automatic answer. Whose message it
was is read from our Message-ID, or from the address that it was sent from, and from nothing else.

Source: Twilio SendGrid, "Event Webhook Reference"; Amazon SES, "Amazon SNS notification contents";
mission A4.
"""

from collections.abc import Iterator
from typing import TypeVar

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError
from pydantic.alias_generators import to_camel

from offramp.core.errors import Invalid
from offramp.documents.returned_mail import code_in, message_of_address, message_of_id
from offramp.ports import Return, Returned

_T = TypeVar("_T")


class EventsUnreadable(Invalid):
    """This is not what {provider} sends."""


class _SendGridEvent(BaseModel):
    event: str
    status: str = ""
    message_id: str = Field(default="", alias="smtp-id")


# A message that is dropped, such as one to an address that bounced before, is not even tried.
_SENDGRID_WHYS = {
    "bounce": Return.BOUNCED,  # of both types: a block is given up as well
    "dropped": Return.BOUNCED,
    "spamreport": Return.COMPLAINED,
}
_SENDGRID_EVENTS = TypeAdapter(list[_SendGridEvent])


def read_sendgrid(body: bytes) -> tuple[Returned | None, ...]:
    """Read the events of one request of SendGrid; none for each that is no report of ours.

    Raises:
        EventsUnreadable: it is no list of events.
    """
    events = _parse(_SENDGRID_EVENTS, body, provider="SendGrid")
    return tuple(
        _returned(
            message_of_id(event.message_id), _SENDGRID_WHYS.get(event.event), code_in(event.status)
        )
        for event in events
    )


class _Camel(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)


class _Recipient(_Camel):
    action: str = ""
    status: str = ""


class _Bounce(_Camel):
    bounce_type: str = ""
    bounced_recipients: list[_Recipient] = []


class _Complaint(_Camel):
    complaint_sub_type: str | None = None


class _Header(BaseModel):
    name: str
    value: str = ""


class _Mail(_Camel):
    source: str = ""  # the sender of the envelope
    headers: list[_Header] = []


class _Notification(_Camel):
    notification_type: str = ""
    event_type: str = ""  # the same where events are published by a configuration set
    mail: _Mail = _Mail()
    bounce: _Bounce = _Bounce()
    complaint: _Complaint = _Complaint()


_AMAZON_NOTIFICATION = TypeAdapter(_Notification)
_PERMANENT, _FAILED = "Permanent", "failed"
_NEVER_SENT = "OnAccountSuppressionList"


def read_amazon(message: str) -> Returned | None:
    """Read what Amazon SES tells of one message; none where it is no report of ours.

    Raises:
        EventsUnreadable: it is not written as a notification is.
    """
    if not message.lstrip().startswith("{"):
        return None  # a sentence, such as the one by which SES tries a new topic
    told = _parse(_AMAZON_NOTIFICATION, message.encode(), provider="Amazon SES")
    reason = None
    match told.notification_type or told.event_type:
        case "Bounce" if _is_given_up(told.bounce):
            why = Return.BOUNCED
            codes = (code_in(each.status) for each in told.bounce.bounced_recipients)
            reason = next((code for code in codes if code is not None), None)
        case "Complaint" if told.complaint.complaint_sub_type == _NEVER_SENT:
            why = Return.BOUNCED  # its reader complained of one before it, and never got this one
        case "Complaint":
            why = Return.COMPLAINED
        case "Reject":
            why = Return.BOUNCED
        case _:
            return None
    return _returned(next(_messages(told.mail), None), why, reason)


def _is_given_up(bounce: _Bounce) -> bool:
    """Whether it is final for this message; an automatic answer may come as a bounce as well."""
    actions = {recipient.action.strip().lower() for recipient in bounce.bounced_recipients}
    return bounce.bounce_type == _PERMANENT or _FAILED in actions


def _messages(mail: _Mail) -> Iterator[str]:
    """Name the message in every way that is ours."""
    if found := message_of_address(mail.source):
        yield found
    for header in mail.headers:
        if header.name.lower() == "message-id" and (found := message_of_id(header.value)):
            yield found


def _returned(message: str | None, why: Return | None, reason: str | None) -> Returned | None:
    if message is None or why is None:
        return None
    return Returned(message=message, why=why, reason=reason if why is Return.BOUNCED else None)


def _parse(adapter: TypeAdapter[_T], body: bytes, *, provider: str) -> _T:
    try:
        return adapter.validate_json(body)
    except ValidationError as error:
        raise EventsUnreadable(provider=provider) from error
