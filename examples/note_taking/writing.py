"""What people are called and what they write, drawn from one seed.

Everything random lives here: the generator asks a Writer and never rolls dice of its own. Some of
the text is hard on purpose, because real notes are.
"""

from __future__ import annotations

import hashlib
import random
import re
import unicodedata
import uuid
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from faker import Faker

from examples.note_taking.customers import Place

Choice = TypeVar("Choice")

LOCALES = ("en_IE", "en_US", "de_DE", "fr_FR", "pt_BR", "ja_JP")
OCCASIONS = ("Lecture", "Seminar", "Meeting", "Reading", "Interview", "Lab")
TAGS = ("exam", "Prüfung", "試験", "to do", "révision", "💡", 'say "when"', "a\\b")
HARD_TEXTS = (
    "Größe, Maß und Übermut: „Äpfel“ für 5 €",
    "東京での議事録 第3回、次回は金曜日",
    "👩\u200d🔬 mixes 🧪, 🇮🇪 wins, 👍🏽 all round",
    "\"double\", 'single', `back`, \\ back\\slash, C:\\new\\table, \\u0041, \\\\",
    "one line\nanother\r\na third\rwith\ttabs \n\n and a trailing space ",
    "controls \x01\x02\x07\x08\x0b\x0c\x1b[31m\x1f\x7f\x85 and \u2028\u2029\u200b\ufeff",
    "right to left: שלום עולם \u202eolleh\u202c, combined: e\u0301 n\u0303",
    "%s %(name)s :name $1 ? -- /* not */ '; DROP TABLE notes; --",
    '{"json": [1, 2.50, null], "html": "<b>&amp;</b>", "csv": "a,b;c"}',
    "",
)


class Writer:
    """A source of names, texts, dates and identifiers, the same for the same seed."""

    def __init__(self, *, seed: int) -> None:
        """Start from the seed."""
        self._faker = Faker(list(LOCALES))
        self._faker.seed_instance(seed)
        self.random: random.Random = self._faker["en_IE"].random

    def identifier(self) -> str:
        """Return a new text identifier."""
        return str(uuid.UUID(int=self.random.getrandbits(128), version=4))

    def token_hash(self) -> str:
        """Return the SHA-256 of a token nobody knows."""
        return hashlib.sha256(self.random.randbytes(32)).hexdigest()

    def happens(self, *, percent: int) -> bool:
        """Decide whether something that is so likely happens."""
        return self.random.randrange(100) < percent

    def pick(self, options: Sequence[Choice]) -> Choice:
        """Return one of the options."""
        return self.random.choice(options)

    def moment(self, *, after: datetime, before: datetime) -> datetime:
        """Return an instant in between, in UTC and to the microsecond."""
        span_microseconds = (before - after) // timedelta(microseconds=1)
        drawn = self.random.randrange(span_microseconds + 1)
        return (after + timedelta(microseconds=drawn)).astimezone(UTC)

    def person(self, place: Place) -> tuple[str, str]:
        """Return a display name and the part of an e-mail address before the at sign."""
        voice = self._voice(place)
        first, last = voice.first_name(), voice.last_name()
        name = f"{last} {first}" if place.locale == "ja-JP" else f"{first} {last}"
        folded = unicodedata.normalize("NFKD", f"{first}.{last}").encode("ascii", "ignore").decode()
        local = re.sub(r"[^a-z.]", "", folded.lower()).strip(".")
        return name, local or voice.user_name()

    def title(self, place: Place) -> str:
        """Return the title of a note or a recording."""
        sentence = self._voice(place).sentence(nb_words=4)
        return f"{self.pick(OCCASIONS)} {self.random.randrange(1, 13)}: {sentence}"

    def sentences(self, place: Place, *, count: int) -> str:
        """Return one paragraph in the language of the place."""
        paragraph: str = self._voice(place).paragraph(nb_sentences=count)
        return paragraph

    def body(self, place: Place) -> str:
        """Return the text of a note: usually prose and a list, now and then something hard."""
        if self.happens(percent=25):
            return self.pick(HARD_TEXTS)
        points = [f"- {self._voice(place).sentence()}" for _ in range(self.random.randrange(4))]
        return "\n".join([self.sentences(place, count=3), "", *points])

    def tags(self) -> list[str] | None:
        """Return the labels of a note; null where it was never labeled."""
        if self.happens(percent=30):
            return None
        return self.random.sample(TAGS, k=self.random.randrange(4))

    def _voice(self, place: Place) -> Faker:
        voice: Faker = self._faker[place.locale.replace("-", "_")]
        return voice
