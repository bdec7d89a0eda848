"""What a page says: the same facts as a message, in the language of whoever looks at it."""

import re
from dataclasses import replace
from itertools import product

import pytest
from whenever import Instant

from offramp.adapters.composer_jinja import JinjaComposer
from offramp.adapters.message.brand import Brand
from offramp.core.access import Standing, Voter
from offramp.core.banner import Reader, describe, show_banner
from offramp.core.model import Member, Organization, Role, SubjectKind
from offramp.core.policy import LEVELS
from offramp.documents.policy import find_policy
from offramp.testing.builders import make_timeline, make_unlock

EDIT_ONLY = find_policy("edit-only-grace")
ACME = Organization(id="acme", name="Acme", zone="Europe/Dublin", locale="en", policy="p")
ANNA = Member(
    id="1",
    organization="acme",
    email="anna@example.com",
    name="Anna",
    roles=frozenset({Role.MEMBER}),
    locale="en",
    zone="",
)
COMPOSER = JinjaComposer()
LAST_DAY = "2024-11-28T12:00:00Z"
LANGUAGES = ("en", "de", "es", "fr", "pl")


def banner(now=LAST_DAY, *, roles=(Role.MEMBER,), kind=SubjectKind.ORGANIZATION, unlocks=()):
    timeline = make_timeline(EDIT_ONLY, kind=kind)
    reader = Reader(
        roles=frozenset(roles),
        standings=(Standing(voter=Voter.ORGANIZATION, timeline=timeline),),
        unlocks=unlocks,
    )
    return show_banner(reader, now=Instant.parse_iso(now)).banner


def write(shown=None, *, locale="en", member=ANNA, organization=ACME, composer=None):
    return (composer or COMPOSER).write_banner(
        shown or banner(), member=member, organization=organization, locale=locale
    )


def plain(words):
    return words.replace("\xa0", " ")


@pytest.mark.parametrize(
    ("locale", "stage", "heading", "text", "until"),
    [
        (
            "en",
            "Expired",
            "Full access has ended",
            "You can still open, edit, copy, and export what exists. Nothing new can be created.",
            "Until November 28, 2024: 1 more day, today included. Then access ends altogether.",
        ),
        (
            "de",
            "Abgelaufen",
            "Der volle Zugang ist beendet",
            "Vorhandenes können Sie weiterhin öffnen, bearbeiten, kopieren und exportieren. "
            "Neues kann nicht angelegt werden.",
            "Bis zum 28. November 2024: noch 1 Tag, heute eingeschlossen. "
            "Danach endet der Zugang ganz.",
        ),
        (
            "fr",
            "Expiré",
            "L’accès complet a pris fin",
            "Vous pouvez encore ouvrir, modifier, copier et exporter ce qui existe. "
            "Rien de nouveau ne peut être créé.",
            "Jusqu’au 28 novembre 2024 : encore 1 jour, aujourd’hui compris. "
            "Ensuite, tout accès prend fin.",
        ),
        (
            "pl",
            "Wygasłe",
            "Pełny dostęp zakończył się",
            "Istniejące treści można nadal otwierać, edytować, kopiować i eksportować. "
            "Nie można tworzyć niczego nowego.",
            "Do 28 listopada 2024: pozostał 1 dzień, łącznie z dzisiejszym. "
            "Potem dostęp zakończy się całkowicie.",
        ),
        (
            "es",
            "Vencido",
            "El acceso completo ha terminado",
            "Todavía puede abrir, editar, copiar y exportar lo que ya existe. "
            "No se puede crear nada nuevo.",
            "Hasta el 28 de noviembre de 2024: queda 1 día, incluido hoy. "
            "Después el acceso termina por completo.",
        ),
    ],
)
def test_it_says_what_stage_what_is_possible_and_until_when_B7(locale, stage, heading, text, until):
    words = write(locale=locale)

    assert (words.language, words.direction, words.stage) == (locale, "ltr", stage)
    assert (words.heading, words.text, words.until) == (heading, text, until)


