"""The words of calendar entries, in the language of whoever opens the calendar.

Source: mission A7; policy language N1; RFC 5545, section 3.2.10 (LANGUAGE).
"""

from functools import lru_cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

from jinja2 import PackageLoader

from offramp.adapters.message.language import Language, open_language
from offramp.ports import CalendarEntry, EntryWords

_CATALOGS: Traversable = files("offramp.presets") / "messages" / "translations"
_TEMPLATE = "dates.jinja"
_LANGUAGES_KEPT = 64  # one for each locale of the readers


class JinjaCalendarWording:
    """Words the dates of an organization."""

    def __init__(self, folder: Path | None = None) -> None:
        """Prepare to word; a vendor's folder has catalogs that are looked at first."""
        own = () if folder is None else (folder / "translations",)
        self._catalogs: tuple[Traversable, ...] = (*own, _CATALOGS)
        self._loader = PackageLoader("offramp.presets", "pages")
        self._open = lru_cache(maxsize=_LANGUAGES_KEPT)(self._open_language)

    def __call__(self, entry: CalendarEntry, *, locale: str, reminder_days: int) -> EntryWords:
        """Word one entry, and the reminder that may come so many days before it."""
        language = self._open(locale)
        template = language.text.get_template(_TEMPLATE)
        context = template.new_context({"entry": entry, "days": reminder_days})
        written = {
            name: [part for line in "".join(block(context)).splitlines() if (part := line.strip())]
            for name, block in template.blocks.items()
        }
        return EntryWords(
            language=language.variables["language"],
            summary=" ".join(written["summary"]),
            details="\n".join(written["details"]),
            reminder=" ".join(written["reminder"]),
        )

    def _open_language(self, locale: str) -> Language:
        return open_language(locale, catalogs=self._catalogs, loader=self._loader)
