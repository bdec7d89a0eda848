"""A form that is filled in says what the templates would have said, or there is no form."""

from dataclasses import replace

import pytest

from offramp.adapters.composer_jinja import JinjaComposer
from offramp.adapters.message.brand import Brand
from offramp.adapters.message.form import is_form
from tests.unit.adapters.test_composer_jinja import ACME, ANNA, FACTS

ADDED = "{% extends frame %}{% block subject %}S{% endblock %}{% block body %}B{% endblock %}"
FRAME = "{{ self.subject() }} {{ self.body() }}"
NAMES = ["Anna", 'Zoë "Zo" <b>&amp;</b> O\'Neil', "%(name)s {{ name }}", "  ", "a\nb", ""]


class Unformed(JinjaComposer):
    """Renders every message by itself."""

    def _write(self, occasion, reader):
        return self._render(occasion, reader)


class Counting(JinjaComposer):
    """Counts how often templates are rendered."""

    rendered = 0

    def _render(self, occasion, reader):
        self.rendered += 1
        return super()._render(occasion, reader)


FORMED, UNFORMED = JinjaComposer(brand=Brand(name="V")), Unformed(brand=Brand(name="V"))


def compose(composer, name, *, notice=FACTS.notice, **changes):
    member = replace(ANNA, name=name, **changes)
    facts = replace(FACTS, notice=notice)
    return composer.compose(facts, message_id="1", member=member, organization=ACME)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("locale", FORMED.languages)
@pytest.mark.parametrize("notice", FORMED.notices)
def test_a_form_that_is_filled_in_is_what_templates_would_have_written(notice, locale, name):
    formed = compose(FORMED, name, notice=notice, locale=locale)

    assert formed == compose(UNFORMED, name, notice=notice, locale=locale)


def test_readers_of_one_language_and_zone_share_a_form():
    composer = Counting()

    for number in range(10):
        compose(composer, f"Anna {number}", locale=("en", "de")[number % 2])

    assert composer.rendered == 2


def test_whoever_has_no_name_gets_another_form():
    composer = Counting()

    texts = [compose(composer, name).text for name in ("Anna", "", "Ben")]

    assert composer.rendered == 2
    assert [text.splitlines()[0] for text in texts] == ["Hello Anna,", "Hello,", "Hello Ben,"]


@pytest.mark.parametrize(
    ("frame", "expected"),
    [
        ("{{ member.name }}", True),
        ("{% if member.name %}{{ member.name }}{% endif %}", True),
        ("{% trans name=member.name %}Hello {{ name }}{% endtrans %}", True),
        ('{{ _("Hello %(name)s", name=member.name) }}', True),
        ("{% for one in [1, 2] %}{{ member.name }}{% endfor %}", True),
        ("{{ member.email }}", False),
        ("{{ member }}", False),
        ("{{ member['name'] }}", False),
        ("{{ member.name | upper }}", False),
        ("{{ member.name.split()[0] }}", False),
        ("{{ 'Dear ' ~ member.name }}", False),
        ("{{ 'x' if member.name else 'y' }}", False),
        ("{% if member.name == 'Anna' %}x{% endif %}", False),
        ("{% if not member.name %}x{% endif %}", False),
        ("{% if member.name or zone %}x{% endif %}", False),
        ("{% trans name=member.name | upper %}Hello {{ name }}{% endtrans %}", False),
        ('{{ _("Hello %(name)s", name=member.name) | wordwrap(9) }}', False),
        ("{% filter upper %}{{ member.name }}{% endfilter %}", False),
        ("{% set name %}{{ member.name }}{% endset %}{{ name | length }}", False),
        ("{% set name = member.name %}{{ name }}", False),
        ("{% macro hello() %}{{ member.name }}{% endmacro %}{{ hello() | length }}", False),
        ("{% block hello %}{{ member.name }}{% endblock %}{{ self.hello() | length }}", False),
        ("{% for letter in member.name %}{{ letter }}{% endfor %}", False),
        ("{% import 'shared.jinja' as shown with context %}{{ shown.name }}", False),
        ("{% include 'shared.jinja' %}", False),
        ("{% include [zone, 'plain.jinja'] %}", False),
        ("{% include 'plain.jinja' %}", True),
        ("{% include zone %}", False),
    ],
)
def test_only_a_name_that_is_printed_as_it_is_can_be_left_blank(tmp_path, frame, expected):
    (tmp_path / "notices").mkdir()
    (tmp_path / "notices" / "added.jinja").write_text(ADDED)
    (tmp_path / "shared.jinja").write_text("{% set name = member.name | upper %}")
    (tmp_path / "plain.jinja").write_text("{{ place }}")
    (tmp_path / "body.txt").write_text(frame + FRAME)
    environment = JinjaComposer(tmp_path)._languages.open("en").text

    assert is_form(environment, notice="notices/added.jinja", frame="body.txt") is expected


def test_a_notice_that_speaks_of_its_reader_is_no_form(tmp_path):
    """What stands in a block has its lines broken by its length."""
    (tmp_path / "notices").mkdir()
    spoken = ADDED.replace("B{%", "{{ member.name }} is a reader.{%")
    (tmp_path / "notices" / "expiring-soon.jinja").write_text(spoken)
    composer = Counting(tmp_path)

    texts = [compose(composer, name).text for name in ("Anna", "Ben")]

    assert composer.rendered == 2
    assert "Anna is a reader." in texts[0]
    assert "Ben is a reader." in texts[1]


def test_a_form_has_nothing_of_the_reader_who_was_first():
    composer = JinjaComposer()
    compose(composer, "Anna")

    second = compose(composer, "Ben")

    assert "Anna" not in second.subject + second.text + second.html
