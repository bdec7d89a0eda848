"""The vendor's brand: what is in the head of every message, and travels with it."""

from email import message_from_bytes
from email.policy import default

import pytest
from whenever import Instant

from offramp.adapters.mail_format import Sender, format_mail
from offramp.adapters.message.brand import LOGO_BYTES_MAX, Brand, LogoInvalid, read_logo
from offramp.bootstrap import open_composer, sender_of
from offramp.config import SettingInvalid, load_settings
from offramp.core.errors import OfframpError
from offramp.ports import Attachment, Message

PNG = b"\x89PNG\r\n\x1a\n and more"
AT = Instant.from_utc(2024, 8, 31, 8)


@pytest.mark.parametrize(
    ("content", "media_type"),
    [(PNG, "image/png"), (b"\xff\xd8\xff\xe0", "image/jpeg"), (b"GIF89a", "image/gif")],
)
def test_a_logo_is_known_by_its_content(tmp_path, content, media_type):
    (tmp_path / "logo").write_bytes(content)

    assert read_logo(tmp_path / "logo").media_type == media_type


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (None, "no such file"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "neither PNG nor JPEG nor GIF"),
        (PNG + b" " * LOGO_BYTES_MAX, "every message carries it"),
    ],
    ids=["missing", "SVG", "large"],
)
def test_a_logo_that_readers_would_not_see_is_refused(tmp_path, content, problem):
    if content is not None:
        (tmp_path / "logo").write_bytes(content)

    with pytest.raises(LogoInvalid, match=problem):
        read_logo(tmp_path / "logo")


def test_the_logo_travels_beside_the_html_and_is_no_attachment(tmp_path):
    (tmp_path / "logo.png").write_bytes(PNG)
    message = Message(
        id="1",
        to="anna@example.com",
        to_name="Anna",
        subject="Soon",
        text="Soon.",
        html="<p>Soon.</p>",
        attachments=(Attachment(name="a.json", media_type="application/json", content=b"{}"),),
        images=(read_logo(tmp_path / "logo.png"),),
    )

    envelope = format_mail(message, sender=Sender(address="x@example.com", name=""), at=AT)

    mail = message_from_bytes(envelope.content, policy=default)
    html = mail.get_body(("html",))
    [logo] = [part for part in mail.walk() if part["Content-ID"]]
    assert (logo["Content-ID"], logo.get_content()) == ("<logo@brand>", PNG)
    assert logo.get_content_disposition() == "inline"
    assert html.get_content().strip() == "<p>Soon.</p>"
    assert mail.get_body(("plain",)).get_content().strip() == "Soon."
    assert [part.get_filename() for part in mail.iter_attachments()] == ["a.json"]


@pytest.mark.parametrize(
    ("support", "link"),
    [
        ("help@vendor.example", "mailto:help@vendor.example"),
        ("https://vendor.example/help", "https://vendor.example/help"),
        (None, None),
    ],
)
def test_support_is_an_address_of_the_web_or_of_mail(support, link):
    assert Brand(support=support).support_link == link


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("brand_color", "blue"),
        ("brand_color", "#12345"),
        ("brand_agreement", "javascript:alert(1)"),
        ("brand_information", "www.vendor.example"),
        ("brand_support", "call us"),
    ],
)
def test_a_brand_that_cannot_be_shown_is_refused_as_a_setting(name, value):
    with pytest.raises(SettingInvalid) as refused:
        load_settings(**{name: value})

    assert refused.value.path == name


def test_mail_comes_from_the_brand_unless_another_name_is_given():
    assert sender_of(load_settings(brand_name="Trellis")).name == "Trellis"
    assert sender_of(load_settings(brand_name="Trellis", mail_from_name="Help")).name == "Help"


def test_whoever_unsubscribes_is_led_to_the_public_address_where_there_is_one():
    """L12."""
    address = "https://leaving.vendor.example/off"
    found = sender_of(load_settings(public_address=f"{address}/")).unsubscribe_url

    assert found == f"{address}/unsubscribe"
    assert sender_of(load_settings()).unsubscribe_url is None


@pytest.mark.parametrize(
    ("support", "reply_to"),
    [
        ("help@trellis.example", "help@trellis.example"),
        ("https://trellis.example/help", None),
        (None, None),
    ],
)
def test_whoever_answers_a_message_reaches_support(support, reply_to):
    sender = sender_of(load_settings(brand_support=support, mail_from="x@trellis.example"))
    message = Message(
        id="1", to="anna@example.com", to_name="", subject="Soon", text="Soon.", html="<p>Soon.</p>"
    )

    envelope = format_mail(message, sender=sender, at=AT)

    mail = message_from_bytes(envelope.content, policy=default)
    assert mail["Reply-To"] == reply_to


def test_a_logo_that_is_missing_is_told_at_the_start(tmp_path):
    settings = load_settings(brand_logo=tmp_path / "gone.png")

    with pytest.raises(OfframpError, match=r"gone\.png"):
        open_composer(settings)