@pytest.mark.parametrize(
    ("roles", "kind", "heading", "advice"),
    [
        (
            [Role.ADMIN],
            SubjectKind.ORGANIZATION,
            "Full access has ended",
            "If you renew, everything comes back as it was. Otherwise, please export in time what "
            "you want to keep. From September 30, 2025 on, everything may be deleted for good.",
        ),
        (
            [Role.MEMBER],
            SubjectKind.ORGANIZATION,
            "Full access has ended",
            "If you want to go on, ask an administrator of your organization: once they renew, "
            "everything comes back as it was. Please export in time what you want to keep.",
        ),
        (
            [Role.MEMBER],
            SubjectKind.MEMBER,
            "Your full access has ended",
            "If you think that this is a mistake, please ask an administrator of your "
            "organization. Please export in time what you want to keep. From September 30, 2025 "
            "on, your content may be deleted for good.",
        ),
    ],
)
def test_everybody_is_told_what_they_themselves_can_do_B7(roles, kind, heading, advice):
    words = write(banner(roles=roles, kind=kind))

    assert (words.heading, words.advice) == (heading, advice)


@pytest.mark.parametrize("locale", LANGUAGES)
def test_administrators_users_and_those_who_leave_alone_read_different_words(locale):
    readers = [
        ([Role.ADMIN], SubjectKind.ORGANIZATION),
        ([Role.MEMBER], SubjectKind.ORGANIZATION),
        ([Role.MEMBER], SubjectKind.MEMBER),
    ]

    advice = {write(banner(roles=r, kind=kind), locale=locale).advice for r, kind in readers}

    assert len(advice) == len(readers)


@pytest.mark.parametrize(
    ("now", "words"),
    [
        ("2024-11-28T12:00:00Z", "pozostał 1 dzień,"),
        ("2024-11-27T12:00:00Z", "pozostały 2 dni,"),
        ("2024-11-24T12:00:00Z", "pozostało 5 dni,"),
        ("2024-11-17T12:00:00Z", "pozostało 12 dni,"),
        ("2024-11-07T12:00:00Z", "pozostały 22 dni,"),
    ],
)
def test_days_are_counted_as_polish_counts(now, words):
    assert words in write(banner(now), locale="pl").until


def test_a_reader_elsewhere_is_told_their_own_day_and_hour_and_whose_zone_it_is_N1():
    words = write(member=replace(ANNA, zone="Pacific/Auckland"))

    assert "Until November 29, 2024, 1:00 PM: 1 more day" in plain(words.until)
    assert words.note == "Dates and times are those of your time zone, Pacific/Auckland."
    assert write().note == ""


@pytest.mark.parametrize(
    ("page", "member", "organization", "expected"),
    [("fr", "de", "pl", "fr"), ("", "de", "pl", "de"), ("", "", "pl", "pl"), ("ja", "", "", "en")],
)
def test_the_pages_language_goes_before_the_members_and_the_organizations(
    page, member, organization, expected
):
    words = write(
        locale=page,
        member=replace(ANNA, locale=member),
        organization=replace(ACME, locale=organization),
    )

    assert words.language == expected


def test_links_follow_the_same_rule_as_in_messages_B10():
    brand = Brand(information="https://vendor.example/next", support="help@vendor.example")

    words = write(composer=JinjaComposer(brand=brand))

    assert [(link.label, link.address) for link in words.links] == [
        ("What happens next", "https://vendor.example/next"),
        ("Contact support", "mailto:help@vendor.example"),
        ("Service agreement", "https://example.com/agreement"),
    ]


def test_there_are_only_links_that_somebody_has_set():
    shown = banner()
    bare = replace(shown.facts, agreement=None, information=None, support=None)

    assert write(replace(shown, facts=bare)).links == ()


def test_what_support_has_opened_is_told_with_its_end():
    unlock = make_unlock("2024-11-28T00:00:00Z", "2024-11-28T18:30:00Z")

    words = write(banner(unlocks=(unlock,)))

    assert words.heading == "Everything still works as before"
    assert plain(words.text) == (
        "Support has given you full access until November 28, 2024, 6:30 PM."
    )
    assert words.until == "“Expired” until: November 28, 2024."


@pytest.mark.parametrize(
    ("level", "heading", "text"),
    [
        ("full", "Everything still works as before", ""),
        (
            "read-only",
            "Full access has ended",
            "You can still open, copy, and export what exists. Nothing can be created or changed.",
        ),
        (
            "export-only",
            "Full access has ended",
            "You can still export what exists. Nothing can be created or changed.",
        ),
        ("none", "Access has ended", "It is no longer possible to sign in."),
    ],
)
def test_whatever_a_policy_allows_is_said_as_it_is_L38(level, heading, text):
    allowed = LEVELS[level]

    words = write(replace(banner(), allowed=allowed, lost=LEVELS["full"] - allowed))

    assert (words.heading, words.text) == (heading, text)


