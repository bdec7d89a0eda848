"""What people read: the facts, in their language, and nothing that they could be tricked with."""

import re
from dataclasses import replace
from html.parser import HTMLParser
from importlib.resources import files
from io import BytesIO

import pytest
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po
from jinja2 import UndefinedError
from whenever import Date, Instant

from offramp.adapters.composer_jinja import JinjaComposer
from offramp.core.model import Member, Organization, Role
from offramp.core.notice import NoticeFacts
from offramp.documents.yaml import load_yaml
from offramp.ports import Attachment

AT = Instant.from_utc(2024, 8, 31, 7)
ACME = Organization(
    id="acme", name="Acme", zone="Europe/Dublin", locale="en", policy="license-pool"
)
ANNA = Member(
    id="1",
    organization="acme",
    email="anna@example.com",
    name="Anna",
    roles=frozenset({Role.ADMIN}),
    locale="en",
    zone="Europe/Dublin",
)
FACTS = NoticeFacts(
    notice="expiring-soon",
    product=None,
    stage="active",
    stage_title="Active",
    stage_ends_on=Date(2024, 8, 30),
    days_left=15,
    access_ends_on=Date(2024, 8, 30),
    erases_on=Date(2024, 9, 29),
    erases_no_later_than=Date(2024, 9, 29),
    dates={},
    agreement="https://vendor.example/agreement",
    information="https://vendor.example/leaving?a=1&b=2",
    support="https://vendor.example/support",
)
EXPIRED = replace(
    FACTS,
    product="notes",
    stage="expired",
    stage_title="Expired",
    stage_ends_on=Date(2024, 11, 28),
    days_left=90,
    erases_on=Date(2025, 8, 30),
    erases_no_later_than=Date(2026, 2, 28),
)
SCARCE = replace(
    EXPIRED,
    stage_ends_on=None,
    days_left=None,
    access_ends_on=None,
    erases_on=None,
    erases_no_later_than=None,
    agreement=None,
    information=None,
    support=None,
)

PRESETS = files("offramp.presets")
MESSAGES = PRESETS / "messages"
LANGUAGES = ("de", "es", "fr", "pl")
NOTICES = sorted(file.name.removesuffix(".jinja") for file in (MESSAGES / "notices").iterdir())


def compose(
    facts=FACTS, *, member=ANNA, organization=ACME, composer=None, attachments=(), about=None
):
    return (composer or JinjaComposer(vendor="Vendor")).compose(
        facts,
        message_id="id-1",
        member=member,
        organization=organization,
        about=about,
        attachments=attachments,
    )


class Page(HTMLParser):
    """The tags, addresses and words of a page."""

    def __init__(self, html):
        super().__init__()
        self.tags, self.attributes, self.words, self._skips = [], [], "", False
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs
        self._skips = tag == "style"

    def handle_endtag(self, tag):
        self._skips = False

    def handle_data(self, data):
        self.words += "" if self._skips else data


def test_the_facts_stand_in_both_texts():
    """A5, B10: who, what, when, and where to turn."""
    message = compose()

    page = Page(message.html)
    assert message.subject == "Access to Acme ends on August 30, 2024"
    for words in (message.text, page.words):
        assert "15 days are left, today included" in " ".join(words.split())
        assert "Friday, August 30, 2024" in words
        assert "Sunday, September 29, 2024" in words
        assert "Vendor" in words
    for link in (FACTS.agreement, FACTS.information, FACTS.support):
        assert link in message.text
        assert ("href", link) in page.attributes


def test_a_message_keeps_its_id_its_reader_and_its_attachments():
    data = Attachment(name="data.json", media_type="application/json", content=b"x" * 1_834_000)

    message = compose(replace(FACTS, notice="company-data"), attachments=(data,))

    assert (message.id, message.to, message.to_name) == ("id-1", "anna@example.com", "Anna")
    assert message.attachments == (data,)
    assert "data.json (1.8 MB)" in message.text
    assert "data.json (1.8 MB)" in message.html


