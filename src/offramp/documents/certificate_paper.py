"""A certificate on paper: PDF/A-3b and PDF/UA-1, with the signed JSON attached inside.

The page is a rendering of the certificate and proves nothing by itself; what is checked is the file
in it. Equal certificates give equal bytes: date, fonts and text come from nothing but the
certificate and the packages.

Source: ISO 19005-3 (PDF/A-3), ISO 14289-1 (PDF/UA-1).
"""

import importlib
import json
from pathlib import Path
from typing import Any, Final

from offramp.core.errors import Invalid

STANDARDS: Final = ("a-3b", "ua-1")
_TEMPLATE = Path(__file__).with_name("certificate.typ")
_PRINTED = ("erasure", "replay")


class PrinterMissing(Invalid):
    """A PDF needs the package {package}, which is not installed."""


class CertificateUnprintable(Invalid):
    """This certificate cannot be printed: {reason}."""


def require_printer() -> None:
    """Refuse early, before anything is done that ends with a PDF.

    Raises:
        PrinterMissing: a package is not there.
    """
    _load("typst")
    _load("fontpkg_noto_sans")


def print_certificate(document: bytes) -> bytes:
    """Return the PDF of a certificate.

    Args:
        document: the signed certificate, verified by the caller.

    Raises:
        PrinterMissing: a package is not there.
        CertificateUnprintable: it is of another kind, or no font has a character of it.
    """
    kind = json.loads(document)["certificate"].get("certificate")
    if kind not in _PRINTED:
        raise CertificateUnprintable(reason=f"only those of erasures are, and this is of {kind}")
    typst, fonts = _load("typst"), _load("fontpkg_noto_sans")
    files = {"main.typ": _TEMPLATE.read_bytes(), "certificate.json": document}
    try:
        printed: bytes = typst.compile(
            files,
            format="pdf",
            ignore_system_fonts=True,
            font_paths=[str(fonts.ROOT / "files")],
            pdf_standards=list(STANDARDS),
        )
    except typst.TypstError as error:
        raise CertificateUnprintable(reason=str(error.message)) from error
    return printed


def _load(package: str) -> Any:  # noqa: ANN401 (a package that may be missing has no type here)
    try:
        return importlib.import_module(package)
    except ModuleNotFoundError as error:
        raise PrinterMissing(package=package, hint="pip install offramp[pdf]") from error
