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
from tests.archive import faults
from tests.unit.data.test_attestation import attested

PRIVATE = bytes(range(32))
AT = "2026-11-25T09:51:01.427691933Z"


def signed(**changes):
    content = json.loads(json.dumps(attested(destroyed=AT)))
    content |= {"erased_at": AT, "issued_at": AT, **changes}
    content["handed_over"] = [export | {"taken_at": AT, "compared_at": AT} for export in EXPORTS]
    return sign_certificate(content, private_key=PRIVATE)


EXPORTS = attested()["handed_over"]


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
        {"tables": {f"table_{number}": number for number in range(200)}},
    ],
    ids=["member", "replay", "key held", "nothing", "markup", "letters", "pages"],
)
def test_every_kind_of_content_is_an_archive_document_that_a_screen_reader_can_read(changes):
    assert faults(print_certificate(signed(**changes))) == []


def test_a_character_that_no_font_has_is_told_and_not_drawn_as_a_box():
    with pytest.raises(LetterMissing):
        print_certificate(signed(organization="会社"))


def test_another_kind_of_certificate_is_not_printed_as_one_of_an_erasure():
    with pytest.raises(CertificateUnprintable, match="only those of erasures"):
        print_certificate(sign_certificate({"certificate": "retention"}, private_key=PRIVATE))
