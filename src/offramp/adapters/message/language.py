"""The languages that messages are written in, each with its own templates.

Wording is translated in gettext's own form (`.po`): translators have tools for it, and it carries
each language's plural rule ("2 dni", "5 dni"). Catalogs are compiled in memory when a language is
first needed, so that no built file can be older than its source.

Source: policy language N1; CLDR (dates, times, numbers) by way of Babel.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache, partial
from gettext import GNUTranslations, NullTranslations
from importlib.resources import files
from importlib.resources.abc import Traversable
from io import BytesIO
from pathlib import Path
from typing import Literal

from babel import Locale, UnknownLocaleError
from babel.dates import format_date, format_time, get_datetime_format
from babel.lists import format_list
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.units import format_unit
from jinja2 import BaseLoader, Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from whenever import Date, Instant

from offramp.core.dates import civil_date, last_day_before

SOURCE_LANGUAGE = "en"
FILTERS = ("day", "weekday", "until", "size", "series", "translated", "paragraphs")
"""The filters of ours that a template may use beside Jinja's own."""
_CATALOGS: Traversable = files("offramp.presets") / "messages" / "translations"
_KEPT = 64  # anybody can ask for a page in any of them
_FIRST = re.compile(r"\b1\b")
_PARAGRAPH_END = re.compile(r"\n\s*\n")


@dataclass(frozen=True, slots=True, kw_only=True)
class Language:
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


class Languages:
    """The languages that are spoken here, each opened when it is first needed."""

    def __init__(self, loader: BaseLoader, *, folder: Path | None = None) -> None:
        """Speak what there are catalogs for.

        Args:
            loader: where templates are found.
            folder: the vendor's own, whose catalogs in `translations/` are looked at first.
        """
        own = () if folder is None else (folder / "translations",)
        self._catalogs: tuple[Traversable, ...] = (*own, _CATALOGS)
        self._open = lru_cache(maxsize=_KEPT)(
            partial(_open_language, catalogs=self._catalogs, loader=loader)
        )

    def open(self, locale: str) -> Language:
        """Take the reader's locale if its language is spoken here, so that none is ever mixed."""
        return self._open(locale)

    @property
    def names(self) -> tuple[str, ...]:
        """The languages that are spoken, English first."""
        folders = (folder for folder in self._catalogs if folder.is_dir())
        found = {file.name for folder in folders for file in folder.iterdir()}
        names = {name.removesuffix(".po") for name in found if name.endswith(".po")}
        return (SOURCE_LANGUAGE, *sorted(names - {SOURCE_LANGUAGE}))


def languages_of_pages(folder: Path | None) -> Languages:
    """Speak on pages what there are catalogs for, the vendor's folder looked at first."""
    return _shipped_pages() if folder is None else Languages(_page_loader(), folder=folder)


@cache  # what is shipped stays the same, so that its templates are compiled once in a process
def _shipped_pages() -> Languages:
    return Languages(_page_loader())


def _page_loader() -> BaseLoader:
    return PackageLoader("offramp.presets", "pages")


def _open_language(name: str, *, catalogs: Sequence[Traversable], loader: BaseLoader) -> Language:
    locale = _parse_locale(name)
    spoken = [each for each in catalogs if _catalog_file(each, locale).is_file()]
    if not spoken:
        locale = locale if locale.language == SOURCE_LANGUAGE else Locale(SOURCE_LANGUAGE)
    translations: NullTranslations = NullTranslations()
    for folder in reversed(spoken):
        catalog = _read_catalog(folder, locale)
        catalog.add_fallback(translations)
        translations = catalog
    open_environment = partial(_open_environment, loader, locale=locale, translations=translations)
    return Language(
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
        auto_reload=False,  # what was checked is what is sent, and a mail asks for no file
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    # The extension adds this method when it is loaded, unseen by type checkers.
    environment.install_gettext_translations(translations, newstyle=True)  # type: ignore[attr-defined]
    environment.filters |= {
        "day": partial(_day, form="long", locale=locale),
        "weekday": partial(_day, form="full", locale=locale),
        "until": partial(_until, locale=locale),
        "size": partial(_size, locale=locale),
        "series": partial(_series, locale=locale),
        # A stage's title is the vendor's own text: to be looked up, never to be formatted.
        "translated": translations.gettext,
        "paragraphs": _paragraphs,
    }
    return environment


def _day(date: Date, *, form: Literal["long", "full"], locale: Locale) -> str:
    """Write a date; inside a sentence without its weekday, which many languages would inflect."""
    words = format_date(date.to_stdlib(), format=form, locale=locale)
    # The one day of a month that French does not count like the others, and CLDR does.
    is_first = locale.language == "fr" and date.day == 1
    return _FIRST.sub("1er", words, count=1) if is_first else words


def _until(
    end: Instant, zone: str, form: Literal["long", "full"] = "full", *, locale: Locale
) -> str:
    """Write the last day before an end, and the time where the day is not over with it."""
    last_day = last_day_before(end, zone=zone)
    words = _day(last_day, form=form, locale=locale)
    if civil_date(end, zone=zone) != last_day:
        return words
    time = format_time(end.to_tz(zone).to_stdlib().time(), format="short", locale=locale)
    whole = str(get_datetime_format("medium", locale=locale)).format(time, words)
    return _without_narrow(whole)


def _size(size_bytes: int, *, locale: Locale) -> str:
    """Write a size as a language does: "1.8 MB", "1,8 Mo"."""
    write = partial(format_unit, length="short", locale=locale)
    if size_bytes < 1_000_000:
        return _without_narrow(write(max(1, round(size_bytes / 1000)), "digital-kilobyte"))
    return _without_narrow(write(round(size_bytes / 1_000_000, 1), "digital-megabyte"))


def _without_narrow(words: str) -> str:
    """Take the other blank that keeps words together: this one is a box in many mail programs."""
    return words.replace("\u202f", "\u00a0")


def _series(words: Iterable[str], *, locale: Locale) -> str:
    """Write a series as a language does: "one, two, and three"."""
    return format_list(list(words), locale=locale)


def _paragraphs(words: str) -> list[str]:
    """Part words at empty lines; what was safe markup stays so."""
    kind = Markup if isinstance(words, Markup) else str
    parts = (" ".join(part.split()) for part in _PARAGRAPH_END.split(words))
    return [kind(part) for part in parts if part]
