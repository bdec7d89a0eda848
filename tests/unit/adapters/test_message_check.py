"""A vendor's own templates are refused at the start, with the place and a hint, or they work."""

import pytest

from offramp.adapters.composer_jinja import JinjaComposer
from offramp.adapters.message.check import TemplateInvalid, TemplatesMissing
from offramp.adapters.message.vocabulary import BANNER_WORDS, PHRASE_WORDS, WORDS
from offramp.bootstrap import open_composer
from offramp.config import load_settings

HEAD = "{% extends frame %}\n{% block subject %}Hello{% endblock %}\n"
SUBJECT_ALONE = "{% extends frame %}\n{% block subject %}Hello{% endblock %}"
CATALOG = 'msgid ""\nmsgstr "Content-Type: text/plain; charset=utf-8\\n"\n\n'


def body(words):
    """Write a notice whose body begins on its third line."""
    return f"{HEAD}{{% block body %}}{words}{{% endblock %}}"


def banner(words):
    """Write a banner whose text begins on its third line."""
    blocks = "".join(f"{{% block {part} %}}{{% endblock %}}" for part in ("until", "advice"))
    return (
        "{% extends frame %}\n{% block heading %}Hello{% endblock %}\n"
        f"{{% block text %}}{words}{{% endblock %}}{blocks}"
    )


def write(folder, name, content):
    """Write one file of a vendor's folder."""
    file = folder / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(content, encoding="utf-8")
    return folder


def refusal(folder):
    """Give the error with which a folder is refused."""
    with pytest.raises(TemplateInvalid) as refused:
        JinjaComposer(folder).check()
    return refused.value


@pytest.mark.parametrize(
    ("words", "line", "problem", "hint"),
    [
        ("{{ facts.price }}", 3, "facts.price is not known", "facts.access_ends_on"),
        ("\n{{ facts.erases }}", 4, "facts.erases is not known", "did you mean erases_on?"),
        ("{{ facts['price'] }}", 3, "facts.price is not known here", "known are"),
        ("{{ membre.name }}", 3, "membre is not known here", "did you mean member?"),
        ("{% if false %}{{ member.rolls }}{% endif %}", 3, "member.rolls", "known are"),
        ("{% for f in attachments %}{{ f.size }}{% endfor %}", 3, "attachments.size", "size_bytes"),
        ("{{ organization.__class__ }}", 3, "organization.__class__ is not known", "known are"),
        ("{% if facts.erases_on %}", 3, "", None),
        ("{{ facts.erases_on | dya }}", 3, "No filter named 'dya'", "day, weekday"),
        ("{{ 7 * }}", 3, "unexpected", None),
    ],
)
def test_what_cannot_be_written_is_refused_with_its_line_and_a_hint(
    tmp_path, words, line, problem, hint
):
    error = refusal(write(tmp_path, "notices/expiring-soon.jinja", body(words)))

    assert error.file.endswith("expiring-soon.jinja")
    assert error.line == line
    assert problem in error.problem
    assert (hint or "") in (error.hint or "")


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        ("{{ facts.erases_on | day }}", "'NoneType' object has no attribute"),
        ("{{ facts.days_left + 1 }}", "unsupported operand"),
        ("{{ about.name }}", "has no attribute 'name'"),
        ("{{ attachments[0].name }}", "has no element 0"),
    ],
)
def test_a_fact_that_may_be_none_and_is_taken_for_granted_is_refused(tmp_path, words, problem):
    error = refusal(write(tmp_path, "notices/our-own.jinja", body(words)))

    assert (error.file, error.line) == (str(tmp_path / "notices" / "our-own.jinja"), 3)
    assert error.problem.startswith("the notice our-own cannot be written: ")
    assert problem in error.problem
    assert "ask first" in error.hint


@pytest.mark.parametrize("content", ["<mjml><mj-body></mjml>", "no mjml"])
def test_a_frame_that_is_no_mjml_is_refused(tmp_path, content):
    error = refusal(write(tmp_path, "body.mjml", content))

    assert error.file.endswith("body.mjml")


@pytest.mark.parametrize(
    ("entry", "line", "problem"),
    [
        ('msgid "On %(day)s"\nmsgstr "Am %(tag)s"\n', 4, "tag"),
        ('msgid "On %(day)s"\nmsgstr "Am %(day)"\n', 4, "incomplete format"),
        ("Montag\n", 3, "misformatted"),
    ],
    ids=["another placeholder", "half a placeholder", "something else"],
)
def test_a_translation_that_would_fail_or_say_less_is_refused(tmp_path, entry, line, problem):
    error = refusal(write(tmp_path, "translations/de.po", CATALOG + entry))

    assert (error.file, error.line) == (str(tmp_path / "translations" / "de.po"), line)
    assert problem in error.problem


def test_a_folder_that_is_not_there_is_told(tmp_path):
    with pytest.raises(TemplatesMissing):
        open_composer(load_settings(templates=tmp_path / "nowhere"))


def test_every_word_of_the_list_may_be_used_as_it_is_named(tmp_path):
    asked_for = ("attachments.", "about.", "download.", "entrance.", "frame")
    single = [word for word in WORDS if not word.startswith(asked_for)]
    words = "".join(f"{{% if {word} %}}{{{{ {word} }}}}{{% endif %}}" for word in single)
    words += "{% for f in attachments %}{{ f.name }}{{ f.size_bytes }}{% endfor %}"
    words += "{% if download %}{{ download.address }}{{ download.name }}"
    words += "{{ download.size_bytes | size }}{{ download.until_on | day }}{% endif %}"
    words += "{% if entrance %}{{ entrance.address }}{{ entrance.minutes }}{% endif %}"
    words += "{% if about %}{{ about.name }}{{ about.id }}{% endif %}"
    write(tmp_path, "notices/everything.jinja", body(words))
    write(
        tmp_path, "banners/expired.jinja", banner("".join(f"{{{{ {w} }}}}" for w in BANNER_WORDS))
    )
    write(tmp_path, "diploma/words.jinja", "".join(f"{{{{ {word} }}}}" for word in PHRASE_WORDS))

    JinjaComposer(tmp_path).check()


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        ("{{ banner.mood }}", "banner.mood is not known"),
        ("{{ facts.days_left + 1 }}", "the banner ours cannot be written: unsupported operand"),
        ("{% for c in banner.allowed_next %}{{ c }}{% endfor %}", "the banner ours cannot be writ"),
    ],
)
def test_a_banner_that_would_fail_once_a_page_is_opened_is_refused_at_the_start(
    tmp_path, words, problem
):
    error = refusal(write(tmp_path, "banners/ours.jinja", banner(words)))

    assert error.problem.startswith(problem)
    assert (error.file, error.line) == (str(tmp_path / "banners" / "ours.jinja"), 3)


def test_a_banner_that_lacks_a_part_is_refused(tmp_path):
    write(tmp_path, "banners/ours.jinja", "{% extends frame %}{% block heading %}x{% endblock %}")

    assert "cannot be written" in refusal(tmp_path).problem


def test_a_message_knows_nothing_of_banners(tmp_path):
    write(tmp_path, "notices/ours.jinja", body("{{ banner.allowed }}"))

    assert refusal(tmp_path).problem == "banner is not known here"


def test_a_vendor_who_brings_no_templates_is_not_kept_waiting():
    JinjaComposer().check()
