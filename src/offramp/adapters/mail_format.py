"""One message as the bytes that a mail server is given, and the envelope that they travel in.

Every header is decided here. Nothing that a person has typed can become one: line breaks and other
control characters are taken out of names and subjects, and an address that holds any is refused.

The library's message is a tree of parsed headers, and making one for every part took longer than
all other work on a mail. So the headers of a part come from it, once for each kind of part; the
parts are encoded and put together here.

Source: RFC 5322 and 2046 (form), 3834 (automatic mail), 2369 and 8058 (unsubscribing), 6531
(addresses that are not ASCII), 3490 (domains that are not); lesson L12.
"""

import re
from binascii import b2a_base64, b2a_qp
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from email.header import Header
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from functools import lru_cache
from hashlib import sha256
from itertools import chain
from struct import Struct
from urllib.parse import quote

from markupsafe import escape
from whenever import Instant

from offramp.core.errors import Invalid
from offramp.ports import Attachment, InlineImage, Message, MessageRefused

ADDRESS_INVALID = "5.1.3"  # RFC 3463: bad destination mailbox address syntax
PLAIN_CHARACTERS_MAX = 60  # longer words are folded, which only encoded ones can be anywhere
ADDRESS_CHARACTERS_MAX = 254  # RFC 5321, section 4.5.3.1.3

