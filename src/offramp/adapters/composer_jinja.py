"""Notices in words: templates decide what is said, catalogs in which language, facts what is true.

A notice is one template in three frames: subject line, plain text, HTML. Dates are written the
reader's way; they are days in the organization's zone, which is named to readers elsewhere.

Wording is translated in gettext's own form (`.po`): translators have tools for it, and it carries
each language's plural rule ("2 dni", "5 dni"). Catalogs are compiled in memory when a language is
first needed, so that no built file can be older than its source.

A vendor's folder may hold templates and catalogs of the same names; they are looked at first.

Source: mission A3, A5, A6, A8, B8, B10; policy language N1; lesson L7.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from gettext import GNUTranslations, NullTranslations
from importlib.resources import files
from importlib.resources.abc import Traversable
from io import BytesIO
from pathlib import Path
from typing import Literal

from babel import Locale, UnknownLocaleError
from babel.dates import format_date
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.numbers import format_decimal
from jinja2 import (
    BaseLoader,
    ChoiceLoader,
    Environment,
    FileSystemLoader,
    PackageLoader,
    StrictUndefined,
)
from markupsafe import Markup
from whenever import Date, Instant

from offramp.adapters.achievement_file import AchievementFiles
from offramp.adapters.diploma import Language as DiplomaLanguage
from offramp.core.model import Achievement, Member, Organization
from offramp.core.notice import NoticeFacts
from offramp.ports import Attachment, Message

SOURCE_LANGUAGE = "en"
_MESSAGES: Traversable = files("offramp.presets") / "messages"
_EMPTY_LINES = re.compile(r"\n{3,}")
_PARAGRAPH_END = re.compile(r"\n\s*\n")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Language:
    """One reader's locale, and the templates in its language."""

    locale: Locale
    text: Environment
    html: Environment

    @property
    def variables(self) -> dict[str, str]:
        """What a frame needs to know about the language it is written in."""
        is_rightwards = self.locale.character_order == "left-to-right"
        start, end = ("left", "right") if is_rightwards else ("right", "left")
        direction = "ltr" if is_rightwards else "rtl"
        language = str(self.locale).replace("_", "-")
        return {"language": language, "direction": direction, "start": start, "end": end}


class JinjaComposer:
    """Writes every message from templates."""

    def __init__(
        self,
        folder: Path | None = None,
        *,
        vendor: str = "",
        achievement_files: AchievementFiles | None = None,
    ) -> None:
        """Prepare to write.

        Args:
            folder: the vendor's own templates and, in `translations/`, catalogs.
            vendor: the name under which the vendor's customers know it.
            achievement_files: makes what farewells carry; none where nobody is sent any.
        """
        self._achievement_files = achievement_files
        self._vendor = vendor
        self._catalogs = [_MESSAGES / "translations"]
        loaders: list[BaseLoader] = [PackageLoader("offramp.presets", "messages")]
        if folder is not None:
            self._catalogs.insert(0, folder / "translations")
            loaders.insert(0, FileSystemLoader(folder))
        self._loader = ChoiceLoader(loaders)
        self._languages: dict[str, _Language] = {}

    def compose(
        self,
        facts: NoticeFacts,
        *,
        message_id: str,
        member: Member,
        organization: Organization,
        about: Member | None = None,
        attachments: tuple[Attachment, ...] = (),
        is_optional: bool = False,
    ) -> Message:
        """Write the message for one reader; ``about`` is the member where only one leaves."""
        language = self._language(member.locale or organization.locale)
        names = [f"notices/{facts.notice}.jinja", "notices/generic.jinja"]
        variables = {
            **language.variables,
            "facts": facts,
            "member": member,
            "about": about if about is not None and about.id != member.id else None,
            "organization": organization,
            "place": _place(facts, organization),
            "zone": organization.zone if member.zone not in ("", organization.zone) else None,
            "attachments": attachments,
            "vendor": self._vendor,
        }
        text, html = language.text.select_template(names), language.html.select_template(names)
        return Message(
            id=message_id,
            to=member.email,
            to_name=member.name,
            subject=" ".join(text.render(variables, frame="subject.txt").split()),
            text=_EMPTY_LINES.sub("\n\n", text.render(variables, frame="body.txt")).strip() + "\n",
            html=html.render(variables, frame="body.html"),
            is_optional=is_optional,
            attachments=attachments,
        )

    def attach_achievements(
        self,
        achievements: Sequence[Achievement],
        *,
        member: Member,
        organization: Organization,
        at: Instant,
    ) -> tuple[Attachment, ...]:
        """Write what a member has earned into signed files that stay valid without the platform."""
        if not achievements:
            return ()
        assert self._achievement_files is not None, "who writes farewells can make what they carry"
        language = self._language(member.locale or organization.locale)
        return self._achievement_files.attach(
            achievements,
            member=member,
            organization=organization,
            at=at,
            language=DiplomaLanguage(environment=language.text, tag=language.variables["language"]),
        )

    def _language(self, locale: str) -> _Language:
        if locale not in self._languages:
            self._languages[locale] = self._open_language(locale)
        return self._languages[locale]

    def _open_language(self, name: str) -> _Language:
        """Take the reader's locale if its language is spoken here, so that none is ever mixed."""
        locale = _parse_locale(name)
        spoken = [each for each in self._catalogs if _has_catalog(each, locale)]
        if not spoken:
            locale = locale if locale.language == SOURCE_LANGUAGE else Locale(SOURCE_LANGUAGE)
        translations: NullTranslations = NullTranslations()
        for folder in reversed(spoken):
            catalog = _read_catalog(folder, locale)
            catalog.add_fallback(translations)
            translations = catalog
        open_environment = partial(
            _open_environment, self._loader, locale=locale, translations=translations
        )
        return _Language(
            locale=locale,
            text=open_environment(is_markup=False),
            html=open_environment(is_markup=True),
        )