@pytest.mark.parametrize("locale", LANGUAGES)
def test_where_nothing_is_possible_no_days_are_counted_for_it(locale):
    """They would be days of what? The stage is named that lasts so long."""
    nothing = LEVELS["none"]

    words = write(replace(banner(), allowed=nothing, lost=LEVELS["full"]), locale=locale)

    assert words.stage in words.until
    assert "2024" in words.until
    assert "1 " not in words.until.replace("2024", "").replace("28", "")


def test_what_is_left_afterwards_is_named():
    words = write(replace(banner(), allowed_next=LEVELS["read-only"]))

    assert words.until.endswith("Then you can only open, copy, and export what exists.")


@pytest.mark.parametrize("locale", LANGUAGES)
@pytest.mark.parametrize("level", LEVELS)
def test_no_case_leaves_a_gap_in_any_language(level, locale):
    shown = banner()
    ends = (shown.facts, replace(shown.facts, stage_ends_at=None, days_left=None, erases_at=None))
    by = (frozenset(), frozenset({"support"}), frozenset({"admin"}))

    for facts, returns_by, is_sure, is_own, lost in product(
        ends, by, (True, False), (True, False), (LEVELS["none"], LEVELS["full"] - LEVELS[level])
    ):
        words = write(
            replace(
                shown,
                facts=replace(facts, is_one_member=is_own),
                allowed=LEVELS[level],
                lost=lost,
                returns_by=returns_by,
                returns_whole=is_sure,
                may_renew=is_sure,
                may_request=is_sure,
            ),
            locale=locale,
        )

        assert words.heading
        for part in (words.heading, words.text, words.until, words.advice):
            assert not re.search(r"None|%\(|\{|Undefined|  |\n", part)


def test_a_name_with_markup_stays_a_name(tmp_path):
    (tmp_path / "banners").mkdir()
    (tmp_path / "banners" / "expired.jinja").write_text(
        '{% extends "banners/generic.jinja" %}{% block heading %}{{ place }}: "bye"{% endblock %}'
    )
    evil = '<img src=x onerror=alert(1)> & "sons"'

    words = write(
        organization=replace(ACME, name=evil), composer=JinjaComposer(tmp_path), locale="de"
    )

    assert words.heading == f'{evil}: "bye"'
    assert words.until.startswith("Bis zum 28. November 2024")


def test_a_stage_without_words_of_its_own_has_those_for_all(tmp_path):
    (tmp_path / "banners").mkdir()
    (tmp_path / "banners" / "paused.jinja").write_text("")

    assert write(composer=JinjaComposer(tmp_path)).heading == "Full access has ended"


def test_a_language_that_runs_leftwards_says_so(tmp_path):
    (tmp_path / "translations").mkdir()
    (tmp_path / "translations" / "ar.po").write_text(
        'msgid ""\nmsgstr "Content-Type: text/plain; charset=utf-8\\n"\n\n'
        'msgid "Expired"\nmsgstr "منتهٍ"\n',
        encoding="utf-8",
    )

    words = write(locale="ar", composer=JinjaComposer(tmp_path))

    assert (words.language, words.direction, words.stage) == ("ar", "rtl", "منتهٍ")


def test_whoever_is_given_a_copy_is_led_to_the_portal_where_there_is_one_B9():
    """B9, B7."""
    standing = Standing(voter=Voter.ORGANIZATION, timeline=make_timeline(EDIT_ONLY))
    reader = Reader(roles=frozenset({Role.MEMBER}), standings=(standing,))
    shut = describe(reader, now=Instant.parse_iso("2024-12-10T12:00:00Z"))
    portal = "https://leaving.vendor.example/portal"

    with_portal = write(shut, composer=JinjaComposer(brand=Brand(portal=portal)))
    without = write(shut)

    assert shut.allowed == frozenset()
    assert "have a copy made on your page in the portal" in with_portal.advice
    assert portal in [link.address for link in with_portal.links]
    assert "ask support for a download" in without.advice
