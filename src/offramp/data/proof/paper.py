"""Papers: PDF/A-3b and PDF/UA-1 by Typst. Everything that is printed is printed here.

Equal papers give equal bytes: text, date and files come from what is given and from the packages,
and no font of the machine takes part. A letter that no font has is an error and never a box.

Source: ISO 19005-3 (PDF/A-3), ISO 14289-1 (PDF/UA-1).
"""

import importlib
import logging
import re
import zlib
from collections.abc import Mapping, Sequence
from functools import lru_cache
from io import BytesIO
from pathlib import Path
from typing import Any, Final

from offramp.core.errors import Invalid

STANDARDS: Final = ("a-3b", "ua-1")
FONTS: Final = ("fontpkg_noto_sans", "fontpkg_amiri")
MAIN: Final = "main.typ"
# What a stranger's file can make a parser stumble over.
_STUMBLES: Final = (ValueError, LookupError, TypeError, AttributeError, RuntimeError, OSError,
                    ArithmeticError, AssertionError, zlib.error)  # fmt: skip
logging.getLogger("pypdf").addHandler(logging.NullHandler())  # it comments on strangers' files
_NO_LETTER: Final = ("could not be displayed with font", "disallowed codepoint")
_PLACE = re.compile(r"(?P<place>[\w.-]+\.typ:\d+)")


class PrinterMissing(Invalid):
    """A PDF needs the package {package}, which is not installed."""


class LetterMissing(Invalid):
    """A paper cannot be printed: no font has a letter of it."""


class PaperUnreadable(Invalid):
    """This PDF is damaged."""


class LayoutWrong(Invalid):
    """A paper cannot be printed: its layout is wrong in line {line}."""


def require_printer() -> None:
    """Refuse early, before anything is done that ends with a PDF.

    Raises:
        PrinterMissing: a package is not there.
    """
    for package in ("typst", *FONTS):
        _load(package)


def print_paper(files: Mapping[str, bytes], *, fonts: Sequence[Path] = ()) -> bytes:
    """Return the PDF of a layout and what it reads.

    Args:
        files: by name; the layout is `main.typ`.
        fonts: folders with fonts beside those of the packages.

    Raises:
        PrinterMissing: a package is not there.
        LetterMissing: no font has a letter of it.
        LayoutWrong: the layout is no Typst, or cannot show what it was given.
    """
    return _compile(files, fonts=fonts, format="pdf", pdf_standards=list(STANDARDS))


def files_in(paper: bytes) -> list[bytes]:
    """Return what is attached inside of a PDF.

    Raises:
        PrinterMissing: the package that reads PDFs is not installed.
        PaperUnreadable: it cannot be read.
    """
    pypdf = _load("pypdf")
    try:
        reader = pypdf.PdfReader(BytesIO(paper))
        return [content for contents in reader.attachments.values() for content in contents]
    except (pypdf.errors.PyPdfError, *_STUMBLES) as error:
        raise PaperUnreadable from error


def _compile(files: Mapping[str, bytes], *, fonts: Sequence[Path], **options: Any) -> bytes:  # noqa: ANN401
    typst = _load("typst")
    try:
        printed: bytes = typst.compile(
            dict(files), font_paths=_fonts(tuple(fonts)), ignore_system_fonts=True, **options
        )
    except typst.TypstError as error:
        # What it says may quote the paper, which not everybody who reads errors may read.
        if any(words in error.message for words in _NO_LETTER):
            raise LetterMissing(hint="fonts are added by the setting `fonts`") from error
        where = _PLACE.search(error.diagnostic)
        raise LayoutWrong(line=where["place"] if where else "?") from error
    return printed


@lru_cache
def _fonts(folders: tuple[Path, ...]) -> Any:  # noqa: ANN401 (the library may be missing)
    packages = [str(_load(package).ROOT / "files") for package in FONTS]
    return _load("typst").Fonts(
        include_system_fonts=False, font_paths=[*packages, *map(str, folders)]
    )


def _load(package: str) -> Any:  # noqa: ANN401 (a package that may be missing has no type here)
    try:
        return importlib.import_module(package)
    except ModuleNotFoundError as error:
        raise PrinterMissing(package=package, hint="pip install offramp[pdf]") from error