def _parse_locale(name: str) -> Locale:
    try:
        return Locale.parse(name.replace("-", "_"))
    except (UnknownLocaleError, ValueError):
        return Locale(SOURCE_LANGUAGE)


def _catalog_file(folder: Traversable, locale: Locale) -> Traversable:
    return folder / f"{locale.language}.po"


def _has_catalog(folder: Traversable, locale: Locale) -> bool:
    return _catalog_file(folder, locale).is_file()


def _read_catalog(folder: Traversable, locale: Locale) -> GNUTranslations:
    compiled = BytesIO()
    with _catalog_file(folder, locale).open("rb") as source:
        write_mo(compiled, read_po(source, locale=locale.language))
    compiled.seek(0)
    return GNUTranslations(compiled)


def _open_environment(
    loader: BaseLoader, *, locale: Locale, translations: NullTranslations, is_markup: bool
) -> Environment:
    environment = Environment(
        loader=loader,
        autoescape=is_markup,  # noqa: S701 (the other frame is plain text, where nothing is markup)
        undefined=StrictUndefined,
        extensions=["jinja2.ext.i18n"],
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    # The extension adds this method when it is loaded, unseen by type checkers.
    environment.install_gettext_translations(translations, newstyle=True)  # type: ignore[attr-defined]
    environment.filters["day"] = partial(_day, form="long", locale=locale)
    environment.filters["weekday"] = partial(_day, form="full", locale=locale)
    environment.filters["size"] = partial(_size, locale=locale)
    # A stage's title is the vendor's own text: to be looked up, never to be formatted.
    environment.filters["translated"] = translations.gettext
    environment.filters["paragraphs"] = _paragraphs
    return environment


def _day(date: Date, *, form: Literal["long", "full"], locale: Locale) -> str:
    """Write a date; inside a sentence without its weekday, which many languages would inflect."""
    return format_date(date.to_stdlib(), format=form, locale=locale)


def _size(size_bytes: int, *, locale: Locale) -> str:
    if size_bytes < 1_000_000:
        return f"{format_decimal(max(1, round(size_bytes / 1000)), locale=locale)} kB"
    return f"{format_decimal(round(size_bytes / 1_000_000, 1), locale=locale)} MB"


def _paragraphs(words: str) -> list[str]:
    """Part words at empty lines; what was safe markup stays so."""
    kind = Markup if isinstance(words, Markup) else str
    parts = (" ".join(part.split()) for part in _PARAGRAPH_END.split(words))
    return [kind(part) for part in parts if part]


def _place(facts: NoticeFacts, organization: Organization) -> str:
    name = organization.name or organization.id
    return f"{facts.product} ({name})" if facts.product else name