@pytest.mark.parametrize("notice", NOTICES)
@pytest.mark.parametrize("locale", ["en", *LANGUAGES])
@pytest.mark.parametrize("facts", [FACTS, EXPIRED, SCARCE], ids=["full", "window", "scarce"])
def test_every_notice_can_be_written_with_few_facts_in_every_language(notice, locale, facts):
    message = compose(replace(facts, notice=notice), member=replace(ANNA, locale=locale))

    assert message.subject
    for words in (message.subject, message.text, Page(message.html).words):
        assert not re.search(r"None|%\(|\{\{|Markup|Undefined", words)


def test_a_window_is_told_with_both_its_ends():
    """B6: between 12 and 18 months."""
    text = compose(replace(EXPIRED, notice="now-marked-for-deletion")).text

    assert "Deletion at the earliest on: Saturday, August 30, 2025" in text
    assert "Deletion at the latest on: Saturday, February 28, 2026" in text


def test_a_deletion_that_was_put_off_beyond_its_window_promises_no_latest_date():
    late = replace(EXPIRED, erases_on=Date(2026, 3, 10))

    assert "latest" not in compose(replace(late, notice="generic")).text


@pytest.mark.parametrize(
    ("locale", "days_left", "words"),
    [
        ("en", 1, "1 day is left"),
        ("en", 2, "2 days are left"),
        ("de", 1, "Es bleibt 1 Tag"),
        ("de", 2, "Es bleiben 2 Tage"),
        ("fr", 1, "il reste 1 jour,"),
        ("fr", 2, "il reste 2 jours,"),
        ("es", 1, "queda 1 día"),
        ("es", 2, "quedan 2 días"),
        ("pl", 1, "pozostał 1 dzień"),
        ("pl", 3, "pozostały 3 dni"),
        ("pl", 5, "pozostało 5 dni"),
        ("pl", 22, "pozostały 22 dni"),
    ],
)
def test_days_are_counted_as_the_language_counts(locale, days_left, words):
    facts = replace(FACTS, days_left=days_left)

    message = compose(facts, member=replace(ANNA, locale=locale))

    assert words in " ".join(message.text.split())


@pytest.mark.parametrize(
    ("locale", "subject"),
    [
        ("en-GB", "Access to Acme ends on 30 August 2024"),
        ("de_AT", "Der Zugang zu Acme endet am 30. August 2024"),
        ("fr-CA", "L’accès à Acme prend fin le 30 août 2024"),
        ("es", "El acceso a Acme termina el 30 de agosto de 2024"),
        ("pl", "Dostęp do Acme kończy się 30 sierpnia 2024"),
        ("ja", "Access to Acme ends on August 30, 2024"),
        ("no such locale", "Access to Acme ends on August 30, 2024"),
    ],
)
def test_words_and_dates_are_in_one_language_the_readers_or_english(locale, subject):
    assert compose(member=replace(ANNA, locale=locale)).subject == subject


def test_a_reader_without_locale_and_zone_has_the_organizations():
    reader = replace(ANNA, locale="", zone="")

    message = compose(member=reader, organization=replace(ACME, locale="de"))

    assert message.subject.startswith("Der Zugang")
    assert "Zeitzone" not in message.text


def test_the_zone_is_named_to_readers_elsewhere_alone():
    """N1: a date is a day in the organization's zone."""
    elsewhere = compose(member=replace(ANNA, zone="Europe/Warsaw"))

    for words in (elsewhere.text, elsewhere.html):
        assert "All dates are days in the time zone Europe/Dublin." in words
    assert "time zone" not in compose().text


def test_nothing_that_a_customer_typed_is_markup():
    evil = '<img src=x onerror=alert(1)> & "quotes" {{ 7 * 7 }} %(name)s 100%'
    named = replace(ACME, name=evil)

    for notice in NOTICES:
        facts = replace(FACTS, notice=notice, product=evil, stage_title=evil, stage_ends_on=None)
        message = compose(facts, member=replace(ANNA, name=evil), organization=named)

        page = Page(message.html)
        assert "img" not in page.tags
        assert evil in page.words
        assert f"Hello {evil}," in message.text


def test_nothing_is_fetched_when_a_message_is_opened():
    html = compose().html

    page = Page(html)
    assert not {"img", "script", "link", "iframe", "object"} & set(page.tags)
    assert not {"src", "srcset", "background"} & {name for name, _ in page.attributes}
    assert not re.search(r"url\(|@import|@font-face", html)


