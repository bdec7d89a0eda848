"""Letters about what went wrong, as people, their programs and machines write them (A12)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offramp.documents.case_mail import LETTER_BYTES_MAX, read_letter

ADDRESS = "help@vendor.example"
CASE = "0191a3c8-5b6e-7000-8000-0123456789ab"


def letter(body="Where are my certificates?", *, to=ADDRESS, sender="anna@acme.example", more=""):
    return (
        f"From: Anna <{sender}>\nTo: Help <{to}>\nSubject: Certificates\n"
        f"Message-ID: <one@acme.example>\n{more}\n{body}\n"
    ).encode()


def read(content):
    return read_letter(content, address=ADDRESS)


def test_a_letter_says_who_writes_and_what():
    found = read(letter())

    assert (found.sender, found.about) == ("anna@acme.example", "")
    assert found.text == "Certificates\n\nWhere are my certificates?"


@pytest.mark.parametrize("detail", ["no-achievements", CASE])
@pytest.mark.parametrize("header", ["To", "Cc", "Delivered-To", "X-Original-To"])
def test_what_stands_behind_the_plus_sign_says_what_it_is_about(detail, header):
    addressed = f"{header}: Help@vendor.example, HELP+{detail}@Vendor.example\n"

    assert read(letter(more=addressed, to="other@vendor.example")).about == detail


@pytest.mark.parametrize(
    "to", ["help+@vendor.example", "helper+a@vendor.example", "help+a@vendor.example.org"]
)
def test_an_address_that_is_not_ours_says_nothing(to):
    assert read(letter(to=to)).about == ""


@pytest.mark.parametrize(
    "more",
    [
        "Auto-Submitted: auto-replied\n",
        "Auto-Submitted: auto-generated; type=x\n",
        "Precedence: Bulk\n",
        "List-Id: <news.example>\n",
        "Return-Path: <>\n",
        "Content-Type: multipart/report; boundary=b\n",
    ],
)
def test_what_a_machine_wrote_is_no_letter(more):
    assert read(letter(more=more)) is None


def test_a_person_may_say_that_no_machine_wrote_it():
    assert read(letter(more="Auto-Submitted: no\n")) is not None


@pytest.mark.parametrize("sender", ["", "anna", "a@x.example>, <b@y.example"])
def test_a_letter_of_nobody_or_of_several_is_none(sender):
    assert read(letter(sender=sender)) is None


def test_the_same_letter_is_known_by_its_id_however_it_came():
    first, again = read(letter()), read(letter(more="Received: by another way\n"))
    other = read(letter().replace(b"<one@", b"<two@"))

    assert first.key == again.key != other.key


def test_without_an_id_its_content_tells_letters_apart():
    bare = letter().replace(b"Message-ID: <one@acme.example>\n", b"")

    assert read(bare).key == read(bare).key != read(bare + b"more").key


def test_what_is_quoted_at_the_end_is_left_out():
    body = "Still nothing.\n\nOn Monday, Help wrote:\n> We look into it.\n>\n> Help\n"

    assert read(letter(body)).text == "Certificates\n\nStill nothing."


def test_who_answers_between_the_lines_keeps_them():
    body = "> Which one?\nThe first one.\n"

    assert read(letter(body)).text.endswith("> Which one?\nThe first one.")


def test_a_page_is_read_as_its_reader_sees_it():
    page = (
        "<html><head><title>x</title><style>p{}</style></head><body><p>Dear&nbsp;team,</p>"
        "<div>it did <b>not</b> come<br>yet</div><script>bad()</script></body></html>"
    )

    text = read(letter(page, more="Content-Type: text/html; charset=utf-8\n")).text

    assert [line for line in text.splitlines() if line] == [
        "Certificates",
        "Dear team,",
        "it did not come",
        "yet",
    ]


def test_of_two_forms_the_plain_one_is_read_and_files_are_not():
    body = (
        "--b\nContent-Type: text/plain\nContent-Disposition: attachment\n\nsecret\n"
        "--b\nContent-Type: text/html\n\n<p>as a page</p>\n"
        "--b\nContent-Type: text/plain\n\nas it is\n--b--\n"
    )

    found = read(letter(body, more="Content-Type: multipart/mixed; boundary=b\n"))

    assert found.text == "Certificates\n\nas it is"


@pytest.mark.parametrize(
    ("charset", "body"),
    [("iso-8859-1", "Gr\xfc\xdfe"), ("klingon", "Grüße"), ("utf-8", "Grüße")],
)
def test_every_alphabet_is_read_and_an_unknown_one_as_far_as_it_goes(charset, body):
    head = letter("", more=f"Content-Type: text/plain; charset={charset}\n")
    encoded = body.encode("latin-1" if charset == "iso-8859-1" else "utf-8")

    assert read(head + encoded).text == "Certificates\n\nGrüße"


def test_a_subject_in_another_alphabet_is_read():
    written = letter().replace(
        b"Subject: Certificates", b"Subject: =?utf-8?q?Zertifikate_f=C3=BCr?="
    )

    assert read(written).text.startswith("Zertifikate für\n")


def test_what_is_too_large_is_cut():
    assert len(read(letter("a " * LETTER_BYTES_MAX)).text) < LETTER_BYTES_MAX


@pytest.mark.parametrize(
    ("more", "body"),
    [
        ("Auto-Submitted: no; x=\xff\n", "Hello"),
        ("Precedence: \xff\nReturn-Path: <\xff>\n", "Hello"),
        ("Subject: =?utf-8?b?a?=\n", "Hello"),
        ("Subject: =?\xff?q?a?=\n", "Hello"),
        ('Content-Type: text/plain; charset="a\x00b"\n', "Hello"),
        ("Content-Type: text/html\n", "<p>Hello<![endif]--><![x y]><![ z"),
        ("Content-Type: text/html\n", "<![if !mso]><p>Hello</p><![endif]>"),
    ],
)
def test_what_the_library_breaks_of_is_read_as_far_as_it_goes(more, body):
    """Heads in no known alphabet, and the marks of word processors."""
    content = letter("BODY", more=more).replace(b"Subject: Certificates\n", b"", "Subject" in more)

    found = read(content.decode().encode("latin-1").replace(b"BODY", body.encode()))

    assert found.sender == "anna@acme.example"
    assert "Hello" in found.text


@given(st.binary(max_size=400), st.sampled_from([b"", letter(), letter(more="Content-Type: ")]))
def test_whatever_is_sent_is_read_without_a_mistake(noise, begin):
    read(begin + noise)
    read(noise + begin)
