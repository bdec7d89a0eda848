"""A certificate stands alone: any change of it is seen, offline."""

import json

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from offramp.data.proof.certificate import (
    CertificateForged,
    CertificateUnfit,
    sign_certificate,
    verify_certificate,
)

PRIVATE = bytes(range(32))
PUBLIC = Ed25519PrivateKey.from_private_bytes(PRIVATE).public_key().public_bytes_raw()
CONTENT = {"organization": "42", "rows": {"users": 0}, "retained": [], "note": "ü"}


def test_what_was_signed_is_read_back_by_anybody_with_the_public_key():
    """L28."""
    document = sign_certificate(CONTENT, private_key=PRIVATE)

    assert verify_certificate(document, public_key=PUBLIC) == CONTENT


def test_the_same_content_gives_the_same_bytes():
    backwards = dict(reversed(CONTENT.items()))

    assert sign_certificate(CONTENT, private_key=PRIVATE) == sign_certificate(
        backwards, private_key=PRIVATE
    )


def test_a_change_of_any_byte_is_seen():
    document = sign_certificate(CONTENT, private_key=PRIVATE)

    for place in range(0, len(document), 7):
        forged = bytearray(document)
        forged[place] ^= 1
        with pytest.raises(CertificateForged):
            verify_certificate(bytes(forged), public_key=PUBLIC)


def test_a_certificate_signed_with_another_key_is_refused():
    document = sign_certificate(CONTENT, private_key=bytes(32))

    with pytest.raises(CertificateForged, match="another key"):
        verify_certificate(document, public_key=PUBLIC)


@pytest.mark.parametrize("document", [b"", b"[]", b"{}", b'{"certificate":{},"signature":1}'])
def test_what_is_no_certificate_is_refused(document):
    with pytest.raises(CertificateForged, match="not a certificate"):
        verify_certificate(document, public_key=PUBLIC)


def test_a_second_way_of_writing_it_is_refused():
    parsed = json.loads(sign_certificate(CONTENT, private_key=PRIVATE))

    with pytest.raises(CertificateForged, match="not written"):
        verify_certificate(json.dumps(parsed, indent=1).encode(), public_key=PUBLIC)


def test_a_number_that_would_lose_digits_is_not_certified():
    with pytest.raises(CertificateUnfit):
        sign_certificate({"rows": 2**60}, private_key=PRIVATE)