# Seven bits need no permission from any server on the way.
_PLAIN = SMTP.clone(cte_type="7bit")
_LINE_CHARACTERS_MAX = 76  # of encoded content: RFC 2045, section 6
_MANY_LINES = Struct(f"{_LINE_CHARACTERS_MAX}s" * 64)  # are cut faster than one after the other
_BASE64_GROWTH = 78 / 57  # what a line of it, with its end, stands for
_PARTS_KEPT = 64  # kinds of parts whose headers are remembered; names of files are alike in a step
_SUBJECTS_KEPT = 64
_RUNS_KEPT = 128  # some kilobytes each; a form letter has a few
_OWN_KEPT = 8  # addresses of the vendor's own
_FIRST_DOT = re.compile(rb"^\.", re.MULTILINE)
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
    origin = _own_address(sender.address)
    returns_to = _return_path(sender, message_id=message.id) or origin
    needs_utf8 = not (recipient + origin + returns_to).isascii()
    headers = {
        "Date": format_datetime(at.to_stdlib()),
        "From": f"{_phrase(sender.name)} <{origin}>",
        "To": f"{_phrase(message.to_name)} <{recipient}>",
        "Subject": _subject(message.subject),
        "Message-ID": f"<{quote(message.id, safe=_ID_CHARACTERS)}@{origin.rpartition('@')[2]}>",
        "Auto-Submitted": "auto-generated",
    }
    reply_to = message.reply_to or sender.reply_to
    if reply_to is not None:
        headers["Reply-To"] = f"<{parse_address(reply_to)}>"
    if message.is_optional:
        headers |= _ways_to_unsubscribe(sender, message_id=message.id)
    headers["MIME-Version"] = "1.0"
    head = "".join(f"{name}: {value.strip()}\r\n" for name, value in headers.items())
    content = b"".join((head.encode(), *_body(message)))
    return Envelope(
        sender=returns_to,
        recipient=recipient,
        content=content,
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
    mailbox, _, domain = _own_address(sender.returns_to).rpartition("@")
    return f"{mailbox}+{quote(message_id, safe='')}@{domain}"


@lru_cache(maxsize=_OWN_KEPT)
def _own_address(text: str) -> str:
    """Read an address of the vendor's own; those of readers are remembered nowhere."""
    return parse_address(text)


def _body(message: Message) -> Iterator[bytes]:
    """Write both texts, the pictures beside the HTML (RFC 2387), and the files.

    No part can hold the line that parts them: it is made from the texts, whose digest they cannot
    contain, and the signs of base64 have no underscore.
    """
    boundary = f"=_{sha256(f'{message.text}{message.html}'.encode()).hexdigest()[:40]}"
    page: tuple[bytes, ...] = tuple(_text("html", message.html, reader=message.to_name))
    if message.images:
        pictures = (_file(image.content, _picture_head(image)) for image in message.images)
        page = tuple(_multipart("related", f"{boundary}.r", [page, *pictures]))
    plain = _text("plain", message.text, reader=message.to_name)
    texts = tuple(_multipart("alternative", f"{boundary}.a", [plain, page]))
    if not message.attachments:
        return iter(texts)
    files = (_file(each.content, _file_head(each)) for each in message.attachments)
    return _multipart("mixed", f"{boundary}.m", [texts, *files])


def _multipart(kind: str, boundary: str, parts: Iterable[Iterable[bytes]]) -> Iterator[bytes]:
    """Part several parts by lines that none of them has (RFC 2046, section 5.1)."""
    yield f'Content-Type: multipart/{kind}; boundary="{boundary}"\r\n\r\n'.encode()
    for part in parts:
        yield f"--{boundary}\r\n".encode()
        yield from part
        yield b"\r\n"
    yield f"--{boundary}--\r\n".encode()


def _text(kind: str, text: str, *, reader: str) -> Iterator[bytes]:
    """Write a text as it is where mail can carry it so, else in whichever form is shorter."""
    runs = tuple(_runs(text.encode(), names={reader.encode(), escape(reader).encode()} - {b""}))
    size = sum(len(run.lines) for run in runs)
    if all(run.is_plain for run in runs):
        form, encoded = "7bit", [run.dotted for run in runs]
    elif sum(len(run.quoted) for run in runs) <= size * _BASE64_GROWTH:
        form, encoded = "quoted-printable", [run.quoted for run in runs]
    else:
        form, encoded = "base64", [_base64(b"".join(run.lines for run in runs))]
    yield (
        f'Content-Type: text/{kind}; charset="utf-8"\r\nContent-Transfer-Encoding: {form}\r\n\r\n'
    ).encode()
    yield from encoded


@dataclass(frozen=True, slots=True, kw_only=True)
class _Run:
    """Some whole lines of a text in each form that they can travel in.

    Attributes:
        dotted: as they are; no other line of a mail can begin with a dot (RFC 5321, 4.5.2).
        quoted: in quoted-printable, dotted as well.
        is_plain: whether mail can carry them as they are.
    """

    lines: bytes
    dotted: bytes
    quoted: bytes
    is_plain: bool


def _runs(text: bytes, *, names: Collection[bytes]) -> Iterator[_Run]:
    """Part lines with the reader's name from those without, which many messages share."""
    begin = 0
    while found := [at for name in names if (at := text.find(name, begin)) >= 0]:
        start = text.rfind(b"\n", begin, min(found)) + 1 or begin
        end = text.find(b"\n", min(found)) + 1 or len(text)
        yield _shared_run(text[begin:start])
        yield _run(text[start:end])
        begin = end
    yield _shared_run(text[begin:])


def _run(text: bytes) -> _Run:
    lines = text.splitlines()
    content = b"\r\n".join([*lines, b""])
    is_short = max(map(len, lines), default=0) <= _LINE_CHARACTERS_MAX
    return _Run(
        lines=content,
        dotted=_FIRST_DOT.sub(b"..", content),
        quoted=_FIRST_DOT.sub(b"..", b2a_qp(content)),
        is_plain=is_short and content.isascii(),
    )


_shared_run = lru_cache(maxsize=_RUNS_KEPT)(_run)


def _file(content: bytes, head: bytes) -> tuple[bytes, bytes]:
    return head, _base64(content)


def _base64(content: bytes) -> bytes:
    encoded, step = b2a_base64(content, newline=False), _LINE_CHARACTERS_MAX
    rest = len(encoded) - len(encoded) % _MANY_LINES.size
    lines = list(chain.from_iterable(_MANY_LINES.iter_unpack(memoryview(encoded)[:rest])))
    lines += [encoded[start : start + step] for start in range(rest, len(encoded), step)]
    return b"\r\n".join([*lines, b""])


def _picture_head(image: InlineImage) -> bytes:
    return _part_head(image.media_type, disposition="inline", content_id=image.content_id)


def _file_head(attachment: Attachment) -> bytes:
    return _part_head(attachment.media_type, name=_one_line(attachment.name))


@lru_cache(maxsize=_PARTS_KEPT)
def _part_head(
    media_type: str,
    *,
    disposition: str = "attachment",
    name: str | None = None,
    content_id: str | None = None,
) -> bytes:
    """Let the library write the headers of a part whose content is in base64."""
    part = EmailMessage(policy=_PLAIN)
    part["Content-Type"] = media_type
    part["Content-Transfer-Encoding"] = "base64"
    part["Content-Disposition"] = disposition
    if name is not None:
        part.set_param("filename", name, header="Content-Disposition")
    if content_id is not None:
        part["Content-ID"] = f"<{content_id}>"
    return part.as_bytes()


def _one_line(text: str) -> str:
    """Make one line of a text, without anything that is not shown."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


@lru_cache(maxsize=_SUBJECTS_KEPT)
def _subject(text: str) -> str:
    """Write a subject, which many messages have in common."""
    return _words(text, header="Subject")


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
    mailbox = sender.returns_to or sender.address
    by_mail = f"<mailto:{quote(mailbox, safe='@')}?subject=unsubscribe%20{token}>"
    if not sender.unsubscribe_url:
        return {"List-Unsubscribe": by_mail}
    return {
        "List-Unsubscribe": f"<{sender.unsubscribe_url}?message={token}>, {by_mail}",
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
    }
