"""A letter to the address for complaints: who wrote it, about what, and in which words.

Mail that a program sent of itself is no letter: who answered it would be answered for ever. What is
quoted at the end, and what is attached, is left out.

Source: RFC 5322 (form), 3834 (automatic mail), 5233 (addresses with a detail); mission A12;
docs/decisions/039-cases-by-mail.md.
"""

import re
from collections.abc import Iterator, Sequence
from email import message_from_bytes
from email.errors import MessageError
from email.header import decode_header, make_header
from email.message import Message
from email.utils import getaddresses
from hashlib import sha256
from html.parser import HTMLParser

from offramp.core.case import Letter

LETTER_BYTES_MAX = 1024 * 1024  # what follows are files
_WAYS_HERE = ("Delivered-To", "X-Original-To", "Envelope-To", "To", "Cc")
_BY_MACHINE = frozenset({"bulk", "junk", "list"})
_UNREAD = frozenset({"script", "style", "head", "title"})
_BREAKING = frozenset({"br", "div", "p", "li", "tr", "h1", "h2", "h3", "blockquote"})
_EMPTY_LINES = re.compile(r"\n{3,}")


def read_letter(content: bytes, *, address: str) -> Letter | None:
    """Read mail to an address; none where nobody wrote it.

    Args:
        address: ours; what stands behind a plus sign in it says what a letter is about.
    """
    try:
        message = message_from_bytes(content[:LETTER_BYTES_MAX])
        senders = [mail for _, mail in getaddresses(message.get_all("From", [])) if "@" in mail]
        if _is_automatic(message) or len(senders) != 1:
            return None
        texts = [_subject(message), _without_quotes(_words(message))]
    except RecursionError:
        return None
    key = _field(message, "Message-ID").strip().encode(errors="replace") or content
    return Letter(
        key=sha256(key).hexdigest(),
        sender=senders[0],
        about=_detail(message, address),
        text="\n\n".join(filter(None, texts)),
    )


def _is_automatic(message: Message) -> bool:
    submitted = _field(message, "Auto-Submitted", "no").partition(";")[0].strip().lower()
    return (
        submitted != "no"
        or _field(message, "Precedence").strip().lower() in _BY_MACHINE
        or "List-Id" in message
        or _field(message, "Return-Path").strip() == "<>"
        or message.get_content_type() == "multipart/report"
    )


def _detail(message: Message, address: str) -> str:
    """Give what stands behind the plus sign of the address that a letter was sent to."""
    mailbox, _, domain = address.lower().rpartition("@")
    ours = re.compile(rf"{re.escape(mailbox)}\+([\w-]+)@{re.escape(domain)}", re.ASCII)
    for name in _WAYS_HERE:
        for _, mail in getaddresses(message.get_all(name, [])):
            if found := ours.fullmatch(mail.lower()):
                return found[1]
    return ""


def _field(message: Message, name: str, default: str = "") -> str:
    """Give a field of the head as text; the library gives another thing where it is no ASCII."""
    return str(message.get(name, default))


def _subject(message: Message) -> str:
    raw = _field(message, "Subject")
    try:
        return " ".join(str(make_header(decode_header(raw))).split())
    except (MessageError, LookupError, ValueError):  # of no known alphabet, or cut in two
        return " ".join(raw.split())


def _words(message: Message) -> str:
    """Give the first plain text, or else what is read in the first page."""
    for kind in ("text/plain", "text/html"):
        for part in _shown(message):
            if part.get_content_type() == kind:
                text = _decoded(part)
                return text if kind == "text/plain" else _read(text)
    return ""


def _shown(message: Message) -> Iterator[Message]:
    return (part for part in message.walk() if part.get_content_disposition() != "attachment")


def _decoded(part: Message) -> str:
    payload = part.get_payload(decode=True)
    content = payload if isinstance(payload, bytes) else b""
    try:
        text = content.decode(part.get_content_charset("utf-8"), "replace")
    except (LookupError, ValueError):  # an alphabet that nobody knows, or whose name is none
        text = content.decode("utf-8", "replace")
    return text.replace("\r\n", "\n").replace("\x00", "").strip()


def _read(html: str) -> str:
    page = _Page()
    page.feed(html)
    page.close()
    lines = (" ".join(line.split()) for line in "".join(page.words).splitlines())
    return _EMPTY_LINES.sub("\n\n", "\n".join(lines)).strip()


class _Page(HTMLParser):
    """What is read on a page, without a word of what makes it look as it does."""

    def __init__(self) -> None:
        super().__init__()
        self.words: list[str] = []
        self._unread = 0

    def handle_starttag(self, tag: str, attrs: Sequence[tuple[str, str | None]]) -> None:
        self._unread += tag in _UNREAD
        if tag in _BREAKING:
            self.words.append("\n")

    def handle_endtag(self, tag: str) -> None:
        self._unread = max(0, self._unread - (tag in _UNREAD))

    def parse_marked_section(self, i: int, report: bool = True) -> int:
        """Pass over what programs write for one another; the library refuses what it is not told.

        A subclass is asked for the place behind it, or -1 where it does not end.
        """
        return self.rawdata.find(">", i) + 1 or -1

    def handle_data(self, data: str) -> None:
        if not self._unread:
            self.words.append(data)


def _without_quotes(text: str) -> str:
    """Leave out what is quoted at the end, with the line that says whose words they are."""
    lines = text.splitlines()
    kept = len(lines)
    while kept and (not lines[kept - 1].strip() or lines[kept - 1].startswith(">")):
        kept -= 1
    if kept < len(lines) and kept and lines[kept - 1].rstrip().endswith(":"):
        kept -= 1
    return "\n".join(lines[:kept] or lines).strip()
