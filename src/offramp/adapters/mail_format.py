"""One message as the bytes that a mail server is given, and the envelope that they travel in.

Every header is decided here. Nothing that a person has typed can become one: line breaks and other
control characters are taken out of names and subjects, and an address that holds any is refused.

Source: RFC 5322 and 2046 (form), 3834 (automatic mail), 2369 and 8058 (unsubscribing), 6531
(addresses that are not ASCII), 3490 (domains that are not); lesson L12.
"""

import re
from dataclasses import dataclass
from email.header import Header
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from urllib.parse import quote

from whenever import Instant

from offramp.core.errors import Invalid
from offramp.ports import Attachment, InlineImage, Message, MessageRefused

ADDRESS_INVALID = "5.1.3"  # RFC 3463: bad destination mailbox address syntax
PLAIN_CHARACTERS_MAX = 60  # longer words are folded, which only encoded ones can be anywhere
ADDRESS_CHARACTERS_MAX = 254  # RFC 5321, section 4.5.3.1.3

# Seven bits need no permission from any server on the way.
_PLAIN = SMTP.clone(cte_type="7bit")
_DOT_AT_LINE_START = re.compile(rb"^\.", re.MULTILINE)
_ATOM = re.compile(r"[^\s\x00-\x1f\x7f()<>@,;:\\\"\[\]]+")
_ID_CHARACTERS = "!$&'*+-/=?^_`{|}~."


class AddressInvalid(Invalid):
    """This is not a mail address that anybody can have."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sender:
    """Whom the mail is from.

    Attributes:
        reply_to: who reads answers, where that is not the sender.
        unsubscribe_url: an https address that ends an optional kind of mail by one POST.
        returns_to: the mailbox for what comes back; each message gets an address of its own there.
    """

    address: str
    name: str
    reply_to: str | None = None
    unsubscribe_url: str | None = None
    returns_to: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """What one hand-over says to the server; the content is ready to be sent as it is."""

    sender: str
    recipient: str
    content: bytes
    needs_utf8: bool


def format_mail(message: Message, *, sender: Sender, at: Instant) -> Envelope:
    """Write a message as mail from a sender, dated at an instant.

    Raises:
        MessageRefused: the recipient's address can belong to nobody.
    """
    try:
        recipient = parse_address(message.to)
    except AddressInvalid as error:
        raise MessageRefused(reply=ADDRESS_INVALID) from error
    origin = parse_address(sender.address)
    returns_to = _return_path(sender, message_id=message.id) or origin
    needs_utf8 = not (recipient + origin + returns_to).isascii()
    headers = {
        "Date": format_datetime(at.to_stdlib()),
        "From": f"{_phrase(sender.name)} <{origin}>",
        "To": f"{_phrase(message.to_name)} <{recipient}>",
        "Subject": _words(message.subject, header="Subject"),
        "Message-ID": f"<{quote(message.id, safe=_ID_CHARACTERS)}@{origin.rpartition('@')[2]}>",
        "Auto-Submitted": "auto-generated",
    }
    if sender.reply_to is not None:
        headers["Reply-To"] = f"<{parse_address(sender.reply_to)}>"
    if message.is_optional:
        headers |= _ways_to_unsubscribe(sender, message_id=message.id)
    head = "".join(f"{name}: {value.strip()}\r\n" for name, value in headers.items())
    content = head.encode() + _body(message).as_bytes()
    return Envelope(
        sender=returns_to,
        recipient=recipient,
        content=_DOT_AT_LINE_START.sub(b"..", content),
        needs_utf8=needs_utf8,
    )


def parse_address(text: str) -> str:
    """Read a mailbox address; a domain in another alphabet takes its ASCII form.

    Raises:
        AddressInvalid: it is not one; the error does not repeat it.
    """
    local, _, domain = text.strip().rpartition("@")
    try:
        ascii_domain = domain.encode("idna").decode("ascii")
    except UnicodeError:
        ascii_domain = ""
    parts = (*local.split("."), ascii_domain)
    if not all(map(_ATOM.fullmatch, parts)) or len(text) > ADDRESS_CHARACTERS_MAX:
        raise AddressInvalid(expected="an address such as anna@example.com")
    return f"{local}@{ascii_domain}"


def _return_path(sender: Sender, *, message_id: str) -> str | None:
    """Name the message in the address that a report of its failure is sent to."""
    if sender.returns_to is None:
        return None
    mailbox, _, domain = parse_address(sender.returns_to).rpartition("@")
    return f"{mailbox}+{quote(message_id, safe='')}@{domain}"


def _body(message: Message) -> EmailMessage:
    body = EmailMessage(policy=_PLAIN)
    body.set_content(message.text)
    body.add_alternative(message.html, subtype="html")
    for image in message.images:
        _embed(body, image)
    for attachment in message.attachments:
        _attach(body, attachment)
    return body


def _embed(body: EmailMessage, image: InlineImage) -> None:
    """Put a picture beside the HTML that shows it (RFC 2387)."""
    page = body.get_body(("html", "related"))
    assert page is not None, "the HTML was added before"
    maintype, _, subtype = image.media_type.partition("/")
    page.add_related(image.content, maintype, subtype, cid=f"<{image.content_id}>")


def _attach(body: EmailMessage, attachment: Attachment) -> None:
    part = EmailMessage(policy=_PLAIN)
    part["Content-Type"] = attachment.media_type
    header = part["Content-Type"]
    body.add_attachment(
        attachment.content,
        maintype=header.maintype,
        subtype=header.subtype,
        params=dict(header.params),
        filename=_one_line(attachment.name),
    )


def _one_line(text: str) -> str:
    """Make one line of a text, without anything that is not shown."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


def _words(text: str, *, header: str) -> str:
    """Write one line of any text as a header's value.

    The newer header classes of the library lose or add spaces when they fold long values in other
    alphabets; the older one does not.
    """
    line = _one_line(text)
    if _is_plain(line):
        return line
    return Header(line, "utf-8", header_name=header).encode(linesep="\r\n")


def _phrase(name: str) -> str:
    """Write a name before an address."""
    line = _one_line(name)
    if not _is_plain(line):
        return _words(line, header="From")
    escaped = line.replace("\\", r"\\").replace('"', r"\"")
    return f'"{escaped}"' if line else ""


def _is_plain(line: str) -> bool:
    return line.isascii() and len(line) <= PLAIN_CHARACTERS_MAX and "=?" not in line


def _ways_to_unsubscribe(sender: Sender, *, message_id: str) -> dict[str, str]:
    token = quote(message_id, safe="")
    by_mail = f"<mailto:{quote(sender.address, safe='@')}?subject=unsubscribe%20{token}>"
    if not sender.unsubscribe_url:
        return {"List-Unsubscribe": by_mail}
    return {
        "List-Unsubscribe": f"<{sender.unsubscribe_url}?message={token}>, {by_mail}",
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
    }
