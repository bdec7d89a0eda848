"""A certificate on paper says what the signed file says, and holds that very file."""

import contextlib
import json
import re
import subprocess
import sys
import zlib

import pytest

from offramp.data.proof.certificate import sign_certificate
from offramp.data.proof.paper import LetterMissing
from offramp.documents.certificate_paper import CertificateUnprintable, print_certificate
from tests.unit.data.test_attestation import attested

PRIVATE = bytes(range(32))
AT = "2026-11-25T09:51:01.427691933Z"


def signed(**changes):
    content = json.loads(json.dumps(attested(destroyed=AT)))
    content |= {"erased_at": AT, "issued_at": AT, **changes}
    content["handed_over"] = [export | {"taken_at": AT, "compared_at": AT} for export in EXPORTS]
    return sign_certificate(content, private_key=PRIVATE)


EXPORTS = attested()["handed_over"]


def test_it_is_an_archive_document_that_a_screen_reader_can_read():
    printed = print_certificate(signed())

    assert printed.startswith(b"%PDF-1.7")
    assert b"pdfaid:part>3<" in printed
    assert b"pdfuaid:part>1<" in printed


def streams(printed):
    """Unpack every stream of a PDF that can be unpacked."""
    for packed in re.findall(rb"stream\r?\n(.*?)\r?\nendstream", printed, re.DOTALL):
        with contextlib.suppress(zlib.error):
            yield zlib.decompress(packed)


def test_the_signed_file_itself_is_attached():
    document = signed()

    assert document in list(streams(print_certificate(document)))


def test_equal_certificates_give_equal_bytes_in_any_process(tmp_path):
    file = tmp_path / "certificate.json"
    file.write_bytes(signed())
    program = (
        "import sys, pathlib;"
        "from offramp.documents.certificate_paper import print_certificate;"
        "sys.stdout.buffer.write(print_certificate(pathlib.Path(sys.argv[1]).read_bytes()))"
    )

    elsewhere = subprocess.run(
        [sys.executable, "-c", program, file], capture_output=True, check=True
    )

    assert elsewhere.stdout == print_certificate(signed())
    assert elsewhere.stdout != print_certificate(signed(organization="8"))


@pytest.mark.parametrize(
    "changes",
    [
        {"member": "12", "product": "notes"},
        {"replay_of": "d" * 64, "certificate": "replay"},
        {"key_destroyed_at": None},
        {"retained": [], "pseudonymized": {}, "tables": {}, "verified": []},
        {"organization": "#set page(width: 1pt) *x* $y$ \\ @z <w>"},
        {"organization": "Łódź Ærø Ωμέγα Москва"},
    ],
    ids=["member", "replay", "key held", "nothing", "markup", "letters"],
)
def test_every_kind_of_content_is_printed(changes):
    assert print_certificate(signed(**changes)).startswith(b"%PDF")


def test_a_character_that_no_font_has_is_told_and_not_drawn_as_a_box():
    with pytest.raises(LetterMissing):
        print_certificate(signed(organization="会社"))


def test_another_kind_of_certificate_is_not_printed_as_one_of_an_erasure():
    with pytest.raises(CertificateUnprintable, match="only those of erasures"):
        print_certificate(sign_certificate({"certificate": "retention"}, private_key=PRIVATE))
