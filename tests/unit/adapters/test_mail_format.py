"""Headers as they stand on the wire, read back by a parser of the old school."""

from dataclasses import replace
from email import message_from_bytes
from email.header import decode_header, make_header
from email.utils import getaddresses, parseaddr

import pytest

from offramp.adapters.mail_format import Sender, format_mail
from tests.contract.mailer_contract import AT, MESSAGE

SENDER = Sender(address="account@vendor.example", name="Vendor")
LINE_CHARACTERS_MAX = 100


def header_of(name, **changes):
    content = format_mail(replace(MESSAGE, **changes), sender=SENDER, at=AT).content
    assert max(map(len, content.splitlines())) <= LINE_CHARACTERS_MAX
    return message_from_bytes(content)[name]


TEXTS = pytest.mark.parametrize(
    "text",
    [
        '"Dr." Żółć, <Müller> ' + "Ünï " * 40 + "(Verwaltung)",
        "Zażółć gęślą jaźń " * 12 + ".",
        "x" * 90 + " żółć " + "y" * 900,
        "ż" * 200,
        "a plain one " * 90 + ".",
        "=?utf-8?q?Eve?=",
        'back\\slash "quoted" <eve@example.com>,',
        "",
    ],
)


@TEXTS
def test_a_name_in_any_alphabet_arrives_whole(text):
    name, address = parseaddr(header_of("To", to_name=text))

    assert str(make_header(decode_header(name))) == text
    assert address == "anna@example.com"


@TEXTS
def test_a_subject_in_any_alphabet_arrives_whole(text):
    assert str(make_header(decode_header(header_of("Subject", subject=text)))) == text


@pytest.mark.parametrize("name", ["Anna, eve@example.com", 'Anna" <eve@example.com>, "', "A\\"])
def test_a_name_is_never_a_second_recipient(name):
    assert getaddresses([header_of("To", to_name=name)]) == [(name, "anna@example.com")]


def test_every_line_ends_as_mail_demands_and_dots_are_doubled():
    content = format_mail(replace(MESSAGE, text=".\n..\n"), sender=SENDER, at=AT).content

    assert b"\n" not in content.replace(b"\r\n", b"")
    assert content.endswith(b"\r\n")
    assert b"\r\n.\r\n" not in content
    assert b"\r\n..\r\n...\r\n" in content