def test_a_notice_of_the_vendors_own_policy_is_written_generically():
    message = compose(replace(EXPIRED, notice="our-own"))

    assert message.subject == "Acme: Expired"
    assert "This stage lasts for 90 more days" in message.text


def test_a_vendor_may_bring_words_of_its_own(tmp_path):
    (tmp_path / "notices").mkdir()
    (tmp_path / "translations").mkdir()
    (tmp_path / "notices" / "expiring-soon.jinja").write_text(
        "{% extends frame %}{% block subject %}{% trans %}Soon{% endtrans %}{% endblock %}"
        "{% block body %}First\nparagraph.\n\nSecond and last.{% endblock %}"
    )
    (tmp_path / "translations" / "ja.po").write_text(
        'msgid ""\nmsgstr "Content-Type: text/plain; charset=utf-8\\n"\n\n'
        'msgid "Soon"\nmsgstr "まもなく"\n',
        encoding="utf-8",
    )
    composer = JinjaComposer(tmp_path)

    message = compose(member=replace(ANNA, locale="ja"), composer=composer)

    assert message.subject == "まもなく"
    assert "\n\nFirst paragraph.\n\nSecond and last.\n\n" in message.text
    assert ">Second and last.</p>" in message.html
    assert compose(member=replace(ANNA, locale="de"), composer=composer).subject == "Soon"


def test_a_template_that_uses_an_unknown_fact_fails_instead_of_leaving_a_gap(tmp_path):
    (tmp_path / "notices").mkdir()
    (tmp_path / "notices" / "generic.jinja").write_text("{{ facts.price }}")

    with pytest.raises(UndefinedError):
        compose(replace(FACTS, notice="generic"), composer=JinjaComposer(tmp_path))


def test_who_has_earned_nothing_gets_no_empty_file_and_is_told():
    composer = JinjaComposer(vendor="Vendor")
    assert composer.attach_achievements([], member=ANNA, organization=ACME, at=AT) == ()

    text = compose(replace(FACTS, notice="achievements")).text

    assert "We have no certificates or badges on record" in text


def messages_to_translate():
    methods = [(f"**.{end}", "jinja2.ext:babel_extract") for end in ("jinja", "txt", "html")]
    options = {"**": {"extensions": "jinja2.ext.i18n"}}
    found = {m for _, _, m, _, _ in extract_from_dir(str(MESSAGES), methods, options)}
    for preset in PRESETS.iterdir():
        if preset.name.endswith(".yaml"):
            found |= {stage["title"] for stage in load_yaml(preset).data["stages"]}
    return found


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_word_of_ours_is_translated_and_no_translation_is_left_over(language):
    catalog = read_po(BytesIO((MESSAGES / "translations" / f"{language}.po").read_bytes()))
    entries = [entry for entry in catalog if entry.id]

    assert {entry.id for entry in entries} == messages_to_translate()
    for entry in entries:
        originals = (entry.id,) if isinstance(entry.id, str) else entry.id
        translated = (entry.string,) if isinstance(entry.string, str) else entry.string
        needed = set(re.findall(r"%\(\w+\)s", originals[-1]))
        assert len(translated) == (1 if len(originals) == 1 else catalog.num_plurals)
        assert all(set(re.findall(r"%\(\w+\)s", words)) == needed for words in translated)
        assert not entry.fuzzy


@pytest.mark.parametrize(
    ("locale", "words"), [("en", "access of Zoë alone"), ("de", "allein um den Zugang von Zoë")]
)
def test_an_administrator_is_told_when_only_one_member_leaves(locale, words):
    leaver = replace(ANNA, id="m-9", name="Zoë", locale=locale)
    reader = replace(ANNA, locale=locale)

    told = compose(EXPIRED, member=reader, about=leaver)
    own = compose(EXPIRED, member=leaver, about=leaver)

    assert words in " ".join(told.text.split())
    assert words in told.html
    assert words not in own.text


def test_the_day_of_deletion_is_not_named_twice():
    last_day = Date(2024, 9, 29)
    facts = replace(FACTS, notice="achievements", stage_title="Access ended")

    text = compose(replace(facts, stage_ends_on=last_day, erases_on=last_day)).text

    assert text.count("September 29, 2024") == 1
