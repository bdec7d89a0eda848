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
from offramp.adapters.message.brand import Brand
from offramp.core.dates import first_instant
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


def end_of(year, month, day):
    """Give the end of a day in Dublin."""
    return first_instant(Date(year, month, day).next_day(), "Europe/Dublin")


FACTS = NoticeFacts(
    notice="expiring-soon",
    product=None,
    stage="active",
    stage_title="Active",
    zone="Europe/Dublin",
    stated_at=Instant.from_utc(2024, 8, 16, 8),
    stage_ends_at=end_of(2024, 8, 30),
    access_ends_at=end_of(2024, 8, 30),
    exports_at=Instant.from_utc(2024, 9, 22, 8),
    exports_to=frozenset({Role.ADMIN}),
    erases_at=Instant.from_utc(2024, 9, 29, 2),
    erases_before=end_of(2024, 9, 29),
    days_left=15,
    agreement="https://vendor.example/agreement",
    information="https://vendor.example/leaving?a=1&b=2",
    support="https://vendor.example/support",
)
EXPIRED = replace(
    FACTS,
    product="notes",
    stage="expired",
    stage_title="Expired",
    stated_at=Instant.from_utc(2024, 8, 31, 8),
    stage_ends_at=end_of(2024, 11, 28),
    exports_at=None,
    erases_at=Instant.from_utc(2025, 8, 30, 2),
    erases_before=end_of(2026, 2, 28),
    days_left=90,
)
SCARCE = replace(
    EXPIRED,
    stage_ends_at=None,
    access_ends_at=None,
    erases_at=None,
    erases_before=None,
    days_left=None,
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
    return (composer or JinjaComposer(brand=Brand(name="Vendor"))).compose(
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


@pytest.mark.parametrize(
    ("locale", "small", "large"),
    [
        ("en", "62 kB", "1.8 MB"),
        ("de", "62 kB", "1,8 MB"),
        ("fr", "62\xa0ko", "1,8\xa0Mo"),
        ("es", "62 kB", "1,8 MB"),
        ("pl", "62 kB", "1,8 MB"),
    ],
)
def test_a_size_is_written_with_the_units_of_its_language(locale, small, large):
    files = [
        Attachment(name=name, media_type="application/json", content=b"x" * size)
        for name, size in (("a.json", 62_000), ("b.json", 1_834_000))
    ]

    message = compose(
        replace(FACTS, notice="company-data"),
        member=replace(ANNA, locale=locale),
        attachments=tuple(files),
    )

    for words in (message.text, Page(message.html).words):
        assert f"a.json ({small})" in words
        assert f"b.json ({large})" in words


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
    late = replace(EXPIRED, erases_at=Instant.from_utc(2026, 3, 10, 2))

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


def test_the_first_of_a_month_is_written_as_the_language_does():
    facts = replace(FACTS, access_ends_at=end_of(2024, 8, 1))

    message = compose(facts, member=replace(ANNA, locale="fr"))

    assert message.subject == "L’accès à Acme prend fin le 1er août 2024"
    assert "jeudi 1er août 2024" in message.text


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


@pytest.mark.parametrize(
    ("zone", "day", "weekday", "time", "deletion"),
    [
        ("Europe/Warsaw", "August 31, 2024", "Saturday", "1:00 AM", "Sunday, September 29"),
        ("Pacific/Auckland", "August 31, 2024", "Saturday", "11:00 AM", "Sunday, September 29"),
        ("America/New_York", "August 30, 2024", "Friday", "7:00 PM", "Saturday, September 28"),
    ],
)
def test_a_reader_elsewhere_is_told_days_and_hours_of_their_own_N1(
    zone, day, weekday, time, deletion
):
    message = compose(member=replace(ANNA, zone=zone))

    assert message.subject == f"Access to Acme ends on {day}, {time}"
    for words in (message.text, Page(message.html).words):
        plain = words.replace("\xa0", " ")
        assert f"those of your time zone, {zone}." in plain
        assert f"{weekday}, {day}, {time}" in plain
        assert f"{deletion}, 2024" in plain


def test_a_reader_at_home_is_told_whole_days_and_no_zone():
    text = compose().text

    assert "time zone" not in text
    assert "Full access until: Friday, August 30, 2024\n" in text


def test_nothing_that_a_customer_typed_is_markup():
    evil = '<img src=x onerror=alert(1)> & "quotes" {{ 7 * 7 }} %(name)s 100%'
    named = replace(ACME, name=evil)

    for notice in NOTICES:
        facts = replace(FACTS, notice=notice, product=evil, stage_title=evil, stage_ends_at=None)
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
    composer = JinjaComposer()
    assert composer.attach_achievements([], member=ANNA, organization=ACME, at=AT) == ()

    text = compose(replace(FACTS, notice="achievements")).text

    assert "We have no certificates or badges on record" in text


def messages_to_translate():
    methods = [
        (f"**.{end}", "jinja2.ext:babel_extract") for end in ("jinja", "txt", "html", "mjml")
    ]
    options = {"**": {"extensions": "jinja2.ext.i18n"}}
    found = {m for _, _, m, _, _ in extract_from_dir(str(PRESETS), methods, options)}
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
    assert told.subject == f"Zoë: {own.subject}"
    assert f">{told.subject}</h1>" in told.html


@pytest.mark.parametrize("notice", ["deletion-warning", "now-marked-for-deletion"])
@pytest.mark.parametrize("locale", ["en", *LANGUAGES])
def test_nobody_is_told_that_everything_goes_where_only_one_members_data_does(notice, locale):
    everything = replace(EXPIRED, notice=notice)
    reader = replace(ANNA, locale=locale)

    alone = compose(replace(everything, is_one_member=True), member=reader)

    whole = compose(everything, member=reader)
    assert alone.subject != whole.subject
    assert alone.text.split("\n\n")[1] != whole.text.split("\n\n")[1]


def test_the_day_of_deletion_is_not_named_twice():
    facts = replace(FACTS, notice="generic", stage_title="Access ended")

    text = compose(replace(facts, stage_ends_at=end_of(2024, 9, 29))).text

    assert text.count("September 29, 2024") == 1
