"""What came back of a message: a report of its failure, or a reader's complaint or request.

Whose message it was is read from the address that the report was sent to, which names it, or from
the headers of the message that it brings back. Nothing else of a report is believed or kept: what
servers and people write there is free text. A request to send no more that is optional is made by
mail programs, with the subject that the message asked for.

Source: RFC 3464 (delivery reports), 3463 (their codes), 5965 (complaints), 6522 (their form),
2369 (unsubscribing by mail); mission A4; lesson L12.
"""

import re
from collections.abc import Iterator
from email import message_from_bytes
from email.message import Message

from offramp.ports import Return, Returned

REPORT_BYTES_MAX = 256 * 1024  # what follows is the message that it brings back
_CODE = re.compile(r"[245]\.\d{1,3}\.\d{1,3}", re.ASCII)
_OUR_ADDRESS = re.compile(r"\+([0-9a-f]{32})@")
_UNSUBSCRIBE = re.compile(r"\s*unsubscribe\s+([0-9a-f]{32})\s*", re.IGNORECASE)
_OUR_ID = re.compile(r"<([0-9a-f]{32})@")
_WAYS_HERE = ("Delivered-To", "X-Original-To", "Envelope-To", "To")
_FAILED = "failed"


def read_returned(content: bytes) -> Returned | None:
    """Read one message of a mailbox of returns; none where it is no such report, or not of ours.

    Anybody can send one there, so what takes long to read is not read: a report says what it has
    to say at its beginning, and is nested twice.
    """
    try:
        report = message_from_bytes(content[:REPORT_BYTES_MAX])
        why, reason = _news(report)
        message = _message_in(report)
        request = _UNSUBSCRIBE.fullmatch(str(report.get("Subject", "")))
    except RecursionError:
        return None
    if why is None and request is not None:
        return Returned(message=request[1].lower(), why=Return.DECLINED)
    if why is None or message is None:
        return None
    return Returned(message=message, why=why, reason=reason)


def message_of_address(text: str) -> str | None:
    """Give the message that an address for what comes back was made for."""
    found = _OUR_ADDRESS.search(text)
    return found[1] if found else None


def message_of_id(text: str) -> str | None:
    """Give the message of ours that a Message-ID in angle brackets stands for."""
    found = _OUR_ID.search(text)
    return found[1] if found else None


def code_in(text: str) -> str | None:
    """Give the code of RFC 3463 in a status; whatever stands beside it may name a person."""
    found = _CODE.search(text)
    return found[0] if found else None


def _news(report: Message) -> tuple[Return | None, str | None]:
    for part in report.walk():
        if part.get_content_type() == "message/feedback-report":
            return Return.COMPLAINED, None
        if part.get_content_type() == "message/delivery-status":
            failures = [
                code_in(str(each.get("Status", ""))) for each in _blocks(part) if _is_failure(each)
            ]
            return (Return.BOUNCED, failures[0]) if failures else (None, None)
    return None, None


def _blocks(part: Message) -> Iterator[Message]:
    """Give the groups of fields of a delivery report: one of the message, one per recipient."""
    payload = part.get_payload()
    blocks = payload if isinstance(payload, list) else ()
    return (each for each in blocks if isinstance(each, Message))


def _is_failure(block: Message) -> bool:
    """Whether delivery was given up; a report of a delay says nothing final."""
    return str(block.get("Action", "")).strip().lower() == _FAILED


def _message_in(report: Message) -> str | None:
    for name in _WAYS_HERE:
        for value in report.get_all(name, []):
            if found := message_of_address(str(value)):
                return found
    for returned in _returned(report):
        if found := message_of_id(str(returned.get("Message-ID", ""))):
            return found
    return None


def _returned(report: Message) -> Iterator[Message]:
    """Give what the report brings back of the message: all of it, or its headers."""
    for part in report.walk():
        if part.get_content_type() == "text/rfc822-headers":
            payload = part.get_payload(decode=True)
            yield message_from_bytes(payload if isinstance(payload, bytes) else b"")
        elif part.get_content_type() == "message/rfc822":
            yield from _blocks(part)
