"""An achievement on paper: what its diploma and the list of all diplomas say, and how they look.

Words come from one template, each block of it one phrase, in the reader's language; the layouts
are Typst. A vendor's folder may hold any of these files, and then its own are taken.

Source: mission A3; ISO 19005-3 (PDF/A-3), ISO 14289-1 (PDF/UA-1).
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any, Final
from unicodedata import category

from jinja2 import Environment
from whenever import Date

from offramp.data.proof.paper import MAIN, LayoutWrong, LetterMissing, print_paper

COLOR: Final = "#8a6d34"
WORDS: Final = "diploma/words.jinja"
_PRESETS: Traversable = files("offramp.presets") / "messages" / "diploma"
_STYLE = "style.typ"
_CONTENT = "content.json"
# Pictures that people put into titles: no font for papers has them, and nobody's name needs one.
_DECORATIONS = frozenset({"So", "Sk", "Cs", "Co", "Cn"})
_JOINERS = frozenset("\u200d\ufe0e\ufe0f\u20e3")


@dataclass(frozen=True, slots=True, kw_only=True)
class Language:
    """The templates in a reader's language, and the tag of it."""

    environment: Environment
    tag: str

    def phrase(self, block: str, **variables: object) -> str:
        """Give one phrase of the template of words."""
        template = self.environment.get_template(WORDS)
        context = template.new_context(variables)
        return " ".join("".join(template.blocks[block](context)).split())


@dataclass(frozen=True, slots=True, kw_only=True)
class Paper:
    """One paper that is to be printed, with the file that is attached inside."""

    layout: str
    content: Mapping[str, Any]
    file: str
    attached: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Printer:
    """Prints papers in the vendor's look.

    Attributes:
        folder: the vendor's own layouts, in `diploma/`.
        fonts: folders with fonts beside those that are brought.
    """

    folder: Path | None = None
    fonts: tuple[Path, ...] = ()
    color: str = COLOR

    def print(self, paper: Paper) -> bytes:
        """Return a PDF; decorations that no font has are left out of it.

        Raises:
            PrinterMissing: the packages that print are not installed.
            LetterMissing: a letter is in none of the fonts, or this paper alone cannot be laid out.
        LayoutWrong: nothing can be printed with this layout.
        """
        content = {**paper.content, "file": paper.file, "color": self.color}
        try:
            return self._print(paper, content)
        except LetterMissing:
            plain = _mapped(content, without_decorations)
            if plain == content:
                raise
            return self._print(paper, plain)
        except LayoutWrong as error:
            # Where the layout can show other words, it is these that it stumbles over, and what is
            # wrong with one person's paper must not keep everybody else's.
            self._print(paper, {**_mapped(content, _harmless), **_kept(content)})
            raise LetterMissing(hint=error.hint) from error

    def _print(self, paper: Paper, content: Mapping[str, Any]) -> bytes:
        given = {
            MAIN: self._layout(paper.layout),
            _STYLE: self._layout(_STYLE),
            _CONTENT: json.dumps(content, ensure_ascii=False).encode(),
            paper.file: paper.attached,
        }
        return print_paper(given, fonts=self.fonts)

    def _layout(self, name: str) -> bytes:
        own = None if self.folder is None else self.folder / "diploma" / name
        return own.read_bytes() if own is not None and own.is_file() else _preset(name)


def date_of(day: Date) -> dict[str, int]:
    """Write a day as Typst takes it."""
    return {"year": day.year, "month": day.month, "day": day.day}


def numbers_of(identity: str) -> Sequence[int]:
    """Give the three numbers that a rosette is drawn from; they come from what it stands for."""
    digest = sha256(identity.encode()).digest()
    return (9 + digest[0] % 16, 4 + digest[1] % 4, 5 + digest[2] % 7)


def _preset(name: str) -> bytes:
    return (_PRESETS / name).read_bytes()


def without_decorations(text: str) -> str:
    """Leave out what is neither a letter nor a sign of any script; a dash stands for all of it."""
    kept = (c for c in text if c not in _JOINERS and category(c) not in _DECORATIONS)
    return " ".join("".join(kept).split()) or (text and "-")


def _mapped(content: Any, change: Callable[[str], str]) -> Any:  # noqa: ANN401 (plain JSON)
    if isinstance(content, str):
        return change(content)
    if isinstance(content, Mapping):
        return {name: _mapped(value, change) for name, value in content.items()}
    if isinstance(content, list | tuple):
        return [_mapped(value, change) for value in content]
    return content


def _harmless(text: str) -> str:
    return "A" if text else ""


def _kept(content: Mapping[str, Any]) -> dict[str, Any]:
    return {name: content[name] for name in ("language", "color", "file")}
