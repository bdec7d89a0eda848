"""The words of calendar entries, in the language of whoever opens the calendar.

Source: mission A7; policy language N1; RFC 5545, section 3.2.10 (LANGUAGE).
"""

from pathlib import Path

from offramp.adapters.message.language import languages_of_pages
from offramp.ports import CalendarEntry, EntryWords

_TEMPLATE = "dates.jinja"


class JinjaCalendarWording:
    """Words the dates of an organization."""

    def __init__(self, folder: Path | None = None) -> None:
        """Prepare to word; a vendor's folder has catalogs that are looked at first."""
        self._languages = languages_of_pages(folder)

    def __call__(self, entry: CalendarEntry, *, locale: str, reminder_days: int) -> EntryWords:
        """Word one entry, and the reminder that may come so many days before it."""
        language = self._languages.open(locale)
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
