"""A certificate on paper: PDF/A-3b and PDF/UA-1, with the signed JSON attached inside.

The page is a rendering of the certificate and proves nothing by itself; what is checked is the file
in it. Equal certificates give equal bytes: date, fonts and text come from nothing but the
certificate and the packages.

Source: ISO 19005-3 (PDF/A-3), ISO 14289-1 (PDF/UA-1).
"""

import json
from pathlib import Path

from offramp.core.errors import Invalid
from offramp.data.proof.paper import MAIN, print_paper

_TEMPLATE = Path(__file__).with_name("certificate.typ")
_PRINTED = ("erasure", "replay")


class CertificateUnprintable(Invalid):
    """This certificate cannot be printed: {reason}."""


def print_certificate(document: bytes) -> bytes:
    """Return the PDF of a certificate.

    Args:
        document: the signed certificate, verified by the caller.

    Raises:
        PrinterMissing: a package is not there.
        CertificateUnprintable: it is of another kind.
        LetterMissing: no font has a letter of it.
    """
    kind = json.loads(document)["certificate"].get("certificate")
    if kind not in _PRINTED:
        raise CertificateUnprintable(reason=f"only those of erasures are, and this is of {kind}")
    return print_paper({MAIN: _TEMPLATE.read_bytes(), "certificate.json": document})
