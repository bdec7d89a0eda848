"""Keys as people keep them: base64, PEM, or the bytes themselves."""

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from offramp.data.proof.certificate import public_key_of
from offramp.data.proof.signing_key import (
    PublicKeyInvalid,
    SigningKeyInvalid,
    read_public_key,
    read_signing_key,
    write_public_key,
)

PRIVATE = bytes(range(32))
KEY = Ed25519PrivateKey.from_private_bytes(PRIVATE)
OTHER_KIND = generate_private_key(SECP256R1())


def pem(key, encryption):
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption)


def public_pem(key):
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


@pytest.mark.parametrize("content", [PRIVATE, pem(KEY, NoEncryption())], ids=["bytes", "pem"])
def test_a_private_key_is_read(content):
    assert read_signing_key(content, file="key") == PRIVATE


@pytest.mark.parametrize(
    "content",
    [write_public_key(public_key_of(PRIVATE)), public_pem(KEY)],
    ids=["base64", "pem"],
)
def test_a_public_key_is_read(content):
    assert read_public_key(content, file="key") == public_key_of(PRIVATE)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        PRIVATE[:31],
        public_pem(KEY),
        pem(OTHER_KIND, NoEncryption()),
        pem(KEY, BestAvailableEncryption(b"password")),
        b"-----BEGIN PRIVATE KEY-----\nnonsense\n-----END PRIVATE KEY-----\n",
    ],
    ids=["empty", "short", "public", "another kind", "locked", "nonsense"],
)
def test_what_is_no_private_key_is_refused(content):
    with pytest.raises(SigningKeyInvalid):
        read_signing_key(content, file="key")


@pytest.mark.parametrize(
    "content",
    [b"", b"not base64!", PRIVATE, public_pem(OTHER_KIND), pem(KEY, NoEncryption())],
    ids=["empty", "words", "bytes", "another kind", "private"],
)
def test_what_is_no_public_key_is_refused(content):
    with pytest.raises(PublicKeyInvalid):
        read_public_key(content, file="key")
